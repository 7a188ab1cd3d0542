"""A soak's figures, from its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bench.soak.journal import lines
from bench.soak.measuring import Sample
from bench.soak.slopes import quantile, slope

WARM_UP = 1000
"""Crawls at the beginning of each life that tell nothing of growth: code is still loaded, caches fill, every source is new."""
ENOUGH = 500
"""Crawls after the warm-up without which a life shows no slope."""
WINDOW = 60
"""Lags (one a second) over which the worst minute is looked for."""


@dataclass(frozen=True, slots=True)
class Life:
    """One process's samples, in order."""

    number: int
    samples: Sequence[Sample]

    @property
    def crawls(self) -> int:
        """Crawls between its first and its last sample."""
        return self.samples[-1].crawls - self.samples[0].crawls

    @property
    def warm(self) -> list[Sample]:
        """Its samples after the warm-up."""
        return [sample for sample in self.samples if sample.crawls - self.samples[0].crawls >= WARM_UP]

    @property
    def warm_crawls(self) -> int:
        """Crawls after the warm-up."""
        return max(self.crawls - WARM_UP, 0)

    def slope(self, name: str) -> float | None:
        """How much a figure (a field of Sample) grows in 1,000 crawls after the warm-up; None if they are too few."""
        warm = self.warm
        if self.warm_crawls < ENOUGH:
            return None
        return slope([sample.crawls / 1000 for sample in warm], [float(getattr(sample, name)) for sample in warm])


@dataclass(frozen=True, slots=True)
class Lags:
    """The loop's lags in seconds: figures over all, and the 99th percentile of the worst minute."""

    measured: int
    p50: float
    p99: float
    longest: float
    worst_minute: float
    slow: int

    @classmethod
    def of(cls, lags: Sequence[float]) -> Lags:
        """Of lags in their order."""
        minutes = [lags[start : start + WINDOW] for start in range(0, len(lags), WINDOW)]
        return cls(
            measured=len(lags),
            p50=quantile(lags, 0.5),
            p99=quantile(lags, 0.99),
            longest=max(lags, default=0.0),
            worst_minute=max((quantile(minute, 0.99) for minute in minutes), default=0.0),
            slow=sum(lag > 0.25 for lag in lags),
        )


def samples_of(file: Path) -> list[Sample]:
    """What was measured, in order."""
    return [Sample(**line) for line in lines(file)]


def lives_of(samples: Sequence[Sample]) -> list[Life]:
    """The same by process."""
    return [Life(number, list(theirs)) for number, theirs in groupby(samples, key=lambda sample: sample.life)]
