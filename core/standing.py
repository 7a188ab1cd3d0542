"""How a source stands, and what one run of it yielded: the words the crawler judges in, the archive keeps and people read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """Every source is in exactly one of these, with a reason and since when; none is ever given up."""

    NEW = "new"
    """Not judged yet: it has not answered, nor failed for long enough to say why."""
    OK = "ok"
    """It answers, its list can be read, and news comes as it usually does."""
    QUIET = "quiet"
    """It answers, but nothing new has stood in its list for longer than its rhythm lets expect."""
    DEGRADED = "degraded"
    """It answers, but gives much less than it did: an empty list, unreadable pages, headlines for texts, no dates."""
    BLOCKED = "blocked"
    """It refuses: 401, 403, 451, a test for people, or robots.txt. That is respected; it is asked again, rarely."""
    OUT_OF_REACH = "out-of-reach"
    """Known not to answer from where this machine is, and it does not. No fault of anybody."""
    BROKEN = "broken"
    """It has failed for hours: no such name, no connection, a bad certificate, 404, 410, 5xx, an unreadable format."""
    PAUSED = "paused"
    """The operator wants it left alone."""

    @property
    def is_trouble(self) -> bool:
        """Whether the operator is told of it."""
        return self in {Standing.QUIET, Standing.DEGRADED, Standing.BLOCKED, Standing.BROKEN}


@dataclass(frozen=True, slots=True)
class Yield:
    """What one run gave that could be read, in numbers.

    `listed` items stood in the list, `fresh` of them for the first time. Of `pages` that were asked for, `read` gave an
    article. The texts read (of pages, or of the entries themselves) were `full`, `partial`, a `summary` or a `headline`;
    `dated` of them had a date.
    """

    listed: int = 0
    fresh: int = 0
    pages: int = 0
    read: int = 0
    full: int = 0
    partial: int = 0
    summary: int = 0
    headline: int = 0
    dated: int = 0

    @property
    def texts(self) -> int:
        """How many texts were read."""
        return self.full + self.partial + self.summary + self.headline
