"""Upgrading an archive with a net: a backup, then the migrations in one transaction, kept only if no row is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import NoArchiveError, StorageError
from storage.backup import contents_of, need_room, row_counts, snapshot, writing_whole
from storage.database import PATIENCE, Database, database_of, told
from storage.sqlite import Sqlite
from storage.upgrade import Tables, bring_up_to_date, refuse, revision_of, state_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Engine



@dataclass(frozen=True, slots=True)
class Upgraded:
    """What was done: from which tables to which, rows by table after it, and where the backup is (None if none was wanted)."""

    before: str
    after: str
    rows: Mapping[str, int]
    backup: Path | None


def upgrade(url: str, folder: Path, now: datetime, *, backup: bool = True) -> Upgraded | None:
    """Bring an older archive to this version's tables, after a backup of it into `folder`; None if there was nothing to do.

    Raises StorageError, DamagedError, NoArchiveError; the archive is as it was then, and also if it is killed.
    """
    database = database_of(url, PATIENCE)
    database.prepare(make=False)
    engine = database.writing_engine()
    try:
        before = _older(database, engine)
        if before is None:
            return None
        file = folder / f"before-upgrade-from-{before}-{now:%Y-%m-%dT%H%M%SZ}.sqlite3"
        made = _back_up(url, database, file) if backup else None
        with told(database), engine.begin() as connection:
            rows = _migrate(connection, now)
            return Upgraded(before, revision_of(connection) or "", rows, made)
    finally:
        engine.dispose()


def _older(database: Database, engine: Engine) -> str | None:
    """The last migration of an archive that waits for more, or None. Raises as `upgrade` does."""
    with told(database), engine.begin() as connection:
        state = state_of(connection)
        refuse(state, database.name)
        if state is Tables.NONE:
            raise NoArchiveError(f"The database {database.name} is empty yet: start jingbao run.")
        if state is Tables.PRESENT:
            return None
        database.check(connection, whole=True)
        return revision_of(connection) or "0000"


def _back_up(url: str, database: Database, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(database, Sqlite):
        # The copy, and as much again for the log that the migrations may fill.
        need_room(file.parent, 2 * database.path.stat().st_size)
    with writing_whole(file, force=True) as part:
        snapshot(url, part)
        contents_of(part)
    return file


def _migrate(connection: Connection, now: datetime) -> dict[str, int]:
    """Run the migrations in the open transaction; gives the rows by table. Raises StorageError if rows are missing then."""
    before = row_counts(connection)
    bring_up_to_date(connection, now)
    after = row_counts(connection)
    fewer = [f"{name} ({before[name]} → {after.get(name, 0)})" for name in before if after.get(name, 0) < before[name]]
    if fewer:
        raise StorageError(f"The upgrade would lose rows of {', '.join(fewer)}, so nothing was changed. Please report this.")
    return after
