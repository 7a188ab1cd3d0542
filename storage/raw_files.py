"""The daily WARC files as files: which there are, how big, and which of them have had their time.

A UTC day has up to two: one for pages that were kept as articles or may become some, and one, `.off-topic`, for pages that
gave none, so that the two can go at different ages. A file goes whole or not at all, and never on its own day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

from core.config import KeepConfig

GIGABYTE = 1_000_000_000
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)(\.off-topic)?\.warc\.gz")


class Shelf(StrEnum):
    """Which of a day's files a page goes into: `pages`, or `off-topic` where no article was read from it."""

    PAGES = "pages"
    OFF_TOPIC = "off-topic"

    def days_kept(self, keep: KeepConfig) -> float:
        """How many days after its own a file of this shelf is kept."""
        return keep.raw_days if self is Shelf.PAGES else keep.off_topic_raw_days


@dataclass(frozen=True, slots=True)
class RawFile:
    """A daily file: its name in the raw folder, its UTC day and its size."""

    name: str
    day: date
    shelf: Shelf
    bytes: int

    def ends(self, keep: KeepConfig) -> datetime:
        """When its time is over (aware UTC): so many days after the end of its day."""
        closed = datetime.combine(self.day + timedelta(days=1), time(), UTC)
        return closed + timedelta(days=self.shelf.days_kept(keep))


def file_name(moment: datetime, shelf: Shelf) -> str:
    """The name of the file for pages fetched at `moment` (aware)."""
    mark = "" if shelf is Shelf.PAGES else f".{shelf}"
    return f"{moment.astimezone(UTC):%Y-%m-%d}{mark}.warc.gz"


def raw_files(folder: Path) -> list[RawFile]:
    """The daily files of a raw folder, in the order in which they go when room is needed; other files are left alone.

    The oldest day first, and of a day its off-topic pages first. Raises OSError if the folder is there and cannot be read.
    """
    return sorted(_found(folder), key=lambda file: (file.day, file.shelf is Shelf.PAGES))


def past_their_time(files: Sequence[RawFile], keep: KeepConfig, now: datetime) -> list[RawFile]:
    """Those of `files`, in the order in which they go, that are older than `keep` says or take more than its `max_gb`.

    What is of the day of `now` (aware UTC), or of a later one, stays.
    """
    old = [file for file in files if file.ends(keep) <= now]
    left = [file for file in files if file not in old]
    over = sum(file.bytes for file in left) - keep.max_gb * GIGABYTE if keep.max_gb else 0
    return old + until(left, over, now)


def until(files: Sequence[RawFile], missing_bytes: float, now: datetime) -> list[RawFile]:
    """The first of `files` that together hold `missing_bytes`, or all there are; none of the day of `now` or later."""
    going: list[RawFile] = []
    for file in files:
        if missing_bytes <= 0:
            break
        if file.day < now.astimezone(UTC).date():
            going.append(file)
            missing_bytes -= file.bytes
    return going


def _found(folder: Path) -> Iterator[RawFile]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if named := _NAME.fullmatch(path.name):
            try:
                size = path.stat().st_size
                yield RawFile(path.name, date.fromisoformat(named[1]), Shelf(named[2][1:] if named[2] else "pages"), size)
            except (FileNotFoundError, ValueError):  # gone meanwhile; or no day of the calendar, so none of ours
                continue
