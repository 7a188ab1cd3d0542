"""How full the disk is, what of it is ours, and when it will be full.

The forecast looks at two things apart. Raw pages come in at the median of the last days' files and go at the ages and bounds
of `keep:`, so that they stop growing; that is played day by day. All else on the disk (archive, mails, logs, other programs)
grows by the slope of the last fourteen days' readings: the Theil-Sen estimator, the median of the slopes between all pairs
(P. K. Sen, JASA 63, 1968, 1379-1389), which a quarter of the
days may spoil without harm, as a film copied there or a folder cleaned up does.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from core.config import KeepConfig
from storage import settings
from storage.raw_files import GIGABYTE, RawFile, Shelf, raw_files

if TYPE_CHECKING:
    from storage.transaction import Transaction

MEGABYTE = 1_000_000
LOOK_BACK = timedelta(days=14)
LOOK_AHEAD = timedelta(days=365)
ENOUGH = timedelta(days=3)
"""From readings over so long a time a slope is taken; before, what the last day brought stands for every day."""
_LEAST = timedelta(hours=1)
_DAY = timedelta(days=1)
_READINGS = "disk.readings"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_SQLITE_FULL, _POSTGRES_FULL = 13, "53100"  # sqlite.org/rescode; PostgreSQL's appendix A, disk_full


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """How big the archive is; `reusable_bytes` of it are free inside, for what comes. `here`: in a file of this machine."""

    bytes: int
    reusable_bytes: int = 0
    here: bool = True


@dataclass(frozen=True, slots=True)
class DiskUse:
    """The disk of the data folder: what is free on it and used, the archive's size, and the daily files of raw pages."""

    free_bytes: int
    used_bytes: int
    archive: DatabaseSize
    raw: tuple[RawFile, ...]

    @property
    def raw_bytes(self) -> int:
        """What raw pages take."""
        return sum(file.bytes for file in self.raw)

    @property
    def room_bytes(self) -> int:
        """What can still be written: what is free on the disk, and inside the archive's file."""
        return self.free_bytes + (self.archive.reusable_bytes if self.archive.here else 0)

    @property
    def rest_bytes(self) -> int:
        """All that is used on the disk but raw pages and what is free inside the archive."""
        return self.used_bytes + self.free_bytes - self.room_bytes - self.raw_bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """What was used on the disk but for raw pages, at a moment (aware UTC)."""

    at: datetime
    rest_bytes: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """When only the reserve will be left (aware UTC); None if that is not within a year, or cannot be told yet.

    `reckoned_from` is the time the readings cover: under ENOUGH it is a first estimate, zero says that nothing can be told.
    Growth is in bytes a day, of all but raw pages and of raw pages as they come in.
    """

    full: datetime | None
    reckoned_from: timedelta
    growth: float
    raw_growth: float


def measure(data_dir: Path, archive: DatabaseSize) -> DiskUse:
    """Look at the disk of the data folder and at the daily files in its `raw`. Raises OSError if they cannot be read."""
    disk = shutil.disk_usage(_there(data_dir))
    return DiskUse(disk.free, disk.used, archive, tuple(raw_files(data_dir / "raw")))


def free_bytes(folder: Path) -> int:
    """What this user may still write on a folder's disk: one cheap system call. Raises OSError."""
    disk = os.statvfs(_there(folder))
    return disk.f_bavail * disk.f_frsize


def _there(folder: Path) -> Path:
    """The folder, or the one it would be made in."""
    return next((each for each in (folder, *folder.parents) if each.exists()), Path("/"))


def out_of_room(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that the disk (or this user's share of it) is full."""
    while error is not None:
        driver = getattr(error, "orig", None) or error
        if isinstance(driver, OSError) and driver.errno in _NO_ROOM:
            return True
        code, state = getattr(driver, "sqlite_errorcode", None), getattr(driver, "sqlstate", None)
        if (code is not None and code & 0xFF == _SQLITE_FULL) or state == _POSTGRES_FULL:
            return True
        error = error.__cause__
    return False


def readings(tx: Transaction) -> list[Reading]:
    """The readings kept, the first of each day, oldest first."""
    return [Reading(datetime.fromisoformat(at), rest) for at, rest in settings.get(tx, _READINGS) or ()]


def note_reading(tx: Transaction, use: DiskUse, now: datetime) -> None:
    """Keep a reading, if it is the day's first; those of more than fourteen days ago go. `now` is aware UTC."""
    known = readings(tx)
    kept = [each for each in known if now - LOOK_BACK < each.at <= now]  # a later one: the clock was put back
    if not any(each.at.date() == now.astimezone(UTC).date() for each in kept):
        kept.append(Reading(now, use.rest_bytes))
    if kept != known:
        settings.put(tx, _READINGS, [[each.at.isoformat(), each.rest_bytes] for each in kept])


def forecast(use: DiskUse, known: Sequence[Reading], keep: KeepConfig, now: datetime) -> Forecast:
    """When the disk will be full, by what it held on the last days and what `keep` lets go. `now` is aware UTC."""
    points = [*(each for each in known if now - LOOK_BACK <= each.at < now), Reading(now, use.rest_bytes)]
    span = now - points[0].at
    incoming = {shelf: _daily_bytes(use.raw, shelf, keep, now) for shelf in Shelf}
    raw_growth = sum(incoming.values())
    if span < _LEAST:
        return Forecast(None, timedelta(), 0, raw_growth)
    growth = _slope(points) if span >= ENOUGH else _of_the_last_day(points)
    return Forecast(_first_day_without_room(use, growth, incoming, keep, now), span, growth, raw_growth)


def _slope(points: Sequence[Reading]) -> float:
    """Bytes a day, by Theil and Sen; pairs closer than half a day say more about the hour than about the trend."""
    slopes = [
        (later.rest_bytes - earlier.rest_bytes) / ((later.at - earlier.at) / _DAY)
        for earlier, later in combinations(points, 2)
        if later.at - earlier.at >= _DAY / 2
    ]
    return median(slopes)


def _of_the_last_day(points: Sequence[Reading]) -> float:
    """Bytes a day, by the last day alone, or by what there is of it."""
    latest = points[-1]
    before = [point for point in points if latest.at - point.at >= _DAY * 0.8]
    first = before[-1] if before else points[0]
    return (latest.rest_bytes - first.rest_bytes) / ((latest.at - first.at) / _DAY)


def _daily_bytes(files: Sequence[RawFile], shelf: Shelf, keep: KeepConfig, now: datetime) -> float:
    """What a day brings a shelf: the median of the last fourteen that are over, or what today has brought so far.

    Only of days whose files `keep` still has: what has gone was there.
    """
    today = now.astimezone(UTC).date()
    back = min(LOOK_BACK, timedelta(days=shelf.days_kept(keep)))
    days = {file.day for file in files if today - back <= file.day < today} or {today}
    sizes = {file.day: file.bytes for file in files if file.shelf is shelf}
    return median(sizes.get(day, 0) for day in days)


def _first_day_without_room(
    use: DiskUse, growth: float, incoming: dict[Shelf, float], keep: KeepConfig, now: datetime
) -> datetime | None:
    room, reserve = use.room_bytes + use.raw_bytes, keep.reserve_mb * MEGABYTE
    held = [(file.ends(keep), float(file.bytes)) for file in use.raw]
    bound = keep.max_gb * GIGABYTE or float("inf")
    for days in range(LOOK_AHEAD.days + 1):
        moment = now + days * _DAY
        if days:
            held += ((RawFile("", moment.date(), shelf, 0).ends(keep), size) for shelf, size in incoming.items())
            held = [(ends, size) for ends, size in held if ends > moment]
        raw = min(sum(size for _, size in held), bound)
        if room - days * growth - raw < reserve:
            return moment
    return None
