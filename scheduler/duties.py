"""What a daemon has to do, as plain functions: console wires them, the daemon only knows when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Duty = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again: `work` does what is to do and returns, and raises nothing a person or the net can cause.

    It never overlaps itself. Without `every` it comes round with each tick.
    """

    name: str
    work: Duty
    every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Duties:
    """One configuration's duties; a reload brings another set.

    `due(limit)` gives the keys of sources to collect now, the longest overdue first. `collect(key)` collects one and leaves
    it not due. `wrap_up()` lets the jobs return after the step under way (a message, a batch), for good; `stop()` makes what is
    under way end early, which a reload does not; `close()` gives everything back. `word()` tells in a line how it stands.
    """

    due: Callable[[int], Awaitable[list[str]]]
    collect: Callable[[str], Coroutine[Any, Any, None]]
    jobs: tuple[Job, ...]
    wrap_up: Callable[[], None]
    stop: Duty
    close: Duty
    sources_at_once: int
    tick: timedelta
    word: Callable[[], Awaitable[str]] | None = None

    def job(self, name: str) -> Job | None:
        """The job of this name, if there is one."""
        return next((job for job in self.jobs if job.name == name), None)
