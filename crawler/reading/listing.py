"""A list page becomes entries: by a source's selectors, or by finding which of its links are the articles."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.article import DateOrigin, Entry, Published
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading import charset, dates, gates, links, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lxml.html import HtmlElement

    from core.document import Document
    from core.source import ListingRules, Source


@dataclass(frozen=True, slots=True)
class ListReading:
    """The entries of a list page or an API answer, in its order, without repeats.

    `unread` counts by outcome the items that are not among them: REFUSED (no usable link), TOO_BIG (past `max_items`).
    """

    entries: tuple[Entry, ...]
    unread: Mapping[Outcome, int] = field(default_factory=dict)

    @property
    def found(self) -> int:
        """All items of the list: read and unread."""
        return len(self.entries) + sum(self.unread.values())


def list_of(found: Iterable[Entry | None], max_items: int) -> ListReading:
    """A reading of entries, where None stands for an item without a usable link. Repeated addresses count once."""
    items = list(found)
    unique = {entry.url: entry for entry in reversed(items) if entry}
    entries = list(dict.fromkeys(unique[entry.url] for entry in items if entry))
    unread = {Outcome.REFUSED: sum(entry is None for entry in items), Outcome.TOO_BIG: max(0, len(entries) - max_items)}
    return ListReading(tuple(entries[:max_items]), {outcome: count for outcome, count in unread.items() if count})


def read_listing(document: Document, source: Source, now: datetime, max_items: int) -> ListReading:
    """The articles a list page links to, at most `max_items`.

    Raises ReadingError: UNREADABLE if there is no HTML or no item in it, BLOCKED if it is a challenge page.
    """
    markup = charset.decode(document.body, document.content_type, source.encoding).text
    tree = plain.parse_html(markup)
    if tree is None:
        raise ReadingError(Outcome.UNREADABLE, "the list page is empty")
    page = links.ListPage(tree, links.base_of(tree, document.url))
    found = list(_items(page, source, now))
    if not any(found):
        gates.refuse_list_gate(markup, plain.from_tree(tree))
        what = "nothing that the source's selectors find" if source.listing.item else "no list of articles"
        raise ReadingError(Outcome.UNREADABLE, f"the list page holds {what}")
    return list_of(found, max_items)


def _items(page: links.ListPage, source: Source, now: datetime) -> Iterable[Entry | None]:
    rules = source.listing
    if rules.item:
        elements = page.tree.cssselect(rules.item)
        found = [_by_rules(element, page, rules) for element in elements]
    elif rules.link_pattern:
        found = [*links.every_link(page)]
    else:
        found = [*links.article_links(page)]
    for item in found:
        if item is None:
            yield None
        elif re.search(rules.link_pattern, item.url):
            yield _entry(item, source, now)


def _by_rules(element: HtmlElement, page: links.ListPage, rules: ListingRules) -> links.Item | None:
    """One item as its selectors describe it, or None if it has no usable link."""
    anchors = element.cssselect(rules.link) if rules.link else [element] if element.tag == "a" else list(element.iter("a"))
    anchors = [anchor for anchor in anchors if page.address(anchor)]
    if not anchors:
        return None
    url = page.address(anchors[0])
    title = _chosen(element, rules.title) or links.title_of([anchor for anchor in anchors if page.address(anchor) == url])
    date = _date_text(element, rules)
    return links.Item(url, title, date if rules.date else date or links.date_near(element), _chosen(element, rules.summary))


def _chosen(element: HtmlElement, selector: str) -> str:
    found = element.cssselect(selector)[:1] if selector else []
    return plain.from_tree(found[0]) if found else ""


def _date_text(element: HtmlElement, rules: ListingRules) -> str:
    found = element.cssselect(rules.date)[:1] if rules.date else [element] if rules.date_attribute else []
    if found and rules.date_attribute:
        return found[0].get(rules.date_attribute) or ""
    return plain.from_tree(found[0]).replace("\n", " ") if found else ""


def _entry(item: links.Item, source: Source, now: datetime) -> Entry:
    return Entry(
        url=item.url,
        title=plain.title_text(item.title),
        summary=plain.paragraphs(item.summary)[: plain.SUMMARY_CHARS],
        published=_published(item, source, now),
    )


def _published(item: links.Item, source: Source, now: datetime) -> Published | None:
    """The date beside the link, else the one in its address."""
    moment = dates.parse_date(item.date, source.tz, now) if item.date else None
    if moment:
        return moment.published(DateOrigin.LIST)
    in_url = dates.date_in_url(item.url, source.tz, now)
    return in_url.published(DateOrigin.URL) if in_url else None
