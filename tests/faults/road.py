"""The daemon's whole road in this process, one step after the other, so that the n-th operation is the same one each time.

Duties, collector, intake, alerts and archive are the real ones, wired by console.duties; stand-ins are at the edge alone: a net that
answers from the small world, reading without worker processes (each text once), a mailbox that takes everything.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import console.duties
from alerts.desk import Desk
from alerts.transport import Parcel
from console.duties import open_duties
from console.settings import VERSION, Settings
from console.workshop import Workshop
from core.clock import Clock
from core.config import Config
from core.document import Document, DocumentKind, Request
from core.errors import FetchError, JingbaoError, StorageError
from core.outcomes import Outcome
from crawler.catalogue import Catalogue, choose
from crawler.collect import Collector
from crawler.net.manners import Manners
from crawler.net.pace import Pace
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist
from scheduler.duties import Duties
from storage import articles, outbox, sources
from storage.archive import Archive, Transaction
from storage.raw import RawPages
from storage.sources import INTERRUPTED, SourceState
from tests.faults.failing import Failing
from tests.faults.stores import Place
from tests.faults.world import ORDER, Moment, StillNewsroom, configuration
from tests.newsroom.lists import article_page, front_page

PATIENCE = timedelta(seconds=2)
MOST_ROUNDS = 8
_DUE_SOON = timedelta(minutes=11)


class StillClock(Clock):
    """A clock that stands."""

    def now(self) -> datetime:
        """The moment it stands at."""
        return self.start


class Net:
    """The small world's sites, answered from memory; it has a light client's `fetch`."""

    def __init__(self, moment: Moment) -> None:
        self._newsroom = StillNewsroom(moment)

    async def fetch(self, request: Request) -> Document:
        """The list or page; raises FetchError as the real client does for a closed or missing one."""
        now, where = self._newsroom.now(), urlsplit(request.url)
        outlet = self._newsroom.at_host(where.hostname or "")
        assert outlet is not None
        if request.kind is not DocumentKind.PAGE:
            media_type, text = front_page(outlet, self._newsroom.front(outlet), now)
        elif any(where.path.startswith(path) for path in outlet.disallow):
            raise FetchError(Outcome.BLOCKED, "robots.txt does not allow it")
        elif (issue := self._newsroom.article(outlet, where.path)) is None:
            raise FetchError(Outcome.GONE, f"{outlet.host} answered 404 Not Found.", status=404)
        else:
            media_type, text = article_page(issue)
        headers = {"content-type": f"{media_type}; charset=utf-8"}
        return Document(request, request.url, 200, headers, text.encode(), now)

    def forget_silence(self) -> None:
        """Nothing is remembered."""

    async def close(self) -> None:
        """Nothing is open."""


async def in_turn(requests: Sequence[Request], handle: Any, manners: Manners, _limits: Any = None) -> None:
    """In Scrapy's place: one request after the other; an exception of `handle` comes through, as there."""
    for request in requests:
        try:
            result: Document | FetchError = await manners.client.fetch(request)
        except FetchError as error:
            result = error
        await handle(result, request)


class Reading:
    """In the place of the reading workers: the same functions, called here, each with the same arguments once."""

    _known: dict[bytes, Any] = {}  # noqa: RUF012  (one memory for all, on purpose)

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """What the function returns or raises."""
        key = pickle.dumps((function.__name__, args))
        if key not in self._known:
            try:
                self._known[key] = function(*args)
            except JingbaoError as error:
                self._known[key] = error
        if isinstance(found := self._known[key], JingbaoError):
            raise found
        return found


@dataclass
class Postbox:
    """A way out that takes everything and keeps it, in order."""

    taken: list[Parcel] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> None:
        """Take it."""
        self.taken.append(parcel)


@dataclass
class Road:
    """A daemon's life at one moment. `bugs` are exceptions that nobody foresaw; `refusals` what was said of the database."""

    place: Place
    moment: Moment
    fault: Failing
    box: Postbox = field(default_factory=Postbox)
    bugs: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def walk(self) -> None:
        """Open the archive, collect, match, mail, tidy up, again and again, until a round finds nothing to do.

        A daemon whose start is refused is started again, as its service manager does. The fault is lifted after the first round
        that met it.
        """
        with _quick(), self._opened() as archive:
            async with self._on_duty(archive) as duties:
                for _ in range(MOST_ROUNDS):
                    met = self.fault.failed
                    at_rest = await self._round(archive, duties)
                    if self.fault.failed:
                        self.fault.lift()
                    undisturbed = self.fault.lifted and self.fault.failed == met and at_rest
                    if undisturbed and await self._is_quiet(archive):
                        return
        self.bugs.append(f"not quiet after {MOST_ROUNDS} rounds")

    @contextmanager
    def _opened(self) -> Iterator[Archive]:
        with self._insisting(lambda: Archive.open(self.place.url, self.moment.at, patience=PATIENCE)) as archive:
            while True:
                try:
                    with archive.write() as tx:
                        sources.interrupt_runs(tx, self.moment.at)
                except StorageError as error:
                    self._refused(error)
                else:
                    break
            yield archive

    def _insisting(self, open_: Callable[[], Archive]) -> Archive:
        while True:
            try:
                return open_()
            except StorageError as error:
                self._refused(error)

    def _refused(self, error: StorageError) -> None:
        self.refusals.append(str(error))
        if self.fault.failed > 3:
            self.fault.lift()

    @asynccontextmanager
    async def _on_duty(self, archive: Archive) -> AsyncIterator[Duties]:
        settings = self._settings()

        @asynccontextmanager
        async def workshop(*_: Any) -> AsyncIterator[Workshop]:
            manners = replace(Manners.from_config(settings.config, VERSION, settings.clock), client=Net(self.moment))  # type: ignore[arg-type]
            raw, reading = RawPages(self.place.folder / "raw"), Reading()
            collector = Collector(archive, raw, manners, reading, settings.config.collection, settings.clock, "1")  # type: ignore[arg-type]
            desk = Desk.of(settings.config, settings.watchlist, _the_finder())
            yield Workshop(settings, archive, manners, collector, desk, self.box)

        with patch.object(console.duties, "workshop", workshop):
            while True:
                try:
                    duties = await open_duties(settings, archive, Pace())
                except StorageError as error:
                    self._refused(error)
                else:
                    break
            try:
                yield duties
            finally:
                await duties.close()

    def _settings(self) -> Settings:
        watchlist = the_watchlist()
        config = Config.model_validate(configuration(self.place, "", {"host": "mail.test", "security": "none"}))
        clock = StillClock(self.moment.at, 1.0, 0.0)
        catalogue = Catalogue({})
        return Settings(Path("config.yaml"), config, catalogue, tuple(choose(catalogue, config.sources)), watchlist, clock)

    async def _round(self, archive: Archive, duties: Duties) -> bool:
        """What is due, one after the other, then each job; gives whether all of it came to its end."""
        due: list[str] = []

        async def ask() -> None:
            due.extend(await duties.due(10))

        done = await self._guarded("tick", ask())
        due += await self._due_again(archive)
        for key in sorted(due, key=ORDER.index):
            if not await self._guarded(f"collect {key}", duties.collect(key)):
                done = False
                break  # what is a copy of what goes by the order
        for job in duties.jobs:
            # So that the morning's digest tells what it tells undisturbed.
            if done or job.name != "digest" or not self.fault.lifted:
                done &= await self._guarded(job.name, job.work())
        return done

    async def _is_quiet(self, archive: Archive) -> bool:
        """Whether nothing is left to do at this moment."""

        def work(tx: Transaction) -> bool:
            now, states = self.moment.at, sources.states(tx).values()
            left = any(state.next_due <= now or self._was_cut_off(tx, state) for state in states)
            return not (left or outbox.due_messages(tx, now, 1) or articles.unmatched(tx, 1))

        with self.fault.looking_on():
            return await archive.reading(work)

    async def _guarded(self, name: str, work: Coroutine[Any, Any, None]) -> bool:
        """As scheduler.shift does it."""
        try:
            await work
        except StorageError as error:
            self.refusals.append(f"{name}: {error}")
            return False
        except Exception as error:  # noqa: BLE001  (that is what is looked for)
            self.bugs.append(f"{name}: {error!r}")
            return False
        return True

    async def _due_again(self, archive: Archive) -> list[str]:
        """Time goes by for those whose collection was cut off: they are due soon, which is looked at, and then due.

        Gives their keys; none while the database still fails.
        """
        if not self.fault.lifted:
            return []

        def work(tx: Transaction) -> list[str]:
            waiting = [state for state in sources.states(tx).values() if self._was_cut_off(tx, state)]
            for state in waiting:
                if state.next_due - self.moment.at > _DUE_SOON:
                    self.bugs.append(f"{state.key} was cut off and waits until {state.next_due}")
                sources.postpone(tx, state.key, self.moment.at)
            return [state.key for state in waiting]

        with self.fault.looking_on():
            return await archive.writing(work)

    def _was_cut_off(self, tx: Transaction, state: SourceState) -> bool:
        last = sources.last_runs(tx, state.key, 1)
        return bool(last) and last[0].result == INTERRUPTED and state.next_due > self.moment.at


the_watchlist = cache(load_watchlist)
_the_finder = cache(lambda: MentionFinder(the_watchlist()))


@contextmanager
def _quick() -> Iterator[None]:
    """Pauses between tries are none, and nothing is logged."""
    no_pauses = (timedelta(), timedelta())
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            patch("crawler.collect.END_PAUSES", no_pauses),
            patch("alerts.outbox.WRITE_PAUSES", no_pauses, create=True),
            patch("crawler.collection.fetch_with_scrapy", in_turn),
            patch("crawler.discovery.fetch_with_scrapy", in_turn),
        ):
            yield
    finally:
        logging.disable(before)
