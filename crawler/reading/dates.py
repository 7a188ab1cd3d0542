"""Dates as news sites write them: Chinese, English, ISO 8601, RFC 822, relative and numeric; never one that was not written.

What has no zone is in the zone the caller names (the source's). A date without a year that would lie in the future is of the
year before. An impossible date (30 February) and one that two readings fit (03/04/2026) are no date. Midnight is how publishing
systems write "that day": its precision is the day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.article import DateOrigin, Precision, Published
from crawler.reading import clocks

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

EARLIEST_YEAR = 1990  # before the first news site; an older year is a machine's default (1970) or another thing's date
LATEST_YEAR = 2100
TEXT_CHARS = 300


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as read: `at` aware UTC, as exact as `precision` says; `zone` and `zone_stated` as in core.article.Published."""

    at: datetime
    precision: Precision
    zone: str
    zone_stated: bool

    def published(self, origin: DateOrigin) -> Published:
        """The same as an article's date."""
        return Published(self.at, self.precision, origin, self.zone, self.zone_stated)


def parse_date(text: str, zone: ZoneInfo, now: datetime) -> Moment | None:
    """The date written in `text` (its first 300 characters; labels around it do no harm), or None.

    Shapes are tried from the most exact to the loosest, so a relative or year-less reading never wins over a full date.
    """
    folded = clocks.folded(text[:TEXT_CHARS])
    for shape, read in _SHAPES:
        for match in shape.finditer(folded):
            try:
                moment = read(match, zone, now)
            except (ValueError, OverflowError):
                continue
            if moment and EARLIEST_YEAR <= moment.at.year <= LATEST_YEAR:
                return moment
    return None


def from_epoch(value: float, zone: ZoneInfo) -> Moment | None:
    """A Unix time in seconds or, where it is too big for that, milliseconds or microseconds. None outside 1990 to 2100."""
    for divisor in (1, 1e3, 1e6):
        if 631_152_000 <= value / divisor < 4_133_980_800:
            at = datetime.fromtimestamp(value / divisor, UTC).replace(microsecond=0)
            return Moment(at, Precision.SECOND, str(zone), zone_stated=True)
    return None


def date_in_url(url: str, zone: ZoneInfo, now: datetime) -> Moment | None:
    """The date an address carries (/2026-07/13/c_1.htm, /20260717/, t20260926_1.html, /2026/01/9.html: month only), or None.

    A date after tomorrow is a number that looks like one.
    """
    path = re.sub(r"^[a-z]+://[^/]+", "", url)
    for shape in _IN_URL:
        for match in shape.finditer(path):
            year, month, day = (int(part or 0) for part in match.group("y", "m", "d"))
            try:
                local = datetime(year, month, day or 1, tzinfo=zone)
            except ValueError:
                continue
            if local <= now + timedelta(days=1):
                precision = Precision.DAY if day else Precision.MONTH
                return Moment(local.astimezone(UTC), precision, str(zone), zone_stated=False)
    return None


_IN_URL = tuple(
    re.compile(pattern)
    for pattern in (
        # A number before ".html" after a slash is an article's own, not a day (/2026/01/12.html).
        r"(?<!\d)(?P<y>(?:199|20\d)\d)(?P<s>[-/_.]?)(?P<m>\d\d)(?:(?P=s)|[-/_])(?P<d>\d\d)(?!\d)(?!(?<=/\d\d)\.)",
        r"(?<!\d)(?P<y>(?:199|20\d)\d)[-/](?P<m>1[0-2]|0?[1-9])[-/](?P<d>3[01]|[12]\d|0?[1-9])(?![\d.])",
        r"/(?P<y>20\d\d)[-/]?(?P<m>0[1-9]|1[0-2])(?P<d>)/",
    )
)


# One reader a kind of shape ------------------------------------------------------------------------------------------------

_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_STEPS = {
    "秒": timedelta(seconds=1), "s": timedelta(seconds=1),
    "分": timedelta(minutes=1), "m": timedelta(minutes=1),
    "时": timedelta(hours=1), "h": timedelta(hours=1),
    "天": timedelta(days=1), "日": timedelta(days=1), "d": timedelta(days=1),
    "周": timedelta(weeks=1), "星": timedelta(weeks=1), "w": timedelta(weeks=1),
}  # fmt: skip
_DAYS_BACK = {"今天": 0, "今日": 0, "today": 0, "昨天": 1, "昨日": 1, "yesterday": 1, "前天": 2, "前日": 2, "大前天": 3}


def _written(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    """A date with its year; a two-digit year as RFC 822 had it."""
    del now
    parts = match.groupdict()
    year = int(parts["y"]) + (0 if len(parts["y"]) == 4 else 2000)
    return _at(year, _month(parts), int(parts["d"]), match, zone)


def _month(parts: dict[str, str]) -> int:
    return _MONTHS[parts["mon"][:3]] if parts.get("mon") else int(parts["m"])


def _at(year: int, month: int, day: int, match: re.Match[str], zone: ZoneInfo) -> Moment:
    """That day, with the time of day written next to it. Raises ValueError if there is no such day or time."""
    clock = clocks.beside(match)
    stated = clocks.stated_zone(match.string, clock, zone)
    local = datetime(year, month, day, tzinfo=stated or zone)
    precision = Precision.DAY
    if clock and not clock.midnight:
        local += clock.since_midnight
        precision = clock.precision
    name = clocks.offset_name(local) if stated else str(zone)
    return Moment(local.astimezone(UTC), precision, name, zone_stated=stated is not None)


def _day_first(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    """24.11.2026 has the day first; with slashes only what cannot be read two ways is read."""
    del now
    first, second, year = int(match["a"]), int(match["b"]), int(match["y"])
    if match["s"] == "." or first > 12 or first == second:
        return _at(year, second, first, match, zone)
    return _at(year, first, second, match, zone) if second > 12 else None


def _yearless(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    """The latest such day that is not after tomorrow (a day's grace for zones and clocks)."""
    for year in (now.astimezone(zone).year, now.astimezone(zone).year - 1):
        try:
            moment = _at(year, _month(match.groupdict()), int(match["d"]), match, zone)
        except ValueError:
            continue
        if moment.at <= now + timedelta(days=1):
            return moment
    return None


def _ago(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    """So long before `now`; seconds to hours to the minute, days and weeks to the day."""
    count, unit = match["n"], match["unit"]
    step = _STEPS[unit.removeprefix("个").replace("小时", "时")[0]]
    if step < timedelta(days=1):
        at = (now - int(count) * step).replace(second=0, microsecond=0)
        return Moment(at.astimezone(UTC), Precision.MINUTE, str(zone), zone_stated=False)
    return _day_before(int(count) * step.days, match, zone, now)


def _just_now(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    del match
    return Moment(now.replace(second=0, microsecond=0).astimezone(UTC), Precision.MINUTE, str(zone), zone_stated=False)


def _named_day(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    return _day_before(_DAYS_BACK[match["day"]], match, zone, now)


def _day_before(days: int, match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    day = now.astimezone(zone) - timedelta(days=days)
    return _at(day.year, day.month, day.day, match, zone)


def _clock_alone(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    """A time of day alone is today's, or yesterday's if it has not come yet."""
    clock = clocks.read(match)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    local = midnight + clock.since_midnight
    if local > now + timedelta(minutes=10):
        local -= timedelta(days=1)
    return Moment(local.astimezone(UTC), clock.precision, str(zone), zone_stated=False)


def _month_only(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    del now
    local = datetime(int(match["y"]), _month(match.groupdict()), 1, tzinfo=zone)
    return Moment(local.astimezone(UTC), Precision.MONTH, str(zone), zone_stated=False)


def _epoch(match: re.Match[str], zone: ZoneInfo, now: datetime) -> Moment | None:
    del now
    return from_epoch(float(match[0]), zone)


_YEAR = r"(?<!\d)(?P<y>(?:19|20)\d\d)"
_MONTH_NAME = r"(?P<mon>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?(?!\d)"
_UNIT = r"(?P<unit>秒|分|个?小时|天|日|周|个?星期|(?:second|sec|minute|min|hour|hr|day|week)s?|[smhdw])钟?"
_SHAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], ZoneInfo, datetime], Moment | None]], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (rf"{_YEAR} ?[-/.年] ?(?P<m>\d{{1,2}}) ?[-/.月] ?(?P<d>\d{{1,2}})(?!\d) ?[日号]?", _written),
        (rf"{_YEAR}(?P<m>\d\d)(?P<d>\d\d)(?:(?=t?\d{{6}}(?!\d))|(?!\d))", _written),
        (rf"(?<!\d){_DAY}[ ,./-]{{1,2}}{_MONTH_NAME}[ ,./-]{{1,2}}(?P<y>(?:19|20)\d\d(?!\d)|\d\d(?= \d\d?:))", _written),
        (rf"\b{_MONTH_NAME} ?{_DAY},? ?,?{_YEAR}(?!\d)", _written),
        (rf"\b{_MONTH_NAME} {_DAY} (?=\d\d?:\d\d).{{4,20}}? (?P<y>(?:19|20)\d\d)(?!\d)", _written),
        (rf"{_YEAR} ?,? ?{_MONTH_NAME} ?{_DAY}", _written),
        (r"(?<![\d./-])(?P<a>\d{1,2})(?P<s>[./-])(?P<b>\d{1,2})(?P=s)(?P<y>(?:19|20)\d\d)(?!\d)", _day_first),
        (rf"(?P<n>\d{{1,3}}) ?{_UNIT} ?(?:之|以)?(?:前|ago)", _ago),
        (r"刚刚|刚才|just now|moments? ago|a few seconds ago", _just_now),
        (r"(?P<day>大前天|[今昨前][天日]|today|yesterday)", _named_day),
        (r"(?<!\d)(?P<m>\d{1,2}) ?月 ?(?P<d>\d{1,2})(?!\d) ?[日号]?", _yearless),
        (rf"\b{_MONTH_NAME} {_DAY}(?!,? ?\d{{4}})", _yearless),
        (rf"(?<!\d){_DAY} {_MONTH_NAME}(?!,? ?\d{{4}})", _yearless),
        (r"^(?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?=$| \d\d?:\d\d)", _yearless),
        (rf"^{clocks.CLOCK}$", _clock_alone),
        (rf"{_YEAR} ?年 ?(?P<m>\d{{1,2}}) ?月(?! ?\d)", _month_only),
        (rf"^{_YEAR}[-/.](?P<m>\d{{1,2}})$", _month_only),
        (rf"\b{_MONTH_NAME},? {_YEAR}(?!\d)", _month_only),
        (r"^\d{10}(?:\d{3}(?:\d{3})?)?(?:\.\d+)?$", _epoch),
    )
)
