"""Captures of one feed at many dates, played as one feed through the daemon, with a rule that matches everything."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import feedparser

from bench.real.playing import clock_from, feed_entry, runs, staged
from core.outcomes import Outcome
from crawler.judgement.canonical import canonical_url
from tests.newsroom.captured import Captured
from tests.newsroom.setting import READER

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bench.real.report import Report
    from tests.newsroom.captured import CapturedFeed
    from tests.newsroom.mailbox import Received

SHARE = {"36kr": 0.3, "people": 0.7}  # of the time: the second has twice the captures and fifty times the items
_ITEM = re.compile(r"^\s*Original: (https?://\S+)", re.MULTILINE)  # the line each item of an English mail has


async def measure(report: Report, folder: Path, minutes: float) -> None:
    """Play each feed that was captured at several dates, and count how often each item was decided on and announced."""
    report.heading("Successive captures of one feed")
    rows = []
    for feed in successive_feeds():
        name = "people" if "people" in feed.url else "36kr"
        rows.append(await _play(report, folder / name, feed, minutes * SHARE[name]))
    report.table(("feed", "captures", "items", "decided", "announced", "more than once", "mails"), rows)
    report.claim("no item is announced twice", holds=not any(row[5] for row in rows))
    report.claim("no item is decided twice", holds=all(row[3] <= row[2] for row in rows))
    report.claim("items are announced", holds=any(row[4] for row in rows))


def successive_feeds() -> list[CapturedFeed]:
    """The feeds with more than one capture."""
    return [feed for feed in Captured(_never).feeds.values() if len(feed.captures) > 1]


def _never() -> datetime:
    raise AssertionError("the clock is not asked")


async def _play(report: Report, folder: Path, feed: CapturedFeed, minutes: float) -> tuple[str, int, int, int, int, int, int]:
    days = sorted(feed.captures)
    start, end = days[0] - timedelta(hours=1), days[-1] + (days[-1] - days[0]) / 5  # time for the last to be read and mailed
    clock = clock_from(start, end, minutes)
    sections = {
        "alerts": {"max_age_days": 1000, "items_per_mail": 500},
        "readers": [{**READER, "mails_per_day": 1000}],
        "rules": [{"name": "everything", "query": "lang:zh OR lang:en", "when": "now"}],
    }
    async with staged(
        folder, clock, lambda captured: [feed_entry(captured, feed.url, "feed", clock, scope="ai-only")], **sections
    ) as stage:
        await stage.until(end, report)
    addresses = _addresses(feed)
    announced = announcements(stage.box.received, addresses)
    twice = [url for url, count in announced.items() if count > 1]
    for url in twice:
        report.note(f"announced {announced[url]} times: {url}")
    done = runs(folder, clock)
    for run in done:
        if run.counts:
            told = ", ".join(f"{count} {outcome}" for outcome, count in run.counts.items())
            report.note(f"{run.started:%Y-%m-%d} {run.result}, seen {run.seen}: {told}")
    decided = sum(run.seen - run.counts.get(Outcome.UNCHANGED, 0) for run in done)
    return folder.name, len(days), len(addresses), decided, len(announced), len(twice), len(stage.box.received)


def announcements(mails: tuple[Received, ...], addresses: set[str]) -> Counter[str]:
    """In how many mails each address was an item, by canonical address."""
    counts: Counter[str] = Counter()
    for mail in mails:
        links = {canonical_url(link) for link in _ITEM.findall(mail.part("plain"))}
        counts.update(links & addresses)
    return counts


def _addresses(feed: CapturedFeed) -> set[str]:
    parsed = [feedparser.parse(file.read_bytes()) for file in feed.captures.values()]
    return {canonical_url(entry.link) for capture in parsed for entry in capture.entries if entry.get("link")}
