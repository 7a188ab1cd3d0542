"""A street on loopback: well-behaved feeds beside sources each of which misbehaves in one way at one place.

One listener plays every host; it tells them apart by the Host header, also as the proxy that is asked for them. It can go dead,
as a network does, and come back at the same port.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from core.outcomes import Outcome
from tests.net.misbehaviour import MISBEHAVIOUR
from tests.net.servers import Behaviour, reply

LOOPBACK = "127.0.0.1"
PLACES = ("feed", "list", "page", "robots", "child")
"""Where a neighbour misbehaves: its feed, its list of HTML rows, its article pages, its robots.txt, a child of its sitemap."""
_LISTS = {
    "feed": ("feed", "/feed"),
    "list": ("listing", "/list"),
    "page": ("feed", "/feed"),
    "robots": ("listing", "/list"),
    "child": ("sitemap", "/sitemap"),
}
NEWS_EVERY = timedelta(minutes=25)
_LATEST = 12
_ROWS = {"item": ".row", "link": "a", "title": "a"}
_FIRMS = (
    "DeepSeek", "Zhipu", "Moonshot AI", "MiniMax", "Baidu", "Tencent", "StepFun", "iFlytek", "SenseTime", "Cambricon",
    "Huawei", "Alibaba",
)  # fmt: skip
_DEEDS = (
    "opens", "trains", "reprices", "withdraws", "tests", "licenses", "shrinks", "explains", "rewrites", "measures",
    "delays", "ships",
)  # fmt: skip
_THINGS = (
    "a speech model", "a reasoning model", "its compiler", "an AI accelerator", "a vision model", "a coding agent",
    "a safety benchmark",
)  # fmt: skip
_FOR = (
    "ferry crews", "tax offices", "tea growers", "tram drivers", "map makers", "night schools", "seed banks",
    "village clinics", "glass works",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A site. `misbehaves` is a name of MISBEHAVIOUR, empty for a good one; `place` is where."""

    number: int
    misbehaves: str = ""
    place: str = "feed"

    @property
    def key(self) -> str:
        """Its source's key."""
        return f"n{self.number}"

    @property
    def expected(self) -> Outcome | None:
        """What its misbehaviour ends in, wherever it stands."""
        return MISBEHAVIOUR[self.misbehaves][1] if self.misbehaves else None

    def source(self, base: str, **more: Any) -> dict[str, Any]:
        """What an operator would write of it."""
        kind, path = _LISTS[self.place]
        about = {"key": self.key, "name": f"Neighbour {self.number}", "kind": kind, "language": "en", "delay_seconds": 0}
        if kind == "listing":
            about["listing"] = dict(_ROWS)
        if self.place == "feed":
            about["text"] = "feed"
        return {**about, "url": f"{base}{path}", **more}


def street(seed: str, good: int, bad: int) -> list[Neighbour]:
    """Some good neighbours and some bad ones, of all there are if `bad` is large enough."""
    ways = [(name, place) for name in MISBEHAVIOUR for place in PLACES]
    chosen = random.Random(seed).sample(ways, min(bad, len(ways)))
    return [Neighbour(number) for number in range(good)] + [
        Neighbour(good + number, name, place) for number, (name, place) in enumerate(chosen)
    ]


@dataclass
class Street:
    """The listener. `now` is the set clock, `asked` how often each host's list was asked for."""

    neighbours: Sequence[Neighbour]
    now: Callable[[], datetime]
    port: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    _server: asyncio.Server | None = None
    _busy: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """News begins some hours before the beginning."""
        self.since = self.now() - 6 * NEWS_EVERY

    def host(self, neighbour: Neighbour, *, named: bool = False) -> str:
        """Its address on loopback, or a name that only a proxy can look up."""
        return f"{neighbour.key}.test" if named else f"127.9.{neighbour.number // 200}.{neighbour.number % 200 + 1}"

    def configuration(self, neighbour: Neighbour, *, named: bool = False, **more: Any) -> dict[str, Any]:
        """Its entry for `sources.add`."""
        return neighbour.source(self._base(self.host(neighbour, named=named)), **more)

    def _base(self, host: str) -> str:
        """A host's address; behind the proxy all are at the usual port."""
        return f"http://{host}" if host.endswith(".test") else f"http://{host}:{self.port}"

    async def come(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(self._answer, "0.0.0.0", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go(self) -> None:
        """Go dead: connections are refused, open ones break off."""
        if self._server:
            self._server.close()
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._busy.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                behaviour = self._behaviour(_host(head), urlsplit(head.split(" ")[1]).path)
                if isinstance(behaviour, bytes):
                    writer.write(behaviour)
                    await writer.drain()
                else:
                    await behaviour(writer)
        finally:
            self._busy.discard(task)
            with suppress(ConnectionError, asyncio.CancelledError):
                writer.close()
                await writer.wait_closed()

    def _behaviour(self, host: str, path: str) -> Behaviour:
        neighbour = next((each for each in self.neighbours if host in {self.host(each), self.host(each, named=True)}), None)
        if neighbour is None:
            return reply(404)
        place = {"/robots.txt": "robots", "/child.xml": "child"}.get(path, "page" if path.startswith("/a/") else path[1:])
        self.asked[neighbour.key] += path == _LISTS[neighbour.place][1]
        if neighbour.misbehaves and (place == neighbour.place or path == "/page"):  # a redirect loop leads to /page
            return MISBEHAVIOUR[neighbour.misbehaves][0]
        return self._page(neighbour, path, self._base(host))

    def _page(self, neighbour: Neighbour, path: str, base: str) -> bytes:
        if path == "/robots.txt":
            return reply(404)
        if path == "/sitemap":
            index = f"<sitemap><loc>{base}/child.xml</loc></sitemap>"
            return reply(200, f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{index}</sitemapindex>".encode())
        if path.startswith("/a/"):
            title, text = _story(neighbour, int(path.rpartition("/")[2]))
            return reply(200, f"<html><title>{title}</title><body><article><h1>{title}</h1>{text}</article></body></html>".encode())
        if path == "/list":
            rows = (f"<div class='row'><a href='/a/{number}'>{_story(neighbour, number)[0]}</a></div>" for number in self._out())
            return reply(200, f"<html><body>{''.join(rows)}</body></html>".encode())
        return reply(200, self._rss(neighbour, base).encode())

    def _rss(self, neighbour: Neighbour, base: str) -> str:
        items = "".join(self._item(neighbour, number, base) for number in self._out())
        return f"<rss version='2.0'><channel><title>{neighbour.key}</title>{items}</channel></rss>"

    def _item(self, neighbour: Neighbour, number: int, base: str) -> str:
        title, text = _story(neighbour, number)
        date = format_datetime(self.since + number * NEWS_EVERY)
        body = "" if neighbour.place == "page" else f"<description><![CDATA[{text}]]></description>"
        return f"<item><title>{title}</title><link>{base}/a/{number}</link><pubDate>{date}</pubDate>{body}</item>"

    def _out(self) -> list[int]:
        """The numbers of what is out by now, newest first."""
        latest = (self.now() - self.since) // NEWS_EVERY
        return list(range(latest, max(latest - _LATEST, -1), -1))


@asynccontextmanager
async def living(street: Street) -> AsyncIterator[Street]:
    """The street, for as long as the context lasts."""
    await street.come()
    try:
        yield street
    finally:
        await street.go()


def _host(head: str) -> str:
    lines = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("host:")]
    return lines[0].strip().partition(":")[0] if lines else ""


def _story(neighbour: Neighbour, number: int) -> tuple[str, str]:
    """Headline and paragraphs (HTML) of one story; no two are alike."""
    chance = random.Random(f"{neighbour.number}/{number}")

    def phrase() -> str:
        return f"{chance.choice(_FIRMS)} {chance.choice(_DEEDS)} {chance.choice(_THINGS)} for {chance.choice(_FOR)}"

    title = f"{phrase()} in China, in {chance.randrange(10**6)} steps"
    return title, "".join(f"<p>{'. '.join(f'{phrase()} at {chance.randrange(10**6)}' for _ in range(5))}.</p>" for _ in range(4))
