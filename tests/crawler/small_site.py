"""A site of a few pages on loopback that counts what is asked of it; for the road's tests."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Item:
    """An item of the site's feed and the article behind it."""

    slug: str
    title: str
    text: str
    published: str = "Tue, 20 Jan 2026 08:00:00 +0000"
    guid: str = ""
    query: str = ""


@dataclass
class SmallSite:
    """A feed at /feed and its articles; `statuses` makes single paths fail.

    `lies` is an ETag that its feed keeps whatever it holds: asked whether it changed, it never has.
    """

    port: int = 0
    items: list[Item] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    feed_summary: str = ""
    redirects: dict[str, str] = field(default_factory=dict)
    moved: int = 302
    silent: set[str] = field(default_factory=set)
    lies: str = ""
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rss(self) -> str:
        items = "".join(
            f"<item><title>{item.title}</title><link>{self.base}/{item.slug}{item.query}</link>"
            f"<guid isPermaLink='false'>{item.guid or item.slug}</guid><pubDate>{item.published}</pubDate>"
            f"<description>{self.feed_summary or item.text[:120]}</description></item>"
            for item in self.items
        )
        return f"<rss version='2.0'><channel><title>Small</title>{items}</channel></rss>"

    def page(self, item: Item) -> str:
        paragraphs = "".join(f"<p>{part}</p>" for part in item.text.split("\n"))
        return (
            f"<html><head><title>{item.title}</title><meta property='og:title' content='{item.title}'></head><body>"
            f"<article><h1>{item.title}</h1>{paragraphs}</article></body></html>"
        )

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path
        self.asked[path] += 1
        self.was_asked.set()
        if path in self.silent:
            await asyncio.Event().wait()
        if path in self.redirects:
            return web.Response(status=self.moved, headers={"Location": self.redirects[path]})
        if path in self.statuses:
            return web.Response(status=self.statuses[path])
        if path in self.bodies:
            return web.Response(text=self.bodies[path], content_type="text/html")
        if path == "/feed" and self.lies and request.headers.get("If-None-Match") == self.lies:
            return web.Response(status=304)
        if path == "/feed":
            headers = {"ETag": self.lies} if self.lies else {}
            return web.Response(text=self.rss(), content_type="application/rss+xml", headers=headers)
        for item in self.items:
            if path == f"/{item.slug}":
                return web.Response(text=self.page(item), content_type="text/html")
        return web.Response(status=404)


@asynccontextmanager
async def small_site(*items: Item, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[SmallSite]:
    """The site, served on loopback, on a free port unless told."""
    site = SmallSite(items=list(items))
    app = web.Application()
    app.router.add_get("/{tail:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    tcp = web.TCPSite(runner, host, port)
    await tcp.start()
    site.port = runner.addresses[0][1]
    try:
        yield site
    finally:
        await runner.cleanup()
