"""When a rule's mails go out: `now`, `hourly`, `daily HH:MM`, `weekly DAY HH:MM`, in a reader's own time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHAPE = re.compile(r"(?:(daily)|(weekly)\s+([a-z]{3})[a-z]*)\s+(\d{1,2}):(\d{2})", re.IGNORECASE)
EXPECTED = "now, hourly, daily HH:MM or weekly DAY HH:MM (as in: daily 08:00, weekly mon 08:00)"


class Rhythm(StrEnum):
    """How often a rule speaks."""

    NOW = "now"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule's rhythm; `hour`, `minute` and `weekday` (0 = Monday) are local to the reader."""

    rhythm: Rhythm
    hour: int = 0
    minute: int = 0
    weekday: int = 0

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Read a schedule as written in config.yaml. Raises ValueError naming what was expected."""
        words = text.strip().lower()
        if words in {Rhythm.NOW, Rhythm.HOURLY}:
            return cls(Rhythm(words))
        shape = _SHAPE.fullmatch(words)
        if not shape:
            raise ValueError(f"expected {EXPECTED}")
        hour, minute = int(shape[4]), int(shape[5])
        weekday = shape[3] or "mon"
        if hour > 23 or minute > 59 or weekday not in WEEKDAYS:
            raise ValueError(f"expected {EXPECTED}")
        rhythm = Rhythm.DAILY if shape[1] else Rhythm.WEEKLY
        return cls(rhythm, hour, minute, WEEKDAYS.index(weekday))

    def last_due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The latest moment (aware UTC) at or before `now` at which a digest of this schedule is due in `zone`.

        This is a digest's period key, which keeps it to one mail a period whatever the clocks do: an hour that a change
        to winter time repeats gives one moment, an hour that summer time skips gives the moment after the gap.
        """
        if self.rhythm is Rhythm.NOW:
            return now
        if self.rhythm is Rhythm.HOURLY:
            return now.replace(minute=0, second=0, microsecond=0)
        day = now.astimezone(zone).date()
        if self.rhythm is Rhythm.WEEKLY:
            day -= timedelta(days=(day.weekday() - self.weekday) % 7)
        step = timedelta(days=1 if self.rhythm is Rhythm.DAILY else 7)
        moment = self._moment(day, zone)
        return moment if moment <= now else self._moment(day - step, zone)

    def next_due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first moment (aware UTC) after `now` at which a digest of this schedule is due in `zone`; `now` for `now`."""
        if self.rhythm is Rhythm.NOW:
            return now
        if self.rhythm is Rhythm.HOURLY:
            return self.last_due(now, zone) + timedelta(hours=1)
        step = timedelta(days=1 if self.rhythm is Rhythm.DAILY else 7)
        day = self.last_due(now, zone).astimezone(zone).date() + step
        return self._moment(day, zone)

    def _moment(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, time(self.hour, self.minute), tzinfo=zone).astimezone(UTC)

    def __str__(self) -> str:
        """The schedule as written in config.yaml."""
        clock = f"{self.hour:02}:{self.minute:02}"
        match self.rhythm:
            case Rhythm.DAILY:
                return f"daily {clock}"
            case Rhythm.WEEKLY:
                return f"weekly {WEEKDAYS[self.weekday]} {clock}"
            case _:
                return str(self.rhythm)
