"""An article on its way: entry → draft → judged article → stored article. All frozen; each stage adds, none changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.language import Language


class Precision(StrEnum):
    """How exactly a date is known."""

    SECOND = "second"
    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"


class DateOrigin(StrEnum):
    """Where a date was read."""

    FEED = "feed"
    LIST = "list"
    JSON_LD = "json-ld"
    META = "meta"
    PAGE = "page"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Published:
    """When something was published, as far as it is known.

    `at` is aware UTC; with precision `day` or `month` it is the start of that day or month in `zone`. `zone` is the IANA
    name or the offset (`+08:00`) it was read in; `zone_stated` says whether the document named it or the source's was taken.
    """

    at: datetime
    precision: Precision
    origin: DateOrigin
    zone: str
    zone_stated: bool


class TextExtent(StrEnum):
    """How much of the article's text is held."""

    FULL = "full"
    PARTIAL = "partial"
    SUMMARY = "summary"
    HEADLINE = "headline"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed, list, API answer or sitemap; text fields are plain text, cleaned, maybe empty.

    `url` is absolute http(s). `outlet` is set where the item names its publisher (Google News `<source>`).
    `content` is the full text where the feed carries it. `fingerprint` is a hash of the raw item: equal = unchanged.
    """

    url: str
    title: str = ""
    summary: str = ""
    content: str = ""
    guid: str = ""
    published: Published | None = None
    updated: datetime | None = None
    authors: tuple[str, ...] = ()
    outlet: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was read of an article: from its page, or from its entry alone.

    `text` is plain text with paragraphs divided by one newline, without wire credits and boilerplate. `credit` is the
    original source where the text names one (新华社). `extent_reason` says in a few words why `extent` is what it is.
    `url` is where the text was found after redirects; `canonical_link` is what the page itself names, or empty.
    """

    url: str
    title: str
    text: str
    summary: str
    language: Language
    extent: TextExtent
    extent_reason: str
    published: Published | None = None
    authors: tuple[str, ...] = ()
    credit: str = ""
    outlet: str = ""
    canonical_link: str = ""


@dataclass(frozen=True, slots=True)
class Relevance:
    """Whether something is coverage of China's AI sector, and why: `reasons` are short, for people."""

    relevant: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What makes a text comparable.

    `text_hash`: 16 bytes, equal for equal folded text (with hardly any: title and text). `signature`: MinHash, 64 little-endian
    uint32 (256 bytes), empty if the text is too short to compare. `bands`: 63-bit hashes of bands of the signature, and one of
    the title; two near-copies, and two articles under one title, share one. A short text under a short title has none.
    `weight`: the text's length in weighted characters (a Han character counts as several Latin ones).
    """

    text_hash: bytes
    signature: bytes
    bands: tuple[int, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article already held that a new draft may be the same as, with what is needed to tell.

    `text_hash`, `signature` and `weight` are those of its Fingerprint; `url` is its canonical URL; `at` (aware UTC) is
    the moment it is sorted by. `story_id` is the story a copy of it would join.
    """

    article_id: int
    story_id: int
    outlet: str
    source: str
    url: str
    title: str
    text_hash: bytes
    signature: bytes
    weight: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a draft: relevance, the watchlist ids it mentions, and its fingerprint."""

    relevance: Relevance
    mentions: frozenset[str]
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """What is known of the story an article belongs to: distinct outlets, the presses (`zh`, `en`) and which came first."""

    story_id: int
    outlets: int = 1
    presses: frozenset[str] = frozenset()
    first_press: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """An article as the archive holds it.

    `id` never changes. `published` may be unknown; `discovered` (aware UTC) is when jingbao first saw it. `copy_of` is
    the id of the article it reprints. `baseline` marks what a source's first collection brought: kept, never mailed.
    """

    id: int
    story_id: int
    source: str
    outlet: str
    url: str
    canonical_url: str
    title: str
    text: str
    summary: str
    language: Language
    extent: TextExtent
    extent_reason: str
    published: Published | None
    discovered: datetime
    authors: tuple[str, ...] = ()
    credit: str = ""
    reasons: tuple[str, ...] = ()
    mentions: frozenset[str] = frozenset()
    copy_of: int | None = None
    baseline: bool = False
    updated: datetime | None = None
    story: StoryFacts = field(default_factory=lambda: StoryFacts(0))

    @property
    def at(self) -> datetime:
        """The moment it is sorted and filtered by: published, never after discovered; discovered where unknown (aware UTC)."""
        return min(self.published.at, self.discovered) if self.published else self.discovered

    @property
    def body(self) -> str:
        """The text a query reads beside the title: the article's text, or its summary where there is none."""
        return self.text or self.summary
