"""An older archive is brought up to date with a backup first, wholly or not at all, and by nobody who was not asked to."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, event

from core.errors import OlderArchiveError, StorageError
from lexicon.query import parse
from lexicon.watchlist import load_watchlist
from storage import articles, outbox, renewal, sources
from storage.archive import Archive, Transaction
from storage.canonical import content_hash
from storage.database import database_of
from storage.renewal import upgrade
from storage.restoring import restore
from storage.search import search
from storage.transcript import tables_of, transcribe
from storage.upgrade import revision_of
from tests.builders import NOW
from tests.databases import fresh_url

OLD = Path(__file__).with_name("archive_0001.sql")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An archive of the first release."""
    path = tmp_path / "jingbao.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode=WAL")
    return path


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _columns(path: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        shown = [name for name in names if not name.startswith(("article_index", "alembic", "sqlite"))]
        return {name: [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')] for name in shown}


def _rows(path: Path, columns: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    """All rows of these columns."""
    with closing(sqlite3.connect(path)) as connection:
        asked = {name: ", ".join(f'"{column}"' for column in found) for name, found in columns.items()}
        return {
            name: connection.execute(f'SELECT {shown} FROM "{name}" ORDER BY 1, 2').fetchall() for name, shown in asked.items()
        }


def test_the_first_releases_archive_is_upgraded_without_losing_a_value(old: Path, tmp_path: Path) -> None:
    """Every value of every table is as before, and everything can be read."""
    columns = _columns(old)
    before = _rows(old, columns)

    done = upgrade(_url(old), tmp_path / "backups", NOW)

    assert done is not None
    assert (done.before, done.rows["article"], done.rows["match"]) == ("0001", 2, 2)
    assert _rows(old, columns) == before
    assert done.backup is not None
    assert _columns(done.backup) == columns
    assert _rows(done.backup, columns) == before
    with Archive.open(_url(old), NOW, make=False, migrate=False) as archive, archive.read() as tx:
        archive.check()
        assert [each.title for each in search(tx, parse("结冰 OR freezes", load_watchlist()), NOW).articles]
        assert sources.state(tx, "news").validators.etag == 'W/"1"'
        assert [each.article_id for each in outbox.open_matches(tx, "ann")] == [2]
        assert articles.get(tx, 1).title == "A lake freezes over"


def test_an_archive_of_this_version_needs_nothing_and_gets_no_backup(old: Path, tmp_path: Path) -> None:
    assert upgrade(_url(old), tmp_path / "backups", NOW) is not None
    shutil.rmtree(tmp_path / "backups")

    assert upgrade(_url(old), tmp_path / "backups", NOW) is None
    assert not (tmp_path / "backups").exists()


def test_a_command_that_only_asks_does_not_upgrade(old: Path) -> None:
    before = old.read_bytes()

    with pytest.raises(OlderArchiveError, match="jingbao upgrade"):
        Archive.open(_url(old), NOW, make=False, migrate=False)
    assert old.read_bytes() == before


def test_without_room_for_the_backup_nothing_is_touched(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = old.read_bytes()
    monkeypatch.setattr("storage.backup.shutil.disk_usage", lambda _: SimpleNamespace(free=1000))

    with pytest.raises(StorageError, match="Make room"):
        upgrade(_url(old), tmp_path / "backups", NOW)
    assert old.read_bytes() == before


def test_an_upgrade_that_would_lose_rows_is_undone(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = _columns(old)
    before = _rows(old, columns)
    real = renewal.bring_up_to_date

    def losing(connection, now) -> None:
        real(connection, now)
        connection.exec_driver_sql("DELETE FROM match WHERE id = 2")

    monkeypatch.setattr(renewal, "bring_up_to_date", losing)

    with pytest.raises(StorageError, match=r"lose rows of match \(2 → 1\)"):
        upgrade(_url(old), tmp_path / "backups", NOW)
    assert _rows(old, columns) == before
    assert _columns(old) == columns


def _dies_at(statement: int, url: str, backups: Path, *, backup: bool = True) -> int:
    """The wait status of a child that is killed as it is about to execute its n-th changing statement."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = [statement]

    @event.listens_for(Engine, "before_cursor_execute")
    def _count(_connection, _cursor, sql, *_) -> None:
        left[0] -= not sql.lstrip().startswith(("SELECT", "PRAGMA", "BEGIN"))
        if left[0] < 0:
            os.kill(os.getpid(), 9)

    try:
        upgrade(url, backups, NOW, backup=backup)
    finally:
        os._exit(0)


def test_an_upgrade_killed_at_any_step_leaves_the_old_archive_whole(old: Path, tmp_path: Path) -> None:
    """At each statement of the migrations in turn, until one gets through."""
    columns = _columns(old)
    before = _rows(old, columns)
    kills = 0
    while _dies_at(kills, _url(old), tmp_path / "backups"):
        kills += 1
        assert _columns(old) == columns
        assert _rows(old, columns) == before

    assert kills >= 8
    assert upgrade(_url(old), tmp_path / "backups", NOW) is None
    assert _rows(old, columns) == before


# In PostgreSQL


@pytest.fixture
def old_on_server(old: Path, tmp_path: Path) -> Iterator[str]:
    """The same archive in PostgreSQL."""
    with ExitStack() as stack:
        url = fresh_url("postgres", tmp_path, stack, made=False)
        here, there = (database_of(each, timedelta(seconds=5)) for each in (_url(old), url))
        engines = here.reading_engine(), there.writing_engine()
        with engines[0].begin() as source, engines[1].begin() as target:
            transcribe(Transaction(source, here.index), Transaction(target, there.index))
        for engine in engines:
            engine.dispose()
        yield url


def _held(url: str) -> tuple[str | None, dict[str, str]]:
    """The last migration, and what each table holds."""
    database = database_of(url, timedelta(seconds=5))
    engine = database.reading_engine()
    with engine.begin() as connection:
        tx = Transaction(connection, database.index)
        held = {table.name: content_hash(tx, table) for table in tables_of(connection)}
        revision = revision_of(connection)
    engine.dispose()
    return revision, held


def test_an_older_archive_in_postgresql_is_upgraded_after_a_backup_of_it_as_it_is(
    old: Path, old_on_server: str, tmp_path: Path
) -> None:
    """The backup is the file that the first release would have made of the same archive in SQLite."""
    done = upgrade(old_on_server, tmp_path / "backups", NOW)

    assert done is not None
    assert done.backup is not None
    assert _columns(done.backup) == _columns(old)
    assert _held(_url(done.backup)) == _held(_url(old))
    assert [each.name for each in done.backup.parent.iterdir()] == [done.backup.name]
    restore(_url(tmp_path / "elsewhere.sqlite3"), done.backup, NOW, tmp_path)
    for url in (old_on_server, _url(tmp_path / "elsewhere.sqlite3")):
        with Archive.open(url, NOW, make=False, migrate=False) as archive, archive.read() as tx:
            archive.check()
            assert [each.title for each in search(tx, parse("结冰 OR freezes", load_watchlist()), NOW).articles]
            assert articles.count(tx) == 2


def test_an_upgrade_in_postgresql_killed_at_any_statement_leaves_the_old_archive_whole(old_on_server: str, tmp_path: Path) -> None:
    """The server undoes what a dead connection had begun, tables and all. Every statement's turn comes in bench.kills."""
    before = _held(old_on_server)
    for statement in (0, 5, 11):
        assert _dies_at(statement, old_on_server, tmp_path, backup=False)
        assert _held(old_on_server) == before

    assert upgrade(old_on_server, tmp_path, NOW, backup=False) is not None
