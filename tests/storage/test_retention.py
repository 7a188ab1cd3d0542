"""What has had its time is forgotten a piece at a time, and nothing else with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from core.outcomes import Outcome
from lexicon.query import parse
from lexicon.watchlist import load_watchlist
from storage import addresses, articles, retention, sources
from storage.addresses import Ending
from storage.archive import Archive, Transaction
from storage.raw import RawLocation
from storage.retention import forget_raw, forget_runs, forget_versions, named_raw_files
from storage.search.rebuilding import reindex
from storage.search.searching import iterate
from storage.sources import OK
from tests.builders import NOW, draft, judgement, keep, published

DAY = timedelta(days=1)


def run(tx: Transaction, source: str, days_ago: float) -> int:
    begun = NOW - days_ago * DAY
    number = sources.begin_run(tx, source, begun)
    sources.finish_run(tx, number, begun, result=OK, next_due=begun, seen=1, counts={Outcome.NEW: 1})
    return number


def all_of(forget: Callable[[int], int], limit: int) -> list[int]:
    """What each call forgot, until one forgets nothing."""
    counts = [forget(limit)]
    while counts[-1]:
        counts.append(forget(limit))
    return counts


def test_old_runs_go_and_the_history_of_addresses_stays(archive: Archive) -> None:
    with archive.write() as tx:
        sources.ensure(tx, ["daily"], NOW)
        old, new = run(tx, "daily", 91), run(tx, "daily", 1)
        for number, url in ((old, "https://a.test/1"), (new, "https://a.test/2")):
            addresses.record(tx, url, Ending(Outcome.NEW), url=url, source="daily", now=NOW, run_id=number)
        forgotten = forget_runs(tx, NOW - 90 * DAY)

    with archive.read() as tx:
        history = [addresses.history(tx, addresses.look_up(tx, f"https://a.test/{n}").id)[0] for n in (1, 2)]
        assert forgotten == 1
        assert [each.id for each in sources.last_runs(tx, "daily")] == [new]
        assert [(line.outcome, line.run_id) for line in history] == [(Outcome.NEW, None), (Outcome.NEW, new)]


def test_each_sources_newest_run_stays_however_old_and_so_does_its_state(archive: Archive) -> None:
    with archive.write() as tx:
        sources.ensure(tx, ["weekly", "daily"], NOW)
        run(tx, "weekly", 300)
        last = run(tx, "weekly", 200)
        before = sources.state(tx, "weekly")
        forget_runs(tx, NOW - 90 * DAY)

    with archive.read() as tx:
        assert [each.id for each in sources.last_runs(tx, "weekly")] == [last]
        assert sources.state(tx, "weekly") == before


def test_forgetting_goes_by_pieces(archive: Archive) -> None:
    with archive.write() as tx:
        sources.ensure(tx, ["daily"], NOW)
        for number in range(6):
            run(tx, "daily", 100 + number)

        assert all_of(lambda limit: forget_runs(tx, NOW, limit), 2) == [2, 2, 1, 0]


def test_old_versions_go_and_the_article_stays_with_the_newer_ones(archive: Archive) -> None:
    with archive.write() as tx:
        number = keep(tx, "First title", "first words")
        for title, days_ago in (("Second title", 400), ("Third title", 10)):
            changed = draft(title, "other words", published=published())
            articles.update(tx, number, changed, judgement(title), now=NOW - days_ago * DAY, watchlist_version="1")

        assert all_of(lambda limit: forget_versions(tx, NOW - 365 * DAY, limit), 10) == [1, 0]
        assert [each.title for each in articles.versions(tx, number)] == ["Second title"]
        assert articles.get(tx, number).title == "Third title"


def test_no_article_is_found_by_the_words_of_a_forgotten_version(archive: Archive) -> None:
    """The index may still hold them: their row is not given to another article of the same second."""
    with archive.write() as tx:
        number = keep(tx, "Walrus", "walrus")
        changed = draft("Heron", "heron", published=published(NOW - DAY))
        articles.update(tx, number, changed, judgement("heron"), now=NOW, watchlist_version="1")
        forget_versions(tx, NOW + DAY)
        keep(tx, "Stork", "stork")

    assert found(archive, "walrus") == []
    assert found(archive, "stork") == ["Stork"]
    with archive.write() as tx:
        reindex(tx)
    assert (found(archive, "walrus"), found(archive, "heron")) == ([], ["Heron"])


def found(archive: Archive, word: str) -> list[str]:
    with archive.read() as tx:
        return [each.title for each in iterate(tx, parse(word, load_watchlist()), NOW)]


def test_the_places_of_pages_go_with_their_file(archive: Archive) -> None:
    with archive.write() as tx:
        numbers = {}
        for name in ("2026-05-01.warc.gz", "2026-05-02.warc.gz"):
            url = f"https://a.test/{name}"
            numbers[name] = addresses.record(tx, url, Ending(Outcome.NEW), url=url, source="daily", now=NOW)
            for offset in range(5):
                addresses.keep_raw(tx, numbers[name], RawLocation(name, offset, 1, NOW))

        assert all_of(lambda limit: forget_raw(tx, {"2026-05-01.warc.gz"}, limit), 2) == [2, 2, 1, 0]
        assert named_raw_files(tx) == {"2026-05-02.warc.gz"}
        assert len(addresses.raw_pages(tx, numbers["2026-05-02.warc.gz"])) == 5
        assert addresses.raw_pages(tx, numbers["2026-05-01.warc.gz"]) == []


def test_a_piece_is_small_enough_not_to_hold_the_writer() -> None:
    assert retention.AT_ONCE <= 1000
