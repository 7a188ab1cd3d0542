"""The daemon's duties, made from one configuration."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from alerts.digests import make_due, quiet_readers
from alerts.matching import Matched, match_pending
from alerts.outbox import resume, send_due, withdraw_gone
from console.disk import LOOK_EVERY, DiskKeeper
from console.first_hour import Dawn, arrive, find_place
from console.ping import Ping
from console.settings import Settings
from console.troubles import EVERY as TELL_EVERY
from console.troubles import tell_operator
from console.word import daemon_word
from console.workshop import Workshop, workshop
from core.article import Article
from core.log import values
from crawler.judgement import canonical
from crawler.net.pace import Pace
from lexicon.mentions import MentionFinder
from scheduler.duties import Duties, Duty, Job
from scheduler.memory import give_back
from storage import addresses, articles, likeness, sources
from storage.archive import Archive, Transaction

log = logging.getLogger("jingbao.console")

ITEMS_KEPT = timedelta(days=3)
"""How long a feed item is known by its hash after the feed last carried it; later it is known by its address."""
BANDS_KEPT = timedelta(days=60)
"""How long a text's near-copies are found; wire copies come within days, reposts within weeks."""
UPKEEP_EVERY = timedelta(minutes=10)
PLACE_EVERY = timedelta(seconds=30)
MENTIONS_AT_ONCE = 200


async def open_duties(settings: Settings, archive: Archive, pace: Pace) -> Duties:
    """Open all that a configuration's duties work with; `close` of the duties gives it back. The archive stays open."""
    now = settings.clock.now()

    def begin(tx: Transaction) -> None:
        sources.ensure(tx, [source.key for source in settings.sources], now)
        if addresses.note_rules(tx, canonical.VERSION) != canonical.VERSION:
            log.warning("canonical URLs are made by new rules; some older articles may be collected once more")
        resume(tx)  # whoever starts or reloads has perhaps just mended the mail set-up

    async with AsyncExitStack() as stack:
        work = _Work(await stack.enter_async_context(workshop(settings, archive, pace)), DiskKeeper(settings, archive))
        await work.disk.look()
        await archive.writing(begin)
        await arrive(archive, settings)
        return work.duties(stack.pop_all().aclose)


@dataclass(slots=True)
class _Work:
    shop: Workshop
    disk: DiskKeeper
    wrapping_up: bool = False
    stopping: bool = False
    dawn: Dawn = field(default_factory=Dawn)

    def duties(self, close: Duty) -> Duties:
        collection = self.shop.settings.config.collection
        ping = Ping(self.shop.settings, self.shop.archive, self.shop.manners)
        return Duties(
            due=self.due,
            collect=self.collect,
            jobs=(
                Job("match", self.match),
                Job("digest", self.digest),
                Job("send", self.send),
                Job("place", lambda: find_place(self.shop.archive, self.shop.settings), PLACE_EVERY),
                Job("first-light", lambda: self.dawn.watch(self.shop)),
                Job("notices", lambda: tell_operator(self.shop), TELL_EVERY),
                Job("ping", ping.send, ping.every),
                Job("disk", self.disk.look, LOOK_EVERY),
                Job("upkeep", self.upkeep, UPKEEP_EVERY),
            ),
            wrap_up=self.wrap_up,
            stop=self.stop,
            close=close,
            sources_at_once=collection.sources_at_once,
            tick=timedelta(seconds=collection.tick_seconds),
            word=self.word,
        )

    async def word(self) -> str:
        return await self.shop.archive.reading(lambda tx: daemon_word(tx, self.shop.settings))

    def wrap_up(self) -> None:
        self.wrapping_up = True
        self.disk.wrap_up()

    async def stop(self) -> None:
        self.stopping = True
        await self.shop.collector.stop()

    async def due(self, limit: int) -> list[str]:
        if self.disk.waiting:
            return []
        return await self.shop.collector.due(self.shop.settings.sources, limit)

    async def collect(self, key: str) -> None:
        source = self.shop.settings.source(key)
        if source is not None:  # else a reload took it out a moment ago
            with self.disk.noting():
                await self.shop.collector.collect(source)

    async def match(self) -> None:
        while not self.wrapping_up:
            matched = await self.shop.archive.writing(self._match)
            if not matched.articles:
                return
            if matched.matches:
                found = {str(state): count for state, count in matched.matches.items()}
                log.info("matched", extra=values(articles=matched.articles, **found))

    def _match(self, tx: Transaction) -> Matched:
        return match_pending(tx, self.shop.desk, self.shop.settings.clock.now())

    async def digest(self) -> None:
        now = self.shop.settings.clock.now()
        await make_due(self.shop.archive, self.shop.desk, now)

    async def send(self) -> None:
        shop, now = self.shop, self.shop.settings.clock.now()
        await withdraw_gone(shop.archive, shop.desk)
        sender, quiet = shop.settings.config.mail.sender, quiet_readers(shop.desk, now)
        await send_due(
            shop.archive,
            shop.transport,
            sender,
            now,
            quiet=quiet,
            wrapping_up=lambda: self.wrapping_up,
            stopping=lambda: self.stopping,
        )

    async def upkeep(self) -> None:
        now = self.shop.settings.clock.now()
        await self.disk.tidy()

        def forget(tx: Transaction) -> None:
            sources.forget_items(tx, now - ITEMS_KEPT)
            likeness.forget_bands(tx, now - BANDS_KEPT)

        await self.shop.archive.writing(forget)
        await self.shop.archive.upkeep()
        await asyncio.to_thread(give_back)
        await self._renew_mentions()

    async def _renew_mentions(self) -> None:
        """Bring mentions up to the watchlist's version, a few articles at a time; nothing is mailed for it."""
        version, finder = self.shop.settings.watchlist.version, self.shop.desk.finder
        while not self.wrapping_up:
            stale = await self.shop.archive.reading(lambda tx: articles.stale_mentions(tx, version, MENTIONS_AT_ONCE))
            if not stale:
                return
            found = await asyncio.to_thread(_mentions, finder, stale)

            def keep(tx: Transaction, found: dict[int, frozenset[str]] = found) -> None:
                for article_id, mentions in found.items():
                    articles.set_mentions(tx, article_id, mentions, version)

            await self.shop.archive.writing(keep)


def _mentions(finder: MentionFinder, texts: Sequence[Article]) -> dict[int, frozenset[str]]:
    return {each.id: finder.find(each.title, each.body) for each in texts}
