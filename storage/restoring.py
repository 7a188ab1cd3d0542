"""Bringing a backup back in the place of the present archive.

It is prepared in a file of its own first: brought to this version's tables, and with what was told since carried over. The
present archive is kept under another name before. Then one step, on a server one transaction, puts the prepared one in its
place: killed anywhere, the archive is the old one or the new one, whole. Whoever calls this has the archive to itself
(storage/handover.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.errors import DamagedError, NoArchiveError, OlderArchiveError, StorageError
from storage import settings
from storage.archive import RESTORED, Archive, Transaction
from storage.backup import Contents, contents_of, flush, need_room, remove_database, snapshot, sqlite_url, writing_whole
from storage.carrying import Carried, carry_over
from storage.database import PATIENCE, Database, database_of, told
from storage.files import log_of, memory_of
from storage.holding import GAPS, Held, hold
from storage.replacing import replace_contents
from storage.sqlite import Sqlite
from storage.upgrade import CREATED, Tables, refuse, state_of


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `aside` is where the archive that was there is now; None if there was none.

    Exactly one of `carried` and `held` is set: whether what was told since the backup was made is known.
    """

    backup: Contents
    aside: Path | None
    carried: Carried | None
    held: Held | None


def restore(url: str, backup: Path, now: datetime, folder: Path) -> Restored:
    """Put the backup in the place of the archive at `url`. `now`: aware UTC.

    What is put aside, and what is being prepared, lies beside an SQLite archive, else in `folder`. Raises StorageError if the
    backup is damaged, another program's or a newer jingbao's, the present archive is another program's, waits for an upgrade,
    or is a newer jingbao's on a server, or there is no room, and DamagedError if a server's archive is damaged; nothing is
    changed then.
    """
    contents = _fit_backup(backup)
    database = database_of(url, PATIENCE)
    present = _present(database)
    base = database.path if isinstance(database, Sqlite) else folder / "jingbao.sqlite3"
    base.parent.mkdir(parents=True, exist_ok=True)
    need_room(base.parent, 2 * contents.bytes + (base.stat().st_size if base.exists() else 0))
    with _stage(base) as stage:
        snapshot(sqlite_url(backup), stage)
        aside = None if present is Tables.NONE else _beside(base, f"before-restore-{now:%Y-%m-%dT%H%M%SZ}")
        if aside and present is not None:
            with writing_whole(aside) as part:
                snapshot(url, part)
        carried, held = _prepare(stage, aside if present is Tables.PRESENT else None, backup, now)
        if not isinstance(database, Sqlite):
            _put_on_server(url, stage, now)
        elif present is None:
            assert aside is not None
            _put_in_place_of_damage(database.path, stage, aside)
        else:
            _put_in_place(database, stage)
    return Restored(contents, aside, carried, held)


def _fit_backup(backup: Path) -> Contents:
    if not backup.is_file():
        raise StorageError(f"There is no file {backup}.")
    contents = contents_of(backup)
    refuse(contents.tables, str(backup))
    if contents.tables is Tables.NONE:
        raise StorageError(f"{backup} is a database without tables, no backup.")
    return contents


def _present(database: Database) -> Tables | None:
    """Whose tables the present archive has; NONE also where there is no file, None where a file is damaged."""
    try:
        state = _looked_through(database)
    except NoArchiveError:
        return Tables.NONE
    except DamagedError as error:
        if isinstance(database, Sqlite):
            return None
        advice = "Make another, empty database, name it in storage.url, and restore into that; keep this one to be mended."
        raise DamagedError(f"{error} {advice}") from error
    if state is Tables.NEWER:
        if isinstance(database, Sqlite):
            return state  # put aside whole; what was told is in tables this version cannot read
        message = f"{database.name} was written by a newer jingbao, so this one cannot put it aside."
        raise StorageError(f"{message} Make another, empty database, name it in storage.url, and restore into that.")
    refuse(state, database.name)
    if state is Tables.OLDER:
        raise OlderArchiveError(f"{database.name} was written by an older jingbao. Run jingbao upgrade first.")
    return state


def _looked_through(database: Database) -> Tables:
    database.prepare(make=False)
    engine = database.reading_engine()
    try:
        with told(database), engine.begin() as connection:
            state = state_of(connection)
            if state is not Tables.FOREIGN:
                database.check(connection, whole=True)
            return state
    finally:
        engine.dispose()


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


def _put_in_place(database: Sqlite, stage: Path) -> None:
    flush(stage)
    if database.path.exists():
        database.replace_by(stage)
        database.upkeep()
    else:
        stage.rename(database.path)
        flush(database.path.parent)


def _put_in_place_of_damage(path: Path, stage: Path, aside: Path) -> None:
    """Give a damaged archive's files another name, and change nothing in them: somebody may yet save what is in them.

    Meanwhile an empty file is in its place, which everybody refuses: neither the database without its log, nor the new one
    with the old log, nor a new beginning can be what a death in the middle leaves.
    """
    flush(stage)
    with suppress(FileNotFoundError):
        path.rename(aside)
    path.touch(0o600)
    for source, target in ((log_of(path), log_of(aside)), (memory_of(path), memory_of(aside))):
        with suppress(FileNotFoundError):
            source.rename(target)
    flush(path.parent)
    stage.replace(path)
    flush(path.parent)


def _put_on_server(url: str, stage: Path, now: datetime) -> None:
    with Archive.open(sqlite_url(stage), now) as prepared, Archive.open(url, now, migrate=False) as archive:
        replace_contents(prepared, archive)


def _beside(path: Path, word: str) -> Path:
    return path.with_name(f"{path.name}.{word}")
