"""The databases of both kinds that a small world's archive lives in: made, copied and dropped in a tenth of a second."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import make_url

if TYPE_CHECKING:
    from tests.databases import Server

FILE = "jingbao.sqlite3"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one archive is: its database and its folder, in which `raw/` has its pages."""

    url: str
    folder: Path


class Store(Protocol):
    """A kind of database."""

    kind: str

    def new(self, folder: Path) -> Place:
        """A place for an archive in `folder`, with no tables yet; what was there is gone."""
        ...

    def copy(self, place: Place, folder: Path) -> Place:
        """A copy of an archive nobody has open."""
        ...

    def drop(self, place: Place) -> None:
        """Remove an archive."""
        ...


class SqliteStore:
    """A file in each folder."""

    kind = "sqlite"

    def new(self, folder: Path) -> Place:
        """An empty folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Place(f"sqlite:///{folder / FILE}", folder)

    def copy(self, place: Place, folder: Path) -> Place:
        """Every file, also a write-ahead log that is left."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(place.folder, folder)
        return Place(f"sqlite:///{folder / FILE}", folder)

    def drop(self, place: Place) -> None:
        """Remove the folder."""
        shutil.rmtree(place.folder, ignore_errors=True)


class PostgresStore:
    """A database of one server for each folder."""

    kind = "postgres"

    def __init__(self, server: Server) -> None:
        self._server = server

    def new(self, folder: Path) -> Place:
        """An empty folder and an empty database."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Place(self._server.url(self._server.create()), folder)

    def copy(self, place: Place, folder: Path) -> Place:
        """The folder and the database, by the server's own copying."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(place.folder, folder)
        return Place(self._server.url(self._server.create(str(make_url(place.url).database))), folder)

    def drop(self, place: Place) -> None:
        """Remove both, and end whoever is left in the database."""
        shutil.rmtree(place.folder, ignore_errors=True)
        self._server.drop(str(make_url(place.url).database))


@contextmanager
def store(kind: str) -> Iterator[Store]:
    """A store of a kind (sqlite, postgres) for as long as the context lasts; PostgreSQL's server is the process's own."""
    if kind == "sqlite":
        yield SqliteStore()
        return
    from tests.databases import server

    yield PostgresStore(server())
