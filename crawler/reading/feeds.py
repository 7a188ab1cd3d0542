"""A feed becomes entries: RSS 0.9x to 2.0, Atom 0.3 and 1.0, RDF by feedparser; JSON Feed 1.x by the standard library.

A changed feed costs only its new items: the items whose raw text was seen before are cut out before feedparser sees the rest
(`known`). Where the items cannot be told apart safely, everything is parsed and the known ones are dropped afterwards.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import feedparser

from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading import charset, feed_entries, gates, json_feeds, raw_feeds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.article import Entry
    from core.document import Document
    from core.source import Source


_PREAMBLE_CHARS = 10_000  # what a broken server may print before the feed begins


@dataclass(frozen=True, slots=True)
class FeedReading:
    """What a feed holds that is not known yet.

    `entries` are the unknown ones in the feed's order. `item_hashes` are the 16-byte hashes of all items read or known, to
    be given as `known` next time; an entry's `fingerprint` is its item's hash in hex. `known_count` items were known.
    `unread` counts the items that are none of these, by outcome: REFUSED (no usable link), TOO_BIG (past `max_items`, or one
    huge item), UNREADABLE (cut off in the middle). `format` is feedparser's version name (`rss20`, `atom10`) or `json`.
    """

    entries: tuple[Entry, ...]
    item_hashes: frozenset[bytes]
    title: str = ""
    format: str = ""
    known_count: int = 0
    unread: Mapping[Outcome, int] = field(default_factory=dict)

    @property
    def found(self) -> int:
        """All items of the feed: read, known and unread."""
        return len(self.entries) + self.known_count + sum(self.unread.values())


def read_feed(document: Document, source: Source, known: frozenset[bytes], now: datetime, max_items: int) -> FeedReading:
    """The entries of a feed that are not in `known`, of the feed's first `max_items` items.

    Raises ReadingError: UNREADABLE if this is no feed (a web page, nothing, broken JSON) or its DOCTYPE is dangerous, BLOCKED
    if it is a challenge page, TOO_BIG if it is nested beyond reason.
    """
    text = charset.decode(document.body, document.content_type, source.encoding).text.strip("\x00\ufeff \t\r\n")
    if not text:
        raise ReadingError(Outcome.UNREADABLE, "the feed's answer is empty")
    if "<" not in text[:_PREAMBLE_CHARS] and not text.startswith(("{", "[")):
        raise gates.not_a_feed(text)
    context = feed_entries.Context(source, now, document.url)
    read = _read_json if text.startswith(("{", "[")) else _read_xml
    return read(text, context, known, max_items)


def _read_json(text: str, context: feed_entries.Context, known: frozenset[bytes], max_items: int) -> FeedReading:
    feed = json_feeds.load(text)
    items = json_feeds.items(feed)
    hashed = [(item, raw_feeds.digest(json_feeds.canonical(item))) for item in items[:max_items]]
    fresh = [(json_feeds.entry(item, context), digest) for item, digest in hashed if digest not in known]
    unread = Counter({Outcome.TOO_BIG: max(0, len(items) - max_items)})
    return _reading((json_feeds.title(feed), "json"), fresh, [digest for _, digest in hashed if digest in known], unread)


def _read_xml(text: str, context: feed_entries.Context, known: frozenset[bytes], max_items: int) -> FeedReading:
    raw = raw_feeds.split(raw_feeds.safe(text))
    kept = [item for item in raw.items[:max_items] if not item.huge]
    wanted = [item for item in kept if item.digest not in known]
    parsed = _parsed(raw.with_only(wanted), context.url)
    if len(parsed.entries) != len(wanted) or not raw.items:
        return _read_whole(raw, parsed, context, known, max_items)
    fresh = [(feed_entries.entry(found, context), item.digest) for found, item in zip(parsed.entries, wanted, strict=True)]
    unread = Counter({Outcome.TOO_BIG: len(raw.items) - len(kept), Outcome.UNREADABLE: int(raw.cut_off)})
    return _reading(_heading(parsed), fresh, [item.digest for item in kept if item.digest in known], unread)


def _read_whole(
    raw: raw_feeds.RawFeed, parsed: Any, context: feed_entries.Context, known: frozenset[bytes], max_items: int
) -> FeedReading:
    """Everything through feedparser; an item's hash is then that of what feedparser made of it."""
    if raw.items:
        parsed = _parsed(raw.text, context.url)
    if not parsed.get("version") and not parsed.entries:
        raise gates.not_a_feed(raw.text)
    hashed = [(found, raw_feeds.digest(feed_entries.canonical(found))) for found in parsed.entries[:max_items]]
    fresh = [(feed_entries.entry(found, context), digest) for found, digest in hashed if digest not in known]
    unread = Counter({Outcome.TOO_BIG: max(0, len(parsed.entries) - max_items), Outcome.UNREADABLE: int(raw.cut_off)})
    return _reading(_heading(parsed), fresh, [digest for _, digest in hashed if digest in known], unread)


def _heading(parsed: Any) -> tuple[str, str]:
    return feed_entries.feed_title(parsed.feed), parsed.get("version") or ""


def _reading(
    heading: tuple[str, str], fresh: list[tuple[Entry | None, bytes]], known: list[bytes], unread: Counter[Outcome]
) -> FeedReading:
    entries = tuple(replace(entry, fingerprint=digest.hex()) for entry, digest in fresh if entry)
    unread[Outcome.REFUSED] = len(fresh) - len(entries)
    hashes = frozenset(known).union(digest for _, digest in fresh)
    return FeedReading(entries, hashes, *heading, len(known), dict(+unread))


def _parsed(text: str, url: str) -> Any:
    """What feedparser makes of cleaned text. If it raises on dirt no cleaning foresaw, the feed is unreadable: no crash."""
    # A stream, never a string: feedparser opens strings that look like an address or a file name.
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": url}
    try:
        return feedparser.parse(
            io.BytesIO(text.encode()), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except RecursionError as error:
        raise ReadingError(Outcome.TOO_BIG, "the feed is nested too deeply") from error
    except Exception as error:  # feedparser names no errors of its own: it raises what its parts raise
        raise ReadingError(Outcome.UNREADABLE, f"the feed cannot be parsed ({type(error).__name__}: {error})"[:300]) from error
