"""Search: the index finds, the matcher confirms where the index alone cannot tell, the newest come first.

A query means what lexicon/matcher.py says, here as in alerts. How it is kept fast: docs/design/archive.md.
"""

from __future__ import annotations

from storage.search.rebuilding import reindex
from storage.search.searching import Order, SearchResult, count, iterate, search

__all__ = ["Order", "SearchResult", "count", "iterate", "reindex", "search"]
