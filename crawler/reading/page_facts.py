"""What a page says of itself: JSON-LD (schema.org), meta elements, its headings; read once, asked by name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crawler.reading import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lxml.html import HtmlElement

_ARTICLE_TYPES = ("Article", "Posting", "Report", "NewsArticle")
_META_CHARS = 2000
_JSON_LD_CHARS = 500_000
_CONTROLS = re.compile(r"[\x00-\x1f]+")
_SEPARATORS = re.compile(r"\s+[-–—|·•:»«/]+\s+|\s*[|｜丨_»«]+\s*|\s*-\s*(?=[^-]{2,12}$)|\s*[—–]{1,2}\s*(?=[^—–]{2,12}$)")
_BYLINES = "//a[@rel='author'] | //*[@itemprop='author']"
_BY = re.compile(r"^\s*(?:by\s+|written by\s+|(?:作者|记者)\s*[:：/丨|]?|文\s*[:：/丨|])", re.IGNORECASE)
_SAME = re.compile(r"\W+")


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A page's own account: `article` is its schema.org article (or empty), `meta` its meta elements by lower-case name."""

    tree: HtmlElement
    article: Mapping[str, Any]
    meta: Mapping[str, str]

    def first(self, *names: str) -> str:
        """The first meta element that is there, of those named."""
        return next((self.meta[name] for name in names if self.meta.get(name)), "")


def read_facts(tree: HtmlElement) -> PageFacts:
    """Read a page's JSON-LD and meta elements; what cannot be read counts as not there."""
    meta: dict[str, str] = {}
    for element in tree.iter("meta"):
        name = element.get("property") or element.get("name") or element.get("itemprop") or ""
        content = plain.one_line(element.get("content") or "", _META_CHARS)
        if name and content:
            meta.setdefault(name.strip().lower(), content)
    articles = [node for node in _json_ld(tree) if _is_article(node)]
    return PageFacts(tree, max(articles, key=len, default={}), meta)


def _json_ld(tree: HtmlElement) -> Iterator[dict[str, Any]]:
    for script in tree.iter("script"):
        text = script.text or ""
        if "ld+json" in (script.get("type") or "") and len(text) < _JSON_LD_CHARS:
            try:
                # Raw line ends inside strings are common, and no JSON; nowhere in JSON do they mean anything.
                value = json.loads(_CONTROLS.sub(" ", text).strip().rstrip(";"))
            except (ValueError, RecursionError):
                continue
            yield from _nodes(value)


def _nodes(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if isinstance(value, list) and depth < 4:
        for item in value[:50]:
            yield from _nodes(item, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        yield value
        yield from _nodes([value.get("@graph"), value.get("mainEntity"), value.get("mainEntityOfPage")], depth + 1)


def _is_article(node: Mapping[str, Any]) -> bool:
    kinds = node.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(name, str) and name.endswith(_ARTICLE_TYPES) for name in names)


def text_of(value: Any) -> str:
    """A schema.org value as text: a string, a thing's name, or the first of a list."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or ""
    return value if isinstance(value, str) else ""


def title(facts: PageFacts) -> str:
    """The article's headline, without the site's name.

    The candidates (schema.org headline, og:title, the h1 elements, the title element) vouch for each other: of those that
    another one begins with, the longest wins, cut where a heading ends or at its separators.
    """
    full = plain.title_text(text_of_element(facts.tree.find(".//title")))
    site = facts.first("og:site_name", "application-name", "twitter:site")
    stated = [text_of(facts.article.get("headline")), facts.first("og:title", "twitter:title", "articletitle")]
    stated = [plain.title_text(candidate) for candidate in stated]
    headings = [plain.title_text(text_of_element(heading)) for heading in list(facts.tree.iter("h1"))[:5]]
    candidates = [candidate for candidate in (*stated, full, *headings) if len(candidate) > 1]
    vouched = [one for place, one in enumerate(candidates) if any(_within(one, other) for other in _others(candidates, place))]
    best = max(vouched or candidates[:1], key=len, default="")
    best = full if len(best) * 3 < len(full) else best  # a heading that is only the site's name
    for candidate in (*headings, *stated):
        rest = best[len(candidate) :].lstrip()
        whole = rest[:1].isalnum() or (not rest and candidate not in headings)
        if best.startswith(candidate) and len(candidate) * 3 > len(best) and not whole:
            return candidate
    return without_site(best, site)


def _others(candidates: list[str], place: int) -> list[str]:
    return candidates[:place] + candidates[place + 1 :]


def _within(candidate: str, other: str) -> bool:
    small, large = _SAME.sub("", candidate).lower(), _SAME.sub("", other).lower()
    return len(small) >= 4 and large.startswith(small)


def without_site(full: str, site: str) -> str:
    """A title element's text cut at its separators: the longest part, unless the site's name says where to cut."""
    parts = [part.strip() for part in _SEPARATORS.split(full) if part and part.strip()]
    parts = [part for part in parts if not site or _SAME.sub("", part).lower() != _SAME.sub("", site).lower()] or parts
    if len(parts) < 2:
        return parts[0] if parts else full
    longest = max(parts, key=len)
    return full[: full.find(parts[-1])].rstrip(" -–—|｜丨_·•:»«/") if longest != parts[-1] and len(parts[-1]) < 15 else longest


def text_of_element(element: HtmlElement | None) -> str:
    """All text within an element, or empty if there is none."""
    return "" if element is None else "".join(element.itertext())


def authors(facts: PageFacts) -> tuple[str, ...]:
    """The people the page names as authors, in JSON-LD or meta elements, else in a `rel=author` or byline element."""
    stated = facts.article.get("author")
    people = stated if isinstance(stated, list) else [stated]
    found = [text_of(person) for person in people if person]
    found = found or [facts.first("author", "article:author", "byl", "dc.creator", "parsely-author", "sailthru.author")]
    found = [name for name in found if name and not name.startswith("http")]
    found = found or [text_of_element(element) for element in facts.tree.xpath(_BYLINES)[:3]]
    return plain.names(part for name in found for part in _people(name))


def _people(name: str) -> list[str]:
    """`By A, B and C` or `记者：甲 乙` as single names."""
    name = _BY.sub("", name)
    return [part.strip() for part in re.split(r"\s*(?:,|、|;|；|\band\b|&|/|\n)\s*", name) if 1 < len(part.strip()) < 40]


def language_tag(facts: PageFacts) -> str:
    """The BCP 47 tag the page claims, lower case, or empty."""
    root = facts.tree.getroottree().getroot()
    return (root.get("lang") or facts.first("og:locale", "language", "content-language")).lower()


def canonical_link(facts: PageFacts, url: str) -> str:
    """The address the page calls its own, if it is on the same site and not just the site's front page; else empty."""
    links = (element for element in facts.tree.iter("link") if (element.get("rel") or "").lower() == "canonical")
    stated = [element.get("href") or "" for element in links]
    for link in (*stated, facts.first("og:url")):
        address = plain.http_url(link, url)
        if address and same_site(address, url) and len(path_of(address)) > 1:
            return address
    return ""


def same_site(one: str, other: str) -> bool:
    """Whether two addresses share the registrable part of their host, near enough: its last two labels, three if short."""
    return _site(one) == _site(other)


def _site(url: str) -> str:
    labels = (urlsplit(url).hostname or "").split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and len(labels[-2]) <= 3 else labels[-2:])


def path_of(url: str) -> str:
    """Everything after the host."""
    parts = urlsplit(url)
    return parts.path + parts.query
