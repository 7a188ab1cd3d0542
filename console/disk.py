"""The daemon's care for the disk: what has had its time goes, and at the reserve the oldest raw pages, then collecting waits.

Nothing waits but collecting: what was matched is still mailed, and commands still read. It goes on by itself once there is
room again. docs/design/disk.md says why in this order.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from console.settings import Settings
from console.workshop import database_file
from core.errors import StorageError
from core.log import values
from storage import retention
from storage import settings as facts
from storage.archive import Archive, Transaction
from storage.disk import MEGABYTE, free_bytes, measure, note_reading, out_of_room
from storage.raw import RawPages
from storage.raw_files import RawFile, past_their_time, raw_files, until

log = logging.getLogger("jingbao.console")

T = TypeVar("T")

LOOK_EVERY = timedelta(seconds=10)
"""How often the daemon looks whether there is room: a system call or two."""
ROOM_AGAIN = 1.2
"""Collecting goes on once so many times the reserve is free, so that it does not stop and go at the edge."""
SHED_LATELY = timedelta(days=2)
"""So long after raw pages had to go before their time the disk still counts as short."""
_SHORTAGES, _TRIAL = "disk.shortages", "disk.trial"
_TRIAL_BYTES = 256_000


@dataclass(frozen=True, slots=True)
class Shortage:
    """That the disk is short, why in words, and since when (aware UTC). `waiting`: collecting has stopped for it.

    `last` is when raw pages last had to go for it.
    """

    reason: str
    since: datetime
    waiting: bool
    last: datetime | None = None


class DiskKeeper:
    """Looks after the disk of one configuration's data folder, for as long as the daemon works with it."""

    def __init__(self, settings: Settings, archive: Archive) -> None:
        self._settings = settings
        self._keep = settings.config.keep
        self._archive = archive
        self._raw = RawPages(settings.config.data_dir / "raw")
        self._wrapping_up = False
        self._stopped: Shortage | None = None
        self._written: Sequence[Shortage] | None = None  # for others to read; None if that is not known
        self._shed: Shortage | None = None
        self._unremovable: set[str] = set()
        self._refused = False  # a write failed for want of room, whatever is said to be free
        self._looking = asyncio.Lock()

    @property
    def waiting(self) -> bool:
        """Whether collecting has to wait for room."""
        return self._stopped is not None

    @property
    def shortages(self) -> Sequence[Shortage]:
        """What the operator should know of now; nothing if there is room."""
        return [shortage for shortage in (self._stopped, self._shed) if shortage]

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Around a piece of collecting: if it fails for want of room, collecting waits from then on. The error passes."""
        try:
            yield
        except StorageError as error:
            if out_of_room(error):
                self._refused = True
                self._wait("the disk refused a write for want of room")
            raise

    def wrap_up(self) -> None:
        """Let upkeep return after the step under way."""
        self._wrapping_up = True

    async def look(self) -> None:
        """Look whether there is room: make some, let collecting wait, or let it go on. Raises StorageError."""
        async with self._looking:
            await self._recall()
            if self.waiting or await self._missing():
                await self._make_room()
            enough = not await self._missing(ROOM_AGAIN if self.waiting else 1) and await self._takes_writes()
            if not enough:
                self._wait(f"less than {self._keep.reserve_mb:g} MB (keep.reserve_mb) is free, and {self._why_none_go}")
            elif self.waiting:
                self._go_on()
            if self._shed and self._settings.clock.now() - (self._shed.last or self._shed.since) > SHED_LATELY:
                self._shed = None
            await self._write_down()

    async def tidy(self) -> None:
        """Remove daily files past their time, forget what has had its time, and take the day's reading. Raises StorageError."""
        now, keep = self._settings.clock.now(), self._keep
        for file in past_their_time(await self._files(), keep, now):
            await self._remove(file, "had its time, or keep.max_gb was reached")
        await self._forget_places()
        await self._all(lambda tx: retention.forget_runs(tx, now - timedelta(days=keep.run_days)))
        await self._all(lambda tx: retention.forget_versions(tx, now - timedelta(days=keep.version_days)))
        size = await asyncio.to_thread(self._archive.size)
        use = await _on_disk(measure, self._settings.config.data_dir, size)
        await self._archive.writing(lambda tx: note_reading(tx, use, now))

    async def _recall(self) -> None:
        """Go on with what was short when an earlier daemon, or configuration, was at work: no restart ends a shortage."""
        if self._written is None and not self.shortages:
            with suppress(StorageError):
                kept = await self._archive.reading(kept_shortages)
                self._stopped = next((each for each in kept if each.waiting), None)
                self._shed = next((each for each in kept if not each.waiting), None)
                self._written = kept

    # Room

    @property
    def _why_none_go(self) -> str:
        return "older raw pages cannot be removed; see the log" if self._unremovable else "no older raw pages are left"

    async def _missing(self, times: float = 1) -> bool:
        """Whether so many reserves are not free, on the data folder's disk or the database's."""
        folders = {self._settings.config.data_dir, database_file(self._settings).parent}
        return any([await self._is_short(folder, times) for folder in folders])

    async def _is_short(self, folder: Path, times: float = 1) -> bool:
        return await _on_disk(free_bytes, folder) < times * self._keep.reserve_mb * MEGABYTE

    async def _make_room(self) -> None:
        """Remove the oldest daily files until the disk they lie on has room, or none is left but the day's."""
        files = await self._files()
        self._unremovable &= {file.name for file in files}
        for file in until(files, float("inf"), self._settings.clock.now()):
            if not await self._is_short(self._raw.folder.parent, ROOM_AGAIN) and await self._folder_takes_writes():
                return
            if not await self._remove(file, "the disk is nearly full"):
                continue
            self._note_shedding(file)
            with suppress(StorageError):  # the database may have no room to forget; `tidy` sees to it
                await self._forget_places()

    async def _takes_writes(self) -> bool:
        """Whether writes are taken again after one was refused: what is said to be free tells nothing of quotas."""
        if not self._refused:
            return True
        with suppress(StorageError):
            now = self._settings.clock.now()
            await self._archive.writing(lambda tx: facts.put(tx, _TRIAL, now.isoformat()))
            return await self._folder_takes_writes()
        return False

    async def _folder_takes_writes(self) -> bool:
        if self._refused:
            try:
                await asyncio.to_thread(_try_writing, self._raw.folder)
            except OSError:
                return False
        return True

    def _note_shedding(self, file: RawFile) -> None:
        now = self._settings.clock.now()
        if self._shed is None:
            reason = "the disk is nearly full, so the oldest raw pages go before their time"
            self._shed = Shortage(reason, now, waiting=False)
            log.warning("the disk is nearly full: the oldest raw pages go", extra=values(first=file.name))
        self._shed = replace(self._shed, last=now)

    def _wait(self, reason: str) -> None:
        if self._stopped is None:
            self._stopped = Shortage(reason, self._settings.clock.now(), waiting=True)
            log.warning("collecting waits until there is room on the disk", extra=values(reason=reason))

    def _go_on(self) -> None:
        assert self._stopped is not None
        waited = self._settings.clock.now() - self._stopped.since
        self._stopped, self._refused = None, False
        log.warning("there is room on the disk again: collecting goes on", extra=values(waited_seconds=waited.total_seconds()))

    async def _write_down(self) -> None:
        """Let others know what is short; on a full disk that may have to wait itself."""
        present = self.shortages
        if present == self._written:
            return
        with suppress(StorageError):
            await self._archive.writing(lambda tx: _keep_shortages(tx, present))
            self._written = present

    # What goes

    async def _files(self) -> list[RawFile]:
        return await _on_disk(raw_files, self._raw.folder)

    async def _remove(self, file: RawFile, why: str) -> bool:
        """Remove a daily file; gives whether it could be. One that cannot is said once, and holds up nothing else."""
        try:
            await asyncio.to_thread(self._raw.remove, file.name)
        except StorageError as error:
            if file.name not in self._unremovable:
                log.warning("raw pages stay", extra=values(reason=str(error)))
            self._unremovable.add(file.name)
            return False
        self._unremovable.discard(file.name)
        log.info("removed raw pages", extra=values(file=file.name, megabytes=file.bytes / MEGABYTE, reason=why))
        return True

    async def _forget_places(self) -> None:
        """Forget where pages lay whose file is gone, whoever removed it: file first, so that death in between heals here."""
        named = await self._archive.reading(retention.named_raw_files)
        if gone := named - {file.name for file in await self._files()}:
            await self._all(lambda tx: retention.forget_raw(tx, gone))

    async def _all(self, forget: Callable[[Transaction], int]) -> None:
        """Forget piece by piece, with others' writes in between."""
        while not self._wrapping_up:
            if not await self._archive.writing(forget):
                return


def kept_shortages(tx: Transaction) -> list[Shortage]:
    """What a daemon found short, as far as it could write that down; collecting that waits comes first."""
    kept = facts.get(tx, _SHORTAGES) or ()
    return [_unpacked(each) for each in kept]


def _unpacked(kept: dict[str, Any]) -> Shortage:
    last = kept.get("last")
    since = datetime.fromisoformat(kept["since"])
    return Shortage(kept["reason"], since, kept["waiting"], datetime.fromisoformat(last) if last else None)


def _keep_shortages(tx: Transaction, shortages: Sequence[Shortage]) -> None:
    facts.put(tx, _SHORTAGES, [_packed(each) for each in shortages])


def _packed(shortage: Shortage) -> dict[str, object]:
    return asdict(shortage) | {"since": shortage.since.isoformat(), "last": shortage.last and shortage.last.isoformat()}


async def _on_disk(look: Callable[..., T], *arguments: object) -> T:
    """What a look at the disk gives. Raises StorageError where it raises OSError."""
    try:
        return await asyncio.to_thread(look, *arguments)
    except OSError as error:
        raise StorageError(f"The disk cannot be looked at ({error}). Look at the rights of the data folder.") from error


def _try_writing(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    trial = folder / ".trial"
    try:
        with trial.open("wb") as file:
            file.write(os.urandom(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    finally:
        trial.unlink(missing_ok=True)
