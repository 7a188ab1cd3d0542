"""Bringing a backup back in the place of the present archive.

It is prepared in a file of its own first: brought to this version's tables, and with what was told since carried over. The
present archive is kept under another name before. Then one step puts the prepared one in its place: killed anywhere, the
archive is the old one or the new one, whole. Whoever calls this has the archive to itself (storage/handover.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.errors import DamagedError, NoArchiveError, OlderArchiveError, StorageError
from storage import settings
from storage.archive import RESTORED, Archive, Transaction
from storage.backup import Contents, contents_of, flush, need_room, remove_database, snapshot, sqlite_url, writing_whole
from storage.carrying import Carried, carry_over
from storage.database import database_of
from storage.files import log_of, memory_of
from storage.holding import GAPS, Held, hold
from storage.sqlite import Sqlite
from storage.upgrade import CREATED, Tables, refuse

_PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `aside` is where the archive that was there is now; None if there was none.

    Exactly one of `carried` and `held` is set: whether what was told since the backup was made is known.
    """

    backup: Contents
    aside: Path | None
    carried: Carried | None
    held: Held | None


def restore(url: str, backup: Path, now: datetime) -> Restored:
    """Put the backup in the place of the archive at `url`. `now`: aware UTC.

    Raises StorageError if the backup is damaged, another program's or a newer jingbao's, the present archive is another
    program's or waits for an upgrade, or there is no room; nothing is changed then.
    """
    contents = _fit_backup(backup)
    database = database_of(url, _PATIENCE)
    if not isinstance(database, Sqlite):
        advice = "Copy it into a new, empty database: docs/guides/backup-and-upgrade.md says how."
        raise StorageError(f"A backup does not replace an archive in {database.name}. {advice}")
    path = database.path
    path.parent.mkdir(parents=True, exist_ok=True)
    present = _present(path)
    need_room(path.parent, 2 * contents.bytes + (path.stat().st_size if path.exists() else 0))
    with _stage(path) as stage:
        snapshot(sqlite_url(backup), stage)
        aside = None if present is Tables.NONE else _beside(path, f"before-restore-{now:%Y-%m-%dT%H%M%SZ}")
        if aside and present is not None:
            with writing_whole(aside) as part:
                snapshot(url, part)
        carried, held = _prepare(stage, aside if present is Tables.PRESENT else None, backup, now)
        _put_in_place(database, stage, aside, damaged=present is None)
    return Restored(contents, aside, carried, held)


def _fit_backup(backup: Path) -> Contents:
    if not backup.is_file():
        raise StorageError(f"There is no file {backup}.")
    contents = contents_of(backup)
    refuse(contents.tables, str(backup))
    if contents.tables is Tables.NONE:
        raise StorageError(f"{backup} is a database without tables, no backup.")
    return contents


def _present(path: Path) -> Tables | None:
    """Whose tables the present archive has; NONE also where there is no file, None where it is damaged."""
    try:
        state = contents_of(path).tables
    except NoArchiveError:
        return Tables.NONE
    except DamagedError:
        return None
    if state is Tables.FOREIGN:
        refuse(state, str(path))
    if state is Tables.OLDER:
        raise OlderArchiveError(f"{path} was written by an older jingbao. Run jingbao upgrade first.")
    return state


@contextmanager
def _stage(path: Path) -> Iterator[Path]:
    """A file beside the database to prepare the new one in; gone at the end."""
    stage = _beside(path, "restoring")
    remove_database(stage)
    os.close(os.open(stage, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield stage
    finally:
        remove_database(stage)


def _prepare(stage: Path, present: Path | None, backup: Path, now: datetime) -> tuple[Carried | None, Held | None]:
    """Bring the staged backup up to date, and see to it that nothing in it is told twice. `present` is the archive that was."""
    with Archive.open(sqlite_url(stage), now) as restored:
        carried = held = None
        if present is not None:
            with Archive.open(sqlite_url(present), now, make=False, migrate=False) as theirs, theirs.read() as before:
                carried = _carried(restored, before)
        with restored.write() as tx:
            if carried is None:
                why = f"restored from {backup.name}, which does not know whether it was sent; it was not sent again"
                held = hold(tx, why)
            settings.put(tx, RESTORED, {"at": now.isoformat(), "from": backup.name})
    return carried, held


def _carried(restored: Archive, before: Transaction) -> Carried | None:
    with restored.write() as tx:
        same = all(settings.get(tx, key) == settings.get(before, key) for key in (CREATED, GAPS))
        return carry_over(before, tx) if same else None


def _put_in_place(database: Sqlite, stage: Path, aside: Path | None, *, damaged: bool) -> None:
    flush(stage)
    if damaged:
        assert aside is not None
        _move_aside(database.path, aside)
    if database.path.exists():
        database.replace_by(stage)
        database.upkeep()
    else:
        stage.rename(database.path)
        flush(database.path.parent)


def _move_aside(path: Path, aside: Path) -> None:
    """Give a damaged archive's files another name, and change nothing in them: somebody may yet save what is in them."""
    for source, target in ((log_of(path), log_of(aside)), (memory_of(path), memory_of(aside)), (path, aside)):
        with suppress(FileNotFoundError):
            source.rename(target)


def _beside(path: Path, word: str) -> Path:
    return path.with_name(f"{path.name}.{word}")
