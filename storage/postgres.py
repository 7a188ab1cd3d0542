"""What is PostgreSQL's alone: how it is opened and written, who writes when, and what its complaints mean."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event, func, inspect, literal_column, select
from sqlalchemy.exc import DBAPIError

from core.errors import DamagedError, StorageError, UnfitError
from storage.disk import DatabaseSize
from storage.schema import metadata
from storage.search.tsvector import TsvectorIndex
from storage.server_lock import JINGBAO, WRITING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sqlalchemy import URL, Connection, Engine

    from storage.search.textindex import TextIndex

_LONGEST_QUESTION = "5min"
"""A question that takes longer is given up, so that a mistaken one cannot keep the server busy for ever."""
_LONGEST_PAUSE = "10min"
"""A writer silent for longer is cut off: all others wait for it. Reindexing and copying are silent for seconds at most."""
_NOTICE = "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
_LONGEST_NAME = 63  # of an application, in bytes (PostgreSQL: NAMEDATALEN - 1)

_TRY_AGAIN = "Nothing half-written was kept. Try again."
_AWAY = "The server of {name} cannot be reached or went away ({error}). Does it run, and is storage.url right? " + _TRY_AGAIN
_RIGHTS = "This user has not the rights that jingbao needs in {name} ({error}). Let it own the database."
_DAMAGED = "The database {name} is damaged ({error}). Stop jingbao, and restore a backup."
_ROOM = "There is no room left where {name} lies ({error}). Make room; nothing half-written was kept."
# By SQLSTATE, or by its class, the first two letters (PostgreSQL's documentation, appendix A).
_ADVICE = {
    "08": _AWAY,
    "25006": "{name} may not be written here ({error}). Only the daemon's and the writing commands' transactions write.",
    "25P03": "Writing to {name} was cut off after a long silence ({error}). " + _TRY_AGAIN,
    "28": "{name} lets this user not in ({error}). Look at user and password in storage.url.",
    "3D": "{name} is not there ({error}). Make it: createdb --encoding UTF8 --template template0 NAME",
    "40": "Another program worked on the same rows of {name} ({error}). " + _TRY_AGAIN,
    "42501": _RIGHTS,
    "53100": _ROOM,
    "53200": "The server of {name} has no memory left ({error}). " + _TRY_AGAIN,
    "53300": "The server of {name} has too many connections ({error}). Close some, or raise max_connections.",
    "53": _ROOM,
    "55P03": "Another program has been writing to {name} for too long ({error}). Try again; pg_stat_activity shows it.",
    "57014": "A question to {name} took too long and was given up ({error}). Ask for less, or try again.",
    "57": _AWAY,
    "58": "Reading or writing {name} failed ({error}). Look at the server's disk and log.",
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
_DAMAGES = {"XX001", "XX002"}  # data_corrupted, index_corrupted


class Postgres:
    """One PostgreSQL database, opened by two engines: one that writes, one transaction at a time, and one that only reads."""

    index: TextIndex = TsvectorIndex()

    def __init__(self, url: URL, patience: timedelta) -> None:
        """`patience`: how long to wait for another program's write. Raises UnfitError if `url` names no database."""
        if not url.database:
            raise UnfitError("storage.url names no database. Expected something like postgresql://jingbao@localhost/jingbao")
        self._url = url.set(drivername="postgresql+psycopg")
        self._patience = patience

    @property
    def name(self) -> str:
        """The database and where it is; user, password and options are left out."""
        host = self._url.host or str(self._url.query.get("host") or "this machine")
        return f"PostgreSQL's {self._url.database} on {host}{f':{self._url.port}' if self._url.port else ''}"

    def prepare(self, *, make: bool) -> None:
        """Nothing: the operator makes the database, and the first connection tells whether it is there."""

    def writing_engine(self) -> Engine:
        """Its transactions begin by taking one lock, so that deciding and storing an article is one thing at a time.

        They read what is committed at each question (READ COMMITTED): a snapshot taken while waiting for the lock would miss
        what the one before had decided.
        """
        engine = self._engine(
            lock_timeout=f"{max(1, round(self._patience.total_seconds() * 1000))}ms",
            idle_in_transaction_session_timeout=_LONGEST_PAUSE,
            synchronous_commit="on",  # whatever the server's habit: a mail's sent mark may not be lost with it
        )

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({JINGBAO}, {WRITING})")

        return engine

    def reading_engine(self) -> Engine:
        """Its transactions see one moment, wait for no writer, and cannot write.

        Each question is planned for its own words: a plan for any words (a prepared statement's) would be wrong for most.
        """
        return self._engine(
            default_transaction_isolation=r"repeatable\ read",
            default_transaction_read_only="on",
            plan_cache_mode="force_custom_plan",
            statement_timeout=_LONGEST_QUESTION,
        )

    def connect(self, application: str) -> psycopg.Connection[Any]:
        """A connection of its own outside any transaction, known to the server as `application`. Raises psycopg.Error.

        The server, too, notices within a minute if this side is gone, and gives back what it held.
        """
        wanted = self._url.translate_connect_args(username="user", database="dbname")
        query = {key: value for key, value in self._url.query.items() if isinstance(value, str)}
        return psycopg.connect(**(wanted | query | _line(application) | {"options": _NOTICE}), autocommit=True)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Errors of such a connection that a person can do something about become StorageError."""
        try:
            yield
        except psycopg.Error as error:
            advice = self.advice(error)
            if advice is None:
                raise
            raise StorageError(advice) from error

    def _engine(self, **settings: str) -> Engine:
        options = " ".join(f"-c {key}={value}" for key, value in settings.items())
        return create_engine(
            self._url,
            connect_args=_line(f"jingbao {os.getpid()}@{socket.gethostname()}") | {"options": f"-c TimeZone=UTC {options}"},
            pool_pre_ping=True,  # a server that was restarted costs one reconnection, not one transaction
        )

    def size(self, connection: Connection) -> DatabaseSize:
        """How big it is with its indexes; whether it lies on this machine's disk is the server's affair."""
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return DatabaseSize(int(size), here=False)

    def upkeep(self) -> None:
        """Sort the words of new articles into the index: until then every search goes through them one by one.

        The server's autovacuum does the rest. Raises StorageError.
        """
        with self.told(), self.connect(f"jingbao upkeep {os.getpid()}@{socket.gethostname()}") as connection:
            connection.execute("SELECT gin_clean_pending_list('article_index_tokens')")

    def check(self, connection: Connection, *, whole: bool) -> None:
        """Refuse a database that is not in UTF-8; if `whole`, read every row, so that damage shows itself.

        Raises UnfitError for the one, DamagedError for the other.
        """
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            advice = "Make another: createdb --encoding UTF8 --template template0 NAME"
            raise UnfitError(f"{self.name} is encoded in {encoding}, which cannot hold every text. {advice}")
        has_table = inspect(connection).has_table  # an older version has not all of them
        for table in (each for each in metadata.sorted_tables if whole and has_table(each.name)):
            try:
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                connection.execute(select(func.count(literal_column(f'"{table.name}"::text'))).select_from(table))
            except DBAPIError as error:
                if not self.is_damage(error.orig):
                    raise
                raise DamagedError(_DAMAGED.format(name=self.name, error=f"{table.name}: {_said(error.orig)}")) from error

    def is_damage(self, error: BaseException | None) -> bool:
        """Whether the server found damage (SQLSTATE class XX), not a fault of its own program (XX000)."""
        return isinstance(error, psycopg.Error) and error.sqlstate in _DAMAGES

    def advice(self, error: BaseException | None) -> str | None:
        """What a person should know and do about a driver's error; None if it is a fault of this program."""
        if not isinstance(error, psycopg.Error):
            return None
        code = error.sqlstate
        if code is None:  # the line broke, or never was: no server gave this a name
            text = _AWAY if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) else None
        else:
            text = _ADVICE.get(code) or _ADVICE.get(code[:2])
        return None if text is None else text.format(name=self.name, error=_said(error))


def _said(error: BaseException | None) -> str:
    """The server's own words on one line, without the statement and its values."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return primary or " ".join(str(error).split())


def _line(application: str) -> dict[str, Any]:
    """How a connection is made and how soon a dead one is noticed: in a minute, also where the network just went silent."""
    return {
        "application_name": application.encode("ascii", "replace")[:_LONGEST_NAME].decode(),
        "client_encoding": "utf8",
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
