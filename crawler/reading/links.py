"""Which links of a page are its articles: those that look alike, say much, and stand beside dates.

Links are grouped by the shape of their address (what is a number, what a word). A group's score is how much its anchors say,
Han characters weighing three times a Latin one, with a premium for a date beside the link or in its address; menus say little.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.reading import plain

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_ASIDE = frozenset({"nav", "footer", "form", "select"})
_LABEL_WEIGHT = 18  # an anchor that says no more than this (six Han characters) is a label
_MOST_WEIGHT = 70  # more than this tells nothing more
_DATE_PREMIUM = 20
_RUNNER_UP = 0.4  # a group with this share of the best one's score holds articles, too
_CUT = ("…", "...")
_DATED = re.compile(
    r"(?:19|20)\d\d\s?[-/.年]|\d\s?月\s?\d|\b\d{1,2}[-/]\d{1,2}\b|\d{1,2}:\d\d|\d\s?[\u4e00-\u9fff]{1,2}前|昨天|前天|今天|刚刚|"
    r"\bago\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"20\d\d[-/_]?(?:0[1-9]|1[0-2])")
_MEDIA = re.compile(r"\.(?:jpe?g|png|gif|webp|svg|pdf|zip|apk|mp[34]|docx?|xlsx?|pptx?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """A link to an article with what stands beside it; all text as found."""

    url: str
    title: str
    date: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class ListPage:
    """A parsed page and the address its links are relative to."""

    tree: HtmlElement
    base: str

    def address(self, anchor: HtmlElement) -> str:
        """Where a link leads, without its fragment; empty unless http(s) and another document than this page."""
        url = plain.http_url(anchor.get("href") or "", self.base).partition("#")[0]
        return "" if url == self.base.partition("#")[0] or _MEDIA.search(urlsplit(url).path) else url


def base_of(tree: HtmlElement, url: str) -> str:
    """What relative links are relative to: the page's `<base href>`, else its address."""
    stated = next((element.get("href") for element in tree.iter("base") if element.get("href")), "")
    return plain.http_url(stated, url) or url


def every_link(page: ListPage) -> list[Item]:
    """Every link that has a text, in order, for a pattern to choose from."""
    return [_item(url, anchors) for url, anchors in _anchors(page).items() if title_of(anchors)]


def article_links(page: ListPage) -> list[Item]:
    """The links that look like the page's articles, in order; empty if none stand out."""
    items = [_item(url, anchors) for url, anchors in _anchors(page, skip_asides=True).items()]
    groups: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        groups[_shape(item.url)].append(item)
    scores = {shape: sum(_score(item) for item in group) for shape, group in groups.items()}
    best = max(scores.values(), default=0)
    chosen = {shape for shape, score in scores.items() if best and score >= best * _RUNNER_UP}
    return [item for item in items if _shape(item.url) in chosen and plain.weight(item.title) > _LABEL_WEIGHT / 2]


def _anchors(page: ListPage, *, skip_asides: bool = False) -> dict[str, list[HtmlElement]]:
    """Anchors by address, in order of first appearance: picture, headline and "more" of one article lead to one place."""
    found: dict[str, list[HtmlElement]] = {}
    for anchor in page.tree.iter("a"):
        url = page.address(anchor)
        if url and not (skip_asides and any(ancestor.tag in _ASIDE for ancestor in anchor.iterancestors())):
            found.setdefault(url, []).append(anchor)
    return found


def _item(url: str, anchors: list[HtmlElement]) -> Item:
    said = max(anchors, key=lambda anchor: len(title_of([anchor])))
    return Item(url, title_of(anchors), date_near(said))


def _shape(url: str) -> tuple[str, str]:
    """Host and path with numbers as `#`, words as `a`; the ending stays: /tech/20260708/c_12.html is a/#/#.html."""
    parts = urlsplit(url)
    path, dot, ending = parts.path.rpartition(".")
    if not dot or "/" in ending:
        path, dot, ending = parts.path, "", ""
    pieces = [_kind(piece) for piece in path.strip("/").split("/")]
    return parts.netloc, "/".join(pieces) + dot + ending + ("?" if parts.query else "")


def _kind(piece: str) -> str:
    if re.search(r"\d{2}", piece):
        return "#"
    return "slug" if piece.count("-") > 2 else "a"


def _score(item: Item) -> float:
    said = min(plain.weight(item.title), _MOST_WEIGHT) - _LABEL_WEIGHT
    if said <= 0:
        return 0
    return said + (_DATE_PREMIUM if item.date else 0) + (_DATE_PREMIUM if _IN_ADDRESS.search(item.url) else 0)


def title_of(anchors: list[HtmlElement]) -> str:
    """The headline that the anchors of one article give: a heading, else the longest line; uncut by a title attribute."""
    headings = [heading for anchor in anchors for heading in anchor.xpath(".//h1|.//h2|.//h3|.//h4|.//h5|.//h6")]
    texts = [plain.from_tree(element).replace("\n", " ") for element in headings]
    texts = [text for text in texts if text] or [_line(plain.from_tree(anchor)) for anchor in anchors]
    best = max(texts, key=plain.weight, default="")
    stated = max((anchor.get("title") or "" for anchor in anchors), key=len, default="").strip()
    bare = best.rstrip(".… ")
    return stated if stated and (not best or (best.endswith(_CUT) and stated.startswith(bare))) else best


def _line(text: str) -> str:
    """The line of a card that is its headline: the first that is more than a label, else the longest."""
    lines = text.split("\n")
    said = (line for line in lines if plain.weight(line) > _LABEL_WEIGHT and not _only_date(line))
    return next(said, max(lines, key=plain.weight))


def _only_date(line: str) -> bool:
    return len(line) < 24 and bool(_DATED.search(line))


def date_near(anchor: HtmlElement) -> str:
    """The text or attribute beside a link that looks like a date: in it, or in the ancestors that hold no other article."""
    here: HtmlElement | None = anchor
    for _ in range(4):
        if here is None or here.tag in {"body", "html", "table", "ul", "ol"} or len(_addresses(here)) > 4:
            return ""
        for element in here.iter("time"):
            if element.get("datetime"):
                return element.get("datetime") or ""
        for line in plain.from_tree(here).split("\n"):
            if len(line) <= 60 and _DATED.search(line) and line != (anchor.text or "").strip():
                return line
        here = here.getparent()
    return ""


def _addresses(element: HtmlElement) -> set[str]:
    return {anchor.get("href") or "" for anchor in element.iter("a")}
