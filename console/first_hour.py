"""Two of the daemon's jobs: to find out where it is, and to tell each reader, once, what the first round brought."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from alerts.desk import Desk
from alerts.first_light import FirstLight, Round, look, look_at_sources
from alerts.first_light_mail import KIND, message_for, shown_on_terminal
from console.settings import Settings
from console.workshop import Workshop
from core.config import Reader
from core.log import values
from core.source import Source
from core.standing import Standing
from crawler.reach import goes_by_proxy
from crawler.standpoint import Standpoint, Survey, keep, standpoint, survey
from storage import articles, outbox, overview, settings, sources
from storage.archive import Archive, Transaction

log = logging.getLogger("jingbao.console")

LONGEST_ROUND = timedelta(minutes=20)
"""First light comes when a daemon has worked so long at the latest, with what there is by then."""
_KEY = settings.FIRST_LIGHT
NOBODY = Reader(key="you", addresses=("you@localhost",))
"""Whom a terminal is told as where no reader is configured."""


async def find_place(archive: Archive, of: Settings) -> None:
    """Find out where the machine is, and put off what is out of reach from there. Writes only where something changed."""
    now, proxied = of.clock.now(), _proxied(of)

    def ask(tx: Transaction) -> tuple[Standpoint, Survey | None]:
        return standpoint(tx), survey(tx, of.config.location, of.sources, proxied, now)

    before, found = await archive.reading(ask)
    if found is None:
        return
    await archive.writing(lambda tx: keep(tx, found, now))
    after = found.standpoint
    if after.location is not before.location:
        log.info("location", extra=values(location=str(after.location), out_of_reach=len(after.put_off)))


async def arrive(archive: Archive, of: Settings) -> None:
    """What comes before the first job: to note a beginning, and to put off what is out of reach from a configured location."""
    await archive.writing(lambda tx: _note_beginning(tx, of.clock.now()))
    await find_place(archive, of)


class Dawn:
    """First light, once for an archive. A reader who is added later gets none: it is about a beginning."""

    def __init__(self) -> None:
        self._over = False  # saves the question in all later ticks
        self._since: datetime | None = None  # when this daemon began to watch: a time it stood still is no round

    async def watch(self, shop: Workshop) -> None:
        """Tell what the first round brought, if it is through and was not told."""
        if self._over:
            return
        now = shop.settings.clock.now()
        kept = await shop.archive.reading(lambda tx: settings.get(tx, _KEY))
        self._over = bool(kept["told"])
        since = self._since = self._since or now
        if self._over or not await shop.archive.reading(lambda tx: _through(tx, shop.settings, since, now)):
            return
        await find_place(shop.archive, shop.settings)  # once more, with what the last answer of the round says
        for light in await shop.archive.writing(lambda tx: _break(tx, shop, kept, now)):
            tell(light)
        self._over = True


def _note_beginning(tx: Transaction, now: datetime) -> None:
    """Note that an archive begins at `now`; one that a daemon of an earlier version has worked on is past its first light."""
    if settings.get(tx, _KEY) is None:
        worked_before = overview.any_match(tx) or bool(outbox.latest_messages(tx, 1))
        settings.put(tx, _KEY, {"began": now.isoformat(), "told": now.isoformat() if worked_before else None})


def _break(tx: Transaction, shop: Workshop, kept: dict[str, Any], now: datetime) -> list[FirstLight]:
    settings.put(tx, _KEY, {**kept, "told": now.isoformat()})
    lights = [first_light(tx, shop.settings, shop.desk, reader, now) for reader in shop.settings.config.readers]
    for light in lights:
        if not outbox.has_mail(tx, light.reader.key, KIND):  # told before a restore that did not know of it
            for address in light.reader.addresses:
                outbox.put(tx, message_for(light, shop.settings.config.mail, address), now)
    return lights or [first_light(tx, shop.settings, shop.desk, NOBODY, now)]


def _through(tx: Transaction, of: Settings, since: datetime, now: datetime) -> bool:
    """Whether every source in reach has come to the end of a run and its articles were matched, or it has taken too long.

    However long it takes, there is nothing to tell before one of them has.
    """
    round_ = _round(tx, of)
    if now - since >= LONGEST_ROUND:
        return len(round_.pending) < round_.asked or not round_.asked
    return round_.through and not articles.unmatched(tx, 1)


def _round(tx: Transaction, of: Settings) -> Round:
    place = standpoint(tx)
    return look_at_sources(tx, _asked(tx, of), str(place.location), place.unreachable, _proxied(of))


def _proxied(of: Settings) -> frozenset[str]:
    """The sources that are asked through a proxy."""
    network = of.config.network
    return frozenset(each.key for each in of.sources if goes_by_proxy(each, network.proxy, network.proxy_groups))


def _asked(tx: Transaction, of: Settings) -> list[Source]:
    """The sources that are on and not paused."""
    states = sources.states(tx)
    return [each for each in of.sources if each.key not in states or states[each.key].standing is not Standing.PAUSED]


def first_light(tx: Transaction, of: Settings, desk: Desk, reader: Reader, now: datetime) -> FirstLight:
    """What the archive holds for a reader at `now` (aware UTC), seen from where the machine is."""
    place, proxied = standpoint(tx), _proxied(of)
    location, away = str(place.location), place.unreachable
    return look(tx, desk, reader, on=_asked(tx, of), location=location, unreachable=away, proxied=proxied, now=now)


def tell(light: FirstLight) -> None:
    """Tell the log in one line; a terminal's display shows the whole text that goes with it."""
    said = values(
        reader=light.reader.key,
        sources=light.round.asked,
        answered=light.round.answered,
        out_of_reach=len(light.round.out_of_reach),
        articles=light.total,
        **{f"{outlook.rule.replace('-', '_')}_found": outlook.total for outlook in light.outlooks},
        more="jingbao first-light",
    )
    log.info("first light", extra=said | {"jingbao_text": shown_on_terminal(light)})
