"""Jobs go on whatever happens to the wall clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers import base

from core.errors import ConfigError
from scheduler.daemon import CLEAN, Daemon
from scheduler.duties import Duties
from scheduler.intervals import Every


class SteppedClock(datetime):
    """The wall clock, put forward or back by `step`."""

    step = timedelta(0)

    @classmethod
    def now(cls, tz=None) -> datetime:
        return datetime.now(tz) + cls.step


class Rounds:
    """Duties that count how often matching came round."""

    def __init__(self) -> None:
        self.matched: asyncio.Queue[None] = asyncio.Queue()

    async def more(self, rounds: int) -> None:
        """Until matching has come round so many times more."""
        while not self.matched.empty():
            self.matched.get_nowait()
        async with asyncio.timeout(10):
            for _ in range(rounds):
                await self.matched.get()

    def duties(self) -> Duties:
        async def nothing() -> None:
            pass

        async def due(_: int) -> list[str]:
            return []

        async def collect(_: str) -> None:
            pass

        return Duties(
            due=due, collect=collect, match=self.match, digest=nothing, send=nothing, upkeep=nothing, wrap_up=lambda: None,
            stop_collecting=nothing, close=nothing, sources_at_once=1, tick=timedelta(seconds=0.05),
        )  # fmt: skip

    async def match(self) -> None:
        self.matched.put_nowait(None)


async def no_reload() -> Duties:
    raise ConfigError(["not asked for"])


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
