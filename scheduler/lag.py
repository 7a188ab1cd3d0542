"""How late the event loop is: what should happen after a second happens a second and `lag` later.

A lag is work done on the loop that belongs into a thread or a worker process, or a machine with too little to give.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from core.log import values

log = logging.getLogger("jingbao.scheduler")

SLOW_SECONDS = 0.25
"""What the loop's lag stays under, 99 times in 100; beyond it web pages and time limits begin to feel it."""
TOLD_SECONDS = 1.0
LONGEST_SECONDS = 5.0
"""From here on the daemon counts as stuck: no sign of life for the watchdog."""
KEPT = 3600  # one measurement a second: the last hour


@dataclass(frozen=True, slots=True)
class Lag:
    """The last hour's lags in seconds: median, 99th percentile, greatest, the newest; how many, how many over 250 ms."""

    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    latest: float = 0.0
    measured: int = 0
    slow: int = 0


class LagMeter:
    """Keeps the last hour of lags; logs one over a second at once, and the figures when asked to."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lags: deque[float] = deque(maxlen=KEPT)
        self._due: float | None = None

    def expect(self, seconds: float) -> None:
        """Something is to happen on the loop in so many seconds."""
        self._due = self._monotonic() + seconds

    def happened(self) -> None:
        """It happened just now."""
        if self._due is None:
            return
        lag = max(self._monotonic() - self._due, 0.0)
        self._due = None
        self._lags.append(lag)
        if lag > TOLD_SECONDS:
            log.warning("the event loop was held up", extra=values(lag_seconds=lag))

    def figures(self) -> Lag:
        """What the last hour gave."""
        if not self._lags:
            return Lag()
        ranked = sorted(self._lags)
        return Lag(
            p50=_quantile(ranked, 0.5),
            p99=_quantile(ranked, 0.99),
            longest=ranked[-1],
            latest=self._lags[-1],
            measured=len(ranked),
            slow=sum(lag > SLOW_SECONDS for lag in ranked),
        )

    def newest(self, count: int) -> tuple[float, ...]:
        """The last `count` lags in seconds, the newest last; fewer if fewer were measured."""
        return tuple(islice(self._lags, max(len(self._lags) - count, 0), None))

    def tell(self) -> None:
        """Write the last hour's figures to the log."""
        lag = self.figures()
        told = values(p50_seconds=lag.p50, p99_seconds=lag.p99, longest_seconds=lag.longest, slow=lag.slow, of=lag.measured)
        log.info("event loop lag", extra=told)


def _quantile(ranked: list[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank)."""
    return ranked[math.ceil(len(ranked) * share) - 1]
