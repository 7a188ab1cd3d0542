"""A backup takes the place of an archive in PostgreSQL as it does in a file: in one step, and nobody is told anything twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from core.errors import OlderArchiveError, RestoredError, StorageError
from lexicon.query import parse
from lexicon.watchlist import load_watchlist
from storage import articles, outbox
from storage.archive import Archive, Transaction
from storage.backup import back_up
from storage.canonical import dump_rows
from storage.database import database_of
from storage.outbox import MatchState, MessageState, NewMessage
from storage.restoring import restore
from storage.search import search
from storage.upgrade import make_tables
from tests.builders import NOW, keep
from tests.databases import fresh_url

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        yield fresh_url("postgres", tmp_path, stack)


@pytest.fixture
def backup(url: str, tmp_path: Path) -> Path:
    """A backup with one article that is to be told; in the archive it was told since, and another was found."""
    with Archive.open(url, NOW) as archive:
        with archive.write() as tx:
            _match(tx, keep(tx, "before", mentions=["deepseek"]))
        made = back_up(url, tmp_path / "elsewhere.sqlite3", NOW)
        with archive.write() as tx:
            (match,) = outbox.open_matches(tx, "ann")
            mail = NewMessage("ann", "ann@example.org", "now", "now 1", "<1@jingbao>", "told", b"mail")
            row = outbox.put(tx, mail, NOW)
            outbox.set_matches(tx, [match.id], MatchState.MAILED, row)
            outbox.mark_sent(tx, row, LATER)
            keep(tx, "after")
    return made.path


def _match(tx: Transaction, article_id: int) -> None:
    story = articles.get(tx, article_id).story_id
    outbox.add_match(tx, rule="models", reader="ann", article_id=article_id, story_id=story, at=NOW, state=MatchState.WAITING)
    articles.mark_matched(tx, [article_id])


def _titles(tx: Transaction) -> set[str]:
    return {each.title for each in articles.newest(tx, 100)}


def _rows(url: str) -> list[tuple[str, str]]:
    with Archive.open(url, NOW, make=False, migrate=False) as archive, archive.read() as tx:
        return list(dump_rows(tx))


def test_what_was_told_stays_told_and_the_archive_that_was_there_is_kept(url: str, backup: Path, tmp_path: Path) -> None:
    before = _rows(url)
    with Archive.open(url, NOW) as open_meanwhile:
        done = restore(url, backup, LATER, tmp_path / "backups")
        with pytest.raises(RestoredError), open_meanwhile.write():
            pass

    assert done.carried is not None
    assert done.aside is not None
    assert done.aside.parent == tmp_path / "backups"
    assert _rows(f"sqlite:///{done.aside}") == before
    with Archive.open(url, LATER, make=False) as archive:
        archive.check()
    with Archive.open(url, LATER) as archive, archive.write() as tx:
        assert _titles(tx) == {"before"}
        assert outbox.message_counts(tx) == {MessageState.SENT: 1}
        assert outbox.open_matches(tx, "ann") == []
        assert [each.title for each in search(tx, parse("@deepseek before", load_watchlist()), LATER).articles] == ["before"]
        assert articles.get(tx, keep(tx, "goes on")).title == "goes on"


def test_a_reader_sees_its_moment_to_the_end(url: str, backup: Path, tmp_path: Path) -> None:
    with Archive.open(url, NOW) as archive:
        with archive.read() as tx:
            assert articles.count(tx) == 2
            restore(url, backup, LATER, tmp_path)
            assert _titles(tx) == {"before", "after"}
        with archive.read() as tx:
            assert _titles(tx) == {"before"}


def test_into_an_empty_database_what_may_have_been_told_is_held_back(backup: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        empty = fresh_url("postgres", tmp_path, stack, made=False)
        done = restore(empty, backup, LATER, tmp_path)
        with Archive.open(empty, LATER, make=False) as archive, archive.read() as tx:
            assert outbox.open_matches(tx, "ann") == []

    assert done.aside is None
    assert done.held is not None
    assert done.held.titles == ("before",)


def test_an_older_archive_is_upgraded_first(backup: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        old = fresh_url("postgres", tmp_path, stack, made=False)
        engine = database_of(old, timedelta(seconds=5)).writing_engine()
        with engine.begin() as connection:
            make_tables(connection, "0001")
        engine.dispose()

        with pytest.raises(OlderArchiveError, match="jingbao upgrade"):
            restore(old, backup, LATER, tmp_path)


def _dies_at(statement: int, url: str, backup: Path) -> int:
    """The wait status of a child that is killed as it is about to give the server its n-th changing statement."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = [statement]

    @event.listens_for(Engine, "before_cursor_execute")
    def _count(connection, _cursor, sql, *_) -> None:
        left[0] -= connection.dialect.name == "postgresql" and sql.lstrip().startswith(("DELETE", "INSERT"))
        if left[0] < 0:
            os.kill(os.getpid(), 9)

    try:
        restore(url, backup, LATER + timedelta(minutes=statement), backup.parent)
    finally:
        os._exit(0)


def test_killed_at_any_statement_the_archive_is_the_old_one(url: str, backup: Path) -> None:
    before = _rows(url)
    for statement in (0, 9, 16, 20):
        assert _dies_at(statement, url, backup)
        assert _rows(url) == before

    assert restore(url, backup, LATER + timedelta(hours=1), backup.parent).carried is not None


def test_the_archive_of_a_newer_version_is_left_and_another_database_advised(url: str, backup: Path, tmp_path: Path) -> None:
    """It cannot be copied row by row without knowing its tables."""
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StorageError, match="another, empty database"):
        restore(url, backup, LATER, tmp_path)
