"""Captured sites, played: feeds and pages that others recorded, at their own addresses and dates.

Read from the folder of captured data, which is not part of the project ($JINGBAO_SHARED, or `shared` beside the repository). A
feed without a known address is at `http://<set>.test/<path>`. Captures of one feed at several dates (`name@2026-04-23-….xml`)
are played as one feed that changes with the clock; a JSON Feed grows item by item. Each set of pages has a list that links them
(`http://<set>.test/list.html`), and one sitemap (`http://captured.test/sitemap.xml`) names them all.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from yarl import URL

from tests.newsroom.site import conditional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SITEMAP = "http://captured.test/sitemap.xml"
_CAPTURE = re.compile(r"(?P<name>.+)@(?P<day>\d{4}-\d\d-\d\d)-[0-9a-f]+(?P<ending>\.\w+)")
_LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)
_MEDIA_TYPES = {"json": "application/feed+json", "rss": "application/rss+xml", "atom": "application/atom+xml"}


@dataclass(frozen=True, slots=True)
class CapturedFeed:
    """One feed: its address, and its captures by the date each was made (one of long ago if there is but one)."""

    url: str
    set: str
    format: str
    chinese: bool
    captures: dict[datetime, Path] = field(default_factory=dict)

    def body(self, now: datetime) -> bytes:
        """What the feed holds at a moment; empty before its first capture."""
        made = [day for day in self.captures if day <= now]
        if not made:
            return b""
        body = self.captures[max(made)].read_bytes()
        return published_items(body, now) if self.format == "json" else body


@dataclass(frozen=True, slots=True)
class CapturedPage:
    """One article page: `charset` as its server sent it, `day` as its truth has it, both empty if unknown."""

    url: str
    set: str
    file: Path
    charset: str
    title: str
    day: str
    chinese: bool

    def body(self) -> bytes:
        """Its bytes as captured."""
        return gzip.decompress(self.file.read_bytes())


class Captured:
    """All that was captured. Raises FileNotFoundError if the folder is not there."""

    def __init__(self, now: Callable[[], datetime], folder: Path | None = None) -> None:
        self.now = now
        self.folder = folder or captured_folder()
        self.feeds = {feed.url: feed for feed in _feeds(self.folder / "feeds")}
        self.pages = {page.url: page for page in _pages(self.folder / "pages")}
        self._feeds_by_key = {_key(URL(url)): feed for url, feed in self.feeds.items()}
        self._pages_by_key = {_key(URL(url)): page for url, page in self.pages.items()}
        # A client may leave tracking parameters away.
        self._pages_by_path = {key.partition("?")[0]: page for key, page in self._pages_by_key.items()}
        self._pages_by_set: dict[str, list[CapturedPage]] = defaultdict(list)
        for page in self.pages.values():
            self._pages_by_set[page.set].append(page)

    @property
    def lists(self) -> dict[str, list[CapturedPage]]:
        """The pages each list links, by the list's address."""
        return {f"http://{host_of(name)}/list.html": pages for name, pages in self._pages_by_set.items()}

    def feed_at(self, url: URL) -> CapturedFeed | None:
        """The feed at an address, if it was captured."""
        return self._feeds_by_key.get(_key(url))

    def page_at(self, url: URL) -> CapturedPage | None:
        """The page at an address, if it was captured."""
        key = _key(url)
        return self._pages_by_key.get(key) or self._pages_by_path.get(key.partition("?")[0])


def captured_folder() -> Path:
    """Where captured data is kept."""
    shared = os.environ.get("JINGBAO_SHARED")
    root = Path(shared) if shared else Path(__file__).resolve().parents[3] / "shared"
    return root / "data"


def host_of(name: str) -> str:
    """A set's host name, for what has no address of its own."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()) + ".test"


def captured_app(captured: Captured) -> web.Application:
    """One application that answers for every captured host."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", partial(_answer, captured))
    return app


def published_items(body: bytes, now: datetime) -> bytes:
    """A JSON Feed without the items whose date is still to come."""
    feed = json.loads(body)
    feed["items"] = [item for item in feed.get("items", ()) if _published(item) <= now]
    return json.dumps(feed, ensure_ascii=False).encode()


def _published(item: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(str(item.get("date_published")))
    except ValueError:
        return _LONG_AGO
    return at if at.tzinfo else at.replace(tzinfo=UTC)


async def _answer(captured: Captured, request: web.Request) -> web.Response:
    url = request.url
    if feed := captured.feed_at(url):
        body = feed.body(captured.now())
        media_type = _MEDIA_TYPES.get(feed.format, "application/xml")
        return conditional(request, body, media_type) if body else web.Response(status=HTTPStatus.NOT_FOUND)
    if page := captured.page_at(url):
        content_type = f"text/html; charset={page.charset}" if page.charset else "text/html"
        return conditional(request, page.body(), content_type)
    if str(url) == SITEMAP:
        return conditional(request, sitemap(captured.pages.values()), "application/xml; charset=utf-8")
    if pages := captured.lists.get(str(url)):
        return conditional(request, list_page(url.host or "", pages), "text/html; charset=utf-8")
    return web.Response(status=HTTPStatus.NOT_FOUND, text="not captured\n")


def list_page(title: str, pages: Iterable[CapturedPage]) -> bytes:
    """A list in HTML, one item a page, dated where the date is known."""
    rows = "\n".join(
        f'<li class="item"><a href="{escape(page.url)}">{escape(page.title)}</a> <time>{page.day}</time></li>' for page in pages
    )
    head = f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"{head}<body><ul>\n{rows}\n</ul></body></html>".encode()


def sitemap(pages: Iterable[CapturedPage]) -> bytes:
    """A sitemap of all pages."""
    rows = "\n".join(
        f"<url><loc>{escape(page.url)}</loc>{f'<lastmod>{page.day}</lastmod>' if page.day else ''}</url>" for page in pages
    )
    opening = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return f"{opening}\n{rows}\n</urlset>".encode()


def _key(url: URL) -> str:
    """What an address is looked up by: host, path and query; not the scheme, which a proxy's application does not see."""
    return f"{url.host}{url.path_qs}"


def _feeds(folder: Path) -> Iterable[CapturedFeed]:
    feeds: dict[str, CapturedFeed] = {}
    single: list[CapturedFeed] = []
    for row in _rows(folder / "index.csv"):
        name, _, path = row["file"].partition("/")
        capture = _CAPTURE.fullmatch(path)
        path = capture["name"] + capture["ending"] if capture else path
        url = row["url"] or str(URL(f"http://{host_of(name)}/") / path)
        made = datetime.fromisoformat(capture["day"]).replace(tzinfo=UTC) if capture else _LONG_AGO
        feed = CapturedFeed(url, name, row["format"], row["chinese"] == "1", {made: folder / row["file"]})
        if capture and url in feeds:
            feeds[url].captures.update(feed.captures)
        elif capture:
            feeds[url] = feed
        else:
            single.append(feed)
    # Where a feed was captured at several dates, the one file without a date is left out: when it was made is not known.
    return [*feeds.values(), *(feed for feed in single if feed.url not in feeds)]


def _pages(folder: Path) -> Iterable[CapturedPage]:
    truth = {row["file"]: row for row in _lines(folder / "truth.jsonl.gz")}
    for row in _rows(folder / "index.csv"):
        name, _, path = row["file"].partition("/")
        known = truth.get(row["file"], {})
        path = path.removesuffix(".gz")
        yield CapturedPage(
            url=row["url"] or str(URL(f"http://{host_of(name)}/") / path),
            set=name,
            file=folder / row["file"],
            charset=row["charset"],
            title=str(known.get("title") or path),
            day=_day(known.get("date")),
            chinese=row["chinese"] == "1",
        )


def _day(value: object) -> str:
    shape = re.match(r"\d{4}-\d\d-\d\d", str(value or ""))
    return shape[0] if shape else ""


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _lines(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
