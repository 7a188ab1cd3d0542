"""Duties with nothing to do, that count how often matching came round."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from core.errors import ConfigError
from scheduler.duties import Duties, Job


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
            due=due, collect=collect, jobs=(Job("match", self.match),), wrap_up=lambda: None,
            stop=nothing, close=nothing, sources_at_once=1, tick=timedelta(seconds=0.05),
        )  # fmt: skip

    async def match(self) -> None:
        self.matched.put_nowait(None)


async def no_reload() -> Duties:
    raise ConfigError(["not asked for"])
