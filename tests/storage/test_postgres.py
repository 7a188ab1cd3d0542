"""What only PostgreSQL can do to an archive: go away, be restarted, be set up wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from core.errors import DamagedError, StorageError
from lexicon.plan import Sought
from lexicon.query import parse
from lexicon.tokens import Words
from lexicon.watchlist import load_watchlist
from storage import articles
from storage.archive import Archive
from storage.database import database_of
from storage.postgres import Postgres
from storage.schema import metadata
from storage.search import count, search, tsvector
from storage.server_lock import DAEMON, JINGBAO, WANTED, WRITING
from tests.builders import NOW, keep
from tests.databases import fresh_url, server

SOON = timedelta(milliseconds=50)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with ExitStack() as stack:
        yield fresh_url("postgres", tmp_path, stack)


@pytest.fixture
def archive(url: str) -> Iterator[Archive]:
    with Archive.open(url, NOW) as opened:
        yield opened


def _titles(archive: Archive) -> list[str]:
    with archive.read() as tx:
        return [each.title for each in articles.newest(tx, 10)]


def test_the_server_of_the_tests_listens_on_no_address() -> None:
    assert server().run("SHOW listen_addresses") == [("",)]


def test_a_server_restarted_in_mid_write_undoes_it_and_the_next_write_needs_no_help(archive: Archive) -> None:
    with archive.write() as tx:
        keep(tx, "before")

    def cut_off() -> None:
        with archive.write() as tx:
            keep(tx, "under way", "words", bands=(1,))
            server().restart()
            keep(tx, "too late")

    with pytest.raises(StorageError, match=r"went away .*Nothing half-written"):
        cut_off()
    assert _titles(archive) == ["before"]
    with archive.write() as tx:
        keep(tx, "after")
    assert set(_titles(archive)) == {"before", "after"}


def test_a_read_cut_off_by_a_restart_is_told_and_the_next_one_works(archive: Archive) -> None:
    def cut_off() -> None:
        with archive.read() as tx:
            articles.count(tx)
            server().restart()
            articles.count(tx)

    with pytest.raises(StorageError, match="went away"):
        cut_off()
    assert _titles(archive) == []


def test_a_server_that_is_away_is_told_without_the_password(url: str) -> None:
    secret = url.replace("postgres@", "postgres:hunter2@")
    server().halt()
    try:
        with pytest.raises(StorageError, match="cannot be reached") as told:
            Archive.open(secret, NOW)
    finally:
        server().start()
    assert "hunter2" not in str(told.value)


def test_a_write_waits_for_another_program_and_gives_up_in_time(url: str, archive: Archive) -> None:
    with archive.write(), Archive.open(url, NOW, patience=SOON) as hasty:
        with pytest.raises(StorageError, match=r"writing to .* for too long"), hasty.write():
            pass
        assert _titles(hasty) == []
    with archive.write() as tx:
        keep(tx, "goes on")


def test_a_database_in_another_encoding_is_refused_with_advice() -> None:
    name = server().create(encoding="LATIN1")
    try:
        with pytest.raises(StorageError, match=r"encoded in LATIN1.*createdb --encoding UTF8"):
            Archive.open(server().url(name), NOW)
        assert server().run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name) == [(0,)]
    finally:
        server().drop(name)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = fresh_url("postgres", tmp_path, stack, made=False)
        with psycopg.connect(url) as other:
            other.execute("CREATE TABLE recipe (name text)")
        with pytest.raises(StorageError, match="another program"):
            Archive.open(url, NOW)


def test_the_migrations_make_the_tables_of_the_schema_sorted_by_bytes(archive: Archive) -> None:
    with archive.read() as tx:
        ours = {"include_name": lambda name, kind, _: kind != "table" or not name.startswith("article_index")}
        assert compare_metadata(MigrationContext.configure(tx.connection, opts=ours), metadata) == []
        strays = tx.connection.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND data_type IN ('text', 'character varying') AND collation_name IS DISTINCT FROM 'C'"
                " AND table_name <> 'alembic_version'"
            )
        ).all()
    assert strays == []


def test_a_table_that_cannot_be_read_is_damage(url: str, archive: Archive) -> None:
    """As a page does that fails its checksum: SQLSTATE XX001."""
    archive.check()
    with psycopg.connect(url) as other:
        other.execute("ALTER TABLE version RENAME TO version_lost")
        other.execute(
            "CREATE FUNCTION torn() RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'XX001'; END $$"
        )
        other.execute("CREATE VIEW version AS SELECT torn() AS article_id")
    database = database_of(url, SOON)
    with pytest.raises(DamagedError, match=r"version: invalid page in block 7.*backup"), archive.read() as tx:
        database.check(tx.connection, whole=True)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (psycopg.errors.DiskFull(), "no room left"),
        (psycopg.errors.OutOfMemory(), "no memory left"),
        (psycopg.errors.TooManyConnections(), "too many connections"),
        (psycopg.errors.DeadlockDetected(), "Try again"),
        (psycopg.errors.SerializationFailure(), "Try again"),
        (psycopg.errors.InsufficientPrivilege(), "rights"),
        (psycopg.errors.QueryCanceled(), "took too long"),
        (psycopg.errors.AdminShutdown(), "went away"),
        (psycopg.errors.InvalidPassword(), "lets this user not in"),
        (psycopg.errors.InvalidCatalogName(), "createdb"),
        (psycopg.errors.IdleInTransactionSessionTimeout(), "long silence"),
        (psycopg.errors.IoError(), "failed"),
        (psycopg.errors.IndexCorrupted(), "damaged"),
        (psycopg.errors.SyntaxError(), None),
        (psycopg.errors.UniqueViolation(), None),
        (psycopg.DataError("text fields cannot contain NUL (0x00) bytes"), None),
        (ValueError("x"), None),
    ],
)
def test_what_a_person_can_mend_is_said_and_a_bug_stays_one(error: Exception, told: str | None) -> None:
    advice = database_of("postgresql://u:secret@db:1/news", SOON).advice(error)
    assert advice is None if told is None else told in (advice or "") and "secret" not in (advice or "")


def test_upkeep_sorts_new_words_into_the_index(url: str, archive: Archive) -> None:
    with archive.write() as tx:
        keep(tx, "芯片")
    database_of(url, SOON).upkeep()
    with archive.read() as tx:
        assert count(tx, parse("芯片", load_watchlist()), NOW) == 1


def test_the_locks_are_two() -> None:
    assert len({(JINGBAO, WRITING), (JINGBAO, DAEMON), (JINGBAO, WANTED)}) == 3


@pytest.mark.parametrize("bad", ["postgresql://", "postgresql://db:port/x", "postgresql://u:hunter2@db"])
def test_an_address_without_a_database_is_refused_without_its_password(bad: str) -> None:
    with pytest.raises(StorageError, match="postgresql://") as told:
        Archive.open(bad, NOW)
    assert "hunter2" not in str(told.value)


def test_the_name_has_neither_user_nor_password() -> None:
    database = database_of("postgresql://u:hunter2@db.example:5433/news?sslmode=require", SOON)
    assert isinstance(database, Postgres)
    assert database.name == "PostgreSQL's news on db.example:5433"


# -- the index -------------------------------------------------------------------------------------------------------

QUERIES = ["chip", "华*", '"chip maker"', "maker -chip", "NOT chip", "title:chip", "by:li", 'by:"Li Na"', "chip OR absent"]


def test_a_text_too_long_for_a_tsvector_is_found_by_the_same_queries(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """And counted as exactly."""
    texts = [("a chip", "from a chip maker 华为"), ("the maker", "of none"), ("none", "华为 chip")]
    found = []
    for room in (tsvector._ROOM, 0):
        monkeypatch.setattr(tsvector, "_ROOM", room)
        with archive.write() as tx:
            tx.index.clear(tx.connection)
            tx.connection.execute(text("UPDATE article SET index_row = -index_row - 10000000"))
            for title, body in texts:
                keep(tx, title, body, authors=("Li Na", "Na Li"), source=str(room))
            asked = [parse(f"source:{room} ({words})", load_watchlist()) for words in QUERIES]
            found.append([[each.title for each in search(tx, query, NOW).articles] for query in asked])
            assert [count(tx, query, NOW) for query in asked[-3:]] == [3, 3, 2]
            search(tx, asked[0], NOW, order="relevance")

    assert found[0] == found[1]
    assert all(found[0])


def test_a_text_of_more_than_a_megabyte_of_different_words_is_kept_and_found(archive: Archive) -> None:
    body = " ".join(f"word{number:x}q" for number in range(120_000))
    with archive.write() as tx:
        kept = keep(tx, "long", body)
        for words in ("word5q", "word1d4bfq", "long", '"word7q word8q"'):
            assert [each.id for each in search(tx, parse(words, load_watchlist()), NOW).articles] == [kept]


def test_a_word_of_a_thousand_letters_is_found_whole_and_by_its_beginning(archive: Archive) -> None:
    """Where it is cut, the matcher tells it from one that begins alike."""
    word, other = "x" * 1000, "x" * 999 + "y"
    with archive.write() as tx:
        kept = keep(tx, "one", word)
        keep(tx, "two", other)
        assert [each.id for each in search(tx, parse(word, load_watchlist()), NOW).articles] == [kept]
        assert len(search(tx, parse("xxx*", load_watchlist()), NOW).articles) == 2


def test_quotes_and_backslashes_of_a_text_are_no_syntax(archive: Archive) -> None:
    with archive.write() as tx:
        kept = keep(tx, "it's a 'test' \\ of:* & | ! <->", "C++ and C# don't", authors=("O'Neil \\",))
        for words in ("don't", "C++", "test", "by:neil"):
            assert [each.id for each in search(tx, parse(words, load_watchlist()), NOW).articles] == [kept]


def test_a_word_is_looked_up_and_not_searched_for(archive: Archive) -> None:
    """By the tsvectors' own index, and texts without one by theirs: no row is read that cannot be meant."""
    with archive.write() as tx:
        condition = tx.index.condition(Sought(Words(("chip",)), None))
        tx.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        tx.connection.exec_driver_sql("SET LOCAL enable_indexscan = off")
        asked = select(tx.index.row).where(condition)
        sql = asked.compile(tx.connection.engine, compile_kwargs={"literal_binds": True})
        plan = "\n".join(tx.connection.scalars(text(f"EXPLAIN {sql}".replace(":", "\\:"))))

    assert "article_index_tokens" in plan
    assert "article_index_long" in plan
