"""The forecast is right about disks whose future is known, and says what it is reckoned from."""

from __future__ import annotations

import errno
import random
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import KeepConfig
from core.errors import StorageError
from storage.archive import Archive
from storage.disk import DatabaseSize, DiskUse, Reading, forecast, free_bytes, measure, note_reading, out_of_room, readings
from storage.raw_files import RawFile, Shelf
from tests.builders import keep as keep_article

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MB, GB = 10**6, 10**9
NONE_RESERVED = KeepConfig(reserve_mb=0)


def disk(free: float, rest: float = 10 * GB, raw: tuple[RawFile, ...] = (), reusable: int = 0) -> DiskUse:
    raw_bytes = sum(file.bytes for file in raw)
    return DiskUse(round(free), round(rest + raw_bytes + reusable), DatabaseSize(GB, reusable), raw)


def grown(days: int, a_day: float, rest: float = 10 * GB) -> list[Reading]:
    """Readings of a disk that has grown evenly to `rest`."""
    return [Reading(NOW - n * DAY, round(rest - n * a_day)) for n in range(days, 0, -1)]


def raw_days(days: int, size: int, shelf: Shelf = Shelf.PAGES) -> tuple[RawFile, ...]:
    return tuple(RawFile(f"{n}{shelf}", NOW.date() - n * DAY, shelf, size) for n in range(days, 0, -1))


def test_an_evenly_growing_disk_is_full_when_its_room_is_used() -> None:
    told = forecast(disk(free=1000 * MB), grown(14, 10 * MB), NONE_RESERVED, NOW)

    assert told.full == NOW + 101 * DAY  # the first day on which there is less than nothing left
    assert (round(told.growth), told.reckoned_from) == (10 * MB, 14 * DAY)


def test_the_reserve_counts_as_used() -> None:
    told = forecast(disk(free=1000 * MB), grown(14, 10 * MB), KeepConfig(reserve_mb=500), NOW)

    assert told.full == NOW + 51 * DAY


def test_what_is_below_the_reserve_is_full_now() -> None:
    assert forecast(disk(free=400 * MB), grown(14, 0), KeepConfig(reserve_mb=500), NOW).full == NOW


def test_a_disk_that_does_not_grow_is_not_full_within_a_year() -> None:
    for a_day in (0, -50 * MB):
        assert forecast(disk(free=GB), grown(14, a_day), KeepConfig(), NOW).full is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(2 * GB, 50 * GB))
def test_a_film_copied_or_removed_in_the_last_days_changes_little(seed: int, a_day: int, film: int) -> None:
    """Days out of line, fewer than a quarter of them, do not move the slope far."""
    chance = random.Random(seed)
    known = grown(14, a_day * MB)
    for number in chance.sample(range(14), 3):
        known[number] = Reading(known[number].at, known[number].rest_bytes + chance.choice((-1, 1)) * film)

    assert forecast(disk(free=GB), known, KeepConfig(), NOW).growth == pytest.approx(a_day * MB, rel=0.25, abs=MB)


def test_raw_pages_stop_growing_once_they_go_as_fast_as_they_come() -> None:
    """Thirty days kept, of which ten are there: twenty days more of growth, then none."""
    keep = KeepConfig(raw_days=30, reserve_mb=0)
    held = raw_days(10, 10 * MB)

    assert forecast(disk(free=250 * MB, raw=held), grown(14, 0), keep, NOW).full is None
    assert forecast(disk(free=150 * MB, raw=held), grown(14, 0), keep, NOW).full == NOW + 16 * DAY


def test_off_topic_pages_stop_sooner() -> None:
    keep = KeepConfig(off_topic_raw_days=7, reserve_mb=0)

    held = raw_days(7, 10 * MB, Shelf.OFF_TOPIC)
    assert forecast(disk(free=30 * MB, raw=held), grown(14, 0), keep, NOW).full is None


def test_the_bound_on_raw_pages_is_kept_in_the_future_too() -> None:
    held = raw_days(14, 100 * MB)
    bounded, free = KeepConfig(max_gb=2, reserve_mb=0), 700 * MB

    assert forecast(disk(free=free, raw=held), grown(14, 0), bounded, NOW).full is None
    assert forecast(disk(free=free, raw=held), grown(14, 0), NONE_RESERVED, NOW).full == NOW + 8 * DAY


def test_room_inside_the_archives_file_counts_as_room() -> None:
    """What was forgotten leaves pages that are written again before the file grows."""
    told = forecast(disk(free=100 * MB, reusable=100 * MB), grown(14, 10 * MB), NONE_RESERVED, NOW)

    assert told.full == NOW + 21 * DAY


def test_before_three_days_what_the_last_day_brought_is_taken_and_said() -> None:
    known = [Reading(NOW - 2 * DAY, 9 * GB), Reading(NOW - DAY, 10 * GB - 50 * MB)]
    told = forecast(disk(free=501 * MB), known, NONE_RESERVED, NOW)

    assert (told.reckoned_from, round(told.growth), told.full) == (2 * DAY, 50 * MB, NOW + 11 * DAY)


def test_in_the_first_hour_nothing_is_told() -> None:
    for known in ([], [Reading(NOW - timedelta(minutes=10), GB)]):
        told = forecast(disk(free=GB), known, KeepConfig(), NOW)
        assert (told.full, told.reckoned_from) == (None, timedelta())


def test_one_day_without_pages_does_not_make_the_others_smaller() -> None:
    held = tuple(file for file in raw_days(14, 10 * MB) if file.day != date(2026, 11, 20))

    assert forecast(disk(free=GB, raw=held), grown(14, 0), KeepConfig(), NOW).raw_growth == 10 * MB


def test_the_first_reading_of_each_of_the_last_days_is_kept(archive: Archive) -> None:
    with archive.write() as tx:
        for hours in range(0, 24 * 20, 6):
            note_reading(tx, disk(free=GB, rest=hours), NOW + timedelta(hours=hours))
        kept = readings(tx)

    last = NOW + timedelta(hours=24 * 20 - 6)
    assert all(last - 14 * DAY < each.at <= last for each in kept)
    assert [each.at.date() for each in kept] == [last.date() - n * DAY for n in range(13, -1, -1)]
    assert [each.at.hour for each in kept] == [0] * 14


def test_a_clock_put_back_leaves_no_reading_of_the_future(archive: Archive) -> None:
    with archive.write() as tx:
        note_reading(tx, disk(free=GB), NOW)
        note_reading(tx, disk(free=GB), NOW - 5 * DAY)

        assert [each.at for each in readings(tx)] == [NOW - 5 * DAY]


def test_a_measure_is_what_the_files_say(tmp_path: Path, archive: Archive) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "2026-11-20.warc.gz").write_bytes(bytes(5000))
    with archive.write() as tx:
        keep_article(tx, "A title", "words " * 2000)
    use = measure(tmp_path, archive.size())

    assert use.raw_bytes == 5000
    assert use.archive.bytes >= 100_000
    assert use.free_bytes > 0
    assert use.rest_bytes + use.raw_bytes + use.archive.reusable_bytes == use.used_bytes
    assert free_bytes(tmp_path) == pytest.approx(use.free_bytes, abs=500 * MB)


def test_what_is_deleted_becomes_room_inside_the_archives_file(tmp_path: Path) -> None:
    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", NOW) as archive:
        with archive.write() as tx:
            tx.connection.exec_driver_sql("CREATE TABLE heap (content TEXT)")
            tx.connection.exec_driver_sql("INSERT INTO heap VALUES (?)", ("x" * 300_000,))
        before = archive.size()
        with archive.write() as tx:
            tx.connection.exec_driver_sql("DELETE FROM heap")
        after = archive.size()

    assert after.here
    assert after.reusable_bytes - before.reusable_bytes >= 250_000
    assert after.bytes >= before.bytes


def caused_by(cause: BaseException) -> StorageError:
    error = StorageError("told to people")
    error.__cause__ = cause
    return error


class DriverError(Exception):
    def __init__(self, **codes: object) -> None:
        self.__dict__.update(codes)


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (caused_by(OSError(errno.EDQUOT, "quota")), True),
        (caused_by(DriverError(orig=DriverError(sqlite_errorcode=sqlite3.SQLITE_FULL))), True),
        (caused_by(DriverError(orig=DriverError(sqlstate="53100"))), True),
        (caused_by(DriverError(orig=DriverError(sqlite_errorcode=sqlite3.SQLITE_BUSY))), False),
        (caused_by(OSError(errno.EACCES, "rights")), False),
        (StorageError("no cause"), False),
        (None, False),
    ],
)
def test_a_full_disk_is_known_by_its_codes(error: BaseException | None, full: bool) -> None:
    assert out_of_room(error) is full


def test_pages_kept_for_a_few_days_are_reckoned_by_those_days() -> None:
    keep, today = KeepConfig(off_topic_raw_days=3), NOW.date()
    files = [RawFile("p", today - timedelta(days=ago), Shelf.PAGES, 10) for ago in range(1, 15)]
    files += [RawFile("o", today - timedelta(days=ago), Shelf.OFF_TOPIC, 300) for ago in range(1, 4)]
    use = DiskUse(10**9, 10**9, DatabaseSize(1), tuple(files))

    assert forecast(use, [Reading(NOW - timedelta(days=5), 10**9)], keep, NOW).raw_growth == 310
