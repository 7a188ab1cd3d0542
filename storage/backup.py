"""A backup: the whole archive as it is at one moment, in one SQLite file, made while everything goes on.

Raw pages and config.yaml are not in it: they are plain files. A backup is looked through before it has its name, so a file of
that name is a whole archive or is not there.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, func, inspect, make_url, select, table

from core.errors import NoArchiveError, StorageError
from storage.database import PATIENCE, Database, database_of, told
from storage.sqlite import Sqlite, is_archive
from storage.transaction import Transaction
from storage.transcript import transcribe
from storage.unfinished import refuse_unfinished
from storage.upgrade import Tables, refuse, revision_of, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MARGIN_BYTES = 10_000_000
_STAMP = "jingbao-%Y-%m-%dT%H%M%SZ.sqlite3"
_STAMPED = "jingbao-????-??-??T??????Z.sqlite3"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup, or an archive, holds: rows by table, the last migration its archive had, its size."""

    path: Path
    bytes: int
    revision: str
    tables: Tables
    rows: Mapping[str, int]


def back_up(url: str, target: Path, now: datetime, *, force: bool = False) -> Contents:
    """Make a backup of the archive at `url` as `target`, or under a name with the date (`now`, UTC) if that is a folder.

    Only its owner may read the file. Raises StorageError if there is such a file (unless `force`), no room, or the archive or
    the copy is not whole; nothing is left then. Raises NoArchiveError.
    """
    file = target / now.strftime(_STAMP) if target.is_dir() else target
    if file.exists() and not force:
        raise StorageError(f"{file} is there already. Name another file, or overwrite it with --force.")
    with writing_whole(file, force=force) as part:
        snapshot(url, part)
        contents = contents_of(part)
        refuse(contents.tables, str(part))
    return Contents(file, contents.bytes, contents.revision, contents.tables, contents.rows)


def drop_older(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups that have their name from the date; gives those removed.

    What merely has such a name, and is no jingbao archive or not to be read, is neither counted nor removed.
    """
    removed = [file for file in sorted(folder.glob(_STAMPED)) if is_archive(file)][:-keep]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def snapshot(url: str, file: Path) -> None:
    """Write the archive at `url`, of whichever version, as it is now into `file`. Raises StorageError, NoArchiveError."""
    database = database_of(url, PATIENCE)
    database.prepare(make=False)
    if isinstance(database, Sqlite):
        need_room(file.parent, database.path.stat().st_size)
        database.snapshot(file)
    else:
        _transcript(database, file)


def _transcript(database: Database, file: Path) -> None:
    """The archive of another kind of database, row by row, verified."""
    copy = Sqlite(make_url(sqlite_url(file)), PATIENCE)
    source, target = database.reading_engine(), copy.writing_engine()
    try:
        with told(database), source.begin() as present:
            _ready_to_copy(database, present, file)
            with told(copy), target.begin() as written:
                transcribe(Transaction(present, database.index), Transaction(written, copy.index))
    finally:
        source.dispose()
        target.dispose()
    copy.make_one_file()


def _ready_to_copy(database: Database, present: Connection, file: Path) -> None:
    state = state_of(present)
    refuse(state, database.name)
    if state is Tables.NONE:
        raise NoArchiveError(f"The database {database.name} is empty yet, so there is nothing to back up.")
    refuse_unfinished(Transaction(present, database.index), database.name)
    need_room(file.parent, 2 * database.size(present).bytes)  # the copy, and the log it is written by


def sqlite_url(file: Path) -> str:
    """The URL of an SQLite file."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def contents_of(file: Path) -> Contents:
    """What an SQLite file holds, after looking through all of it. Raises NoArchiveError, DamagedError, StorageError."""
    database = Sqlite(make_url("sqlite://").set(database=str(file)), PATIENCE)
    database.prepare(make=False)
    engine = database.reading_engine()
    try:
        with told(database), engine.begin() as connection:
            state = state_of(connection)
            if state is not Tables.FOREIGN:
                database.check(connection, whole=True)
            return Contents(file, file.stat().st_size, revision_of(connection) or "", state, row_counts(connection))
    finally:
        engine.dispose()


def row_counts(connection: Connection) -> dict[str, int]:
    """Rows by table, of the archive's own tables."""
    names = [name for name in inspect(connection).get_table_names() if not name.startswith(("article_index", "alembic"))]
    return {name: connection.execute(select(func.count()).select_from(table(name))).scalar_one() for name in names}


def need_room(folder: Path, wanted: int) -> None:
    """Raise StorageError if the disk of `folder` has not so many bytes free, and some to spare."""
    free = shutil.disk_usage(folder).free
    if free < wanted + _MARGIN_BYTES:
        message = f"{folder} has {free / 1e6:,.0f} MB free, and {wanted / 1e6:,.0f} MB are needed. Nothing was changed."
        raise StorageError(f"{message} Make room, or name another place.")


@contextmanager
def writing_whole(file: Path, *, force: bool = False) -> Iterator[Path]:
    """A file to write which gets its name once it is whole and on the disk, and is gone if the block raises.

    Only its owner may read it. Raises StorageError if it cannot be made, or if meanwhile there is one of that name.
    """
    part = file.with_name(file.name + ".part")
    try:
        remove_database(part)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield part
        flush(part)
        if force:
            part.replace(file)
        else:
            _name(part, file)
        flush(file.parent)
    except OSError as error:
        raise StorageError(f"{file} cannot be written ({error.strerror or error}).") from error
    finally:
        remove_database(part)


def _name(part: Path, file: Path) -> None:
    """Give a file its name, which nobody may have."""
    try:
        os.link(part, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if file.exists():
            raise
        part.rename(file)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_database(path: Path) -> None:
    """Remove an SQLite file and what lies beside it, if it is there."""
    for each in ("", "-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + each).unlink()
