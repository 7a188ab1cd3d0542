"""Crawls by Scrapy: a fresh crawler for every call, ended from inside and never cancelled (a cancelled engine lives on)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scrapy.crawler import AsyncCrawlerRunner
from scrapy.utils.reactor import is_reactor_installed

from core.document import Request
from core.outcomes import Outcome
from crawler.net.manners import Manners
from crawler.spiders.crawl import Crawl, Handle
from crawler.spiders.spider import DocumentSpider, LightDownloadHandler

PATIENCE_SECONDS = 3.0
"""How long the open transfers of a crawl that has to end may still take before their connections are closed."""
GIVE_UP_SECONDS = 120.0
"""How long what is being handled may still take after that; longer is a bug, better shown than waited for."""


@dataclass(frozen=True, slots=True)
class CrawlLimits:
    """Bounds of one crawl: seconds in all, documents asked for in all, requests at once (over all hosts; one per host)."""

    seconds: float = 300.0
    max_documents: int = 5000
    at_once: int = 16


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """What became of a crawl: all that was asked for = documents + failures + left.

    `left` are the requests not handled (stopped, out of time, over max_documents): of them nothing is known.
    `finish` is `finished`, `stopped` or `out of time`.
    """

    documents: int
    failures: Mapping[Outcome, int]
    left: tuple[Request, ...]
    finish: str
    seconds: float


_crawls: dict[Crawl, asyncio.Future[None]] = {}


async def fetch_with_scrapy(
    requests: Sequence[Request], handle: Handle, manners: Manners, limits: CrawlLimits | None = None
) -> CrawlReport:
    """Fetch `requests`, give each document or FetchError to `handle`, and what it returns likewise, until nothing is left.

    One request at a time per host; `handle` may run for several documents at once. An exception of `handle` ends the
    crawl and is raised here. Cancelling this call ends the crawl within seconds, then raises CancelledError.
    """
    limits = limits or CrawlLimits()
    started = time.monotonic()
    crawl = Crawl(handle, manners.client, limits.max_documents)
    numbers = crawl.note(requests)
    crawling = AsyncCrawlerRunner(_settings(limits)).crawl(DocumentSpider, crawl=crawl, numbers=numbers)
    _crawls[crawl] = crawling
    try:
        await asyncio.wait({crawling}, timeout=limits.seconds)
        finish = "out of time" if not crawling.done() else "stopped" if crawl.stopped else "finished"
    finally:
        try:
            await _wound_down(crawl, crawling, PATIENCE_SECONDS)
        finally:
            crawl.abort()  # also if the winding down itself was cancelled
            del _crawls[crawl]
    crawling.result()
    if crawl.fault:
        raise crawl.fault
    return CrawlReport(
        documents=crawl.documents,
        failures=dict(crawl.failures),
        left=tuple(crawl.waiting.values()),
        finish=finish,
        seconds=time.monotonic() - started,
    )


async def stop_crawls(patience_seconds: float = PATIENCE_SECONDS) -> None:
    """End every crawl of this process: open transfers may take `patience_seconds` more, then their connections close.

    Returns when all have ended; what is being handled then, is handled to its end.
    """
    await asyncio.gather(*(_wound_down(crawl, crawling, patience_seconds) for crawl, crawling in list(_crawls.items())))


async def _wound_down(crawl: Crawl, crawling: asyncio.Future[None], patience_seconds: float) -> None:
    if crawling.done():
        return
    crawl.stop()
    await asyncio.wait({crawling}, timeout=patience_seconds)
    crawl.abort()
    await asyncio.wait({crawling}, timeout=GIVE_UP_SECONDS)
    if not crawling.done():
        raise RuntimeError(f"A crawl did not end within {GIVE_UP_SECONDS:g} s of its last transfer.")


def _settings(limits: CrawlLimits) -> dict[str, Any]:
    """Scrapy's settings, with every default that touches the net, the disk, the log or the process taken out.

    Without them Scrapy 2.19 opens ports per crawl (RemoteControl, telnet), reads file:// and ftp://, retries, keeps
    cookies and counts log lines; what of this jingbao needs, the light client does. Scrapy runs on the running loop
    alone; a process that has installed Twisted's asyncio reactor on it may do so too.
    """
    logging.getLogger("scrapy").setLevel(logging.WARNING)
    return {
        "TWISTED_REACTOR_ENABLED": is_reactor_installed(),
        "EXTENSIONS_BASE": {},
        "DOWNLOADER_MIDDLEWARES_BASE": {},
        "SPIDER_MIDDLEWARES_BASE": {},
        "DOWNLOAD_HANDLERS_BASE": {},
        "DOWNLOAD_HANDLERS": dict.fromkeys(("http", "https"), LightDownloadHandler),
        "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",
        "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",
        "CONCURRENT_REQUESTS": limits.at_once,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_ITEMS": 1,  # a page leads to requests alone, and Scrapy begins so many tasks for each page (100)
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
        "DOWNLOAD_DELAY": 0,  # the pace is shared with the feeds: crawler/net/pace.py
    }
