"""How fast something grows: the median of the slopes between all pairs of points (Theil 1950; Sen 1968).

A few wild points, as a big document in hand at the moment of measuring, do not move it (up to 29 % of them).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from itertools import combinations

MOST_POINTS = 500


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The Theil-Sen slope of `ys` over `xs`; of more than MOST_POINTS points, of evenly chosen ones.

    Raises ValueError if no two xs differ.
    """
    step = math.ceil(len(xs) / MOST_POINTS) or 1
    points = list(zip(xs, ys, strict=True))[::step]
    between = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x1 != x2]
    if not between:
        raise ValueError("no two points with different x")
    return statistics.median(between)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed (nearest rank); 0 of nothing."""
    return sorted(values)[math.ceil(len(values) * share) - 1] if values else 0.0
