"""The look-up of articles a new one may be the same as, or a copy of: by equal text, and by shared bands of its signature."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select

from core.article import Candidate, Fingerprint
from storage.schema import article, band

if TYPE_CHECKING:
    from storage.transaction import AnyRow, Transaction

_MOST = 100
"""Boilerplate shared by a thousand articles may not make a thousand comparisons; the true copy shares the most bands."""
_COLUMNS = (
    article.c.id,
    article.c.story_id,
    article.c.outlet,
    article.c.source,
    article.c.canonical_url,
    article.c.title,
    article.c.text_hash,
    article.c.signature,
    article.c.weight,
    article.c.at,
)
# Built once: every article asks both, and to build them costs more than to run them.
_EQUAL = select(*_COLUMNS).where(article.c.text_hash == bindparam("text_hash")).order_by(article.c.id).limit(_MOST)


def _sharing() -> Any:
    wanted = band.c.hash.in_(bindparam("bands", expanding=True))
    shared = select(band.c.article_id, func.count().label("bands")).where(wanted).group_by(band.c.article_id).subquery()
    alike = select(*_COLUMNS).join(shared, shared.c.article_id == article.c.id)
    recent = alike.where(article.c.discovered >= bindparam("since"))
    return recent.order_by(shared.c.bands.desc(), article.c.id).limit(_MOST)


_SHARING = _sharing()


def candidates(tx: Transaction, fingerprint: Fingerprint, since: datetime) -> list[Candidate]:
    """Articles of equal text, whenever they came, then those discovered since (aware UTC) that share bands, most bands first.

    At most a hundred of each. A text too short to have bands has only the first kind.
    """
    equal = tx.connection.execute(_EQUAL, {"text_hash": fingerprint.text_hash})
    found = {row.id: _candidate(row) for row in equal}
    if fingerprint.bands:
        for row in tx.connection.execute(_SHARING, {"bands": fingerprint.bands, "since": since}):
            found.setdefault(row.id, _candidate(row))
    return list(found.values())


def drop_bands(tx: Transaction, article_id: int) -> None:
    """Make an article findable by no band."""
    tx.connection.execute(delete(band).where(band.c.article_id == article_id))


def add_bands(tx: Transaction, article_id: int, bands: Collection[int]) -> None:
    """Make an article findable by these bands too."""
    if bands:
        tx.connection.execute(insert(band), [{"hash": value, "article_id": article_id} for value in dict.fromkeys(bands)])


def forget_bands(tx: Transaction, before: datetime) -> int:
    """Drop the bands of articles discovered before (aware UTC); gives their number. Signatures and hashes stay for ever."""
    old = select(band.c.article_id).join(article, article.c.id == band.c.article_id).where(article.c.discovered < before)
    return tx.connection.execute(delete(band).where(band.c.article_id.in_(old))).rowcount


def _candidate(row: AnyRow) -> Candidate:
    return Candidate(
        article_id=row.id,
        story_id=row.story_id,
        outlet=row.outlet,
        source=row.source,
        url=row.canonical_url,
        title=row.title,
        text_hash=row.text_hash,
        signature=row.signature,
        weight=row.weight,
        at=row.at,
    )
