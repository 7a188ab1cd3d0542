"""Jobs go on whatever happens to the wall clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers import base

from scheduler.daemon import CLEAN, Daemon
from scheduler.intervals import Every
from tests.scheduler.rounds import Rounds, no_reload


class SteppedClock(datetime):
    """The wall clock, put forward or back by `step`."""

    step = timedelta(0)

    @classmethod
    def now(cls, tz=None) -> datetime:
        return datetime.now(tz) + cls.step


@pytest.mark.parametrize("days", [-4000, -0.01, 0.01, 4000])
async def test_jobs_go_on_when_the_clock_is_put_back_or_forward(monkeypatch, days) -> None:
    monkeypatch.setattr(SteppedClock, "step", timedelta(0))
    monkeypatch.setattr(base, "datetime", SteppedClock)
    rounds = Rounds()
    daemon = Daemon(rounds.duties(), no_reload, wall=lambda: SteppedClock.now(UTC))
    running = asyncio.create_task(daemon.run())
    await rounds.more(2)
    SteppedClock.step = timedelta(days=days)
    await rounds.more(3)
    daemon.stop()

    assert await running == CLEAN


def test_the_next_time_is_one_interval_from_now_however_long_ago_the_last_was() -> None:
    now = datetime(2026, 3, 3, tzinfo=UTC)
    every = Every(timedelta(seconds=5))

    assert {every.get_next_fire_time(last, now) for last in (None, now, now - timedelta(days=9999))} == {
        now + timedelta(seconds=5)
    }
