"""The time of day and the zone written beside a date, and the folding that lets few patterns read many ways of writing them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from core.article import Precision

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIMPLER = str.maketrans("剛時鐘點後週個兩號發佈間–−～", "刚时钟点后周个两号发布间--~")
_NUMERALS = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0, "两": 2}
_NUMBER = "[〇○零一二三四五六七八九十两]{1,4}"
_COUNTED = re.compile(rf"{_NUMBER}(?=[年月日号点时秒天周]|分|个?(?:小时|星期|月))")
_HALF_HOUR = re.compile(r"半个?小时|half an hour")
_A_UNIT = re.compile(r"\ban? (?=(?:minute|hour|day|week)\b)")
_SPOKEN = re.compile(r"(?<!\d)(\d{1,2}) ?[点时] ?(?:(\d{1,2}) ?分?(?: ?(\d{1,2}) ?秒)?|(半|整))?(?!\d)")
_BARE_HOUR = re.compile(r"(?<![\d:])(\d{1,2}) ?(?=[ap]\.?m\b)")

_ZONE = (
    r"z\b|(?:utc|gmt)?[+-]\d\d:?\d\d\b|(?:utc|gmt) ?[+-]\d{1,2}\b|utc?\b|gmt\b|[cemp][sd]t\b|et\b|hkt\b|sgt\b|[jk]st\b|bst\b|"
    r"cest\b|北京时间|beijing time"
)
CLOCK = (
    r"(?P<half>凌晨|清晨|早上|早晨|早间|上午|中午|正午|午间|下午|午后|傍晚|晚上|晚间|夜间|深夜|晚)? ?"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?!\d)(?::(?P<second>\d\d)(?!\d)(?:[.,]\d{1,9})?)? ?(?P<ampm>[ap]\.?m\b\.?)?"
    rf" ?(?:\(?(?P<zone>{_ZONE}))?"
)
_COMPACT = r"t?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?!\d)(?P<zone>z)?(?P<half>)(?P<ampm>)"
_BETWEEN = r"(?:[ ,|/·t]|-(?= )|\(?(?:周|星期)[一二三四五六日天]\)?|at\b|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}){0,4}"
_AFTER = re.compile(rf"{_BETWEEN}(?:{CLOCK})")
_AFTER_COMPACT = re.compile(_COMPACT)
_BEFORE = re.compile(rf"(?<![\d:]){CLOCK}[ ,|]{{1,3}}(?:(?:on|mon|tue|wed|thu|fri|sat|sun)[a-z]{{0,6}},? )?$")
_MORNING = frozenset({"凌晨", "清晨", "早上", "早晨", "早间", "上午"})
_OFFSETS = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "bst": 1, "cet": 1, "cest": 2, "hkt": 8, "sgt": 8, "jst": 9, "kst": 9, "北京时间": 8, "beijing time": 8,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day: how long after midnight, how exact, and the zone written after it (or empty)."""

    since_midnight: timedelta
    precision: Precision
    zone: str

    @property
    def midnight(self) -> bool:
        """Whether it is 00:00, which says no more than the day."""
        return not self.since_midnight


def folded(text: str) -> str:
    """Lower case, half width, Simplified date words, ASCII digits for Chinese numerals, `9点半` as `9:30`, single spaces."""
    text = unicodedata.normalize("NFKC", text).translate(_SIMPLER).lower()
    text = _COUNTED.sub(lambda match: str(_number(match[0])), text)
    text = _A_UNIT.sub("1 ", _HALF_HOUR.sub("30分", text))
    text = _SPOKEN.sub(_as_clock, text)
    return " ".join(_BARE_HOUR.sub(r"\1:00 ", text).split())


def _number(numerals: str) -> int:
    """二〇二六 → 2026, 十一 → 11, 二十四 → 24, 三十 → 30."""
    tens, ten, ones = numerals.partition("十")
    if ten:
        return (_digits(tens) or 1) * 10 + _digits(ones)
    return _digits(numerals)


def _digits(numerals: str) -> int:
    return int("".join(str(_NUMERALS.get(char, 1)) for char in numerals) or 0)


def _as_clock(match: re.Match[str]) -> str:
    hour, minute, second, part = match.groups()
    minute = "30" if part == "半" else (minute or "0")
    return f"{hour}:{int(minute):02}" + (f":{int(second):02}" if second else "")


def read(parts: re.Match[str]) -> Clock:
    """The time of day a CLOCK pattern found; a leap second is the one before. Raises ValueError for no such time (25:00)."""
    hour, minute, second = int(parts["hour"]), int(parts["minute"]), min(int(parts["second"] or 0), 59)
    hour = _on_24_hours(hour, parts.groupdict())
    if hour > 24 or minute > 59 or int(parts["second"] or 0) > 60 or (hour == 24 and minute):
        raise ValueError("no such time of day")
    precision = Precision.SECOND if parts["second"] else Precision.MINUTE
    return Clock(timedelta(hours=hour, minutes=minute, seconds=second), precision, parts["zone"] or "")


def _on_24_hours(hour: int, parts: Mapping[str, str | None]) -> int:
    half, ampm = parts["half"] or "", (parts["ampm"] or "")[:1]
    if ampm == "a" or half in _MORNING:
        return 0 if hour == 12 and half not in {"上午", "早上"} else hour
    if half in {"中午", "正午", "午间"}:
        return hour + 12 if hour < 3 else hour
    if half in {"晚上", "晚间", "夜间", "深夜", "晚"} and hour == 12:
        return 24
    return hour + 12 if (ampm == "p" or half) and hour < 12 else hour


def beside(date: re.Match[str]) -> Clock | None:
    """The time of day right after a date, or right before it (`09:05, 24-Nov-2026`)."""
    text = date.string
    after = _AFTER.match(text, date.end()) or _AFTER_COMPACT.match(text, date.end())
    inside = _AFTER.search(date[0]) if ":" in date[0] else None
    found = after or inside or _BEFORE.search(text[max(0, date.start() - 40) : date.start()])
    return read(found) if found else None


def stated_zone(text: str, clock: Clock | None, zone: ZoneInfo) -> tzinfo | None:
    """The zone a date names, or None. CST is China's where the source is in Asia, else US Central."""
    name = clock.zone if clock else ""
    if clock and not name and ("北京时间" in text or "beijing time" in text):
        name = "北京时间"
    if name == "cst":
        return timezone(timedelta(hours=8 if str(zone).startswith("Asia/") else -6))
    if name == "et":
        return ZoneInfo("America/New_York")
    shape = re.fullmatch(r"(?:utc|gmt)? ?([+-])(\d\d?)(?::?(\d\d))?", name)
    if shape:
        span = timedelta(hours=int(shape[2]), minutes=int(shape[3] or 0))
        return timezone(-span if shape[1] == "-" else span)
    return timezone(timedelta(hours=_OFFSETS[name])) if name in _OFFSETS else None


def offset_name(local: datetime) -> str:
    """The offset of an aware datetime, as `+08:00`."""
    return local.strftime("%z")[:3] + ":" + local.strftime("%z")[3:5]
