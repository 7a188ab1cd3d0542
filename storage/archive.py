"""The archive: one database, opened, brought up to date, and given out as transactions.

Every function of this room takes a Transaction. On an event loop the database is reached by `writing` and `reading`
alone: one thread writes, a few read, and the loop never waits for a lock.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Self, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import DamagedError, NoArchiveError, OlderArchiveError, RestoredError, StorageError
from storage import settings
from storage.database import PATIENCE, Database, database_of, told
from storage.disk import DatabaseSize
from storage.transaction import Transaction
from storage.unfinished import refuse_unfinished
from storage.upgrade import Tables, bring_up_to_date, refuse, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Engine

__all__ = ["Archive", "Transaction"]

T = TypeVar("T")

_READERS = 3
_INDEX_CHECKED_BYTES = 1_500_000_000  # ten seconds or so; other writers wait for thirty
RESTORED = "archive.restored"
"""The setting that says when a backup was brought back last, and which."""


class Archive:
    """An open archive. Close it, or use it as a context manager."""

    def __init__(self, database: Database) -> None:
        """For `open`."""
        self._database = database
        self._write_engine = database.writing_engine()
        self._read_engine = database.reading_engine()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="archive-writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="archive-reader")
        self._restored: object = None
        self.damage = ""
        """What was found out about damage since it was opened; nothing is written any more then."""

    @classmethod
    def open(
        cls,
        url: str,
        now: datetime,
        *,
        patience: timedelta = PATIENCE,
        make: bool = True,
        migrate: bool = True,
        unfinished: bool = False,
    ) -> Self:
        """The archive at `url` (an SQLAlchemy URL), made if there is none, brought to this version's tables if older.

        `now` (aware UTC) is kept as the day a new archive began. Raises StorageError if the database cannot be opened,
        belongs to another program or to a newer jingbao, and DamagedError; such a database is left as it is. Without `make`
        NoArchiveError and without `migrate` OlderArchiveError is raised instead, and nothing is changed. A copy that is not
        whole yet is refused too, unless `unfinished`.
        """
        database = database_of(url, patience)
        database.prepare(make=make)
        archive = cls(database)
        try:
            archive._bring_up_to_date(now, make=make, migrate=migrate)
            archive._look_at_its_past(unfinished=unfinished)
        except BaseException:
            archive.close()
            raise
        return archive

    def _bring_up_to_date(self, now: datetime, *, make: bool, migrate: bool) -> None:
        with self.read() as tx:  # a command beside a busy daemon need not wait for its turn to write
            self._database.check(tx.connection, whole=False)
            state = state_of(tx.connection)
        refuse(state, self.name)
        if state is Tables.NONE and not make:
            raise NoArchiveError(f"The database {self.name} is empty yet: start jingbao run, or jingbao restore FILE.")
        if state is Tables.OLDER and not migrate:
            advice = "Run jingbao upgrade, or start the daemon, which does the same."
            raise OlderArchiveError(f"The database {self.name} was written by an older jingbao. {advice}")
        if state is not Tables.PRESENT:
            with self._transaction(self._write_engine) as tx:
                bring_up_to_date(tx.connection, now)

    def _look_at_its_past(self, *, unfinished: bool) -> None:
        with self.read() as tx:
            self._restored = settings.get(tx, RESTORED)
            if not unfinished:
                refuse_unfinished(tx, self.name)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may write; kept at the end of the block, undone if the block raises.

        Waits for other writers. Blocks: not for the event loop. Raises StorageError if the database refuses, or if a backup
        was brought back since the archive was opened: what was begun before has its numbers from another archive.
        """
        if self.damage:
            raise DamagedError(self.damage)
        with self._transaction(self._write_engine) as tx:
            if settings.get(tx, RESTORED) != self._restored:
                raise RestoredError("A backup was restored meanwhile, so what was under way is given up. Begin again.")
            yield tx

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads, and sees one moment of the archive. Blocks. Raises StorageError likewise."""
        with self._transaction(self._read_engine) as tx:
            yield tx

    async def writing(self, work: Callable[[Transaction], T]) -> T:
        """`work` done in a write transaction on the one writer thread.

        Cancelling the caller does not undo work that has begun: it is finished and kept. Raises as `write` does.
        """
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._run, self.write, work)

    async def reading(self, work: Callable[[Transaction], T]) -> T:
        """`work` done in a read transaction on a reader thread. Raises as `read` does."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._run, self.read, work)

    @property
    def name(self) -> str:
        """What people know the database by, without user or password."""
        return self._database.name

    def check(self) -> None:
        """Look through the whole database for damage; seconds for each gigabyte. Raises StorageError naming it.

        The full-text index is looked through only where that holds up writers for seconds: SQLite does it as a write.
        """
        with self.read() as tx:
            self._database.check(tx.connection, whole=True)
        if self.size().bytes <= _INDEX_CHECKED_BYTES:
            with self.write() as tx:
                tx.index.check(tx.connection)

    async def upkeep(self) -> None:
        """Tidy up in the database: SQLite's write-ahead log, what PostgreSQL has not sorted into its index yet.

        Raises StorageError if the disk or the server refuses.
        """
        await asyncio.get_running_loop().run_in_executor(self._writer, self._upkeep)

    def _upkeep(self) -> None:
        try:
            self._database.upkeep()
        except DamagedError as error:
            self.damage = str(error)
            raise

    def size(self) -> DatabaseSize:
        """How big the archive is on its disk. Blocks. Raises StorageError."""
        with self.read() as tx:
            return self._database.size(tx.connection)

    def close(self) -> None:
        """Finish what the threads have begun and close every connection."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._read_engine.dispose()
        self._write_engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def _run(transaction: Callable[[], AbstractContextManager[Transaction]], work: Callable[[Transaction], T]) -> T:
        with transaction() as tx:
            return work(tx)

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Transaction]:
        """The room's wall: what a person can do something about becomes a StorageError, a bug stays what it is."""
        try:
            with told(self._database), engine.begin() as connection:
                yield Transaction(connection, self._database.index)
        except PoolTimeoutError as error:
            raise StorageError(f"Too many tasks use the database at once ({error}). Try again.") from error
        except DamagedError as error:
            self.damage = str(error)
            raise
