"""What is SQLite's alone: how it is opened, locked and written, and what its complaints mean."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import create_engine, event

from core.errors import DamagedError, NoArchiveError, StorageError, UnfitError
from storage import files
from storage.disk import DatabaseSize
from storage.search.fts5 import Fts5Index
from storage.upgrade import OURS

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

    from storage.search.textindex import TextIndex

# FULL: a commit is on the disk before it counts. An outbox that marks a mail as sent needs that at a power cut, and at some
# thousand writes a day its price is nothing (figures: docs/design/archive.md).
_WRITER = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON", "PRAGMA temp_store=MEMORY")
_READER = ("PRAGMA query_only=ON", "PRAGMA temp_store=MEMORY")

_DAMAGED = "The database {path} is damaged ({error}). " + files.ADVICE
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
    sqlite3.SQLITE_NOTADB: "{path} is not a jingbao database, or is damaged ({error}). " + files.ADVICE,
}
_DAMAGES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PAGES_A_STEP = 2000  # 8 MB
_APPLICATION = int.from_bytes(b"jbao")
# Checking a file this big takes about a tenth of a second; a bigger one is checked by `doctor`.
_CHECKED_WHOLE_BYTES = 64_000_000


class Sqlite:
    """One SQLite file, opened by two engines: one that writes and takes the lock at BEGIN, one that can only read."""

    index: TextIndex = Fts5Index()
    _open: ClassVar[Counter[Path]] = Counter()  # connections of this process, by file (see storage/files.py)
    _counting: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, url: URL, patience: timedelta) -> None:
        """`patience`: how long to wait for another program's write. Raises UnfitError if `url` names no file."""
        if not url.database or url.database == ":memory:":
            raise UnfitError(f"{url} names no file. Expected something like sqlite:////var/lib/jingbao/jingbao.sqlite3")
        self.path = Path(url.database)
        self._file = self.path.resolve()  # one file may have two names
        self._url = url
        self._patience = patience

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def prepare(self, *, make: bool) -> None:
        """Look at the files before they are opened, and put an empty database there if there is none and `make` says so.

        Raises NoArchiveError, DamagedError, or StorageError if folder or file cannot be made.
        """
        try:
            there = files.is_there(self.path)
            if there and not self._open[self._file]:
                files.examine_log(self.path)
            if not there and not make:
                raise NoArchiveError(f"There is no archive at {self.path} yet: start jingbao run, or jingbao restore FILE.")
            if not there:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._make()
        except OSError as error:
            raise StorageError(f"The database {self.path} cannot be made or read ({error}).") from error

    def _make(self) -> None:
        """Put an empty database in its place whole, so that a file without contents is never a beginning, always a loss."""
        fresh = self.path.with_name(f"{self.path.name}.new-{os.getpid()}-{threading.get_ident()}")
        try:
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            with suppress(FileExistsError):  # another process was faster
                os.link(fresh, self.path)
        except sqlite3.Error as error:
            raise StorageError(self.advice(error) or str(error)) from error
        finally:
            fresh.unlink(missing_ok=True)

    def snapshot(self, file: Path) -> None:
        """Write the archive as it is at one moment into `file` (empty or not there), while others go on writing.

        The steps go on inside one read transaction: without it every write of another process would begin the copy anew, and
        beside a busy daemon it would never end (docs/design/archive.md). Raises StorageError.
        """
        try:
            with closing(self._alone(self.path)) as source, closing(self._alone(file)) as copy:
                copy.execute("PRAGMA synchronous=OFF")  # flushed as a whole by who wanted it
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()
                source.backup(copy, pages=_PAGES_A_STEP)
                copy.execute("PRAGMA journal_mode=DELETE")  # one file is all of it
        except sqlite3.Error as error:
            raise self.refusal(error) from error

    def make_one_file(self) -> None:
        """Have all of a database nobody has open in its file, no log beside it, and let the file say whose it is."""
        try:
            with closing(self._alone(self.path)) as connection:
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise self.refusal(error) from error

    def replace_by(self, file: Path) -> None:
        """Put the archive in `file` in this one's place, in one transaction: others see all of the one or all of the other.

        Raises StorageError; then this one is as it was.
        """
        until = time.monotonic() + self._patience.total_seconds()

        def go_on(status: int, *_: int) -> None:
            """Called after each step. The driver would try for ever where another program writes (CPython's backup())."""
            busy = status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if busy and time.monotonic() > until:
                raise StorageError(_ADVICE[sqlite3.SQLITE_BUSY].format(path=self.path, error="database is locked"))

        try:
            with closing(self._alone(file)) as source, closing(self._alone(self.path)) as target:
                target.execute("PRAGMA synchronous=FULL")
                source.backup(target, progress=go_on)
        except sqlite3.Error as error:
            raise self.refusal(error) from error

    def _alone(self, file: Path) -> sqlite3.Connection:
        return sqlite3.connect(file, timeout=self._patience.total_seconds(), isolation_level=None)

    def refusal(self, error: sqlite3.Error) -> StorageError:
        """A driver's error as this room's."""
        kind = DamagedError if self.is_damage(error) else StorageError
        return kind(self.advice(error) or f"{self.path}: {error}")

    def writing_engine(self) -> Engine:
        """Transactions begin by taking the write lock: a later upgrade of a read lock would fail at once, without waiting."""
        return self._engine(_WRITER, "BEGIN IMMEDIATE")

    def reading_engine(self) -> Engine:
        """Transactions see one moment of the archive, wait for nobody, and cannot write."""
        return self._engine(_READER, "BEGIN")

    def _engine(self, pragmas: tuple[str, ...], begin: str) -> Engine:
        engine = create_engine(self._url, connect_args={"timeout": self._patience.total_seconds()})

        @event.listens_for(engine, "close")
        def _closed(_connection: sqlite3.Connection, _record: Any) -> None:
            self._count(-1)

        @event.listens_for(engine, "connect")
        def _connected(connection: sqlite3.Connection, _record: Any) -> None:
            self._count(1)
            connection.isolation_level = None  # transactions begin where _begin says, not where the driver guesses
            for pragma in pragmas:
                _set(connection, pragma, self._patience.total_seconds())

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(begin)

        return engine

    def _count(self, more: int) -> None:
        with self._counting:
            self._open[self._file] += more

    def upkeep(self) -> None:
        """Empty the write-ahead log, which a long read may have let grow (sqlite.org/wal.html, 6); a reader puts it off.

        On a connection of its own, which waits for nobody: TRUNCATE holds up writers while it waits. Raises StorageError.
        """
        try:
            with closing(sqlite3.connect(self.path, timeout=0)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise self.refusal(error) from error

    def size(self, connection: Connection) -> DatabaseSize:
        """How big the file is with its log, and how much of it is free inside: SQLite writes there before the file grows."""
        page, free = (connection.exec_driver_sql(f"PRAGMA {what}").scalar_one() for what in ("page_size", "freelist_count"))
        files = (self.path, self.path.with_name(self.path.name + "-wal"))
        return DatabaseSize(sum(file.stat().st_size for file in files if file.exists()), int(page) * int(free))

    def advice(self, error: BaseException | None) -> str | None:
        """What a person should know and do about a driver's error; None if it is a fault of this program."""
        code = getattr(error, "sqlite_errorcode", None)
        text = None if code is None else _ADVICE.get(code & 0xFF)  # the low byte is the primary code (sqlite.org/rescode)
        return None if text is None else text.format(path=self.path, error=error)

    def is_damage(self, error: BaseException | None) -> bool:
        """Whether a driver's error says that the database is damaged."""
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGES

    def check(self, connection: Connection, *, whole: bool) -> None:
        """Look for damage: the whole file, with what rows refer to, if `whole`; its pages if it is small; else its schema.

        Raises DamagedError naming the damage.
        """
        if whole:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
            astray = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            found = f"a row of {astray[0]} leads to one of {astray[2]} that is not there" if astray and found == "ok" else found
        elif self.path.stat().st_size <= _CHECKED_WHOLE_BYTES:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        else:
            found = "ok" if connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() is not None else ""
        if found != "ok":
            raise DamagedError(_DAMAGED.format(path=self.path, error=" ".join(found.split())))


def is_archive(file: Path) -> bool:
    """Whether a file is a jingbao archive, by its tables; it is not changed, nor looked through for damage."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return False
    return names >= OURS


def _set(connection: sqlite3.Connection, pragma: str, patience_seconds: float) -> None:
    """Set a pragma; where another first opening turns the log on, SQLite says busy at once, without its own waiting."""
    until = time.monotonic() + patience_seconds
    while True:
        try:
            connection.execute(pragma)
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
