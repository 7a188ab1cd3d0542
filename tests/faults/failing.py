"""Operations of the database that fail: the n-th one, once or from then on, with what a real driver raises.

An operation is a connection made, a statement run (BEGIN is one) or a commit, of any engine of this process. At a commit it
can also be the answer that is lost: the database has kept the transaction, and says so to nobody.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

Kind = Literal["locked", "full", "io", "disconnect", "answer lost"]
KINDS: tuple[Kind, ...] = ("locked", "full", "io", "disconnect", "answer lost")

_SQLITE: dict[Kind, tuple[str, int, str]] = {
    "locked": ("database is locked", sqlite3.SQLITE_BUSY, "SQLITE_BUSY"),
    "full": ("database or disk is full", sqlite3.SQLITE_FULL, "SQLITE_FULL"),
    "io": ("disk I/O error", sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"),
    "disconnect": ("unable to open database file", sqlite3.SQLITE_CANTOPEN, "SQLITE_CANTOPEN"),
    "answer lost": ("disk I/O error", sqlite3.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
}
# Raised by the server itself, so that the driver's error and the aborted transaction are real (SQLSTATE, message).
_POSTGRES: dict[Kind, tuple[tuple[str, str], ...]] = {
    "locked": (
        ("55P03", "canceling statement due to lock timeout"),
        ("40P01", "deadlock detected"),
        ("40001", "could not serialize access due to concurrent update"),
    ),
    "full": (("53100", "could not extend file: No space left on device"),),
    "io": (("58030", "could not read block 7 in file: Input/output error"),),
}


@dataclass
class Failing:
    """Counts operations, and fails the `nth` (from 1; 0: none), and all after it if `for_ever`, until `lift`.

    `failed` counts those that did. Beyond `most` it is lifted by itself: who tries again for ever shall see it end.
    """

    kind: Kind = "locked"
    nth: int = 0
    for_ever: bool = False
    most: int = 40
    count: int = 0
    failed: int = 0
    log: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lifted: bool = False
    _unseen: bool = False

    @contextmanager
    def looking_on(self) -> Iterator[None]:
        """What is done within is the onlooker's: it is not counted, and does not fail."""
        self._unseen = True
        try:
            yield
        finally:
            self._unseen = False

    @property
    def lifted(self) -> bool:
        """Whether nothing fails any more."""
        return self._lifted or not self.nth or (self.failed > 0 and not self.for_ever)

    def lift(self) -> None:
        """Let nothing fail any more, and count no more."""
        self._lifted = True

    def strikes(self, what: str) -> bool:
        """Count an operation; gives whether it is to fail."""
        with self._lock:
            if self._lifted or self._unseen:
                return False
            self.count += 1
            self.log.append(what)
            fails = self.nth > 0 and (self.count == self.nth or (self.for_ever and self.count > self.nth))
            self.failed += fails
            if self.for_ever and self.failed >= self.most:
                self._lifted = True
            return fails


_present: list[Failing] = []


@contextmanager
def failing(fault: Failing) -> Iterator[Failing]:
    """Let operations of this process fail as `fault` says, as long as the context lasts."""
    _install()
    _present.append(fault)
    try:
        yield fault
    finally:
        _present.remove(fault)


def _struck(what: str) -> Failing | None:
    return next((fault for fault in _present if fault.strikes(what)), None)


_installed: list[Callable[..., Any]] = []


def _install() -> None:
    """Once in a process: SQLAlchemy calls what is set up here inside its own handling of the driver's errors."""
    if _installed:
        return
    _installed.append(_install)

    @event.listens_for(Engine, "do_connect")
    def _connect(_dialect: Any, _record: Any, _cargs: Any, _cparams: Any) -> None:
        if fault := _struck("connect"):
            _refuse(_dialect, fault)

    @event.listens_for(Engine, "do_execute")
    def _execute(cursor: Any, statement: str, _parameters: Any, _context: Any) -> None:
        _statement(cursor, statement)

    @event.listens_for(Engine, "do_execute_no_params")
    def _execute_plain(cursor: Any, statement: str, _context: Any) -> None:
        _statement(cursor, statement)

    @event.listens_for(Engine, "do_executemany")
    def _execute_many(cursor: Any, statement: str, _parameters: Any, _context: Any) -> None:
        _statement(cursor, statement)

    committed = DefaultDialect.do_commit

    def do_commit(self: DefaultDialect, connection: Any) -> None:
        fault = _struck("commit")
        driver = getattr(connection, "driver_connection", connection)
        if fault and fault.kind != "answer lost":
            _fail(driver.cursor(), fault)
        committed(self, connection)
        if fault:
            _fail(driver.cursor(), fault)

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def _statement(cursor: Any, statement: str) -> None:
    if fault := _struck(" ".join(statement.split())[:60]):
        _fail(cursor, fault)


def _refuse(dialect: Any, fault: Failing) -> NoReturn:
    """No connection is made."""
    if dialect.name == "sqlite":
        raise _sqlite_error(fault.kind)
    import psycopg

    raise psycopg.OperationalError("connection to server on socket failed: Connection refused")


def _fail(cursor: Any, fault: Failing) -> None:
    connection = cursor.connection
    if isinstance(connection, sqlite3.Connection):
        if fault.kind == "io":
            connection.rollback()  # as SQLite does by itself then (lang_transaction.html, 3)
        raise _sqlite_error(fault.kind)
    if fault.kind in _POSTGRES:
        among = _POSTGRES[fault.kind]
        state, message = among[fault.count % len(among)]
        cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}', MESSAGE = '{message}'; END $$")
        raise AssertionError("the server was to raise this")
    _terminate(connection)
    cursor.execute("SELECT 1")
    raise AssertionError("the server was to be gone")


def _terminate(connection: Any) -> None:
    """End the server's process of a connection, as an operator or a restart does, and return once it has ended."""
    import psycopg

    info = connection.info
    with psycopg.connect(host=info.host, user=info.user, dbname=info.dbname, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (info.backend_pid,))


def _sqlite_error(kind: Kind) -> sqlite3.OperationalError:
    text, code, name = _SQLITE[kind]
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode, error.sqlite_errorname = code, name
    return error
