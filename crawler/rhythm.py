"""A source's rhythm: how long it usually goes without news, counted in working days.

Newsrooms rest at weekends and on holidays, and a silence then says nothing. So spans are counted by the hours of working days
alone, which needs no weeks of learning. The limit is three times the 95th percentile of the gaps seen, at least a day.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from core.source import Scope

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from core.source import Source

DAY = timedelta(days=1)
REMEMBERED = 60
GRAIN = timedelta(hours=6)
"""Moments closer than this are one: a busy day is three or four moments, so that sixty of them reach back for weeks."""
SHORTEST = DAY
LONGEST = 90 * DAY
ENOUGH_GAPS = 8
_TIMES, _PERCENTILE = 3, 0.95
_UNKNOWN = 5 * DAY
_UNKNOWN_SELDOM = 15 * DAY
"""What is waited for a source of which little is known: a week, or three where posts are seldom by nature."""
_SELDOM = {Scope.NEWSLETTER, Scope.THINK_TANK, Scope.COMPANY, Scope.RESEARCH, Scope.GOVERNMENT}
_FARTHEST = timedelta(days=400)
_NEW_YEARS = ("2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-03", "2031-01-23", "2032-02-11", "2033-01-31")
"""The first days of the Chinese calendar's years, to be gone on with; beyond them only the fixed holidays are known."""


def with_news(rhythm: Sequence[datetime], at: datetime) -> tuple[datetime, ...]:
    """The moments, oldest first, with one more (all aware UTC); the last is always the latest news."""
    close = len(rhythm) >= 2 and at - rhythm[-2] < GRAIN
    return (*(rhythm[:-1] if close else rhythm), at)[-REMEMBERED:]


def from_dates(dates: Collection[datetime], now: datetime) -> tuple[datetime, ...]:
    """The rhythm that the dates in a list read for the first time show (aware UTC); those after `now` are left out."""
    rhythm: tuple[datetime, ...] = ()
    for at in sorted(at for at in dates if at <= now):
        rhythm = with_news(rhythm, at)
    return rhythm


def longest_wait(rhythm: Sequence[datetime], source: Source) -> timedelta:
    """How much working time may pass without news before the source counts as quiet."""
    seen = gaps(rhythm, source.tz)
    if len(seen) >= ENOUGH_GAPS:
        usual = seen[math.ceil(len(seen) * _PERCENTILE) - 1]
        return min(max(SHORTEST, usual * _TIMES), LONGEST)
    unknown = max(_UNKNOWN_SELDOM if source.scope in _SELDOM else _UNKNOWN, source.interval * _TIMES)
    return min(max(unknown, _TIMES * max(seen, default=timedelta())), LONGEST)


def gaps(rhythm: Sequence[datetime], zone: ZoneInfo) -> list[timedelta]:
    """The working time between each moment and the next, shortest first."""
    return sorted(working_time(before, after, zone) for before, after in pairwise(rhythm))


def working_time(start: datetime, end: datetime, zone: ZoneInfo) -> timedelta:
    """How much of the span lies on working days of `zone`; after 400 days all of it counts."""
    if end - start > _FARTHEST:
        return end - start
    start, end = start.astimezone(zone), end.astimezone(zone)
    worked, day = timedelta(), start.date()
    while day <= end.date():
        if not is_day_off(day):
            midnight = datetime.combine(day, time(), zone)
            worked += max(min(end, midnight + DAY) - max(start, midnight), timedelta())
        day += DAY
    return worked


@cache
def is_day_off(day: date) -> bool:
    """Whether it is a weekend, or lies in one of the long holidays of the mainland or in the days around Christmas.

    Days worked in exchange for a holiday count as the weekend they fall on.
    """
    month_and_day = (day.month, day.day)
    if day.weekday() >= 5 or (10, 1) <= month_and_day <= (10, 8) or (5, 1) <= month_and_day <= (5, 5):
        return True
    if month_and_day >= (12, 24) or month_and_day <= (1, 2):
        return True
    return any(-1 <= (day - date.fromisoformat(new_year)).days <= 7 for new_year in _NEW_YEARS)
