"""An article's page becomes a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.article import Draft, Entry

if TYPE_CHECKING:
    from datetime import datetime

    from core.document import Document
    from core.source import Source


def read_page(document: Document, entry: Entry, source: Source, now: datetime) -> Draft:
    """The article a page holds; what the page does not say is taken from `entry`, which may be `Entry(url)` alone.

    Raises ReadingError: BLOCKED for a challenge or log-in wall, GONE for a "not found" page, UNREADABLE if there is no article
    (a file that is no HTML, a gate page, a nearly empty one), each with a reason for people.
    """
    raise NotImplementedError


def draft_from_entry(entry: Entry, source: Source, now: datetime) -> Draft:
    """A draft from the feed alone: for full text in the feed, for headline-only sources, and where the page could not be read.

    Raises ReadingError (UNREADABLE) if the entry has neither title nor text.
    """
    raise NotImplementedError
