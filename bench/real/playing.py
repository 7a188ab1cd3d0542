"""The unchanged daemon against captured sites: what both played parts share."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.clock import Clock, WallClock
from storage import sources
from storage.archive import Archive
from tests.newsroom.captured import Captured, captured_app
from tests.newsroom.daemon import Jingbao, JingbaoFailedError, tail
from tests.newsroom.mailbox import Mailbox, mailbox
from tests.newsroom.proxy import playing
from tests.newsroom.setting import smtp, write_configuration

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable, Sequence

    from bench.real.report import Report
    from storage.sources import Run

AGES_AGO = 20_000  # days: captured pages are years old, and are to be judged all the same


@dataclass(frozen=True, slots=True)
class Stage:
    """Captured sites being played to a running daemon."""

    captured: Captured
    jingbao: Jingbao
    process: Process
    box: Mailbox
    log: Path

    async def until(self, end: datetime, report: Report) -> None:
        """Wait until the clock passes `end`, with a line of talk now and then. Raises JingbaoFailedError if the daemon ends."""
        clock, mails = self.jingbao.clock, -1
        while clock.now() < end:
            if self.process.returncode is not None:
                raise JingbaoFailedError(f"the daemon ended early:\n{tail(self.log)}")
            if len(self.box.received) != mails:
                mails = len(self.box.received)
                report.note(f"{clock.now():%Y-%m-%d %H:%M} UTC: {mails} mails so far")
            await asyncio.sleep(2)


def clock_from(start: datetime, end: datetime, minutes: float) -> Clock:
    """A clock that goes from `start` to `end` in so many real minutes."""
    return Clock(start, (end - start) / timedelta(minutes=minutes), WallClock().started_monotonic)


def minutes_on(clock: Clock, real_seconds: float) -> float:
    """How many of the clock's minutes go by in so many real seconds, at most a week (the longest interval there is)."""
    return min(clock.speed * real_seconds / 60, 7 * 24 * 60)


@asynccontextmanager
async def staged(
    folder: Path,
    clock: Clock,
    source_entries: Callable[[Captured], Sequence[dict[str, Any]]],
    **sections: Any,
) -> AsyncIterator[Stage]:
    """Play the captured sites, run the daemon on them, and stop it in the end; `sections` are the rest of config.yaml."""
    captured = Captured(clock.now)
    async with playing(captured_app(captured)) as proxy:
        authority = _written(folder, "ca.pem", proxy.ca_pem)
        with mailbox() as box:
            values = {
                "data_dir": "data",
                "network": {"proxy": proxy.url, "ca_file": str(authority.resolve()), "contact": "bench@newsroom.test"},
                "collection": {"tick_seconds": 0.5, "max_age_days": AGES_AGO, "reading_workers": 2},
                "sources": {"catalogue": "none", "add": list(source_entries(captured))},
                "mail": {"sender": "jingbao@newsroom.test", "smtp": smtp(box)},
                **sections,
            }
            jingbao = Jingbao(write_configuration(folder, values), clock)
            log = folder / "jingbao.log"
            async with jingbao.running(log) as process:
                yield Stage(captured, jingbao, process, box, log)


def _written(folder: Path, name: str, content: bytes) -> Path:
    folder.mkdir(parents=True)
    file = folder / name
    file.write_bytes(content)
    return file


def feed_entry(captured: Captured, url: str, key: str, clock: Clock, *, scope: str, real_seconds: float = 4) -> dict[str, Any]:
    """A captured feed's entry in `sources.add`: asked again every `real_seconds`, its text taken from the feed."""
    return {
        "key": key,
        "name": key,
        "kind": "feed",
        "url": url,
        "language": "zh" if captured.feeds[url].chinese else "en",
        "scope": scope,
        "text": "feed",
        "interval_minutes": minutes_on(clock, real_seconds),
        "delay_seconds": 0,
    }


def runs(folder: Path, clock: Clock) -> list[Run]:
    """Every run in the archive of a part, oldest first; read once the daemon has ended."""
    archive = Archive.open(f"sqlite:///{folder / 'data' / 'jingbao.sqlite3'}", clock.now())
    try:
        with archive.read() as tx:
            return sources.runs_since(tx, clock.start - timedelta(days=1))
    finally:
        archive.close()
