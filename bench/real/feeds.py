"""Every captured feed file through the reading functions, in the reading workers, with the daemon's limits."""

from __future__ import annotations

import asyncio
import csv
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.clock import WallClock
from core.config import CollectionConfig
from core.document import Document, DocumentKind, Request
from core.errors import ReadingError
from core.source import Source, SourceKind
from crawler.reading.feeds import FeedReading, read_feed
from crawler.reading.workers import ReadingPool
from tests.newsroom.captured import captured_folder

if TYPE_CHECKING:
    from datetime import datetime

    from bench.real.report import Report

LIMITS = CollectionConfig()
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Read:
    """What became of one file: a reading, the outcome it ended in, or the name of a crash."""

    row: dict[str, str]
    reading: FeedReading | None = None
    outcome: str = "read"
    reason: str = ""

    @property
    def found(self) -> int:
        """Items found, with or without a usable link."""
        return self.reading.found if self.reading else 0


async def measure(report: Report) -> None:
    """Read all files and report crashes, outcomes, and entries against what others found."""
    report.heading("Feed files through the reading workers")
    started = time.perf_counter()
    results = await _read_all()
    seconds = time.perf_counter() - started
    crashes = [read for read in results if read.outcome == "crash"]
    _outcomes(report, results)
    _entries(report, results, seconds)
    for read in results:
        if read.outcome != "read" or not _as_expected(read) or read.found != int(read.row["tag_count"]):
            expected = f"suite {read.row['expected_entries'] or '-'}, tags {read.row['tag_count']}"
            report.note(f"{read.row['file']}: {read.outcome} {read.reason} found {read.found}, {expected}")
    report.claim(f"no crash in {len(results)} files", holds=not crashes)


async def _read_all() -> list[Read]:
    folder = captured_folder() / "feeds"
    with (folder / "index.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    now = WallClock().now()
    pool = ReadingPool(WORKERS, LIMITS.document_cpu_seconds)
    turns = asyncio.Semaphore(WORKERS * 2)

    async def one(row: dict[str, str]) -> Read:
        async with turns:
            return await _read(pool, folder, row, now)

    try:
        return await asyncio.gather(*(one(row) for row in rows))
    finally:
        pool.close()


async def _read(pool: ReadingPool, folder: Path, row: dict[str, str], now: datetime) -> Read:
    url = row["url"] or "http://captured.test/feed"
    source = Source(
        key="captured", name="captured", kind=SourceKind.FEED, url=url, language="zh" if row["chinese"] == "1" else "en"
    )
    request = Request(url=url, kind=DocumentKind.FEED, source=source.key)
    document = Document(request, url, 200, {}, (folder / row["file"]).read_bytes(), now)
    try:
        reading = await pool.run(read_feed, document, source, frozenset(), now, LIMITS.max_items)
    except ReadingError as error:
        return Read(row, None, str(error.outcome), error.reason)
    except Exception as error:  # noqa: BLE001  (a crash is what is being looked for)
        return Read(row, None, "crash", repr(error)[:200])
    return Read(row, reading)


def _outcomes(report: Report, results: list[Read]) -> None:
    counts = Counter(read.outcome for read in results)
    unread: Counter[str] = Counter()
    for read in results:
        unread.update({str(outcome): count for outcome, count in (read.reading.unread if read.reading else {}).items()})
    report.table(("a file's outcome", "files"), counts.most_common())
    report.table(("items not made into entries", "items"), unread.most_common())


def _as_expected(read: Read) -> bool:
    return read.row["expected_entries"] in ("", str(read.found))


def _poorer(results: list[Read]) -> int:
    """Files in which feedparser alone found more items (it reads no JSON Feed, and counts none there)."""
    return sum(int(read.row["feedparser_entries"] or 0) > read.found for read in results)


def _entries(report: Report, results: list[Read], seconds: float) -> None:
    known = [read for read in results if read.row["expected_entries"]]
    tagged = [read for read in results if read.row["tag_count"]]
    entries = [entry for read in results if read.reading for entry in read.reading.entries]
    dated = sum(entry.published is not None for entry in entries)
    met = sum(_as_expected(read) for read in known)
    same = sum(int(read.row["tag_count"]) == read.found for read in tagged)
    report.figures(
        {
            "files": len(results),
            "seconds, all": f"{seconds:.1f}",
            "files whose suite says how many entries": len(known),
            "of these met": f"{met} ({met / len(known):.1%})",
            "item tags in all files": sum(int(read.row["tag_count"]) for read in tagged),
            "items found": sum(read.found for read in results),
            "files with as many items as tags": f"{same} of {len(tagged)}",
            "files with fewer items than feedparser finds": _poorer(results),
            "entries": len(entries),
            "entries with a date": f"{dated} ({dated / max(1, len(entries)):.1%})",
        }
    )
