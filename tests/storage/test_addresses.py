"""The ledger knows every address again, whatever name it comes under, and can tell how it came to stand where it does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.article import DateOrigin, Entry, Precision, Published
from core.outcomes import Outcome
from storage import addresses
from storage.addresses import Ending
from storage.archive import Archive, Transaction
from storage.raw import RawLocation
from tests.builders import NOW, keep

URL = "https://caixin.test/a"
HOUR = timedelta(hours=1)


def _record(tx: Transaction, ending: Ending, *, url: str = URL, source: str = "caixin", at: int = 0, name: str = "") -> int:
    return addresses.record(tx, url, ending, url=url + "?utm=x", source=source, now=NOW + at * HOUR, name=name)


def test_an_address_never_seen_is_unknown(archive: Archive) -> None:
    with archive.read() as tx:
        assert addresses.look_up(tx, URL) is None
        assert addresses.look_up_guid(tx, "caixin", "1") is None
        assert addresses.look_up_many(tx, [URL]) == {}
        assert addresses.look_up_many(tx, []) == {}


def test_an_address_is_known_again_by_url_by_guid_and_by_article(archive: Archive) -> None:
    with archive.write() as tx:
        article_id = keep(tx)
        _record(tx, Ending(Outcome.NEW, "names DeepSeek", "DeepSeek", "f1", article_id), name="guid-1")
        known = addresses.look_up(tx, URL)

        assert known is not None
        assert (known.outcome, known.reason, known.title, known.entry_fingerprint) == (
            Outcome.NEW,
            "names DeepSeek",
            "DeepSeek",
            "f1",
        )
        assert (known.url, known.source, known.first_seen) == (URL + "?utm=x", "caixin", NOW)
        assert addresses.look_up_guid(tx, "caixin", "guid-1") == known
        assert addresses.look_up_guid(tx, "36kr", "guid-1") is None
        assert addresses.look_up_many(tx, [URL, "https://other.test/"]) == {URL: known}
        assert addresses.of_article(tx, article_id) == [known]


def test_a_guid_used_anew_leads_to_the_newer_address(archive: Archive) -> None:
    """Some feeds use one GUID for everything."""
    with archive.write() as tx:
        _record(tx, Ending(Outcome.NEW), name="same")
        second = _record(tx, Ending(Outcome.NEW), url="https://caixin.test/b", name="same")
        found = addresses.look_up_guid(tx, "caixin", "same")

    assert found is not None
    assert found.id == second


def test_unchanged_leaves_the_standing_and_moves_only_when_it_was_last_seen(archive: Archive) -> None:
    with archive.write() as tx:
        _record(tx, Ending(Outcome.OFF_TOPIC, "no AI in it"))
        _record(tx, Ending(Outcome.UNCHANGED), at=2)
        known = addresses.look_up(tx, URL)

    assert known is not None
    assert (known.outcome, known.reason, known.first_seen, known.last_seen) == (
        Outcome.OFF_TOPIC,
        "no AI in it",
        NOW,
        NOW + 2 * HOUR,
    )


def test_the_history_has_a_line_per_change_and_per_source(archive: Archive) -> None:
    """What is seen a thousand times unchanged does not fill the disk."""
    with archive.write() as tx:
        number = _record(tx, Ending(Outcome.FAILED, "503"))
        for at in range(1, 5):
            _record(tx, Ending(Outcome.UNCHANGED), at=at)
        _record(tx, Ending(Outcome.NEW), at=5)
        _record(tx, Ending(Outcome.NEW), at=6)
        for at in range(7, 9):
            _record(tx, Ending(Outcome.UNCHANGED), source="36kr", at=at)
        lines = addresses.history(tx, number)

    assert [(line.at, line.source, line.outcome) for line in lines] == [
        (NOW, "caixin", Outcome.FAILED),
        (NOW + 5 * HOUR, "caixin", Outcome.NEW),
        (NOW + 7 * HOUR, "36kr", Outcome.UNCHANGED),
    ]
    assert lines[0].reason == "503"


def test_passing_faults_are_counted_and_come_due(archive: Archive) -> None:
    with archive.write() as tx:
        _record(tx, Ending(Outcome.FAILED, "503", next_try=NOW + HOUR))
        _record(tx, Ending(Outcome.TOO_SLOW, "20 s", next_try=NOW + 3 * HOUR), at=1)
        _record(tx, Ending(Outcome.FAILED, next_try=NOW + HOUR), url="https://caixin.test/b")
        due = addresses.retries_due(tx, "caixin", NOW + 3 * HOUR, 10)
        first = addresses.retries_due(tx, "caixin", NOW + 3 * HOUR, 1)
        early = addresses.retries_due(tx, "caixin", NOW, 10)

    assert [(record.canonical_url, record.attempts) for record in due] == [("https://caixin.test/b", 1), (URL, 2)]
    assert first == due[:1]
    assert early == []


def test_an_address_that_came_through_is_not_tried_again(archive: Archive) -> None:
    with archive.write() as tx:
        _record(tx, Ending(Outcome.FAILED, next_try=NOW))
        _record(tx, Ending(Outcome.NEW))
        known = addresses.look_up(tx, URL)

        assert addresses.retries_due(tx, "caixin", NOW + HOUR, 10) == []
    assert known is not None
    assert known.attempts == 0


def test_what_its_list_said_is_kept_until_the_next_try_and_no_longer(archive: Archive) -> None:
    day = Published(NOW, Precision.DAY, DateOrigin.LIST, "+08:00", zone_stated=True)
    entry = Entry(URL, "A title", "A summary", guid="g", published=day, updated=NOW, authors=("Ann", "Bo"), outlet="X")
    with archive.write() as tx:
        _record(tx, Ending(Outcome.BLOCKED, "403", next_try=NOW, entry=entry))
        (again,) = addresses.retries_due(tx, "caixin", NOW, 10)
        assert (again.entry, again.attempts) == (entry, 1)
        _record(tx, Ending(Outcome.GONE, "404"))
        after = addresses.look_up(tx, URL)
    assert after is not None
    assert (after.entry, after.attempts, after.next_try) == (None, 0, None)


def test_what_was_known_stays_where_nothing_new_is_given(archive: Archive) -> None:
    with archive.write() as tx:
        article_id = keep(tx)
        _record(tx, Ending(Outcome.NEW, title="DeepSeek", entry_fingerprint="f1", article_id=article_id))
        _record(tx, Ending(Outcome.UPDATED, "text changed"), at=1)
        known = addresses.look_up(tx, URL)

    assert known is not None
    assert (known.title, known.entry_fingerprint, known.article_id) == ("DeepSeek", "f1", article_id)


@pytest.mark.parametrize("count", [1, 1500])
def test_a_whole_feed_is_looked_up_in_one_call(archive: Archive, count: int) -> None:
    urls = [f"https://caixin.test/{number}" for number in range(count)]
    with archive.write() as tx:
        for url in urls:
            _record(tx, Ending(Outcome.OFF_TOPIC), url=url)
        assert set(addresses.look_up_many(tx, urls)) == set(urls)


def test_raw_pages_of_an_address_come_newest_first(archive: Archive) -> None:
    older = RawLocation("2026-11-24.warc.gz", 0, 900, NOW)
    newer = RawLocation("2026-11-25.warc.gz", 5_000_000_000, 901, NOW + 24 * HOUR)
    with archive.write() as tx:
        number = _record(tx, Ending(Outcome.NEW))
        addresses.keep_raw(tx, number, older)
        addresses.keep_raw(tx, number, newer)
        assert addresses.raw_pages(tx, number) == [newer, older]


def test_the_archive_knows_by_which_rules_its_addresses_were_made(archive: Archive) -> None:
    with archive.write() as tx:
        assert addresses.note_rules(tx, 1) == 1
        assert addresses.note_rules(tx, 2) == 1
        assert addresses.note_rules(tx, 2) == 2
