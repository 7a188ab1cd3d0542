"""One daemon on one archive in PostgreSQL, on whichever machine: a lock the server lets go of when the daemon's line breaks.

It is an advisory lock of a session of its own, whose application_name says who holds it. An archive in a file needs none: there
the lock of lock.py is enough.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import threading
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from core.errors import BusyError, StorageError
from core.log import values
from storage.database import database_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    import psycopg

    from storage.postgres import Postgres

log = logging.getLogger("jingbao.storage")

LOOK_EVERY = timedelta(seconds=5)
JINGBAO = 0x6A696E67
"""The first half of every advisory lock taken here ("jing"), so that other programs' locks are not met by chance."""
WRITING, DAEMON, WANTED = 1, 2, 3
"""The second halves: held by the transaction that writes; by the one daemon, as long as it lives; by a command that wants the
archive without a daemon (handover.py)."""
_GOODBYE_SECONDS = 2.0
_NO_WAITING = timedelta(seconds=1)
_NAME = re.compile(r"jingbao (\d+)@(.*) (\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z")
_LONGEST_HOST = 24  # an application's name has 63 bytes
_HOLDER = """
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND classid = {classid} AND objid = {objid} AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class ServerLock:
    """A lock of a database, the daemon's unless another is named; `lost` to somebody else once that says who has it now.

    `wanted` says whether a command wanted the archive without a daemon when `keep` looked last.
    """

    def __init__(self, database: Postgres, which: int = DAEMON) -> None:
        self.lost = ""
        self.wanted = False
        self._database = database
        self._which = which
        self._name = ""
        self._connection: psycopg.Connection[Any] | None = None
        self._turn = threading.Lock()  # one thread at a time asks or lets go
        self._given_up = True

    def acquire(self, now: datetime) -> Self:
        """Take the lock, or raise BusyError naming who has it, on which machine and since when. `now` is aware UTC.

        Raises StorageError if the server cannot be asked.
        """
        self._name = f"jingbao {os.getpid()}@{socket.gethostname()[:_LONGEST_HOST]} {now:%Y-%m-%dT%H:%M:%SZ}"
        with self._turn:
            self._take()
            self._given_up = False
        return self

    def keep(self) -> None:
        """Look whether the lock is still ours, and who wants it; take it again if the server was restarted.

        If somebody else has it, `lost` says so. Raises StorageError if the server cannot be asked now: it is nobody's then.
        """
        with self._turn:
            if self._given_up or (self._connection is not None and self._answers(self._connection)):
                return
            self._let_go()
            try:
                self._take()
            except BusyError as error:
                self.lost = str(error)
            else:
                log.warning("took the daemon's lock again, the server was away", extra=values(database=self._database.name))

    def release(self) -> None:
        """Let go of the lock, before this returns; nothing happens if it is not held.

        A line that gives no sign is left to itself after two seconds: the server lets go once it notices.
        """
        self._given_up = True
        leaving = threading.Thread(target=self._leave, name="server-lock-release", daemon=True)
        leaving.start()
        leaving.join(_GOODBYE_SECONDS)

    def _leave(self) -> None:
        with self._turn:
            self._let_go()

    def _let_go(self) -> None:
        import psycopg  # noqa: PLC0415  (loaded only where the archive is in PostgreSQL)

        if self._connection is not None:
            with suppress(psycopg.Error):  # the line is broken, or will be: the server lets go by itself
                self._connection.execute("SELECT pg_advisory_unlock_all()")
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _answers(self, connection: psycopg.Connection[Any]) -> bool:
        import psycopg  # noqa: PLC0415  (as above)

        try:
            self.wanted = bool(_holder(connection, WANTED))
        except psycopg.Error:
            return False
        return True

    def _take(self) -> None:
        with self._database.told():
            connection = self._database.connect(self._name)
            try:
                taken = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (JINGBAO, self._which)).fetchone()
                holder = "" if taken == (True,) else _holder(connection, self._which)
            except BaseException:
                connection.close()
                raise
        if taken != (True,):
            connection.close()
            raise BusyError(f"Another jingbao already works on this archive ({holder or 'unnamed'}). Stop it first.")
        self._connection = connection


def server_holder(url: str, which: int = DAEMON) -> str:
    """Who holds a lock of the database at `url` ("process 4711 on host, started …"); nothing if nobody, or if it is a file.

    Raises StorageError if the server cannot be asked.
    """
    database = on_a_server(url)
    if database is None:
        return ""
    with database.told(), database.connect(f"jingbao {os.getpid()}") as connection:
        return _holder(connection, which)


@asynccontextmanager
async def held_on_server(url: str, now: datetime) -> AsyncIterator[ServerLock | None]:
    """Hold the lock of the database at `url` while the block runs; None for an archive in a file.

    Whoever gets it looks at `lost` now and then. Raises BusyError and StorageError as `acquire` does.
    """
    database = on_a_server(url)
    if database is None:
        yield None
        return
    lock = await asyncio.to_thread(ServerLock(database).acquire, now)
    over = threading.Event()
    # A thread that nobody waits for: on a line that died without a sign a look takes a minute (tcp_user_timeout).
    threading.Thread(target=_keep, args=(lock, over), name="server-lock", daemon=True).start()
    try:
        yield lock
    finally:
        over.set()
        await asyncio.to_thread(lock.release)


def _keep(lock: ServerLock, over: threading.Event) -> None:
    while not lock.lost and not over.wait(LOOK_EVERY.total_seconds()):
        with suppress(StorageError):  # whatever wants the archive meanwhile says so
            lock.keep()


def on_a_server(url: str) -> Postgres | None:
    """The database at `url` if it is a server's, not yet connected to. Raises StorageError if `url` names none."""
    if not url.startswith("postgresql"):
        return None
    from storage.postgres import Postgres  # noqa: PLC0415  (as above)

    database = database_of(url, _NO_WAITING)
    assert isinstance(database, Postgres)
    return database


def _holder(connection: psycopg.Connection[Any], which: int) -> str:
    found = connection.execute(_HOLDER.format(classid=JINGBAO, objid=which).encode()).fetchone()
    named = found and _NAME.fullmatch(found[0] or "")
    if not named:
        return "unnamed" if found else ""
    process, host, day, time = named.groups()
    return f"process {process} on {host}, started {day} {time} UTC"
