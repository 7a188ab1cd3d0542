"""Documents spoilt at random: by a seed, the same spoilt document every time; and what a reader must make of it."""

from __future__ import annotations

import random
import resource
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.article import Entry
from core.document import DocumentKind
from core.errors import ReadingError
from crawler.reading.api import read_api
from crawler.reading.feeds import FeedReading, read_feed
from crawler.reading.listing import read_listing
from crawler.reading.pages import read_page
from crawler.reading.sitemaps import read_sitemap
from tests.reading import feed_texts, page_texts
from tests.reading.bad_input import corpus
from tests.reading.documents import NOW, URL, document, source

CPU_SECONDS = 2
MEMORY_BYTES = 50_000_000
TITLE_CHARACTERS = 500
MAX_ITEMS = 2000
_SMALL = 20_000

SITEMAP = (
    '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://news.example.com/a/1.html</loc>'
    "<lastmod>2026-11-23T09:05:00+08:00</lastmod><news:news><news:title>一条新闻</news:title>"
    "<news:publication_date>2026-11-23</news:publication_date></news:news></url>"
    "<url><loc>https://news.example.com/a/2.html</loc></url></urlset>"
)
LIST = page_texts.chinese_page(
    [f'<a href="/a/{number}.html">第{number}条新闻的标题，说的是一家公司的新模型</a> 2026-11-{number:02}' for number in range(1, 12)]
)
JSON_LIST = (
    '{"code": 0, "data": {"total": 2, "items": [{"url": "/a/1", "title": "一条新闻", "at": 1764000000, "sum": "摘要"},'
    ' {"url": "https://news.example.com/a/2", "title": "另一条", "at": "2026-11-23 09:05"}]}}'
)
API = {"items": "data.items", "fields": {"url": "url", "title": "title", "published": "at", "summary": "sum"}}
_FEEDS = [getattr(feed_texts, name) for name in ("RSS", "ATOM", "RDF", "RSS_091", "ATOM_03", "JSON_FEED")]
_FEEDS += [feed_texts.long_rss(12)]


def _small(cases: dict[str, bytes]) -> list[bytes]:
    return [body for body in cases.values() if 0 < len(body) < _SMALL]


SEEDS: dict[DocumentKind, list[bytes]] = {
    DocumentKind.FEED: [text.encode() for text in _FEEDS] * 8 + _small(corpus.CHARACTERS | corpus.STRUCTURES | corpus.DATES | corpus.LINKS),
    DocumentKind.PAGE: [page_texts.chinese_page().encode(), page_texts.ENGLISH_PAGE.encode()] * 8 + [*_small(corpus.PAGES)],
    DocumentKind.LIST: [LIST.encode(), page_texts.chinese_page().encode("gb18030")],
    DocumentKind.SITEMAP: [SITEMAP.encode()] * 8 + [*_small(corpus.SITEMAPS)],
    DocumentKind.API: [JSON_LIST.encode(), feed_texts.JSON_FEED.encode()],
}
# What breaks parsers: references, declarations, openings without ends, numbers and lengths past every bound.
NASTIES = [
    b"&#xD800;", b"&#x110000;", b"&#0;", b"&#13;&#10;", b"&amp;amp;", b"&undefined;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml ", b"?>",
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"\x00", b"\x1b[31m", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xf0\x9f\xa4\x96",
    b"<item>", b"</item>", b"<entry>", b"</channel>", b"<title>", b"<link>", b"<a href='", b"javascript:alert(1)", b"http://[", b"https://%00/",
    b"encoding='utf-7'", b"encoding='utf-16'", b"charset=gb2312", b"9" * 40, b"-1", b"1e999", b"NaN", b"null", b"[[[[[[[[", b"{{{{", b"\\ud800",
    b"2026-02-30", b"0000-00-00T99:99:99+99:99", b"<svg/onload=x>", b"<table><table>", b"xml:base='http://127.0.0.1/'", b"<base href='//'>",
]  # fmt: skip


def spoilt(random_: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds after one to eight changes, most often few: a wreck is refused before it asks much."""
    body = bytearray(random_.choice(seeds))
    for _ in range(random_.choice([1, 1, 1, 2, 2, 3, 5, 8])):
        random_.choice(_CHANGES)(body, random_, seeds)
    return bytes(body[: 4 * _SMALL])


def _span(body: bytearray, random_: random.Random, longest: int = 200) -> tuple[int, int]:
    start = random_.randint(0, len(body))
    return start, min(len(body), start + random_.randint(0, longest))


def _flip(body: bytearray, random_: random.Random, _seeds: Sequence[bytes]) -> None:
    for _ in range(min(len(body), random_.choice([1, 1, 2, 6]))):
        body[random_.randrange(len(body))] = random_.randrange(256)


def _delete(body: bytearray, random_: random.Random, _seeds: Sequence[bytes]) -> None:
    start, end = _span(body, random_)
    del body[start:end]


def _repeat(body: bytearray, random_: random.Random, _seeds: Sequence[bytes]) -> None:
    start, end = _span(body, random_, 60)
    body[end:end] = body[start:end] * random_.choice([1, 2, 5, 40, 300])


def _move(body: bytearray, random_: random.Random, _seeds: Sequence[bytes]) -> None:
    start, end = _span(body, random_)
    moved = body[start:end]
    del body[start:end]
    place = random_.randint(0, len(body))
    body[place:place] = moved


def _insert(body: bytearray, random_: random.Random, _seeds: Sequence[bytes]) -> None:
    place = random_.randint(0, len(body))
    body[place:place] = random_.choice(NASTIES) * random_.choice([1, 1, 1, 3, 50])


def _cut(body: bytearray, random_: random.Random, _seeds: Sequence[bytes]) -> None:
    del body[random_.randint(0, len(body)) :]


def _splice(body: bytearray, random_: random.Random, seeds: Sequence[bytes]) -> None:
    other = random_.choice(seeds)
    place = random_.randint(0, len(body))
    body[place:] = other[random_.randint(0, len(other)) :]


_CHANGES: list[Callable[[bytearray, random.Random, Sequence[bytes]], None]] = [_flip, _flip, _delete, _repeat, _move, _insert, _insert, _cut, _splice]


def read(kind: DocumentKind, body: bytes) -> object:
    """What the reader of this kind makes of it. Raises ReadingError."""
    come = document(body, kind=kind)
    match kind:
        case DocumentKind.FEED:
            return read_feed(come, source(), frozenset(), NOW, MAX_ITEMS)
        case DocumentKind.PAGE:
            return read_page(come, Entry(URL + "1"), source(), NOW)
        case DocumentKind.LIST:
            return read_listing(come, source(kind="listing"), NOW, MAX_ITEMS)
        case DocumentKind.SITEMAP:
            return read_sitemap(come, source(kind="sitemap"), NOW, MAX_ITEMS)
        case _:
            return read_api(come, source(kind="api", api=API), NOW, MAX_ITEMS)


@dataclass(frozen=True)
class PastItsTimeError(Exception):
    """A document took more CPU time than any may."""


def spoil_and_read(kind: DocumentKind, seed: int, count: int) -> Counter[str]:
    """Spoil and read `count` documents; what was made of them, counted. Raises what a reader must not raise, with its seed."""
    ends: Counter[str] = Counter()
    old = signal.signal(signal.SIGPROF, _too_long)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        for number in range(seed, seed + count):
            body = spoilt(random.Random(f"{kind}/{number}"), SEEDS[kind])
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            try:
                ends[_end(read(kind, body))] += 1
            except ReadingError as error:
                ends[str(error.outcome) if error.reason else "unreasoned"] += 1
            except BaseException as error:
                error.add_note(f"{kind} {number}: {body[:300]!r}")
                raise
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            higher = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            assert (higher - peak) * 1024 < MEMORY_BYTES or number < seed + 50, f"{kind} {number} took {higher - peak} KB"
            peak = higher
    finally:
        signal.signal(signal.SIGPROF, old)
    return ends


def _too_long(*_: object) -> None:
    raise PastItsTimeError


def _end(reading: object) -> str:
    """`read` or `empty`; what it holds must be within every bound."""
    entries = getattr(reading, "entries", None)
    if entries is None:
        return "read"
    assert len(entries) <= MAX_ITEMS
    for entry in entries:
        assert entry.url.startswith(("http://", "https://"))
        assert len(entry.title) <= TITLE_CHARACTERS
        assert "\x00" not in entry.title + entry.summary + entry.url
        (entry.title + entry.summary + entry.url + entry.guid).encode()
    if isinstance(reading, FeedReading):
        assert reading.found >= len(entries)
    return "read" if entries else "empty"
