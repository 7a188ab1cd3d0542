"""A source: where coverage is collected, and all that is known of how to read it. The shapes of the catalogue's entries."""

from __future__ import annotations

import codecs
import re
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_KEY = r"^[a-z0-9][a-z0-9-]{0,63}$"
_PROXY_SCHEMES = {"http", "https", "socks4", "socks5", "socks5h"}


class Model(BaseModel):
    """The base of all configuration values: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_zones = cache(available_timezones)  # it walks the zone files anew each time


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("expected a time zone's IANA name, as in Asia/Shanghai or Europe/Berlin")
    return name


def _http_address(url: str) -> str:
    if not re.match(r"https?://[^/\s]+", url):
        raise ValueError("expected an address that starts with http:// or https://")
    return url


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"expected a regular expression; {error}") from error
    return text


def _proxy(text: str) -> str:
    try:
        url = urlsplit(text)
        port = url.port or (80 if url.scheme in {"http", "https"} else 0)
        usable = url.scheme in _PROXY_SCHEMES and bool(url.hostname) and port > 0
    except ValueError:
        usable = False
    if text not in {"", "direct"} and not usable:
        example = "http://127.0.0.1:7890 or socks5://127.0.0.1:1080 (USER:PASSWORD and an @ before the host if it wants them)"
        raise ValueError(f"expected a proxy as in {example}, or direct")
    return text


def _encoding(name: str) -> str:
    try:
        known = not name or getattr(codecs.lookup(name.strip().lower().removeprefix("x-")), "_is_text_encoding", True)
    except (LookupError, ValueError):
        known = False
    if not known:
        raise ValueError("expected a character encoding's name, as in utf-8, gb18030 or big5")
    return name


def _selector(text: str) -> str:
    from lxml.cssselect import CSSSelector  # noqa: PLC0415  (wanted only where a source has selectors)

    try:
        if text:
            CSSSelector(text)
    except (SyntaxError, RuntimeError, ValueError) as error:  # cssselect's two kinds of errors, and lxml's
        raise ValueError(f"expected a CSS selector; {error}") from None
    return text


Zone = Annotated[str, AfterValidator(_known_zone)]
HttpUrl = Annotated[str, AfterValidator(_http_address)]
Pattern = Annotated[str, AfterValidator(_pattern)]
Key = Annotated[str, Field(pattern=_KEY)]
Proxy = Annotated[str, AfterValidator(_proxy)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Selector = Annotated[str, AfterValidator(_selector)]


class SourceKind(StrEnum):
    """How a source's new articles are found."""

    FEED = "feed"
    LISTING = "listing"
    API = "api"
    SITEMAP = "sitemap"


class Scope(StrEnum):
    """What a source writes about; judgement asks more of a general one than of one that writes on AI alone."""

    GENERAL = "general"
    TECH = "tech"
    AI_ONLY = "ai-only"
    RESEARCH = "research"
    NEWSLETTER = "newsletter"
    THINK_TANK = "think-tank"
    GOVERNMENT = "government"
    COMPANY = "company"


class Reach(StrEnum):
    """From where a source is known to answer."""

    EVERYWHERE = "everywhere"
    NOT_FROM_MAINLAND = "not-from-mainland"
    NOT_FROM_OUTSIDE = "not-from-outside"
    UNKNOWN = "unknown"


class ListingRules(Model):
    """Where a list page keeps its items. With no `item` and no `link_pattern`, links are detected automatically.

    `item`, `link`, `title`, `date`, `summary` are CSS selectors, all but `item` inside the item (empty: the item's first
    link, its text, any date found). `date_attribute` reads the date from an attribute. `link_pattern` is a regular
    expression the absolute address must contain. `pages` are further list pages, read with the first.
    """

    item: Selector = ""
    link: Selector = ""
    title: Selector = ""
    date: Selector = ""
    date_attribute: str = ""
    summary: Selector = ""
    link_pattern: Pattern = ""
    pages: tuple[HttpUrl, ...] = ()


class ApiFields(Model):
    """Paths (dots, [number], as in `data.list[0].title`) to an item's fields, from the item. Empty: the item has none.

    A value with braces is a template over paths: `{day} {clock}` joins two fields.
    """

    url: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    published: str = ""
    guid: str = ""
    author: str = ""
    outlet: str = ""


class ApiRules(Model):
    """A list in JSON, alone or inside an HTML page.

    `items` is the path to the list (`a[].b` flattens lists on the way; empty: the JSON is the list itself). `pages` are
    further addresses of the same shape, read with the first. `embedded_*` finds the JSON in an HTML page: a
    CSS selector of a script element, or a regular expression whose group 1 is where the JSON value begins.
    `url_template` builds the address from fields in braces, as in `https://example.com/a/{id}`, where `fields.url` gives none.
    `time_unit` says what a number in `published` counts; a text is read by its shape, or by `time_format` (strptime).
    """

    method: Literal["GET", "POST"] = "GET"
    body: str = ""
    body_type: Literal["application/json", "application/x-www-form-urlencoded"] = "application/json"
    items: str = ""
    fields: ApiFields
    pages: tuple[HttpUrl, ...] = ()
    url_template: str = ""
    embedded_selector: Selector = ""
    embedded_pattern: Pattern = ""
    time_unit: Literal["seconds", "milliseconds"] = "seconds"
    time_format: str = ""


class SitemapRules(Model):
    """Which parts of a sitemap are read: `include` filters article addresses; of an index, the newest `newest_children`."""

    include: Pattern = ""
    newest_children: int = Field(default=3, ge=1, le=50)


class PageRules(Model):
    """CSS selectors for a source's article pages, each empty where the general reader does well; `remove` drops elements."""

    text: Selector = ""
    title: Selector = ""
    date: Selector = ""
    date_attribute: str = ""
    author: Selector = ""
    credit: Selector = ""
    remove: Selector = ""


class UrlRewrite(Model):
    r"""A change to the addresses a source gives: `pattern` (a regular expression) becomes `replacement` (`\1`: its group 1)."""

    pattern: Pattern
    replacement: str = ""


class Source(Model):
    """One source, as the catalogue or config.yaml describes it.

    `language` is the one expected (`zh` or `en`). A date without a zone is read in `zone`; left empty it is Asia/Shanghai
    for Chinese sources and UTC for others. `text` says where the article's text is: in the feed, on the page, or (paywalled,
    pointers) nowhere: then the headline and summary are kept. `aggregator` marks feeds whose items belong to other outlets.
    `outlet` is the publisher's name where it is not `name`: two sections of one paper are one outlet. `url_rewrites` change
    an item's address before it is looked up or fetched, each once, in order: for mobile hosts and double names of one site.
    """

    key: Key
    name: str
    outlet: str = ""
    kind: SourceKind
    url: HttpUrl
    language: Literal["zh", "en"]
    scope: Scope = Scope.GENERAL
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    zone: Zone | Literal[""] = ""
    interval_minutes: float = Field(default=30, gt=0, le=7 * 24 * 60)
    delay_seconds: float = Field(default=2.0, ge=0, le=300)
    enabled: bool = True
    text: Literal["page", "feed", "none"] = "page"
    encoding: Encoding = ""
    headers: dict[str, str] = Field(default_factory=dict)
    user_agent: str = ""
    proxy: Proxy = ""
    proxy_group: str = ""
    aggregator: bool = False
    official: bool = False
    reach: Reach = Reach.UNKNOWN
    listing: ListingRules = ListingRules()
    api: ApiRules | None = None
    sitemap: SitemapRules = SitemapRules()
    page: PageRules = PageRules()
    url_rewrites: tuple[UrlRewrite, ...] = ()
    notes: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Source:
        if self.kind is SourceKind.API and self.api is None:
            raise ValueError("expected `api:` with `items` and `fields`, because kind is api")
        return self

    @property
    def tz(self) -> ZoneInfo:
        """The zone a date without one is read in."""
        return ZoneInfo(self.zone or ("Asia/Shanghai" if self.language == "zh" else "UTC"))

    @property
    def publisher(self) -> str:
        """The outlet its own items belong to; an aggregator's items name theirs."""
        return self.outlet or self.name

    @property
    def interval(self) -> timedelta:
        """How long after one collection the next is due."""
        return timedelta(minutes=self.interval_minutes)
