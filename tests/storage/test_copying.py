"""An archive carried over into another database is the same archive, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from core.article import Entry
from core.errors import StorageError
from core.outcomes import Outcome
from lexicon.query import parse
from lexicon.watchlist import load_watchlist
from storage import addresses, articles, outbox, settings, sources
from storage import copying as room
from storage.archive import Archive
from storage.canonical import content_hash, dump_rows
from storage.copying import copy_archive
from storage.raw import RawLocation
from storage.schema import article
from storage.search import search
from storage.unfinished import MARK
from tests.builders import NOW, draft, judgement, keep
from tests.databases import fresh_url

LATER = NOW + timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgres"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    folder = tmp_path / "target"
    folder.mkdir()
    with ExitStack() as stack:
        yield fresh_url(request.param, folder, stack, made=False)


def _fill(archive: Archive, count: int = 5) -> None:
    """Something in every table."""
    with archive.write() as tx:
        sources.ensure(tx, ["news"], NOW)
        run = sources.begin_run(tx, "news", NOW)
        sources.finish_run(tx, run, NOW, result=sources.OK, next_due=LATER, seen=count, counts={Outcome.NEW: count})
        sources.remember_items(tx, "news", [b"\x00one", b"\xfftwo"], NOW)
        for number in range(count):
            kept = keep(tx, f"华为 news {number}", f"芯片 {number}", mentions=["huawei"], bands=(number, 7), authors=("Li Na",))
            ending = addresses.Ending(Outcome.NEW, article_id=kept)
            where = f"https://news.test/{number}"
            address = addresses.record(tx, where, ending, url=where, source="news", now=NOW, run_id=run, name=f"g{number}")
            addresses.keep_raw(tx, address, RawLocation("2026-11-24.warc.gz", number, 10, NOW))
        articles.update(tx, kept, draft("changed", "text"), judgement(), now=NOW, watchlist_version="1")
        entry = Entry(url="https://news.test/failed", title="failed")
        failed = addresses.Ending(Outcome.BLOCKED, "403", next_try=LATER, entry=entry)
        addresses.record(tx, entry.url, failed, url=entry.url, source="news", now=NOW, run_id=run)
        mail = outbox.NewMessage("ann", "ann@example.org", "now", "p", "<1@x>", "News", b"\x00\xff raw")
        number = outbox.put(tx, mail, NOW)
        story = articles.get(tx, kept).story_id
        outbox.add_match(tx, rule="r", reader="ann", article_id=kept, story_id=story, at=NOW, state=outbox.MatchState.WAITING)
        outbox.set_matches(tx, [outbox.open_matches(tx, "ann")[0].id], outbox.MatchState.MAILED, number)
        settings.put(tx, "some.fact", {"a": [1, None, "芯片"]})


def _dump(archive: Archive) -> list[tuple[str, str]]:
    with archive.read() as tx:
        return list(dump_rows(tx))


def test_a_copy_holds_the_same_rows_and_is_found_by_the_same_words(archive: Archive, target_url: str) -> None:
    """Every table of the archive has rows here, so none can be forgotten."""
    _fill(archive)
    with Archive.open(target_url, LATER, unfinished=True) as target:
        told: list[tuple[str, int, int]] = []
        report = copy_archive(archive, target, lambda *step: told.append(step))

        assert all(report.rows.values())
        assert not report.resumed
        assert ("article", 5, 5) in told
        assert _dump(target) == _dump(archive)
    with Archive.open(target_url, LATER) as target, target.read() as tx, archive.read() as source:
        for words in ("芯片", "by:li", '"华为 news"', "changed"):
            query = parse(words, load_watchlist())
            assert search(tx, query, NOW).articles == search(source, query, NOW).articles != ()


def test_what_is_written_into_a_copy_gets_numbers_of_its_own(archive: Archive, target_url: str) -> None:
    """Also in tables that were empty."""
    _fill(archive)
    with Archive.open(target_url, LATER, unfinished=True) as target:
        copy_archive(archive, target)
        with target.write() as tx:
            assert keep(tx, "new") == 6
            assert sources.begin_run(tx, "news", LATER) == 2


def _until(table: str):
    def stop(name: str, *_: int) -> None:
        if name == table:
            raise InterruptedError

    return stop


@pytest.mark.parametrize(
    ("database", "target_url", "table"),
    [
        ("sqlite", "sqlite", "story"),
        ("sqlite", "postgres", "article"),
        ("postgres", "sqlite", "address"),
        ("postgres", "postgres", "match"),
        ("sqlite", "postgres", "verifying"),
        ("postgres", "sqlite", "verifying"),
    ],
    indirect=["target_url"],
)
def test_an_interrupted_copy_is_no_archive_and_is_gone_on_with(
    archive: Archive, target_url: str, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source went on meanwhile: rows came, changed and went."""
    monkeypatch.setattr(room, "_AT_ONCE", 2)
    _fill(archive)
    with Archive.open(target_url, LATER, unfinished=True) as target, pytest.raises(InterruptedError):
        copy_archive(archive, target, _until(table))
    with pytest.raises(StorageError, match="unfinished copy"):
        Archive.open(target_url, LATER)
    with archive.write() as tx:
        articles.update(tx, 1, draft("replaced", "other"), judgement(), now=LATER, watchlist_version="1")
        keep(tx, "came later")
        sources.postpone(tx, "news", LATER + timedelta(hours=1))
        sources.forget_items(tx, LATER)
        for gone in ("sighting", "run", "version"):
            tx.connection.execute(text(f"DELETE FROM {gone}"))

    with Archive.open(target_url, LATER, unfinished=True) as target:
        assert copy_archive(archive, target).resumed
        assert _dump(target) == _dump(archive)
    with Archive.open(target_url, LATER) as target, target.read() as tx:
        found = search(tx, parse("replaced", load_watchlist()), LATER).articles
        assert [each.id for each in found] == [1]


def test_a_copy_begun_before_a_restore_of_its_source_is_told_to_begin_anew(
    archive: Archive, target_url: str
) -> None:
    """Numbers were given anew then, so that what is there twice does not go together."""
    _fill(archive)
    with Archive.open(target_url, LATER, unfinished=True) as target:
        with pytest.raises(InterruptedError):
            copy_archive(archive, target, _until("message"))
        with archive.write() as tx:
            tx.connection.execute(text("UPDATE match SET message_id = NULL"))
            tx.connection.execute(text("UPDATE message SET id = id + 1000"))
        with pytest.raises(StorageError, match="Copy into an empty database"):
            copy_archive(archive, target)


def test_a_database_with_another_archive_is_refused_and_left_as_it_is(archive: Archive, target_url: str) -> None:
    _fill(archive)
    with Archive.open(target_url, LATER, unfinished=True) as target:
        with target.write() as tx:
            keep(tx, "theirs")
        before = _dump(target)
        with pytest.raises(StorageError, match="another archive already"):
            copy_archive(archive, target)
        assert _dump(target) == before


def test_an_unfinished_copy_of_another_archive_is_refused(archive: Archive, target_url: str) -> None:
    with Archive.open(target_url, LATER, unfinished=True) as target:
        with target.write() as tx:
            settings.put(tx, MARK, "2020-01-01T00:00:00+00:00")
        with pytest.raises(StorageError, match="another archive already"):
            copy_archive(archive, target)


@pytest.mark.parametrize("damage", ["UPDATE article SET title = 'forged'", "DELETE FROM article_index"])
def test_a_copy_that_is_not_the_same_is_told_and_stays_unfinished(target_url: str, tmp_path: Path, damage: str) -> None:
    """However that came about: another program wrote into it, the disk lies, a fault of this one."""
    if "index" in damage and target_url.startswith("sqlite"):
        damage = "INSERT INTO article_index(article_index) VALUES ('delete-all')"

    def harm(name: str, *_: int) -> None:
        if name == "sighting":
            with target.write() as tx:
                tx.connection.exec_driver_sql(damage)

    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", NOW) as source:
        _fill(source)
        told = pytest.raises(StorageError, match=r"not the same in the table article|missing from the index")
        with Archive.open(target_url, LATER, unfinished=True) as target, told:
            copy_archive(source, target, harm)
    with pytest.raises(StorageError, match="unfinished"):
        Archive.open(target_url, LATER)


def test_the_hash_of_a_table_tells_any_change(archive: Archive) -> None:
    """And is that of no order."""
    _fill(archive, 2)
    hashes = set()
    with archive.write() as tx:
        hashes.add(content_hash(tx, article))
        for change in ("title = title || '.'", "baseline = NOT baseline", "weight = weight + 1"):
            tx.connection.execute(text(f"UPDATE article SET {change} WHERE id = 1"))
            hashes.add(content_hash(tx, article))

    assert len(hashes) == 4


def test_rows_can_be_dumped_without_what_differs_by_nature(archive: Archive) -> None:
    _fill(archive, 1)
    with archive.read() as tx:
        rows = list(dump_rows(tx, without=("run", "article.discovered")))

    assert "run" not in {table for table, _ in rows}
    assert not any("discovered" in row for table, row in rows if table == "article")
