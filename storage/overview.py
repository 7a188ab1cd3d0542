"""What the archive holds, looked at from above: the most covered subjects, and what each rule has found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from core.language import Language
from storage.outbox import MatchState
from storage.pieces import pieces
from storage.schema import article, match, mention

if TYPE_CHECKING:
    from storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much is written of one entity of the watchlist: articles by language, and how many outlets."""

    entity: str
    articles: Mapping[Language, int]
    outlets: int

    @property
    def total(self) -> int:
        """Articles in all languages."""
        return sum(self.articles.values())


@dataclass(frozen=True, slots=True)
class Found:
    """One article a rule found for a reader, and what became of it."""

    rule: str
    article_id: int
    story_id: int
    state: MatchState


def coverage(tx: Transaction, since: datetime) -> list[Coverage]:
    """What articles published since then (aware UTC) mention: the entities most outlets write of first, then most articles."""
    recent = sa.select(article.c.id, article.c.language, article.c.outlet_folded).where(article.c.at >= since)
    written = {row.id: (Language(row.language), row.outlet_folded) for row in tx.connection.execute(recent)}
    outlets: dict[str, set[str]] = defaultdict(set)
    articles: dict[str, Counter[Language]] = defaultdict(Counter)
    for piece in pieces(written):  # a join would be walked from the mentions, all of them
        named = sa.select(mention.c.entity, mention.c.article_id).where(mention.c.article_id.in_(piece))
        for row in tx.connection.execute(named):
            language, outlet = written[row.article_id]
            outlets[row.entity].add(outlet)
            articles[row.entity][language] += 1
    found = [Coverage(entity, dict(counts), len(outlets[entity])) for entity, counts in articles.items()]
    return sorted(found, key=lambda each: (-each.outlets, -each.total, each.entity))


def finds(tx: Transaction, reader: str, since: datetime) -> list[Found]:
    """What the rules found for a reader among articles published since then (aware UTC), the newest first."""
    query = (
        sa.select(match.c.rule, match.c.article_id, match.c.story_id, match.c.state)
        .join(article, match.c.article_id == article.c.id)
        .where(match.c.reader == reader, article.c.at >= since)
        .order_by(article.c.at.desc(), match.c.id.desc())
    )
    return [Found(row.rule, row.article_id, row.story_id, MatchState(row.state)) for row in tx.connection.execute(query)]


def any_match(tx: Transaction) -> bool:
    """Whether a rule has ever found anything: the mark of an archive that a daemon has worked on."""
    return tx.connection.execute(sa.select(match.c.id).limit(1)).first() is not None
