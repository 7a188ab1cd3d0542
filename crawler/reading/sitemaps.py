"""A sitemap becomes entries, newest first: sitemaps.org's urlset and index, Google's news extension, plain lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from core.article import Entry
    from core.document import Document
    from core.outcomes import Outcome
    from core.source import Source


@dataclass(frozen=True, slots=True)
class SitemapReading:
    """What a sitemap names: articles (`entries`, newest first), or further sitemaps to read (`children`, newest first).

    `unread` counts by outcome what is not among them: REFUSED (no usable address), TOO_BIG (past a limit), OFF_TOPIC (left
    out by the source's `include`).
    """

    entries: tuple[Entry, ...] = ()
    children: tuple[str, ...] = ()
    unread: Mapping[Outcome, int] = field(default_factory=dict)


def read_sitemap(document: Document, source: Source, now: datetime, max_items: int) -> SitemapReading:
    """The newest `max_items` addresses of a sitemap, or an index's newest `source.sitemap.newest_children` sitemaps.

    Raises ReadingError: UNREADABLE if it is no sitemap, TOO_BIG if it unpacks to more than 50 MB (sitemaps.org's limit).
    """
    raise NotImplementedError
