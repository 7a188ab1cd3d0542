"""A backup: the whole archive as it is at one moment, in one SQLite file, made while everything goes on.

Raw pages and config.yaml are not in it: they are plain files. A backup is looked through before it has its name, so a file of
that name is a whole archive or is not there.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, func, inspect, make_url, select, table

from core.errors import StorageError
from storage.database import database_of, told
from storage.sqlite import Sqlite
from storage.upgrade import Tables, refuse, revision_of, state_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PATIENCE = timedelta(seconds=30)
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
        snapshot(url, part, now)
        contents = contents_of(part)
        refuse(contents.tables, str(part))
    return Contents(file, contents.bytes, contents.revision, contents.tables, contents.rows)


def drop_older(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups that have their name from the date; gives those removed."""
    removed = sorted(folder.glob(_STAMPED))[:-keep]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def snapshot(url: str, file: Path, now: datetime) -> None:
    """Write the archive at `url` as it is now into `file`, unchecked. Raises StorageError, NoArchiveError."""
    database = database_of(url, _PATIENCE)
    database.prepare(make=False)
    if isinstance(database, Sqlite):
        need_room(file.parent, database.path.stat().st_size)
        database.snapshot(file)
    else:
        _copy_of_another_kind(url, file, now)


def _copy_of_another_kind(url: str, file: Path, now: datetime) -> None:
    """The archive of another database, row by row, verified."""
    from storage.archive import Archive  # noqa: PLC0415  (only here)
    from storage.copying import copy_archive  # noqa: PLC0415

    remove_database(file)
    with (
        Archive.open(url, now, make=False, migrate=False) as source,
        Archive.open(sqlite_url(file), now, unfinished=True) as target,
    ):
        copy_archive(source, target)
    file.chmod(0o600)


def sqlite_url(file: Path) -> str:
    """The URL of an SQLite file."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def contents_of(file: Path) -> Contents:
    """What an SQLite file holds, after looking through all of it. Raises NoArchiveError, DamagedError, StorageError."""
    database = Sqlite(make_url("sqlite://").set(database=str(file)), _PATIENCE)
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
