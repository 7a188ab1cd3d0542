"""Schedules are local to a reader, and summer time neither repeats nor skips a digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.schedule import Schedule

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("text", ["now", "hourly", "daily 08:00", "weekly mon 08:00"])
def test_a_schedule_is_written_as_it_was_read(text: str) -> None:
    assert str(Schedule.parse(text)) == text


@pytest.mark.parametrize("text", ["", "daily", "daily 24:00", "weekly 08:00", "weekly xyz 08:00", "at noon"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="daily HH:MM"):
        Schedule.parse(text)


def test_a_digest_in_the_hour_that_winter_time_repeats_is_due_once() -> None:
    schedule = Schedule.parse("daily 02:30")
    night = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)

    due = {schedule.last_due(night + timedelta(minutes=m), BERLIN) for m in range(0, 360, 5)}

    assert len(due) == 2  # the day before's, and this night's once


def test_a_digest_in_the_hour_that_summer_time_skips_is_due_all_the_same() -> None:
    schedule = Schedule.parse("daily 02:30")

    due = schedule.last_due(datetime(2026, 3, 29, 6, 0, tzinfo=UTC), BERLIN)

    assert due == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(
    now=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    kind=st.sampled_from(["daily", "weekly sun", "weekly wed"]),
)
def test_the_last_due_moment_is_never_in_the_future_and_at_most_a_period_old(now, hour, minute, kind) -> None:
    schedule = Schedule.parse(f"{kind} {hour}:{minute:02}")

    due = schedule.last_due(now, BERLIN)

    period = timedelta(days=1 if kind == "daily" else 7)
    assert now - period - timedelta(hours=1) <= due <= now
    assert schedule.last_due(due, BERLIN) == due
