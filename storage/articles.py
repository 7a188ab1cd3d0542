"""Articles in and out of the archive: the row, its mentions, its bands, its place in the index and in a story, as one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from core.article import Article, DateOrigin, Draft, Judgement, Precision, Published, TextExtent
from core.errors import NotFoundError
from core.language import Language
from lexicon.folding import fold
from storage import likeness
from storage.index_rows import next_index_row
from storage.pieces import pieces
from storage.schema import article, mention, story, version
from storage.stories import story_facts

if TYPE_CHECKING:
    from storage.transaction import AnyRow, Transaction


@dataclass(frozen=True, slots=True)
class Version:
    """What an article said until it was changed (aware UTC)."""

    until: datetime
    title: str
    text: str
    summary: str


def insert(
    tx: Transaction,
    draft: Draft,
    judgement: Judgement,
    *,
    source: str,
    outlet: str,
    canonical_url: str,
    discovered: datetime,
    watchlist_version: str,
    story_id: int | None = None,
    copy_of: int | None = None,
    baseline: bool = False,
) -> int:
    """Keep a new article; gives its id. Without a `story_id` it opens a story of its own.

    `discovered` (aware UTC) is when it was first seen; its canonical URL must be new to the archive's articles. Link its
    address by addresses.record(…, Ending(…, article_id=id)).
    """
    at = _moment(draft.published, discovered)
    row = _contents(draft, judgement, watchlist_version) | {
        "index_row": next_index_row(tx, at),
        "story_id": _open_story(tx, discovered) if story_id is None else story_id,
        "copy_of": copy_of,
        "source": source,
        "outlet": outlet,
        "outlet_folded": fold(outlet),
        "canonical_url": canonical_url,
        "at": at,
        "discovered": discovered,
        "baseline": baseline,
    }
    article_id = tx.new_row(sa.insert(article), row)
    _make_findable(tx, article_id, row["index_row"], draft, judgement)
    return article_id


def update(
    tx: Transaction, article_id: int, draft: Draft, judgement: Judgement, *, now: datetime, watchlist_version: str
) -> None:
    """Put a changed text in an article's place and keep the old one as a version.

    The id, source, outlet, story, discovery and the alerts' mark stay, so nothing is announced twice; a publication date is
    replaced only by another. Raises NotFoundError.
    """
    old = _row(tx, article_id)
    published = draft.published or _published(old)
    at = _moment(published, old.discovered)
    past = {"article_id": article_id, "index_row": old.index_row, "until": now}
    tx.connection.execute(sa.insert(version), past | {"title": old.title, "text": old.text, "summary": old.summary})
    row = _contents(draft, judgement, watchlist_version) | _published_columns(published)
    row |= {"index_row": next_index_row(tx, at), "at": at, "updated": now}
    tx.connection.execute(sa.update(article).where(article.c.id == article_id).values(row))
    tx.connection.execute(sa.delete(mention).where(mention.c.article_id == article_id))
    likeness.drop_bands(tx, article_id)
    _make_findable(tx, article_id, row["index_row"], draft, judgement)


def get(tx: Transaction, article_id: int) -> Article:
    """One article. Raises NotFoundError."""
    return as_articles(tx, [_row(tx, article_id)])[0]


def get_many(tx: Transaction, article_ids: Sequence[int]) -> list[Article]:
    """These articles in this order; numbers the archive does not hold are left out."""
    found: dict[int, Article] = {}
    for piece in pieces(dict.fromkeys(article_ids)):
        rows = tx.connection.execute(sa.select(article).where(article.c.id.in_(piece))).all()
        found |= {each.id: each for each in as_articles(tx, rows)}
    return [found[article_id] for article_id in article_ids if article_id in found]


def by_canonical_url(tx: Transaction, canonical_url: str) -> Article | None:
    """The article kept under this canonical URL, if any. Other addresses of an article are in the ledger."""
    rows = tx.connection.execute(sa.select(article).where(article.c.canonical_url == canonical_url)).all()
    return next(iter(as_articles(tx, rows)), None)


def of_story(tx: Transaction, story_id: int) -> list[Article]:
    """A story's articles, the first published first."""
    rows = tx.connection.execute(sa.select(article).where(article.c.story_id == story_id).order_by(article.c.at, article.c.id))
    return as_articles(tx, rows.all())


def newest(tx: Transaction, limit: int) -> list[Article]:
    """The newest articles by the moment they are sorted by."""
    return as_articles(tx, tx.connection.execute(sa.select(article).order_by(article.c.index_row.desc()).limit(limit)).all())


def versions(tx: Transaction, article_id: int) -> list[Version]:
    """What an article said before, oldest first, as far as it is not forgotten (storage/retention.py)."""
    kept = version.c.article_id == article_id, version.c.title != ""
    rows = tx.connection.execute(sa.select(version).where(*kept).order_by(version.c.id))
    return [Version(row.until, row.title, row.text, row.summary) for row in rows]


def count(tx: Transaction) -> int:
    """How many articles the archive holds."""
    return int(tx.connection.execute(sa.select(sa.func.count()).select_from(article)).scalar_one())


def counts_by_language(tx: Transaction) -> dict[str, int]:
    """How many articles the archive holds in each language, most first."""
    number = sa.func.count().label("number")
    rows = tx.connection.execute(sa.select(article.c.language, number).group_by(article.c.language).order_by(number.desc()))
    return {row.language: row.number for row in rows}


def unmatched(tx: Transaction, limit: int) -> list[Article]:
    """Articles without the alerts' mark, the first kept first; at most `limit`."""
    rows = tx.connection.execute(sa.select(article).where(~article.c.matched).order_by(article.c.id).limit(limit)).all()
    return as_articles(tx, rows)


def mark_matched(tx: Transaction, article_ids: Collection[int]) -> None:
    """Set the alerts' mark: these articles were held against every rule."""
    for piece in pieces(article_ids):
        tx.connection.execute(sa.update(article).where(article.c.id.in_(piece)).values(matched=True))


def stale_mentions(tx: Transaction, watchlist_version: str, limit: int) -> list[Article]:
    """Articles whose mentions were found with another watchlist, the oldest first; at most `limit`."""
    # Two ranges of the index rather than <>, which would read every row once all are up to date.
    other = sa.or_(article.c.watchlist_version < watchlist_version, article.c.watchlist_version > watchlist_version)
    return as_articles(tx, tx.connection.execute(sa.select(article).where(other).order_by(article.c.id).limit(limit)).all())


def set_mentions(tx: Transaction, article_id: int, mentions: Collection[str], watchlist_version: str) -> None:
    """Replace an article's mentions by those this version of the watchlist finds. The alerts' mark stays."""
    tx.connection.execute(sa.delete(mention).where(mention.c.article_id == article_id))
    _add_mentions(tx, article_id, mentions)
    kept = sa.update(article).where(article.c.id == article_id)
    tx.connection.execute(kept.values(watchlist_version=watchlist_version))


def by_index_rows(tx: Transaction, index_rows: Sequence[int]) -> list[tuple[int, Article]]:
    """The articles at these rows of the index, in this order, each with its row. For this room."""
    rows = tx.connection.execute(sa.select(article).where(article.c.index_row.in_(index_rows))).all()
    found = {row.index_row: each for row, each in zip(rows, as_articles(tx, rows), strict=True)}
    return [(index_row, found[index_row]) for index_row in index_rows]


def as_articles(tx: Transaction, rows: Sequence[AnyRow]) -> list[Article]:
    """Whole rows of the article table as values, in their order, with their mentions and stories. For this room."""
    mentions = _mentions(tx, [row.id for row in rows])
    stories = story_facts(tx, {row.story_id for row in rows})
    return [
        Article(
            id=row.id,
            story_id=row.story_id,
            source=row.source,
            outlet=row.outlet,
            url=row.url,
            canonical_url=row.canonical_url,
            title=row.title,
            text=row.text,
            summary=row.summary,
            language=Language(row.language),
            extent=TextExtent(row.extent),
            extent_reason=row.extent_reason,
            published=_published(row),
            discovered=row.discovered,
            authors=tuple(row.authors),
            credit=row.credit,
            reasons=tuple(row.reasons),
            mentions=mentions.get(row.id, frozenset()),
            copy_of=row.copy_of,
            baseline=row.baseline,
            updated=row.updated,
            story=stories[row.story_id],
        )
        for row in rows
    ]


def _row(tx: Transaction, article_id: int) -> AnyRow:
    row = tx.connection.execute(sa.select(article).where(article.c.id == article_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"The archive holds no article {article_id}.")
    return row


def _moment(published: Published | None, discovered: datetime) -> datetime:
    """Article.at, before there is an article."""
    return min(published.at, discovered) if published else discovered


def _open_story(tx: Transaction, now: datetime) -> int:
    return tx.new_row(sa.insert(story), {"opened": now})


def _contents(draft: Draft, judgement: Judgement, watchlist_version: str) -> dict[str, Any]:
    """The columns that a text and its judgement fill, at first and at every change."""
    fingerprint = judgement.fingerprint
    return {
        "url": draft.url,
        "title": draft.title,
        "text": draft.text,
        "summary": draft.summary,
        "language": str(draft.language),
        "extent": str(draft.extent),
        "extent_reason": draft.extent_reason,
        "authors": list(draft.authors),
        "credit": draft.credit,
        "reasons": list(judgement.relevance.reasons),
        "watchlist_version": watchlist_version,
        "text_hash": fingerprint.text_hash,
        "signature": fingerprint.signature,
        "weight": fingerprint.weight,
    } | _published_columns(draft.published)


def _make_findable(tx: Transaction, article_id: int, index_row: int, draft: Draft, judgement: Judgement) -> None:
    tx.index.add(tx.connection, index_row, draft.title, draft.text or draft.summary, draft.authors)
    likeness.add_bands(tx, article_id, judgement.fingerprint.bands)
    _add_mentions(tx, article_id, judgement.mentions)


def _add_mentions(tx: Transaction, article_id: int, mentions: Collection[str]) -> None:
    if mentions:
        rows = [{"entity": entity, "article_id": article_id} for entity in sorted(mentions)]
        tx.connection.execute(sa.insert(mention), rows)


def _published_columns(published: Published | None) -> dict[str, Any]:
    return {
        "published": published and published.at,
        "published_precision": published and str(published.precision),
        "published_origin": published and str(published.origin),
        "published_zone": published and published.zone,
        "published_zone_stated": published and published.zone_stated,
    }


def _published(row: AnyRow) -> Published | None:
    if row.published is None:
        return None
    precision, origin = Precision(row.published_precision), DateOrigin(row.published_origin)
    return Published(row.published, precision, origin, row.published_zone, row.published_zone_stated)


def _mentions(tx: Transaction, article_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    found: dict[int, set[str]] = {}
    for piece in pieces(article_ids):
        rows = tx.connection.execute(sa.select(mention.c.article_id, mention.c.entity).where(mention.c.article_id.in_(piece)))
        for row in rows:
            found.setdefault(row.article_id, set()).add(row.entity)
    return {article_id: frozenset(entities) for article_id, entities in found.items()}
