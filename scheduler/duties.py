"""What a daemon has to do, as plain functions: console wires them, the daemon only knows when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Duty = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Duties:
    """One configuration's duties; a reload brings another set.

    `due(limit)` gives the keys of sources to collect now, the longest overdue first. `collect(key)` collects one and leaves
    it not due. `match`, `digest`, `send` and `upkeep` do what is to do and return; none raises for what a person or the
    net can cause. `wrap_up()` lets these four return after the step under way (a message, a batch), for good;
    `stop_collecting()` makes running collections end early; `close()` gives everything back.
    """

    due: Callable[[int], Awaitable[list[str]]]
    collect: Callable[[str], Coroutine[Any, Any, None]]
    match: Duty
    digest: Duty
    send: Duty
    upkeep: Duty
    wrap_up: Callable[[], None]
    stop_collecting: Duty
    close: Duty
    sources_at_once: int
    tick: timedelta
