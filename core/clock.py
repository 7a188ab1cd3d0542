"""Time is aware UTC inside jingbao; this file is the only one that reads the machine's clock.

The clock can be set, for the demo and for playing captures of another month: JINGBAO_CLOCK=`2026-01-20T08:00:00Z@60`
starts there and runs 60 times as fast. A third part, `…@60@2026-11-24T10:00:00Z`, is the real moment at which it stood there:
with it several processes share one clock. Timeouts and pauses on the net use the monotonic clock and are not scaled.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.errors import ConfigError

VARIABLE = "JINGBAO_CLOCK"


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that may start elsewhere and run faster than the wall's."""

    start: datetime
    speed: float
    started_monotonic: float

    def now(self) -> datetime:
        """The present moment (aware UTC)."""
        elapsed_seconds = time.monotonic() - self.started_monotonic
        return self.start + timedelta(seconds=elapsed_seconds * self.speed)

    def real_seconds(self, span: timedelta) -> float:
        """How many seconds of real time `span` takes on this clock."""
        return span.total_seconds() / self.speed

    def shared(self) -> str:
        """The value of JINGBAO_CLOCK by which another process's clock agrees with this one."""
        real_start = datetime.now(UTC) - timedelta(seconds=time.monotonic() - self.started_monotonic)
        return f"{self.start.isoformat()}@{self.speed:g}@{real_start.isoformat()}"


class WallClock(Clock):
    """The machine's own clock, read anew each time so that a corrected clock is followed."""

    def __init__(self) -> None:
        super().__init__(start=datetime.now(UTC), speed=1.0, started_monotonic=time.monotonic())

    def now(self) -> datetime:
        """The present moment (aware UTC)."""
        return datetime.now(UTC)


def clock_from_environment() -> Clock:
    """The wall clock, or the one JINGBAO_CLOCK describes.

    Raises ConfigError if the variable cannot be read.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return WallClock()
    moment, speed, real = (*text.split("@"), "", "")[:3]
    try:
        start = datetime.fromisoformat(moment)
        factor = float(speed or 1)
        real_start = datetime.fromisoformat(real) if real else datetime.now(UTC)
    except ValueError:
        start, factor, real_start = datetime.min, 0.0, datetime.min
    if start.tzinfo is None or real_start.tzinfo is None or factor <= 0:
        problem = f"{VARIABLE}={text!r}: expected a moment with a zone and a speed, as in 2026-01-20T08:00:00Z@60"
        raise ConfigError([problem])
    elapsed_seconds = (datetime.now(UTC) - real_start).total_seconds()
    return Clock(start=start.astimezone(UTC), speed=factor, started_monotonic=time.monotonic() - elapsed_seconds)
