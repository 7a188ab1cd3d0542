"""One run of one source, from what its list holds to the archive; every entry ends in one counted outcome.

The order makes death harmless at any point: each article is kept in its own transaction, and what would make the next run skip
something (validators, item hashes) is kept by the collector at the very end.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core.article import Draft, Entry
from core.clock import Clock
from core.document import Document, DocumentKind, Request
from core.errors import FetchError, ReadingError, StorageError
from core.log import values
from core.outcomes import Outcome
from core.standing import Yield
from crawler.appraisal import Appraisal, appraise_entry, appraise_page, screen
from crawler.discovery import Discovery
from crawler.intake import Run, note, take_in
from crawler.net.manners import Manners
from crawler.reading.workers import CutShortError, ReadingPool
from crawler.spiders.fetch_pages import CrawlLimits, fetch_with_scrapy
from crawler.triage import Arrival, Triage, triage
from storage import addresses
from storage.addresses import Ending
from storage.archive import Archive, Transaction
from storage.raw import RawLocation, RawPages
from storage.raw_files import Shelf

log = logging.getLogger("jingbao.crawler")

TRY_AGAIN_AFTER = {
    Outcome.FAILED: (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(hours=12)),
    Outcome.TOO_SLOW: (timedelta(hours=1), timedelta(hours=12)),
    # A wall against robots, or an error page with the wrong status, may be gone in a day; a paywall will not.
    Outcome.BLOCKED: (timedelta(hours=6), timedelta(hours=24)),
    Outcome.UNREADABLE: (timedelta(hours=12),),
}
"""When a page is tried again, by how it ended; after the last it waits until its list says something new of it."""
LONGEST_CRAWL = timedelta(minutes=20)
"""Of one source's pages: 600 at two seconds each. The rest has its turn when its next try has come."""
MOST_RETRIES = 200
SCREENED_AT_ONCE = 200


@dataclass
class Tally:
    """What became of a run's entries so far, and (by the names of Yield's fields) what its list and pages gave."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    gave: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome, number: int = 1) -> None:
        """Count entries that ended."""
        self.counts[outcome] += number

    def add_text(self, draft: Draft) -> None:
        """Count a text that was read."""
        self.gave[str(draft.extent)] += 1
        self.gave["dated"] += draft.published is not None

    @property
    def yields(self) -> Yield:
        """What the list and the pages gave so far."""
        return Yield(**self.gave)


@dataclass(frozen=True, slots=True)
class Tools:
    """What collecting works with. `stopping()` says whether jingbao is being stopped."""

    archive: Archive
    raw: RawPages
    manners: Manners
    pool: ReadingPool
    clock: Clock
    stopping: Callable[[], bool]


class Collection:
    """A run under way. `tally` is right at any moment, also when `work_off` ends by an exception."""

    def __init__(self, run: Run, tools: Tools) -> None:
        self.tally = Tally()
        self._run = run
        self._tools = tools

    async def work_off(self, discovery: Discovery) -> int:
        """Bring everything a discovery holds, and the pages whose next try has come, to their ends; gives how many were seen.

        Raises CutShortError if jingbao is stopped meanwhile, StorageError if the archive refuses.
        """
        for outcome, number in discovery.unread.items():
            self.tally.add(outcome, number)
        self.tally.add(Outcome.UNCHANGED, discovery.known_count)
        sorted_out = await self._sort(discovery.entries)
        self.tally.gave["listed"] = discovery.known_count + len(discovery.entries)
        self.tally.gave["fresh"] = sum(_is_fresh(arrival, self._run.source.key) for arrival in sorted_out.going_on)
        going_on = [*sorted_out.going_on, *await self._retries(sorted_out.going_on)]
        seen = self.tally.counts.total() + len(going_on)
        if self._run.source.text == "page":
            await self._take_in_pages(await self._screened(going_on))
        else:
            await self._take_in_entries(going_on)
        return seen

    async def _sort(self, entries: Sequence[Entry]) -> Triage:
        run, now = self._run, self._tools.clock.now()

        def work(tx: Transaction) -> Triage:
            sorted_out = triage(tx, entries, run.source, run.horizon, now)
            for arrival, ending in sorted_out.ended:
                note(tx, run, arrival, ending, now)
            return sorted_out

        sorted_out = await self._tools.archive.writing(work)
        self.tally.add(Outcome.DUPLICATE, sorted_out.repeated)
        for _, ending in sorted_out.ended:
            self.tally.add(ending.outcome)
        return sorted_out

    async def _retries(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        now, key = self._tools.clock.now(), self._run.source.key
        due = await self._tools.archive.reading(lambda tx: addresses.retries_due(tx, key, now, MOST_RETRIES))
        coming = {arrival.canonical_url for arrival in arrivals}
        return [
            Arrival(record.entry or Entry(record.url, record.title), record.canonical_url, record)
            for record in due
            if record.canonical_url not in coming
        ]

    async def _screened(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Those worth fetching by title and summary; the others end as off-topic."""
        worthy = [arrival for arrival in arrivals if arrival.is_screened]
        fresh = [arrival for arrival in arrivals if not arrival.is_screened]
        for start in range(0, len(fresh), SCREENED_AT_ONCE):
            worthy += await self._worth_fetching(fresh[start : start + SCREENED_AT_ONCE])
        return worthy

    async def _worth_fetching(self, arrivals: Sequence[Arrival]) -> list[Arrival]:
        self._go_on()
        try:
            verdicts = await self._tools.pool.run(screen, [arrival.entry for arrival in arrivals], self._run.source)
        except CutShortError:
            raise
        except Exception:  # past the worker's time, or a bug: in halves, and the one that it is about is fetched unseen
            if len(arrivals) == 1:
                log.exception("an entry could not be screened", extra=values(url=arrivals[0].entry.url))
                return list(arrivals)
            middle = len(arrivals) // 2
            return [*await self._worth_fetching(arrivals[:middle]), *await self._worth_fetching(arrivals[middle:])]
        judged = list(zip(arrivals, verdicts, strict=True))
        off_topic = [(arrival, "; ".join(verdict.reasons)) for arrival, verdict in judged if not verdict.relevant]
        now = self._tools.clock.now()

        def work(tx: Transaction) -> None:
            for arrival, reason in off_topic:
                note(tx, self._run, arrival, Ending(Outcome.OFF_TOPIC, reason), now)

        await self._tools.archive.writing(work)
        self.tally.add(Outcome.OFF_TOPIC, len(off_topic))
        return [arrival for arrival, verdict in judged if verdict.relevant]

    async def _take_in_entries(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            self._go_on()
            self.tally.add(await self._contained(arrival, self._take_in_entry))

    async def _take_in_pages(self, arrivals: Sequence[Arrival]) -> None:
        by_url = {arrival.entry.url: arrival for arrival in arrivals}
        requests = [self._tools.manners.request_for(self._run.source, url, DocumentKind.PAGE) for url in by_url]

        async def handle(result: Document | FetchError, request: Request) -> Sequence[Request]:
            arrival = by_url.pop(request.url)
            self.tally.gave["pages"] += not (isinstance(result, FetchError) and _may_pass(arrival, result))
            with suppress(CutShortError):  # the crawl is ending anyway, and needs no bug for it
                self.tally.add(await self._contained(arrival, lambda arrival: self._take_in_page(arrival, result)))
            return ()

        self._go_on()  # nothing is awaited from here until the crawl can be stopped
        if requests:
            limits = CrawlLimits(seconds=LONGEST_CRAWL.total_seconds())
            await fetch_with_scrapy(requests, handle, self._tools.manners, limits)
        self._go_on()
        for arrival in by_url.values():
            late = FetchError(Outcome.FAILED, "its turn did not come in the time of one collection")
            self.tally.add(await self._note_failure(arrival, late))

    async def _contained(self, arrival: Arrival, take: Callable[[Arrival], Awaitable[Outcome]]) -> Outcome:
        """What `take` gives. A bug that one article meets is logged, and ends that article and no other."""
        try:
            return await take(arrival)
        except (StorageError, CutShortError):
            raise
        except Exception as error:
            log.exception("an article met a bug; please report the lines below", extra=values(url=arrival.entry.url))
            return await self._note_failure(arrival, ReadingError(Outcome.UNREADABLE, f"a bug of jingbao: {error!r}"[:300]))

    async def _take_in_entry(self, arrival: Arrival) -> Outcome:
        now = self._tools.clock.now()
        try:
            appraisal = await self._tools.pool.run(appraise_entry, arrival.entry, self._run.source, now)
        except ReadingError as error:
            return await self._note_failure(arrival, error)
        return await self._take_in(arrival, appraisal, now)

    async def _take_in_page(self, arrival: Arrival, result: Document | FetchError) -> Outcome:
        if isinstance(result, FetchError):
            return await self._without_page(arrival, result)
        now = self._tools.clock.now()
        try:
            appraisal = await self._tools.pool.run(appraise_page, result, arrival.entry, self._run.source, now)
        except ReadingError as error:
            return await self._without_page(arrival, error, await self._keep(result, Shelf.OFF_TOPIC))
        self.tally.gave["read"] += 1
        shelf = Shelf.PAGES if appraisal.judgement.relevance.relevant else Shelf.OFF_TOPIC
        return await self._take_in(arrival, appraisal, now, await self._keep(result, shelf))

    async def _keep(self, page: Document, shelf: Shelf) -> RawLocation:
        """Keep a fetched page, before the transaction that says where it lies: death in between leaves a page nobody names."""
        return await asyncio.to_thread(self._tools.raw.append, page, shelf)

    async def _without_page(
        self, arrival: Arrival, error: FetchError | ReadingError, raw: RawLocation | None = None
    ) -> Outcome:
        """A page that is refused (a paywall, robots.txt) leaves what its list says of it; any other failure is noted."""
        if error.outcome is Outcome.BLOCKED and arrival.entry.title:
            with suppress(ReadingError):  # then there is not even a headline
                now = self._tools.clock.now()
                appraisal = await self._tools.pool.run(appraise_entry, arrival.entry, self._run.source, now)
                if appraisal.judgement.relevance.relevant:
                    draft = replace(appraisal.draft, extent_reason=f"its page is refused: {error.reason}")
                    return await self._take_in(arrival, replace(appraisal, draft=draft), now, raw)
        return await self._note_failure(arrival, error, raw)

    async def _take_in(self, arrival: Arrival, appraisal: Appraisal, now: datetime, raw: RawLocation | None = None) -> Outcome:
        run = self._run
        self.tally.add_text(appraisal.draft)
        outcome = await self._tools.archive.writing(lambda tx: take_in(tx, run, arrival, appraisal, now, raw))
        if outcome.stored:
            log.info("stored", extra=values(outcome=outcome, source=run.source.key, title=appraisal.draft.title))
        return outcome

    async def _note_failure(
        self, arrival: Arrival, error: FetchError | ReadingError, raw: RawLocation | None = None
    ) -> Outcome:
        now, wait = self._tools.clock.now(), _wait(arrival, error)
        ending = Ending(error.outcome, error.reason, next_try=now + wait if wait else None)

        def work(tx: Transaction) -> None:
            address_id = note(tx, self._run, arrival, ending, now)
            if raw is not None:
                addresses.keep_raw(tx, address_id, raw)

        await self._tools.archive.writing(work)
        return error.outcome

    def _go_on(self) -> None:
        """Called between two articles. Raises CutShortError once jingbao is being stopped."""
        if self._tools.stopping():
            raise CutShortError


def _is_fresh(arrival: Arrival, source: str) -> bool:
    """Whether an entry that goes on stands in this source's list for the first time."""
    return arrival.known is None or arrival.known.source != source


def _may_pass(arrival: Arrival, error: FetchError) -> bool:
    """Whether it says nothing yet of what its source gives: a passing fault, until the last try has met it too."""
    return error.outcome.passing and _wait(arrival, error) is not None


def _wait(arrival: Arrival, error: FetchError | ReadingError) -> timedelta | None:
    """How long a page is left alone before another try; None if it is not tried again by itself."""
    tries = arrival.known.attempts if arrival.known else 0
    gaps = TRY_AGAIN_AFTER.get(error.outcome, ())
    if tries >= len(gaps):
        return None
    asked = error.retry_after_seconds if isinstance(error, FetchError) else None
    return max(gaps[tries], timedelta(seconds=asked or 0))
