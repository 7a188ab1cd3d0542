"""What is SQLite's alone: how it is opened, locked and written, and what its complaints mean."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event

from core.errors import StorageError
from storage.search.fts5 import Fts5Index

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

    from storage.search.textindex import TextIndex

# FULL: a commit is on the disk before it counts. An outbox that marks a mail as sent needs that at a power cut, and at some
# thousand writes a day its price is nothing (figures: docs/design/archive.md).
_WRITER = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON", "PRAGMA temp_store=MEMORY")
_READER = ("PRAGMA query_only=ON", "PRAGMA temp_store=MEMORY")

_DAMAGED = "The database {path} is damaged ({error}). Stop jingbao, keep a copy of the file, and restore a backup."
_ADVICE = {
    sqlite3.SQLITE_BUSY: "Another program has been writing to {path} for too long ({error}). Try again; see who holds it open.",
    sqlite3.SQLITE_LOCKED: "Another program holds {path} locked ({error}). Try again.",
    sqlite3.SQLITE_FULL: "There is no room left on the disk of {path} ({error}). Make room; nothing half-written was kept.",
    sqlite3.SQLITE_IOERR: "Reading or writing {path} failed ({error}). Look at the disk.",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened ({error}). Does its folder exist, and may this user write there?",
    sqlite3.SQLITE_READONLY: "{path} may not be written ({error}). Give this user the right to write the file and its folder.",
    sqlite3.SQLITE_PERM: "{path} may not be opened ({error}). Give this user the right to read and write it.",
    sqlite3.SQLITE_AUTH: "{path} may not be used ({error}). Give this user the right to read and write it.",
    sqlite3.SQLITE_PROTOCOL: "Locking {path} does not work ({error}). Keep the database on a local disk, not on a network one.",
    sqlite3.SQLITE_NOMEM: "There is no memory left to read {path} ({error}).",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: "{path} is not a jingbao database, or is damaged ({error}). Restore a backup, or name another file.",
}
# Checking a file this big takes about a tenth of a second; a bigger one is checked by `doctor`.
_CHECKED_WHOLE_BYTES = 64_000_000


class Sqlite:
    """One SQLite file, opened by two engines: one that writes and takes the lock at BEGIN, one that can only read."""

    index: TextIndex = Fts5Index()

    def __init__(self, url: URL, patience: timedelta) -> None:
        """`patience`: how long to wait for another program's write. Raises StorageError if `url` names no file."""
        if not url.database or url.database == ":memory:":
            raise StorageError(f"{url} names no file. Expected something like sqlite:////var/lib/jingbao/jingbao.sqlite3")
        self.path = Path(url.database)
        self._url = url
        self._patience = patience

    def prepare(self) -> None:
        """Make the folder."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The folder {self.path.parent} cannot be made ({error}).") from error

    def writing_engine(self) -> Engine:
        """Transactions begin by taking the write lock: a later upgrade of a read lock would fail at once, without waiting."""
        return self._engine(_WRITER, "BEGIN IMMEDIATE")

    def reading_engine(self) -> Engine:
        """Transactions see one moment of the archive, wait for nobody, and cannot write."""
        return self._engine(_READER, "BEGIN")

    def _engine(self, pragmas: tuple[str, ...], begin: str) -> Engine:
        engine = create_engine(self._url, connect_args={"timeout": self._patience.total_seconds()})

        @event.listens_for(engine, "connect")
        def _connected(connection: sqlite3.Connection, _record: Any) -> None:
            connection.isolation_level = None  # transactions begin where _begin says, not where the driver guesses
            for pragma in pragmas:
                connection.execute(pragma)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def checkpoint(self) -> None:
        """Empty the write-ahead log, which a long read may have let grow (sqlite.org/wal.html, 6); a reader puts it off.

        On a connection of its own, which waits for nobody: TRUNCATE holds up writers while it waits. Raises StorageError.
        """
        try:
            with closing(sqlite3.connect(self.path, timeout=0)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise StorageError(self.advice(error) or str(error)) from error

    def advice(self, error: BaseException | None) -> str | None:
        """What a person should know and do about a driver's error; None if it is a fault of this program."""
        code = getattr(error, "sqlite_errorcode", None)
        text = None if code is None else _ADVICE.get(code & 0xFF)  # the low byte is the primary code (sqlite.org/rescode)
        return None if text is None else text.format(path=self.path, error=error)

    def check(self, connection: Connection, *, whole: bool) -> None:
        """Look for damage: the whole file if `whole` or it is small, else its header and schema.

        Raises StorageError naming the damage.
        """
        if whole or self.path.stat().st_size <= _CHECKED_WHOLE_BYTES:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        else:
            found = "ok" if connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() is not None else ""
        if found != "ok":
            raise StorageError(_DAMAGED.format(path=self.path, error=" ".join(found.split())))
