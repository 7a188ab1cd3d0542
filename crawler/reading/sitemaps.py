"""A sitemap becomes entries, newest first: sitemaps.org's urlset and index, Google's news extension, plain lists."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import lxml.etree

from core.article import DateOrigin, Entry, Published
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading import charset, dates, gates, plain, raw_feeds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lxml.etree import _Element

    from core.document import Document
    from core.source import Source

_DAY_IN_ADDRESS = re.compile(r"(?<!\d)(20\d\d)[-/_]?(0[1-9]|1[0-2])[-/_]?(0[1-9]|[12]\d|3[01])(?!\d)")
UNPACKED_BYTES = 50_000_000  # sitemaps.org's limit for one sitemap


@dataclass(frozen=True, slots=True)
class SitemapReading:
    """What a sitemap names: articles (`entries`, newest first), or further sitemaps to read (`children`, newest first).

    `unread` counts by outcome what is not among them: REFUSED (no usable address), TOO_BIG (past `max_items`), TOO_OLD (an
    index's older sitemaps), OFF_TOPIC (left out by the source's `include`).
    """

    entries: tuple[Entry, ...] = ()
    children: tuple[str, ...] = ()
    unread: Mapping[Outcome, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Place:
    """One `<url>` or `<sitemap>`: its address and the texts of its parts by local name."""

    url: str
    parts: Mapping[str, str]

    @property
    def order(self) -> str:
        """What newest-first goes by: the news extension's date, the day in the address, or `lastmod`, as ISO 8601 text.

        Parsing 50,000 dates would take longer than a document may; ISO 8601 sorts as text, zones aside.
        """
        day = _DAY_IN_ADDRESS.search(self.url)
        return self.parts.get("publication_date") or ("-".join(day.groups()) if day else self.parts.get("lastmod", ""))


def read_sitemap(document: Document, source: Source, now: datetime, max_items: int) -> SitemapReading:
    """The newest `max_items` addresses of a sitemap, or an index's newest `source.sitemap.newest_children` sitemaps.

    An address without any date counts as older than all that have one; among equals the sitemap's order stays, from its end
    if its dates rise, since sitemaps grow at their end. Raises ReadingError: UNREADABLE if it is no sitemap, BLOCKED if it is
    a challenge page, TOO_BIG if it unpacks to more than 50 MB.
    """
    text = charset.decode(_unpacked(document.body), document.content_type, source.encoding).text.strip()
    if not text.startswith("<"):
        return _entries(_plain_list(text, document.url), source, now, max_items)
    root = _parsed(text)
    name = _local(root)
    if name not in {"urlset", "sitemapindex"}:
        gates.refuse_list_gate(text, plain.from_html(text))
        raise ReadingError(Outcome.UNREADABLE, "the answer is a web page or other markup, but no sitemap")
    places = [_place(element, document.url) for element in root if _local(element) in {"url", "sitemap"}]
    if name == "urlset":
        return _entries(places, source, now, max_items)
    newest = _newest_first([place for place in places if place.url])
    children = tuple(dict.fromkeys(place.url for place in newest))
    count = source.sitemap.newest_children
    return SitemapReading(children=children[:count], unread=dict(+Counter({Outcome.TOO_OLD: len(children) - count})))


def _unpacked(body: bytes) -> bytes:
    """The body, unpacked if it is gzip, bomb-proof."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain_bytes = unpacker.decompress(body, UNPACKED_BYTES)
    except zlib.error as error:
        raise ReadingError(Outcome.UNREADABLE, f"the packed sitemap is broken ({error})") from error
    if unpacker.unconsumed_tail:
        raise ReadingError(Outcome.TOO_BIG, "the sitemap unpacks to more than 50 MB")
    return plain_bytes


def _parsed(text: str) -> _Element:
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, recover=True, remove_comments=True)
    try:
        root = lxml.etree.fromstring(raw_feeds.safe(text).encode(), parser)
    except (lxml.etree.XMLSyntaxError, ValueError) as error:
        raise ReadingError(Outcome.UNREADABLE, f"the sitemap is broken XML ({error})"[:200]) from error
    if root is None:
        raise ReadingError(Outcome.UNREADABLE, "the answer is no sitemap")
    return root


def _local(element: _Element) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _place(element: _Element, base: str) -> _Place:
    parts: dict[str, str] = {}
    for part in element.iter():
        if part.text and not part.text.isspace():
            parts.setdefault(_local(part), part.text.strip())
    return _Place(plain.http_url(parts.get("loc", ""), base), parts)


def _plain_list(text: str, base: str) -> list[_Place]:
    """A text sitemap: one address a line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not lines[0].startswith(("http://", "https://")):
        raise ReadingError(Outcome.UNREADABLE, "the answer is no sitemap")
    return [_Place(plain.http_url(line, base), {}) for line in lines]


def _newest_first(places: list[_Place]) -> list[_Place]:
    orders = [place.order for place in places if place.order]
    rising = not orders or orders[0] < orders[-1]
    return sorted(places[::-1] if rising else places, key=lambda place: place.order, reverse=True)


def _published(place: _Place, source: Source, now: datetime) -> Published | None:
    """The news extension's date, else the one in the address, else `lastmod`."""
    if moment := dates.parse_date(place.parts.get("publication_date", ""), source.tz, now):
        return moment.published(DateOrigin.LIST)
    if moment := dates.date_in_url(place.url, source.tz, now):
        return moment.published(DateOrigin.URL)
    moment = dates.parse_date(place.parts.get("lastmod", ""), source.tz, now)
    return moment.published(DateOrigin.LIST) if moment else None


def _entries(places: list[_Place], source: Source, now: datetime, max_items: int) -> SitemapReading:
    usable = [place for place in places if place.url]
    wanted = [place for place in usable if re.search(source.sitemap.include, place.url)]
    newest: dict[str, _Place] = {}
    for place in _newest_first(wanted):
        newest.setdefault(place.url, place)
    entries = tuple(
        Entry(place.url, title=plain.title_text(place.parts.get("title", "")), published=_published(place, source, now))
        for place in list(newest.values())[:max_items]
    )
    unread = Counter({
        Outcome.REFUSED: len(places) - len(usable),
        Outcome.OFF_TOPIC: len(usable) - len(wanted),
        Outcome.TOO_BIG: len(newest) - len(entries),
    })
    return SitemapReading(entries, unread=dict(+unread))
