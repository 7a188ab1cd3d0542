"""A list in JSON, alone or inside an HTML page, becomes entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from core.document import Document
    from core.source import Source
    from crawler.reading.listing import ListReading


def read_api(document: Document, source: Source, now: datetime, max_items: int) -> ListReading:
    """The items of a JSON list as `source.api` describes it, at most `max_items`.

    Raises ReadingError: UNREADABLE if there is no JSON or no such list in it, BLOCKED if it is a challenge page.
    """
    raise NotImplementedError
