"""Daily files go whole: those past their time, then the oldest, and never those of the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import KeepConfig
from core.document import Document, DocumentKind, Request
from storage.raw import RawPages
from storage.raw_files import RawFile, Shelf, past_their_time, raw_files, until

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TODAY = NOW.date()
KEEP = KeepConfig(raw_days=180, off_topic_raw_days=7)


def file(days_ago: int, shelf: Shelf = Shelf.PAGES, size: int = 100) -> RawFile:
    day = TODAY - timedelta(days=days_ago)
    return RawFile(f"{day}{shelf}", day, shelf, size)


def ages(files: list[RawFile]) -> list[int]:
    return [(TODAY - each.day).days for each in files]


files = st.lists(
    st.builds(file, st.integers(-2, 400), st.sampled_from(Shelf), st.integers(0, 10**9)), max_size=30, unique_by=lambda f: f.name
).map(lambda made: sorted(made, key=lambda f: (f.day, f.shelf is Shelf.PAGES)))


def test_files_are_found_oldest_first_and_of_a_day_the_off_topic_ones_first(tmp_path: Path) -> None:
    raw = RawPages(tmp_path)
    for days in (0, 3):
        for shelf in Shelf:
            request = Request("https://news.test/a", DocumentKind.PAGE, "news")
            raw.append(Document(request, request.url, 200, {}, b"x", NOW - timedelta(days=days)), shelf)
    (tmp_path / "notes.txt").write_text("the operator's own")
    (tmp_path / "2026-13-45.warc.gz").write_text("no day")

    found = raw_files(tmp_path)
    assert [each.name for each in found] == [
        "2026-11-21.off-topic.warc.gz", "2026-11-21.warc.gz", "2026-11-24.off-topic.warc.gz", "2026-11-24.warc.gz",
    ]  # fmt: skip
    assert all(each.bytes == (tmp_path / each.name).stat().st_size > 0 for each in found)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert raw_files(tmp_path / "raw") == []


def test_a_page_is_kept_at_least_as_long_as_it_says() -> None:
    """The last page of a day was fetched just before its end, so the days count from there."""
    kept = [file(7, Shelf.OFF_TOPIC), file(180)]
    gone = [file(8, Shelf.OFF_TOPIC), file(181)]

    assert past_their_time(kept, KEEP, NOW) == []
    assert past_their_time(gone, KEEP, NOW) == gone


def test_past_the_bound_the_oldest_go_until_it_is_kept() -> None:
    keep = KeepConfig(max_gb=0.5)
    third = [file(days, size=300_000_000) for days in (4, 3, 2, 1, 0)]

    assert ages(past_their_time(third, keep, NOW)) == [4, 3, 2, 1]


def test_no_bound_means_none() -> None:
    assert past_their_time([file(1, size=10**13)], KeepConfig(max_gb=0), NOW) == []


@settings(max_examples=100, deadline=None)
@given(files, st.floats(-1, 10**10))
def test_no_more_goes_than_is_needed_and_never_what_is_in_use(held: list[RawFile], missing: float) -> None:
    going = until(held, missing, NOW)
    old = [each for each in held if each.day < TODAY]

    assert going == old[: len(going)]
    assert sum(each.bytes for each in going[:-1]) < max(missing, 0) or not going
    assert sum(each.bytes for each in going) >= missing or going == old


@settings(max_examples=100, deadline=None)
@given(files, st.floats(0.01, 400), st.floats(0.01, 400), st.floats(0, 5))
def test_what_is_kept_is_young_and_within_the_bound(held: list[RawFile], days: float, off_topic: float, gigabytes: float) -> None:
    keep = KeepConfig(raw_days=days, off_topic_raw_days=off_topic, max_gb=gigabytes)
    going = past_their_time(held, keep, NOW)
    left = [each for each in held if each not in going]

    assert all(each.day < TODAY for each in going)
    assert all(each.ends(keep) > NOW for each in left)
    yesterdays = [each for each in left if each.day < TODAY]
    assert not gigabytes or not yesterdays or sum(each.bytes for each in left) <= gigabytes * 1e9


def test_a_removed_file_is_gone_and_the_next_page_begins_a_new_one(tmp_path: Path) -> None:
    raw = RawPages(tmp_path)
    request = Request("https://news.test/a", DocumentKind.PAGE, "news")
    document = Document(request, request.url, 200, {}, b"x", NOW)
    first = raw.append(document)
    raw.remove(first.file)
    raw.remove(first.file)

    assert raw_files(tmp_path) == []
    assert raw.append(document).offset == 0


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "2026-11-24.warc.gz").mkdir()

    with pytest.raises(Exception, match="cannot be removed"):
        RawPages(tmp_path).remove("2026-11-24.warc.gz")


def test_days_are_by_utc() -> None:
    assert file(0).ends(KeepConfig(raw_days=1)) == datetime(2026, 11, 26, tzinfo=UTC)
    assert date(2026, 11, 24) == TODAY
