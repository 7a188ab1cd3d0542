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
    published: Published | None


def read_sitemap(document: Document, source: Source, now: datetime, max_items: int) -> SitemapReading:
    """The newest `max_items` addresses of a sitemap, or an index's newest `source.sitemap.newest_children` sitemaps.

    An address without any date counts as older than all that have one; among equals the sitemap's order stays, from its end
    if its dates rise, since sitemaps grow at their end. Raises ReadingError: UNREADABLE if it is no sitemap, BLOCKED if it is
    a challenge page, TOO_BIG if it unpacks to more than 50 MB.
    """
    text = charset.decode(_unpacked(document.body), document.content_type, source.encoding).text.strip()
    if not text.startswith("<"):
        return _entries(_plain_list(text, document, source, now), source, max_items)
    root = _parsed(text)
    name = _local(root)
    if name not in {"urlset", "sitemapindex"}:
        gates.refuse_list_gate(text, plain.from_html(text))
        raise ReadingError(Outcome.UNREADABLE, "the answer is a web page or other markup, but no sitemap")
    places = [_place(element, document, source, now) for element in root if _local(element) in {"url", "sitemap"}]
    if name == "urlset":
        return _entries(places, source, max_items)
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


def _place(element: _Element, document: Document, source: Source, now: datetime) -> _Place:
    parts: dict[str, str] = {}
    for part in element.iter():
        if part.text and part.text.strip() and _local(part) not in parts:
            parts[_local(part)] = part.text.strip()
    return _dated(plain.http_url(parts.get("loc", ""), document.url), parts, source, now)


def _dated(url: str, parts: Mapping[str, str], source: Source, now: datetime) -> _Place:
    """A place with its date: the news extension's, else the address's, else `lastmod`."""
    moment = dates.parse_date(parts.get("publication_date", ""), source.tz, now)
    origin = DateOrigin.LIST
    if not moment and (moment := dates.date_in_url(url, source.tz, now)):
        origin = DateOrigin.URL
    if not moment:
        moment, origin = dates.parse_date(parts.get("lastmod", ""), source.tz, now), DateOrigin.LIST
    return _Place(url, parts, moment.published(origin) if moment else None)


def _plain_list(text: str, document: Document, source: Source, now: datetime) -> list[_Place]:
    """A text sitemap: one address a line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or not lines[0].startswith(("http://", "https://")):
        raise ReadingError(Outcome.UNREADABLE, "the answer is no sitemap")
    return [_dated(plain.http_url(line, document.url), {}, source, now) for line in lines]


def _newest_first(places: list[_Place]) -> list[_Place]:
    dated = [place for place in places if place.published]
    rising = len(dated) > 1 and _seconds(dated[0]) < _seconds(dated[-1])
    ordered = places[::-1] if rising or not dated else places
    return sorted(ordered, key=_seconds, reverse=True)


def _seconds(place: _Place) -> float:
    """The moment to sort by; without a date, before all others."""
    return place.published.at.timestamp() if place.published else 0.0


def _entries(places: list[_Place], source: Source, max_items: int) -> SitemapReading:
    usable = [place for place in places if place.url]
    wanted = [place for place in usable if re.search(source.sitemap.include, place.url)]
    unique = list({place.url: place for place in reversed(_newest_first(wanted))}.values())[::-1]
    entries = tuple(_entry(place) for place in unique[:max_items])
    unread = Counter({
        Outcome.REFUSED: len(places) - len(usable),
        Outcome.OFF_TOPIC: len(usable) - len(wanted),
        Outcome.TOO_BIG: len(unique) - len(entries),
    })
    return SitemapReading(entries, unread=dict(+unread))


def _entry(place: _Place) -> Entry:
    title = plain.title_text(place.parts.get("title", ""))
    return Entry(place.url, title=title, published=place.published)
