"""Drafts, judgements and kept articles for tests: say what matters, the rest is ordinary."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from core.article import (
    DateOrigin,
    Draft,
    Fingerprint,
    Judgement,
    Precision,
    Published,
    Relevance,
    TextExtent,
)
from core.language import Language
from storage import articles
from storage.archive import Transaction

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def published(at: datetime = NOW) -> Published:
    """A date to the minute, read in the feed."""
    return Published(at, Precision.MINUTE, DateOrigin.FEED, "Asia/Shanghai", zone_stated=True)


def draft(title: str = "DeepSeek trains on Ascend", text: str = "", **other: Any) -> Draft:
    """A draft with its full text; give `published=` (a Published), `language=` and so on to change the rest."""
    ordinary: dict[str, Any] = {
        "url": "https://news.test/" + hashlib.blake2b((title + text).encode(errors="surrogatepass"), digest_size=6).hexdigest(),
        "summary": "",
        "language": Language.EN,
        "extent": TextExtent.FULL,
        "extent_reason": "the page's text",
    }
    return Draft(title=title, text=text, **(ordinary | other))


def judgement(
    text: str = "", *, mentions: Collection[str] = (), bands: tuple[int, ...] = (), signature: bytes = b""
) -> Judgement:
    """A verdict of relevant; equal `text` gives an equal hash."""
    text_hash = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
    return Judgement(
        relevance=Relevance(relevant=True, reasons=("names DeepSeek",)),
        mentions=frozenset(mentions),
        fingerprint=Fingerprint(text_hash, signature, bands, weight=len(text)),
    )


def keep(
    tx: Transaction,
    title: str = "DeepSeek trains on Ascend",
    text: str = "",
    *,
    at: datetime = NOW,
    discovered: datetime | None = None,
    source: str = "news",
    outlet: str = "News",
    mentions: Collection[str] = (),
    bands: tuple[int, ...] = (),
    story_id: int | None = None,
    copy_of: int | None = None,
    baseline: bool = False,
    **of_draft: Any,
) -> int:
    """Keep an article published at `at` (and discovered then, unless told); gives its id. Its address is made from its words."""
    made = draft(title, text, published=published(at), **of_draft)
    return articles.insert(
        tx,
        made,
        judgement(title + text, mentions=mentions, bands=bands),
        source=source,
        outlet=outlet,
        canonical_url=f"{made.url}/{source}",
        discovered=discovered or at,
        watchlist_version="1",
        story_id=story_id,
        copy_of=copy_of,
        baseline=baseline,
    )
