"""A plan as SQL: what the index finds, what must hold of the article beside, and where the walk begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVarTuple

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select, true

from core.language import Language
from lexicon.expression import (
    LanguageIs,
    Mention,
    PublishedBefore,
    PublishedFrom,
    PublishedWithin,
    SourceIs,
    StoryFirst,
    StoryOutlets,
    StoryPresses,
)
from lexicon.plan import All, Any, Node, Without, plan
from storage.index_rows import first_row_after, first_row_of
from storage.schema import article, mention
from storage.search.textindex import TextIndex, is_textual, is_textual_absence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import FromClause, Select

    from lexicon.query import Query

Ts = TypeVarTuple("Ts")
Clause = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query as SQL: all `conditions` must hold in `table`, whose column `row` is the index row, to be walked from its end.

    `score` is the index's, the best the lowest, or None. Unless `exact`, the matcher must confirm each article.
    """

    table: FromClause
    row: ColumnElement[int]
    conditions: tuple[Clause, ...]
    score: ColumnElement[float] | None
    exact: bool

    def of(self, columns: Select[*Ts]) -> Select[*Ts]:
        """`columns` of what is found."""
        return columns.select_from(self.table).where(*self.conditions)


def compile_query(index: TextIndex, query: Query, now: datetime) -> Compiled:
    """The SQL for a query; `now` (aware UTC) is what `since:` counts from."""
    planned = plan(query, index.answers)
    parts = tuple(_conjuncts(planned.root))
    words: tuple[Node, ...] = tuple(part for part in parts if is_textual(part))
    table: FromClause = article
    row: ColumnElement[int] = article.c.index_row
    conditions: list[Clause] = []
    score: ColumnElement[float] | None = None
    if words:
        words += tuple(part for part in parts if is_textual_absence(part))
        table, row = index.table.join(article, article.c.index_row == index.row), index.row
        conditions.append(index.condition(All(words)))
        score = index.score(All(words))
    conditions += [_condition(part, index, now) for part in parts if part not in words]
    bounds = [bound for part in parts for bound in _bounds(part, row, now)]
    return Compiled(table, row, (*conditions, *bounds), score, exact=planned.exact)


def _conjuncts(node: Node) -> Iterator[Node]:
    """What must all be so, however deep it is nested."""
    if not isinstance(node, All):
        yield node
        return
    for part in node.parts:
        yield from _conjuncts(part)


def _condition(node: Node, index: TextIndex, now: datetime) -> Clause:
    """A condition on the article table."""
    if is_textual(node):
        return article.c.index_row.in_(select(index.row).select_from(index.table).where(index.condition(node)))
    match node:
        case All(parts):
            return and_(true(), *(_condition(part, index, now) for part in parts))
        case Any(parts):
            return or_(*(_condition(part, index, now) for part in parts))
        case Without(part):
            return not_(_condition(part, index, now))
        case PublishedWithin(span):
            return article.c.at >= now - span
        case _:
            return _fact(node)


def _fact(node: Node) -> Clause:
    match node:
        case Mention(entities=entities):
            # + 0: the ids are looked up in a list made once. As an index's key, every article found would go through all of it.
            return (article.c.id + 0).in_(select(mention.c.article_id).where(mention.c.entity.in_(sorted(entities))))
        case SourceIs(name):
            return or_(article.c.source == name, article.c.outlet_folded == name)
        case LanguageIs(languages):
            return article.c.language.in_(sorted(languages))
        case PublishedFrom(moment):
            return article.c.at >= moment
        case PublishedBefore(moment):
            return article.c.at < moment
        case StoryPresses(present, absent):
            return and_(*(_carried(press) for press in present), *(not_(_carried(press)) for press in absent))
        case StoryFirst(press):
            return _first_language().in_(_languages(press))
        case StoryOutlets(least, most):
            return _outlets() >= least if most is None else _outlets().between(least, most)
        case _:
            raise TypeError(f"no SQL is known for {node!r}")


def _bounds(node: Node, row: ColumnElement[int], now: datetime) -> list[Clause]:
    """What a time condition says of index rows: it lets the walk begin late or end early."""
    match node:
        case PublishedFrom(moment):
            return [row >= first_row_of(moment)]
        case PublishedWithin(span):
            return [row >= first_row_of(now - span)]
        case PublishedBefore(moment):
            return [row < first_row_after(moment)]
        case _:
            return []


_other = article.alias("other")  # the articles of the same story
_same_story = _other.c.story_id == article.c.story_id


def _languages(press: str) -> list[str]:
    return [str(language) for language in Language if language.press == press]


def _carried(press: str) -> Clause:
    return exists().where(_same_story, _other.c.language.in_(_languages(press))).correlate(article)


def _first_language() -> ColumnElement[str]:
    first = select(_other.c.language).where(_same_story).order_by(_other.c.at, _other.c.id).limit(1)
    return first.correlate(article).scalar_subquery()


def _outlets() -> ColumnElement[int]:
    return select(func.count(_other.c.outlet.distinct())).where(_same_story).correlate(article).scalar_subquery()
