"""Answering a query page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from lexicon.matcher import matches
from lexicon.subject import Subject
from storage.articles import by_index_rows
from storage.search.compiling import Compiled, compile_query

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from core.article import Article
    from lexicon.query import Query
    from storage.transaction import Transaction

MOST_LOOKED_AT = 2000
"""Articles the matcher may look at for one page: about a second's work."""
WINDOW = 2000
"""Relevance ranks the newest articles found, this many: ranking them all would take seconds for a common word."""
_BATCH = 100


class Order(StrEnum):
    """What comes first."""

    NEWEST = "newest"
    RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page. `cursor` fetches the next, and is None after the last.

    `total` counts all the query finds, on every page; None where only looking at each article would tell. `complete` is False
    if the work for one page ended before the page was full; the cursor goes on from there.
    """

    articles: tuple[Article, ...]
    total: int | None
    complete: bool
    cursor: str | None


def search(
    tx: Transaction,
    query: Query,
    now: datetime,
    *,
    limit: int = 20,
    order: Order | str = Order.NEWEST,
    before_cursor: str | None = None,
) -> SearchResult:
    """The first `limit` articles a query finds, or those after a cursor that a search of the same order gave.

    `now` (aware UTC) is what `since:` counts from. Raises ValueError for a cursor that is none.
    """
    compiled = compile_query(tx.index, query, now)
    passed = None if before_cursor is None else _place(before_cursor)
    score = compiled.score if Order(order) is Order.RELEVANCE else None
    by_relevance = score is not None
    rows = _newest(tx, compiled, passed, limit + 1) if score is None else _best(tx, compiled, score, passed or 0)
    found: list[Article] = []
    looked, last, ended = 0, passed, True
    for row, candidate in _candidates(tx, rows, limit + 1 if compiled.exact else _BATCH):
        if len(found) == limit or looked == MOST_LOOKED_AT:
            ended = False
            break
        looked, last = looked + 1, row
        if compiled.exact or matches(query, Subject.of_article(candidate), now):
            found.append(candidate)
    place = (passed or 0) + looked if by_relevance else last
    total = len(found) if ended and passed is None else _total(tx, compiled) if compiled.exact else None
    return SearchResult(tuple(found), total, ended or len(found) == limit, None if ended else str(place))


def count(tx: Transaction, query: Query, now: datetime) -> int | None:
    """How many articles a query finds, if the index alone can tell; else None."""
    compiled = compile_query(tx.index, query, now)
    return _total(tx, compiled) if compiled.exact else None


def iterate(tx: Transaction, query: Query, now: datetime) -> Iterator[Article]:
    """Every article a query finds, newest first, a hundred in memory at a time. The transaction must stay open meanwhile."""
    compiled = compile_query(tx.index, query, now)
    for _, candidate in _candidates(tx, _newest(tx, compiled, None, _BATCH), _BATCH):
        if compiled.exact or matches(query, Subject.of_article(candidate), now):
            yield candidate


def _place(cursor: str) -> int:
    try:
        return int(cursor)
    except ValueError:
        raise ValueError(f"{cursor!r} is no cursor that a search gave") from None


def _candidates(tx: Transaction, rows: Iterator[int], at_once: int) -> Iterator[tuple[int, Article]]:
    while batch := list(islice(rows, at_once)):
        yield from by_index_rows(tx, batch)


def _newest(tx: Transaction, compiled: Compiled, before: int | None, at_once: int) -> Iterator[int]:
    """Index rows before a row, newest first, asked for some at a time: each question goes on where the last one ended."""
    newest = compiled.of(select(compiled.row)).order_by(compiled.row.desc()).limit(at_once)
    while True:
        rows = tx.connection.scalars(newest if before is None else newest.where(compiled.row < before)).all()
        yield from rows
        if len(rows) < at_once:
            return
        before = rows[-1]


def _best(tx: Transaction, compiled: Compiled, score: ColumnElement[float], passed: int) -> Iterator[int]:
    """Index rows of the window, the best first, without the first `passed`."""
    scored = select(compiled.row.label("row"), score.label("score"))
    window = compiled.of(scored).order_by(compiled.row.desc()).limit(WINDOW).subquery()
    best = select(window.c.row).order_by(window.c.score, window.c.row.desc()).offset(passed)
    return iter(tx.connection.scalars(best).all())


def _total(tx: Transaction, compiled: Compiled) -> int:
    return int(tx.connection.execute(compiled.of(select(func.count()))).scalar_one())
