"""Which sources have their turn: those that are due over lines that work, and of a line that is down a probe now and then.

What the connection's judgement needs to know, and what follows from it, is kept in the archive here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from core.errors import StorageError
from core.log import values
from crawler.connection import AT_ONCE, LONGEST_AT_ONCE, PROBES_AT_ONCE, WITNESSES, Connection, Line, is_answer, is_silence
from crawler.net.address import host_of
from crawler.net.proxies import proxy_name
from storage import settings, sources

if TYPE_CHECKING:
    from core.clock import Clock
    from core.errors import FetchError, ReadingError
    from core.source import Source
    from crawler.net.manners import Manners
    from storage.archive import Archive, Transaction
    from storage.sources import SourceState

log = logging.getLogger("jingbao.crawler")

OFFLINE_SINCE = "connection.down"
"""The archive's fact: since when (RFC 3339) which lines are down, by name; DIRECT_LINE is the one without a proxy."""
DIRECT_LINE = "direct"
_ROUND = 1.2
"""So many intervals after it was asked last, every source has been asked again: they are spread a little."""
RETURN_OVER = timedelta(minutes=10)
"""Once a line works again, what has become due meanwhile is spread over so long."""


def down_lines(tx: Transaction) -> dict[str, datetime]:
    """The lines that are down, and since when (aware UTC)."""
    kept: dict[str, str] = settings.get(tx, OFFLINE_SINCE) or {}
    return {name: datetime.fromisoformat(since) for name, since in kept.items()}


class Dispatch:
    """Gives out sources, and hears how asking them went."""

    def __init__(self, archive: Archive, manners: Manners, clock: Clock) -> None:
        self._archive = archive
        self._manners = manners
        self._clock = clock
        self._connection: Connection | None = None
        self._among: Sequence[Source] = ()

    async def due(self, among: Sequence[Source], limit: int) -> list[str]:
        """The keys of those of `among` with their turn now, probes first, then the longest overdue. Raises StorageError."""
        self._among = among
        now, connection = self._clock.now(), await self._known()
        over = {source.key: self._line(source) for source in among}
        if connection.keep_only(over.values()):
            await self._archive.writing(lambda tx: _keep(tx, connection))
        working = frozenset(key for key, line in over.items() if not connection.is_down(line))
        to_probe = [line for line in connection.down if connection.may_probe(line, now)]

        def ask(tx: Transaction) -> list[str]:
            found: list[str] = []  # probes come first: a backlog on other lines is no reason to leave one down
            for line in to_probe:
                found += sources.due(tx, now, PROBES_AT_ONCE, frozenset(key for key in over if over[key] == line))
            return [*found, *sources.due(tx, now, limit, working)][:limit]

        turn = await self._archive.reading(ask)
        probed = {over[key] for key in turn} & set(to_probe)
        if probed:
            self._manners.client.forget_silence()
        for line in probed:
            connection.probed(line, now)
        return turn

    async def heard(self, source: Source) -> None:
        """The source's host answered: its line works. Raises StorageError."""
        connection, line, now = await self._known(), self._line(source), self._clock.now()
        since, before = connection.down.get(line), connection.line(line)
        if not connection.heard(line):
            return
        self._manners.client.forget_silence()
        theirs = [each.key for each in self._over(line)]

        def work(tx: Transaction) -> int:
            _keep(tx, connection)
            return sources.spread(tx, theirs, now, RETURN_OVER)

        with _taking_back(connection, line, before):
            waiting = await self._archive.writing(work)
        log.info("online again", extra=values(line=line, since=since, sources_waiting=waiting))

    async def failed(self, source: Source, state: SourceState, error: FetchError | ReadingError) -> bool:
        """The source's list did not come; gives whether its line is down, so that nobody is charged. Raises StorageError."""
        connection, line = await self._known(), self._line(source)
        if is_silence(error, by_gateway=self._by_gateway(source)):
            await self._silent(connection, line, source, error.reason, was_sound=state.failures == 0)
        elif is_answer(error):
            await self.heard(source)
        return connection.is_down(line)

    async def _silent(self, connection: Connection, line: str, source: Source, reason: str, *, was_sound: bool) -> None:
        now, before, theirs = self._clock.now(), connection.line(line), self._over(line)
        was_down = connection.is_down(line)
        hosts = len({host_of(each.url) for each in theirs}) or WITNESSES
        within = max([AT_ONCE, *(min(each.interval * _ROUND, LONGEST_AT_ONCE) for each in theirs)])
        host = host_of(source.url)
        forgiven = connection.silent(line, source.key, host, now, was_sound=was_sound, hosts=hosts, within=within)
        if connection.is_down(line) and not was_down:
            with _taking_back(connection, line, before):
                await self._archive.writing(partial(self._went_down, connection, forgiven - {source.key}, now))
            log.warning("offline: no source is charged", extra=values(line=line, reason=reason))

    def _went_down(self, connection: Connection, forgiven: set[str], now: datetime, tx: Transaction) -> None:
        _keep(tx, connection)
        sources.forgive(tx, forgiven, now)

    async def _known(self) -> Connection:
        if self._connection is None:
            down = await self._archive.reading(down_lines)
            if self._connection is None:  # another may have been quicker meanwhile
                self._connection = Connection(down)
        return self._connection

    def _by_gateway(self, source: Source) -> bool:
        """Whether the proxy itself asks for this source's list, and so answers in its place; through https it cannot."""
        return self._manners.proxy_for(source).startswith("http") and source.url.startswith("http:")

    def _over(self, line: str) -> list[Source]:
        return [each for each in self._among if self._line(each) == line]

    def _line(self, source: Source) -> str:
        proxy = self._manners.proxy_for(source)
        return proxy_name(proxy) if proxy else DIRECT_LINE


@contextmanager
def _taking_back(connection: Connection, name: str, before: Line | None) -> Iterator[None]:
    """Around what keeps a judgement: where the archive refuses it, the next answer or silence is judged anew."""
    try:
        yield
    except StorageError:
        connection.take_back(name, before)
        raise


def _keep(tx: Transaction, connection: Connection) -> None:
    settings.put(tx, OFFLINE_SINCE, {name: since.isoformat() for name, since in connection.down.items()})
