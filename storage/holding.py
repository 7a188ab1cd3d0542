"""What a restored backup holds back where nobody knows what was mailed after it was made: rather kept than told twice.

What is held is counted and named, so that the operator can tell readers, or send by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from storage import settings
from storage.outbox import OPEN_MATCHES, MatchState, MessageState
from storage.schema import article, match, message, source

if TYPE_CHECKING:
    from storage.transaction import Transaction

GAPS = "archive.gaps"
"""The setting that counts how often the archive lost sight of what was mailed."""
_OPEN_MESSAGES = (MessageState.WAITING, MessageState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Held:
    """What is kept and not mailed: subjects of open mails, titles of matched articles, and articles not yet matched."""

    subjects: tuple[str, ...]
    titles: tuple[str, ...]
    unmatched: int


def hold(restored: Transaction, why: str) -> Held:
    """Hold back everything that may have been told since the backup was made; `why` is kept with the mails.

    Open mails become `unconfirmed`, open matches `withdrawn`, articles without the mark get it, and each source's next good
    collection is a baseline: what was published before, and is collected anew, is kept and not mailed.
    """
    held = Held(*_open(restored))
    connection = restored.connection
    unconfirmed = {"state": MessageState.UNCONFIRMED, "last_error": why}
    connection.execute(sa.update(message).where(message.c.state.in_(_OPEN_MESSAGES)).values(unconfirmed))
    connection.execute(sa.update(match).where(match.c.state.in_(OPEN_MATCHES)).values(state=MatchState.WITHDRAWN))
    connection.execute(sa.update(article).where(~article.c.matched).values(matched=True))
    anew = {"baseline_ended": None, "etag": "", "last_modified": "", "body_hash": None}
    connection.execute(sa.update(source).values(anew))
    settings.put(restored, GAPS, (settings.get(restored, GAPS) or 0) + 1)
    return held


def _open(tx: Transaction) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    mails = sa.select(message.c.subject).where(message.c.state.in_(_OPEN_MESSAGES)).order_by(message.c.id)
    found = sa.select(article.c.title).join(match, match.c.article_id == article.c.id).where(match.c.state.in_(OPEN_MATCHES))
    unmatched = sa.select(sa.func.count()).select_from(article).where(~article.c.matched)
    titles = dict.fromkeys(tx.connection.scalars(found.order_by(match.c.id)))
    return tuple(tx.connection.scalars(mails)), tuple(titles), tx.connection.execute(unmatched).scalar_one()
