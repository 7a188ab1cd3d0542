"""One collection of one source, from its list to the archive; every entry seen ends in one counted outcome.

The order makes death harmless at any point: articles are kept one by one, each in its own transaction, and only when all are
safe the list's validators are kept, so that a run cut short is simply done again and finds its first half known.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.article import Entry
from core.clock import Clock
from core.config import CollectionConfig
from core.document import Document, DocumentKind, Request
from core.errors import FetchError, ReadingError, StorageError
from core.log import values
from core.outcomes import Outcome
from core.source import Source
from crawler.appraisal import Appraisal, appraise_entry, appraise_page, screen
from crawler.discovery import Discoverer, Discovery
from crawler.intake import Run, note, take_in
from crawler.net.manners import Manners
from crawler.reading.workers import ReadingPool
from crawler.spiders.fetch_pages import CrawlLimits, fetch_with_scrapy, stop_crawls
from crawler.triage import Arrival, Triage, triage
from storage import addresses, sources
from storage.addresses import Ending
from storage.archive import Archive, Transaction
from storage.raw import RawLocation, RawPages
from storage.sources import INTERRUPTED, OK, UNCHANGED, Validators

log = logging.getLogger("jingbao.crawler")

LONGEST_PAUSE = timedelta(hours=24)
"""The cap of a failing source's back-off; it is asked again for ever."""
TRY_AGAIN_AFTER = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=12))
"""When a page that passingly failed is tried again; after the last it waits until its source carries it anew."""
LONGEST_CRAWL = timedelta(minutes=20)
"""Of one source's pages: 600 at two seconds each. The rest has its turn when its next try has come."""
AFTER_A_BUG = timedelta(hours=6)
MOST_RETRIES = 200
SCREENED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run's result: `ok`, `unchanged` or the outcome that kept the source from giving anything; counts per outcome."""

    source: str
    result: str
    seen: int
    counts: dict[Outcome, int]
    detail: str = ""


class _CutShortError(Exception):
    """jingbao is being stopped."""


class Collector:
    """Collects sources into the archive. One collection of one source at a time; several sources may go on at once."""

    def __init__(
        self,
        archive: Archive,
        raw: RawPages,
        manners: Manners,
        pool: ReadingPool,
        limits: CollectionConfig,
        clock: Clock,
        watchlist_version: str,
    ) -> None:
        self._archive = archive
        self._raw = raw
        self._manners = manners
        self._pool = pool
        self._limits = limits
        self._clock = clock
        self._watchlist_version = watchlist_version
        self._discoverer = Discoverer(manners, pool, limits.max_items)
        self._discovering: set[asyncio.Task[Discovery]] = set()
        self._stopping = False

    async def stop(self) -> None:
        """End the collections under way within seconds: what was taken in is kept, the rest is collected next time."""
        self._stopping = True
        for task in self._discovering:
            task.cancel()
        await stop_crawls()

    async def collect(self, source: Source) -> RunReport:
        """Collect `source` now; what the net or a document does wrong is in the report.

        Raises StorageError if the archive refuses; the source is then due again as it was.
        """
        started, began = self._clock.now(), time.monotonic()
        run_id, state, known = await self._archive.writing(lambda tx: _begin(tx, source, started))
        horizon = started - timedelta(days=self._limits.max_age_days)
        run = Run(run_id, source, state.baseline_ended, horizon, self._watchlist_version)
        discovery, report = Discovery(validators=state.validators), None
        pause = source.interval
        try:
            discovery = await self._discover(source, state.validators, known, started)
            report = await self._work_off(run, discovery)
        except _CutShortError:
            pause = timedelta()
            report = RunReport(source.key, INTERRUPTED, 0, {}, "jingbao was stopped")
        except (FetchError, ReadingError) as error:
            pause = _back_off(source.interval, state.failures + 1, getattr(error, "retry_after_seconds", None))
            report = RunReport(source.key, str(error.outcome), 0, {}, error.reason)
        except (StorageError, asyncio.CancelledError):
            raise
        except Exception:
            pause = max(AFTER_A_BUG, source.interval)
            report = RunReport(source.key, str(Outcome.FAILED), 0, {}, "a bug; see the log")
            raise
        finally:
            if report is not None:
                await self._finish(run, report, discovery, pause)
        _tell(report, time.monotonic() - began)
        return report

    async def _discover(self, source: Source, held: Validators, known: frozenset[bytes], now: datetime) -> Discovery:
        task = asyncio.create_task(self._discoverer.discover(source, held, known, now))
        self._discovering.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._stopping and task.cancelled():
                raise _CutShortError from None
            raise
        finally:
            self._discovering.discard(task)

    def _go_on(self) -> None:
        """Called between two articles. Raises _CutShortError once jingbao is being stopped."""
        if self._stopping:
            raise _CutShortError

    async def _work_off(self, run: Run, discovery: Discovery) -> RunReport:
        """Everything a discovery brought, and the pages whose next try has come, to their ends."""
        counts: Counter[Outcome] = Counter(discovery.unread)
        counts[Outcome.UNCHANGED] += discovery.known_count
        now = self._clock.now()
        sorted_out = await self._archive.writing(lambda tx: _sort(tx, run, discovery.entries, now))
        counts.update(ending.outcome for _, ending in sorted_out.ended)
        going_on = [*sorted_out.going_on, *await self._retries(run, sorted_out.going_on)]
        seen = discovery.known_count + sum(discovery.unread.values()) + len(sorted_out.ended) + len(going_on)
        if run.source.text == "page":
            await self._take_in_pages(run, await self._screened(run, going_on, counts), counts)
        else:
            await self._take_in_entries(run, going_on, counts)
        result = UNCHANGED if discovery.unchanged and not seen else OK
        return RunReport(run.source.key, result, seen, dict(+counts))

    async def _retries(self, run: Run, arrivals: Sequence[Arrival]) -> list[Arrival]:
        now = self._clock.now()
        due = await self._archive.reading(lambda tx: addresses.retries_due(tx, run.source.key, now, MOST_RETRIES))
        coming = {arrival.canonical_url for arrival in arrivals}
        return [
            Arrival(Entry(record.url, record.title), record.canonical_url, record)
            for record in due
            if record.canonical_url not in coming
        ]

    async def _screened(self, run: Run, arrivals: Sequence[Arrival], counts: Counter[Outcome]) -> list[Arrival]:
        """Those worth fetching by title and summary; the others end as off-topic. Known articles are not asked again."""
        fresh = [arrival for arrival in arrivals if arrival.known is None or arrival.known.article_id is None]
        rest = [arrival for arrival in arrivals if arrival not in fresh]
        off_topic: list[tuple[Arrival, Ending]] = []
        for start in range(0, len(fresh), SCREENED_AT_ONCE):
            piece = fresh[start : start + SCREENED_AT_ONCE]
            verdicts = await self._pool.run(screen, [arrival.entry for arrival in piece], run.source)
            for arrival, verdict in zip(piece, verdicts, strict=True):
                if verdict.relevant:
                    rest.append(arrival)
                else:
                    off_topic.append((arrival, Ending(Outcome.OFF_TOPIC, "; ".join(verdict.reasons))))
        now = self._clock.now()
        await self._archive.writing(lambda tx: _note_all(tx, run, off_topic, now))
        counts[Outcome.OFF_TOPIC] += len(off_topic)
        return rest

    async def _take_in_entries(self, run: Run, arrivals: Sequence[Arrival], counts: Counter[Outcome]) -> None:
        for arrival in arrivals:
            self._go_on()
            now = self._clock.now()
            try:
                appraisal = await self._pool.run(appraise_entry, arrival.entry, run.source, now)
            except ReadingError as error:
                counts[await self._note_failure(run, arrival, error)] += 1
                continue
            counts[await self._take_in(run, arrival, appraisal, now)] += 1

    async def _take_in_pages(self, run: Run, arrivals: Sequence[Arrival], counts: Counter[Outcome]) -> None:
        by_url = {arrival.entry.url: arrival for arrival in arrivals}
        requests = [self._manners.request_for(run.source, url, DocumentKind.PAGE) for url in by_url]

        async def handle(result: Document | FetchError, request: Request) -> Sequence[Request]:
            arrival = by_url.pop(request.url)
            if isinstance(result, FetchError):
                counts[await self._note_failure(run, arrival, result)] += 1
            else:
                counts[await self._take_in_page(run, arrival, result)] += 1
            return ()

        if requests:
            await fetch_with_scrapy(requests, handle, self._manners, CrawlLimits(seconds=LONGEST_CRAWL.total_seconds()))
        self._go_on()
        for arrival in by_url.values():
            cut_short = FetchError(Outcome.FAILED, "its turn did not come in the time of one collection")
            counts[await self._note_failure(run, arrival, cut_short)] += 1

    async def _take_in_page(self, run: Run, arrival: Arrival, document: Document) -> Outcome:
        now = self._clock.now()
        raw = await asyncio.to_thread(self._raw.append, document)
        try:
            appraisal = await self._pool.run(appraise_page, document, arrival.entry, run.source, now)
        except ReadingError as error:
            return await self._note_failure(run, arrival, error, raw)
        return await self._take_in(run, arrival, appraisal, now, raw)

    async def _take_in(
        self, run: Run, arrival: Arrival, appraisal: Appraisal, now: datetime, raw: RawLocation | None = None
    ) -> Outcome:
        outcome = await self._archive.writing(lambda tx: take_in(tx, run, arrival, appraisal, now, raw))
        if outcome.stored:
            log.info("stored", extra=values(outcome=outcome, source=run.source.key, title=appraisal.draft.title))
        return outcome

    async def _note_failure(
        self, run: Run, arrival: Arrival, error: FetchError | ReadingError, raw: RawLocation | None = None
    ) -> Outcome:
        now = self._clock.now()
        # What the list itself said cannot be asked for again by address.
        wait = _wait(arrival, error) if run.source.text == "page" else None
        next_try = now + wait if wait else None
        ending = Ending(error.outcome, error.reason, next_try=next_try)

        def work(tx: Transaction) -> None:
            address_id = note(tx, run, arrival, ending, now)
            if raw is not None:
                addresses.keep_raw(tx, address_id, raw)

        await self._archive.writing(work)
        return error.outcome

    async def _finish(self, run: Run, report: RunReport, discovery: Discovery, pause: timedelta) -> None:
        now = self._clock.now()
        good = report.result in {OK, UNCHANGED}
        spread = pause * random.uniform(0.95, 1.05)  # so that sources do not keep step with each other

        def work(tx: Transaction) -> None:
            sources.remember_items(tx, run.source.key, discovery.item_hashes if good else frozenset(), now)
            sources.finish_run(
                tx,
                run.id,
                now,
                result=report.result,
                next_due=now + spread,
                detail=report.detail,
                seen=report.seen,
                counts=report.counts,
                validators=discovery.validators if good else None,
            )

        await self._archive.writing(work)


def _begin(tx: Transaction, source: Source, now: datetime) -> tuple[int, sources.SourceState, frozenset[bytes]]:
    return sources.begin_run(tx, source.key, now), sources.state(tx, source.key), sources.known_items(tx, source.key)


def _sort(tx: Transaction, run: Run, entries: Sequence[Entry], now: datetime) -> Triage:
    sorted_out = triage(tx, entries, run.source, run.horizon)
    _note_all(tx, run, sorted_out.ended, now)
    return sorted_out


def _note_all(tx: Transaction, run: Run, ended: Sequence[tuple[Arrival, Ending]], now: datetime) -> None:
    for arrival, ending in ended:
        note(tx, run, arrival, ending, now)


def _wait(arrival: Arrival, error: FetchError | ReadingError) -> timedelta | None:
    """How long a page that passingly failed is left alone; None if it is not tried again by itself."""
    tries = arrival.known.attempts if arrival.known else 0
    if not error.outcome.passing or tries >= len(TRY_AGAIN_AFTER):
        return None
    asked = error.retry_after_seconds if isinstance(error, FetchError) else None
    return max(TRY_AGAIN_AFTER[tries], timedelta(seconds=asked or 0))


def _back_off(interval: timedelta, failures: int, retry_after_seconds: float | None) -> timedelta:
    """Twice as long after every failure, up to the cap; at least as long as the server asked for (RFC 9110, 10.2.3)."""
    grown: timedelta = interval * 2 ** min(failures - 1, 12)
    asked = timedelta(seconds=retry_after_seconds or 0)
    return min(max(grown, asked), max(LONGEST_PAUSE, interval))


def _tell(report: RunReport, seconds: float) -> None:
    counts = {str(outcome).replace("-", "_"): count for outcome, count in report.counts.items()}
    about = {"source": report.source, "result": report.result, "seen": report.seen, "duration_seconds": seconds}
    log.info("collected", extra=values(**about, reason=report.detail, **counts))
