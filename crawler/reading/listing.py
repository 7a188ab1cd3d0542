"""A list page becomes entries: by a source's selectors, or by finding which of its links are the articles."""

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
class ListReading:
    """The entries of a list page or an API answer, in its order, without repeats.

    `unread` counts by outcome the items that are not among them: REFUSED (no usable link), TOO_BIG (past `max_items`).
    """

    entries: tuple[Entry, ...]
    unread: Mapping[Outcome, int] = field(default_factory=dict)


def read_listing(document: Document, source: Source, now: datetime, max_items: int) -> ListReading:
    """The articles a list page links to, at most `max_items`.

    Raises ReadingError: UNREADABLE if there is no HTML or no item in it, BLOCKED if it is a challenge page.
    """
    raise NotImplementedError
