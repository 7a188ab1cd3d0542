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
    number = sa.func.count().label("number")
    per_outlet = (
        sa.select(mention.c.entity, article.c.language, article.c.outlet_folded, number)
        .join(article, mention.c.article_id == article.c.id)
        .where(article.c.at >= since)
        .group_by(mention.c.entity, article.c.language, article.c.outlet_folded)
    )
    outlets: dict[str, set[str]] = defaultdict(set)
    articles: dict[str, Counter[Language]] = defaultdict(Counter)
    for row in tx.connection.execute(per_outlet):
        outlets[row.entity].add(row.outlet_folded)
        articles[row.entity][Language(row.language)] += row.number
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
