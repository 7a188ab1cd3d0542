"""One pace per host, for every road: one request at a time, a pause between two, a longer one where the host asks for it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.errors import FetchError
from core.outcomes import Outcome

PATIENCE_SECONDS = 30.0
"""A host that asks for a longer pause is not waited for: the request ends as failed, to be tried again after the pause."""
LATE_IN_A_ROW, LATE_SECONDS = 3, 60.0
"""A host that lets so many requests wait to the last is left alone so long: its other pages must not hold up other sources."""
IDLE_SECONDS = 600.0
MANY_HOSTS = 500


@dataclass(slots=True)
class _Lane:
    """One host: a queue of one (asyncio.Lock wakes in order of arrival), when the last request ended, until when to rest."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    last_end: float = float("-inf")
    paused_until: float = float("-inf")
    late: int = 0
    users: int = 0


class Pace:
    """The lanes of all hosts. `clock` counts monotonic seconds, `jitter` gives the factor by which one pause differs."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2),
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._lanes: dict[str, _Lane] = {}

    @asynccontextmanager
    async def slot(self, host: str, delay_seconds: float) -> AsyncIterator[None]:
        """Wait for one's turn at `host`, hold it for the body, and leave `delay_seconds` (times jitter) before the next.

        Raises FetchError (failed, with retry_after_seconds) if the host asked for a pause of over 30 seconds.
        """
        lane = self._lane(host)
        lane.users += 1
        try:
            async with lane.turn:
                await self._until_free(host, lane, delay_seconds * self._jitter())
                try:
                    yield
                finally:
                    lane.last_end = self._clock()
        finally:
            lane.users -= 1

    async def _until_free(self, host: str, lane: _Lane, delay_seconds: float) -> None:
        while (wait := max(lane.paused_until, lane.last_end + delay_seconds) - self._clock()) > 0:
            pause = lane.paused_until - self._clock()
            if pause > PATIENCE_SECONDS:
                was_late = f"did not answer in time {lane.late} times in a row, and is left alone for"
                told = was_late if lane.late >= LATE_IN_A_ROW else "asked for a pause, which lasts"
                reason = f"{host} {told} {pause:.0f} seconds more."
                raise FetchError(Outcome.FAILED, reason, retry_after_seconds=pause)
            await self._sleep(wait)

    def pause(self, host: str, seconds: float) -> None:
        """Ask nothing of `host` for `seconds`; a longer pause already running stays."""
        lane = self._lane(host)
        lane.paused_until = max(lane.paused_until, self._clock() + seconds)

    def late(self, host: str) -> None:
        """A request to `host` took all the time it had; after some in a row the host is left alone for a minute."""
        lane = self._lane(host)
        lane.late += 1
        if lane.late >= LATE_IN_A_ROW:
            self.pause(host, LATE_SECONDS)

    def answered(self, host: str) -> None:
        """A request to `host` was answered in time."""
        self._lane(host).late = 0

    @property
    def hosts(self) -> int:
        """How many hosts are remembered (idle ones are forgotten once there are many)."""
        return len(self._lanes)

    def _lane(self, host: str) -> _Lane:
        if host not in self._lanes and len(self._lanes) >= MANY_HOSTS:
            self._forget_idle()
        return self._lanes.setdefault(host, _Lane())

    def _forget_idle(self) -> None:
        long_ago = self._clock() - IDLE_SECONDS
        idle = [h for h, lane in self._lanes.items() if not lane.users and max(lane.last_end, lane.paused_until) < long_ago]
        for host in idle:
            del self._lanes[host]
