"""What the archive needs of a database, and which database a `storage.url` means: sqlite.py and postgres.py fill it."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from core.errors import DamagedError, StorageError, UnfitError
from storage.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from storage.disk import DatabaseSize
    from storage.search.textindex import TextIndex

PATIENCE = timedelta(seconds=30)
"""How long a write waits for another program's: a long `reindex` passes, a forgotten lock does not hold us for ever."""
EXPECTED = "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


class Database(Protocol):
    """One database: how it is opened, checked and looked after, and what its complaints mean."""

    @property
    def name(self) -> str:
        """What people know it by, without user or password."""

    @property
    def index(self) -> TextIndex:
        """Its full-text index."""

    def prepare(self, *, make: bool) -> None:
        """Look at what must be there before it can be opened, and make it if it is not and `make` says so.

        Raises NoArchiveError, DamagedError, StorageError.
        """

    def writing_engine(self) -> Engine:
        """Its transactions begin by waiting until nobody else writes; of two that decide, one sees what the other kept."""

    def reading_engine(self) -> Engine:
        """Its transactions see one moment of the archive, wait for no writer, and cannot write."""

    def upkeep(self) -> None:
        """Tidy up what readers and writers left behind, holding up nobody. Raises StorageError."""

    def size(self, connection: Connection) -> DatabaseSize:
        """How big it is, and whether it is known to lie on this machine."""

    def check(self, connection: Connection, *, whole: bool) -> None:
        """Refuse a damaged or unfit database; look through all of it if `whole`. Raises DamagedError, StorageError."""

    def advice(self, error: BaseException | None) -> str | None:
        """What a person should know and do about a driver's error; None if it is a fault of this program."""

    def is_damage(self, error: BaseException | None) -> bool:
        """Whether a driver's error says that the database is damaged."""


@contextmanager
def told(database: Database) -> Iterator[None]:
    """Errors of the driver that a person can do something about become this room's; a wrong statement stays what it is."""
    try:
        yield
    except DBAPIError as error:
        advice = database.advice(error.orig)
        if advice is None:
            raise
        raise (DamagedError if database.is_damage(error.orig) else StorageError)(advice) from error


def database_of(url: str, patience: timedelta) -> Database:
    """The database at `url` (an SQLAlchemy URL), not yet opened. `patience`: how long a write waits for another program's.

    Raises UnfitError for a URL that names none. The text of the URL is never part of a message: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise UnfitError(f"storage.url cannot be read: expected {EXPECTED}") from None
    match parsed.get_backend_name():
        case "sqlite":
            return Sqlite(parsed, patience)
        case "postgresql":
            from storage.postgres import Postgres  # noqa: PLC0415  (its driver is loaded only where it is wanted)

            return Postgres(parsed, patience)
        case other:
            raise UnfitError(f"storage.url: {other} is not known here; expected {EXPECTED}")
