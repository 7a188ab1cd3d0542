"""Moments as a reader reads them: in their zone and language, and never more exactly than they are known."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from alerts.wording import WORDING
from core.article import Precision, Published

if TYPE_CHECKING:
    from core.article import Article
    from core.config import Reader

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


def day(moment: date, language: str) -> str:
    """A day, as in `Tue 24 Nov` or `11月24日 周二`."""
    words = WORDING[language]
    name = words.weekdays[moment.weekday()]
    if language == "zh":
        return f"{moment.month}月{moment.day}日 {name}"
    return f"{name} {moment.day} {words.months[moment.month - 1]}"


def moment(at: datetime, reader: Reader) -> str:
    """A moment in the reader's zone, as in `Tue 24 Nov, 14:05`."""
    local = at.astimezone(reader.tz)
    return f"{day(local, reader.language)}{WORDING[reader.language].before_clock}{local:%H:%M}"


def told_time(article: Article, reader: Reader) -> str:
    """When an article was published, as far as that is known; a day stays the day it was where it was published."""
    words = WORDING[reader.language]
    published = article.published
    if published is None:
        return words.time_unknown.format(moment=moment(article.discovered, reader))
    if published.precision in {Precision.SECOND, Precision.MINUTE}:
        return moment(published.at, reader)
    local = published.at.astimezone(zone_of(published))
    if published.precision is Precision.MONTH:
        return words.month_only.format(month=words.months[local.month - 1], year=local.year)
    return words.day_only.format(day=day(local, reader.language))


def zone_of(published: Published) -> tzinfo:
    """The zone a date was read in: an IANA name or an offset; UTC if it is neither."""
    offset = _OFFSET.fullmatch(published.zone)
    if offset:
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-span if offset[1] == "-" else span)
    try:
        return ZoneInfo(published.zone)
    except (KeyError, ValueError, OSError):
        return UTC


def in_quiet_hours(reader: Reader, now: datetime) -> bool:
    """Whether `now` lies in the reader's quiet hours; they may cross midnight, and end at their second time."""
    if not reader.quiet_hours:
        return False
    start, end = (_minutes(part) for part in reader.quiet_hours.split("-"))
    local = now.astimezone(reader.tz)
    minute = local.hour * 60 + local.minute
    return start <= minute < end if start <= end else minute >= start or minute < end


def _minutes(clock: str) -> int:
    hour, _, minute = clock.strip().partition(":")
    return int(hour) * 60 + int(minute)


def day_start(reader: Reader, now: datetime) -> datetime:
    """The beginning (aware UTC) of the reader's local day."""
    return now.astimezone(reader.tz).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
