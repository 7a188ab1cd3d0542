"""What people are told of the disk, in the same words by `status`, `doctor` and the notices to the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from alerts.notices import Trouble
from console.disk import Shortage, kept_shortages
from console.settings import Settings
from console.terminal import local
from core.config import KeepConfig
from storage.archive import Transaction
from storage.disk import ENOUGH, LOOK_AHEAD, MEGABYTE, DatabaseSize, DiskUse, Forecast, forecast, measure, readings
from storage.raw_files import GIGABYTE

SOON = timedelta(days=14)
"""A disk that will be full within so many days is worth a note."""


@dataclass(frozen=True, slots=True)
class DiskReport:
    """The disk as it is at `now` (aware UTC) and will be; `waiting` is set while collecting waits for room."""

    use: DiskUse
    forecast: Forecast
    keep: KeepConfig
    now: datetime
    waiting: Shortage | None

    @property
    def short(self) -> bool:
        """Whether less than the reserve is free, or collecting waits."""
        return self.waiting is not None or self.use.free_bytes < self.keep.reserve_mb * MEGABYTE

    @property
    def soon(self) -> bool:
        """Whether it will be so within a fortnight."""
        return self.forecast.full is not None and self.forecast.full - self.now < SOON

    def record(self) -> dict[str, Any]:
        """For programs."""
        return {
            "free_bytes": self.use.free_bytes,
            "archive_bytes": self.use.archive.bytes,
            "archive_reusable_bytes": self.use.archive.reusable_bytes,
            "raw_pages_bytes": self.use.raw_bytes,
            "reserve_bytes": round(self.keep.reserve_mb * MEGABYTE),
            "short": self.short,
            "full": self.forecast.full,
            "reckoned_from_days": round(self.forecast.reckoned_from / timedelta(days=1), 2),
            "growth_bytes_a_day": round(self.forecast.growth),
            "raw_pages_bytes_a_day": round(self.forecast.raw_growth),
            "collecting_waits": self.waiting and {"since": self.waiting.since, "reason": self.waiting.reason},
        }

    def lines(self, zone: ZoneInfo) -> list[str]:
        """For people: what is there, what is kept, how long the room will do, and what is amiss."""
        held = f"{_archive(self.use)}, raw pages {size(self.use.raw_bytes)}"
        lines = [f"{size(self.use.free_bytes)} free; {held}", _kept(self.keep)]
        if self.waiting:
            lines.append(f"collecting waits since {local(self.waiting.since, zone)}: {self.waiting.reason}")
        elif self.short:
            lines.append(f"less than {self.keep.reserve_mb:g} MB (keep.reserve_mb) is free, so collecting waits: {_MAKE_ROOM}")
        else:
            lines.append(self._outlook(zone))
        return lines

    def _outlook(self, zone: ZoneInfo) -> str:
        told = self.forecast
        if not told.reckoned_from:
            return "how long the room will do is said once the daemon has run for an hour"
        by = _reckoning(told.reckoned_from)
        if told.full is None:
            return f"there is room for more than {LOOK_AHEAD.days} days ({by})"
        days = (told.full - self.now).days
        date = f"{told.full.astimezone(zone):%Y-%m-%d}"
        return f"there is room until about {date}, in {days} days ({by}); then the oldest raw pages go first"


_MAKE_ROOM = "make room, or lower keep.raw_days, keep.max_gb or keep.reserve_mb"


def disk_report(settings: Settings, tx: Transaction, archive: DatabaseSize) -> DiskReport:
    """Look at the disk of a configuration's data folder. Raises OSError if it cannot be looked at."""
    now, keep = settings.clock.now(), settings.config.keep
    use = measure(settings.config.data_dir, archive)
    waiting = next((each for each in kept_shortages(tx) if each.waiting), None)
    return DiskReport(use, forecast(use, readings(tx), keep, now), keep, now, waiting)


def disk_troubles(_: Settings, tx: Transaction, __: datetime) -> list[Trouble]:
    """What the operator is to be told of the disk: one of the looks of console/troubles.py."""
    return [_waits(each) if each.waiting else _sheds(each) for each in kept_shortages(tx)]


def size(count: float) -> str:
    """Bytes for people: 12.3 GB, 480 MB."""
    return f"{count / GIGABYTE:.1f} GB" if count >= GIGABYTE else f"{count / MEGABYTE:.0f} MB"


def _waits(shortage: Shortage) -> Trouble:
    text = f"Collecting waits: {shortage.reason}. To do: {_MAKE_ROOM}. Then it goes on by itself; searches and mails go on now."
    zh = "磁盘已满，采集已暂停，有空间即自动继续，检索和邮件照常。请腾出空间，或调整 keep.raw_days、keep.reserve_mb。"
    return Trouble("The disk is full", "disk-full", text, shortage.since, zh)


def _sheds(shortage: Shortage) -> Trouble:
    text = f"{shortage.reason[0].upper()}{shortage.reason[1:]}; articles stay. To do: {_MAKE_ROOM}."
    zh = "磁盘将满，最早的原始网页已提前删除；文章不受影响。可腾出空间，或调整 keep.raw_days、keep.max_gb、keep.reserve_mb。"
    return Trouble("The disk is nearly full", "disk-short", text, shortage.since, zh)


def _archive(use: DiskUse) -> str:
    if use.archive.here:
        return f"archive {size(use.archive.bytes)}"
    return f"archive {size(use.archive.bytes)} in PostgreSQL (if that is on another machine, its disk is not looked at)"


def _kept(keep: KeepConfig) -> str:
    bound = f", at most {keep.max_gb:g} GB" if keep.max_gb else ""
    return f"raw pages are kept {keep.raw_days:g} days (off-topic ones {keep.off_topic_raw_days:g}){bound}; articles for ever"


def _reckoning(span: timedelta) -> str:
    if span < ENOUGH:
        return "a first estimate, from what the last day brought"
    return f"by the last {span.days} days"
