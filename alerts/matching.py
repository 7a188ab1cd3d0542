"""New articles against the rules: matches and the article's mark in one transaction, whatever order they come in."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.log import values
from lexicon.subject import Subject
from storage import articles, outbox
from storage.outbox import MatchState

if TYPE_CHECKING:
    from alerts.desk import Desk
    from core.article import Article
    from storage.transaction import Transaction

log = logging.getLogger("jingbao.alerts")

BATCH = 200
"""Articles in one transaction: a fifth of a second with a thousand rules, so that collecting hardly waits."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What one pass did: articles looked at, and matches kept by state."""

    articles: int
    matches: Counter[MatchState]


def match_pending(tx: Transaction, desk: Desk, now: datetime, limit: int = BATCH) -> Matched:
    """Hold articles without the mark against every rule that is on, and mark them; at most `limit`, so call until 0.

    A rule sees each article once: one that is added or changed later asks about new articles alone, and floods nobody.
    Nothing has happened if the transaction is undone.
    """
    pending = articles.unmatched(tx, limit)
    found: Counter[MatchState] = Counter()
    for article in pending:
        unfit = _unfit(article, now, timedelta(days=desk.config.alerts.max_age_days))
        for rule, reader in _wanted(desk, article, now):
            known = outbox.story_known(tx, rule, reader, article.story_id)
            state = unfit or (MatchState.TOLD if known else MatchState.WAITING)
            outbox.add_match(
                tx, rule=rule, reader=reader, article_id=article.id, story_id=article.story_id, at=now, state=state
            )
            found[state] += 1
    articles.mark_matched(tx, [article.id for article in pending])
    return Matched(len(pending), found)


def _unfit(article: Article, now: datetime, oldest: timedelta) -> MatchState | None:
    """Why an article is never mailed, whatever matches: it came with its source's first collection, or it is old."""
    if article.baseline:
        return MatchState.BASELINE
    return MatchState.TOO_OLD if now - article.at > oldest else None


def _wanted(desk: Desk, article: Article, now: datetime) -> list[tuple[str, str]]:
    """The (rule, reader) pairs that ask for this article. One text that breaks the matcher must not silence all others."""
    try:
        names = desk.book.matching(Subject.of_article(article), now)
    except Exception:
        log.exception("an article could not be matched; please report the lines below", extra=values(article=article.id))
        return []
    return [(name, reader.key) for name in names for reader in desk.readers_of(desk.rules[name])]
