"""The clerk: intake and outbox without net, workers and daemon, so that a life is short and can be ended ten thousand times.

A clerk works off the small world's day and morning: each source's list is sorted, each page kept and taken in, articles matched,
mails made and sent, by the same functions and in the same transactions as in the daemon. What reading and judging give is
prepared beforehand. Killed anywhere, the next clerk goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from alerts import digests, matching, outbox
from alerts.desk import Desk
from alerts.transports.chosen import transport_of
from core.config import Config
from core.document import Document, DocumentKind, Request
from core.outcomes import Outcome
from core.source import Source
from crawler import intake
from crawler.appraisal import Appraisal, appraise_entry, appraise_page
from crawler.intake import Run
from crawler.reading.feeds import read_feed
from crawler.reading.listing import read_listing
from crawler.triage import Arrival, triage
from lexicon.watchlist import Watchlist, load_watchlist
from storage import schema, sources
from storage.archive import Archive, Transaction
from storage.raw import RawPages
from storage.sources import OK
from tests.faults.stores import Place
from tests.faults.world import DAY, FIRST, INTERVAL, MORNING, OUTLETS, Moment, StillNewsroom, configuration
from tests.newsroom.lists import article_page, front_page

WATCHLIST_VERSION = "prepared"
_HORIZON = FIRST.at - timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Piece:
    """One entry of a list, judged; `page` if it came with one."""

    appraisal: Appraisal
    page: Document | None


@dataclass(frozen=True, slots=True)
class Lists:
    """What each source's list holds at each moment: entries in their order, and the pieces by address."""

    sources: dict[str, Source]
    entries: dict[tuple[str, str], tuple[Any, ...]]
    pieces: dict[tuple[str, str], dict[str, Piece]]


def prepared() -> Lists:
    """Everything read and judged, for the day and the morning."""
    lists = Lists({outlet.key: Source.model_validate(outlet.configuration()) for outlet in OUTLETS}, {}, {})
    for moment in (DAY, MORNING):
        newsroom = StillNewsroom(moment)
        for outlet in newsroom.outlets:
            source, here = lists.sources[outlet.key], (moment.name, outlet.key)
            media_type, text = front_page(outlet, newsroom.front(outlet), moment.at)
            listed = _document(source.url, text, media_type, source, DocumentKind.FEED, moment.at)
            read = read_listing(listed, source, moment.at, 100) if outlet.shape == "list-plain" else None
            entries = read.entries if read else read_feed(listed, source, frozenset(), moment.at, 100).entries
            pieces = {entry.url: _piece(newsroom, outlet, source, entry, moment.at) for entry in entries}
            lists.pieces[here] = {url: piece for url, piece in pieces.items() if piece}
            lists.entries[here] = tuple(entry for entry in entries if entry.url in lists.pieces[here])
    return lists


def _piece(newsroom: StillNewsroom, outlet: Any, source: Source, entry: Any, now: datetime) -> Piece | None:
    """An entry with its page; None for one whose page is gone or closed."""
    if source.text == "feed":
        return Piece(appraise_entry(entry, source, now), None)
    issue = next((issue for issue in newsroom.issued(outlet) if issue.url == entry.url), None)
    if issue is None or newsroom.article(outlet, entry.url.partition(outlet.host)[2]) is None:
        return None
    media_type, text = article_page(issue)
    page = _document(entry.url, text, media_type, source, DocumentKind.PAGE, now)
    return Piece(appraise_page(page, entry, source, now), page)


def _document(url: str, text: str, media_type: str, source: Source, kind: DocumentKind, now: datetime) -> Document:
    headers = {"content-type": f"{media_type}; charset=utf-8"}
    return Document(Request(url, kind, source.key), url, 200, headers, text.encode(), now, unchanged=False, moved=False)


@dataclass(frozen=True, slots=True)
class Office:
    """What a clerk works with: the same for every life, made before the first."""

    lists: Lists
    watchlist: Watchlist
    config: Config
    desk: Desk

    @classmethod
    def opened(cls, smtp: dict[str, Any]) -> Office:
        """An office whose mails go to a server at `smtp` (host, port, security)."""
        config = Config.model_validate(configuration(Place("", Path("/nowhere")), "", smtp))
        watchlist = load_watchlist()
        return cls(prepared(), watchlist, config, Desk.of(config, watchlist))

    async def work(self, place: Place, life: int) -> None:
        """One clerk's whole life on an archive. Mails name the life as the envelope's sender."""
        with Archive.open(place.url, FIRST.at) as archive:
            clerk = _Clerk(self, archive, RawPages(place.folder / "raw"), f"life-{life}@faults.test")
            await archive.writing(lambda tx: sources.ensure(tx, list(self.lists.sources), DAY.at))
            await archive.writing(lambda tx: sources.interrupt_runs(tx, DAY.at))
            for moment in (DAY, MORNING):
                if moment is MORNING or not await archive.reading(_morning_has_begun):
                    await clerk.work_off(moment)


def _morning_has_begun(tx: Transaction) -> bool:
    return tx.connection.scalar(select(schema.run.c.id).where(schema.run.c.started >= MORNING.at).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class _Clerk:
    office: Office
    archive: Archive
    raw: RawPages
    sender: str

    async def work_off(self, moment: Moment) -> None:
        """Collect what is due at a moment, in its order, and tell of it."""
        due = await self.archive.reading(lambda tx: sources.due(tx, moment.at, 10, list(self.office.lists.sources)))
        for key in (key for key in self.office.lists.sources if key in due):
            await self._collect(key, moment)
        await self._tell(moment.at)

    async def _collect(self, key: str, moment: Moment) -> None:
        lists, now = self.office.lists, moment.at
        source, entries = lists.sources[key], lists.entries[moment.name, key]
        run_id = await self.archive.writing(lambda tx: sources.begin_run(tx, key, now))
        # Its baseline is past, so that all it brings may be mailed.
        run = Run(run_id, source, FIRST.at, _HORIZON, WATCHLIST_VERSION)
        arrivals = await self.archive.writing(lambda tx: self._sorted(tx, run, entries, now))
        for arrival in arrivals:
            piece = lists.pieces[moment.name, key][arrival.entry.url]
            await self._take_in(run, arrival, piece, now)
            await self._tell(now)
        await self.archive.writing(
            lambda tx: sources.finish_run(
                tx, run_id, now, result=OK, next_due=now + INTERVAL, seen=len(entries), counts={Outcome.UNCHANGED: len(entries)}
            )
        )

    def _sorted(self, tx: Transaction, run: Run, entries: tuple[Any, ...], now: datetime) -> tuple[Arrival, ...]:
        sorted_out = triage(tx, entries, run.source, run.horizon, now)
        for arrival, ending in sorted_out.ended:
            intake.note(tx, run, arrival, ending, now)
        return sorted_out.going_on

    async def _take_in(self, run: Run, arrival: Arrival, piece: Piece, now: datetime) -> None:
        raw = self.raw.append(piece.page) if piece.page else None
        await self.archive.writing(lambda tx: intake.take_in(tx, run, arrival, piece.appraisal, now, raw))

    async def _tell(self, now: datetime) -> None:
        desk, config = self.office.desk, self.office.config
        while (await self.archive.writing(lambda tx: matching.match_pending(tx, desk, now))).articles:
            pass
        await digests.make_due(self.archive, desk, now)
        await outbox.send_due(self.archive, transport_of(config), self.sender, now)
