"""Collecting a source: a run is begun, its list discovered and worked off, and what came of it written down."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.clock import Clock
from core.config import CollectionConfig
from core.errors import DamagedError, FetchError, ReadingError, RestoredError, StorageError
from core.log import values
from core.outcomes import Outcome
from core.source import Source
from core.standing import Yield
from crawler.collection import Collection, Tools
from crawler.discovery import Discoverer, Discovery
from crawler.dispatch import Dispatch
from crawler.intake import Run
from crawler.net.manners import Manners
from crawler.reading.workers import CutShortError, ReadingPool
from crawler.spiders.fetch_pages import PATIENCE_SECONDS, stop_crawls
from crawler.standing import RUNS_LOOKED_AT, judge, learn_rhythm, learn_yields
from crawler.standpoint import standpoint
from storage import sources, standings
from storage.archive import Archive, Transaction
from storage.disk import out_of_room
from storage.raw import RawPages
from storage.sources import GOOD, INTERRUPTED, OFFLINE, OK, UNCHANGED, SourceState

log = logging.getLogger("jingbao.crawler")

LONGEST_PAUSE = timedelta(hours=24)
"""The cap of a failing source's back-off; it is asked again for ever."""
AFTER_A_BUG = timedelta(hours=6)
END_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0.5, 2))
"""Between tries to write down a run's end; each try already waits for another program's write (storage.archive.PATIENCE)."""
AFTER_STORAGE_TROUBLE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run's result: `ok`, `unchanged`, `interrupted` or the outcome that kept the source from giving anything."""

    source: str
    result: str
    seen: int
    counts: dict[Outcome, int]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run ended, and how long its source is left alone."""

    result: str
    pause: timedelta
    detail: str = ""


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
        self._limits = limits
        self._clock = clock
        self._watchlist_version = watchlist_version
        self._discoverer = Discoverer(manners, pool, limits.max_items)
        self._discovering: set[asyncio.Task[Discovery]] = set()
        self._stopping = False
        self._owed: list[Callable[[Transaction], None]] = []  # ends of runs that could not be written
        self._paying = asyncio.Lock()
        self._dispatch = Dispatch(archive, manners, clock)
        self._tools = Tools(archive, raw, manners, pool, clock, lambda: self._stopping)

    async def due(self, among: Sequence[Source], limit: int) -> list[str]:
        """The keys of those of the sources to collect now, at most `limit`: what is due, and of a line that is down a probe.

        What is owed to the archive comes first: a source whose run is not written down as ended would be due again at once.
        Raises StorageError.
        """
        await self._pay_what_is_owed()
        return await self._dispatch.due(among, limit)

    async def stop(self) -> None:
        """End the collections under way within seconds: what was taken in is kept, the rest is collected next time.

        Documents have as long to be read as open transfers have to end: of several large ones on a busy machine, each takes
        its whole CPU time.
        """
        self._stopping = True
        for task in self._discovering:
            task.cancel()
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._tools.pool.cut_short)
        await stop_crawls()

    async def settle(self) -> None:
        """Write down what is still owed, before another collector takes over. Raises StorageError.

        A stop does not wait for it: what is not written ends as cut off, and its source is collected again.
        """
        if not self._stopping:
            await self._pay_what_is_owed()

    async def collect(self, source: Source) -> RunReport:
        """Collect `source` now; what the net or a document does wrong is in the report.

        Raises StorageError if the archive or the folder of raw pages refuses; the source is not blamed for that.
        """
        started, began = self._clock.now(), time.monotonic()
        await self._pay_what_is_owed()
        run_id, state, known = await self._archive.writing(lambda tx: _begin(tx, source, started))
        horizon = started - timedelta(days=self._limits.max_age_days)
        collection = Collection(Run(run_id, source, state.baseline_ended, horizon, self._watchlist_version), self._tools)
        discovery, seen = Discovery(validators=state.validators), None
        ended = _Ended(str(Outcome.FAILED), max(AFTER_A_BUG, source.interval), "a bug; see the log")
        try:
            try:
                discovery = await self._discover(source, state, known, started)
                await self._dispatch.heard(source)
                seen = await collection.work_off(discovery)
                ended = _Ended(UNCHANGED if discovery.unchanged and not seen else OK, source.interval)
            except (FetchError, ReadingError) as error:
                ended = await self._failed(source, state, error)
        except CutShortError:
            ended = _Ended(INTERRUPTED, timedelta(), "jingbao was stopped")
        except StorageError as error:
            # Whoever has us collect waits for room, and then at once goes on.
            ended = _Ended(INTERRUPTED, timedelta() if out_of_room(error) else AFTER_STORAGE_TROUBLE, str(error))
            raise
        except asyncio.CancelledError:
            ended = _Ended(INTERRUPTED, timedelta(), "cancelled")
            raise
        finally:
            counts = +collection.tally.counts
            report = RunReport(source.key, ended.result, counts.total() if seen is None else seen, dict(counts), ended.detail)
            await self._finish(run_id, source, report, discovery, state, ended.pause, collection.tally.yields)
        _tell(report, time.monotonic() - began)
        return report

    async def _discover(self, source: Source, state: SourceState, known: frozenset[bytes], now: datetime) -> Discovery:
        if self._stopping:
            raise CutShortError
        task = asyncio.create_task(self._discoverer.discover(source, state.validators, known, now))
        self._discovering.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if self._stopping and task.cancelled():
                raise CutShortError from None
            raise
        finally:
            self._discovering.discard(task)

    async def _failed(self, source: Source, state: SourceState, error: FetchError | ReadingError) -> _Ended:
        """A list that did not come: the source's fault, unless it is the line that is down."""
        if await self._dispatch.failed(source, state, error):
            return _Ended(OFFLINE, timedelta(), error.reason)
        pause = back_off(source.interval, state.failures + 1, getattr(error, "retry_after_seconds", None))
        return _Ended(str(error.outcome), pause, error.reason)

    async def _finish(
        self,
        run_id: int,
        source: Source,
        report: RunReport,
        discovery: Discovery,
        state: SourceState,
        pause: timedelta,
        yields: Yield,
    ) -> None:
        now = self._clock.now()
        good = report.result in GOOD
        spread = pause * random.uniform(0.95, 1.05)  # so that sources do not keep step with each other
        # A list that came in part shows the rest later, which is no news; but no fault puts the end off for ever.
        ends_baseline = (discovery.whole and report.seen > 0) or state.last_good is not None
        read = _read(discovery, state, yields) if good else None

        def work(tx: Transaction) -> None:
            first = sources.finish_run(
                tx,
                run_id,
                now,
                result=report.result,
                next_due=now + spread,
                detail=report.detail,
                seen=report.seen,
                counts=report.counts,
                validators=discovery.validators if good else None,
                ends_baseline=ends_baseline,
                yields=read,
            )
            if not first:
                return  # it was kept, and only the answer was lost
            if good:
                sources.remember_items(tx, report.source, discovery.item_hashes, now)
                _learn(tx, source, discovery, read, now)
            _judge(tx, source, now)

        await self._keep_end(work)

    async def _keep_end(self, work: Callable[[Transaction], None]) -> None:
        """Write down a run's end, if need be after a while; what fails to the last is done before the next run begins."""
        for pause in END_PAUSES:
            try:
                return await self._archive.writing(work)
            except (DamagedError, RestoredError):
                raise
            except StorageError as error:
                if self._stopping:
                    break
                log.warning("a run's end is not written yet", extra=values(reason=str(error)))
                await asyncio.sleep(pause.total_seconds())
        try:
            await self._archive.writing(work)
        except StorageError:
            self._owed.append(work)
            raise

    async def _pay_what_is_owed(self) -> None:
        async with self._paying:
            while self._owed:
                await self._archive.writing(self._owed[0])
                del self._owed[0]


def _judge(tx: Transaction, source: Source, now: datetime) -> None:
    """Keep how the source stands after its run."""
    state, runs = sources.state(tx, source.key), sources.last_runs(tx, source.key, RUNS_LOOKED_AT)
    verdict = judge(source, state, runs, now, out_of_reach=source.key in standpoint(tx).unreachable)
    if standings.set_standing(tx, source.key, verdict.standing, verdict.reason, now):
        level = logging.WARNING if verdict.standing.is_trouble else logging.INFO
        about = values(source=source.key, standing=verdict.standing, was=state.standing, reason=verdict.reason)
        log.log(level, "stands otherwise", extra=about)


def _read(discovery: Discovery, state: SourceState, yields: Yield) -> Yield | None:
    """What a good run read. Of a list that is as it was, pages may be read whose next try has come."""
    if not discovery.unchanged:
        return yields
    listed = state.yields[-1].listed if state.yields else 0
    return replace(yields, listed=listed) if yields.pages or yields.texts else None


def _learn(tx: Transaction, source: Source, discovery: Discovery, read: Yield | None, now: datetime) -> None:
    """Keep what a good run showed of the source's rhythm and yields."""
    state = sources.state(tx, source.key)
    dates = [entry.published.at for entry in discovery.entries if entry.published]
    standings.note_move(tx, source.key, discovery.moved_to, now)
    standings.learn(tx, source.key, learn_rhythm(state, read, dates, now), learn_yields(state, read))


def _begin(tx: Transaction, source: Source, now: datetime) -> tuple[int, SourceState, frozenset[bytes]]:
    standings.wake(tx, source.key, now)
    return sources.begin_run(tx, source.key, now), sources.state(tx, source.key), sources.known_items(tx, source.key)


def back_off(interval: timedelta, failures: int, retry_after_seconds: float | None) -> timedelta:
    """Twice as long after every failure, up to the cap; at least as long as the server asked for (RFC 9110, 10.2.3)."""
    grown: timedelta = interval * 2 ** min(failures - 1, 12)
    asked = timedelta(seconds=retry_after_seconds or 0)
    return min(max(grown, asked), max(LONGEST_PAUSE, interval))


def _tell(report: RunReport, seconds: float) -> None:
    counts = {str(outcome).replace("-", "_"): count for outcome, count in report.counts.items()}
    about = {"source": report.source, "result": report.result, "seen": report.seen, "duration_seconds": seconds}
    log.info("collected", extra=values(**about, reason=report.detail, **counts))
