"""A query as SQL: what the index finds, what else must hold, and whether that is all the query says.

Every part of a query has an exact meaning in SQL but those an index cannot tell (TextCondition.exact); these are told too
widely, or under a NOT too narrowly, so that no article is missed, and the matcher confirms the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVarTuple

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select

from core.language import Language
from lexicon.expression import (
    And,
    Expression,
    LanguageIs,
    Mention,
    Not,
    Or,
    PublishedBefore,
    PublishedFrom,
    PublishedWithin,
    SourceIs,
    StoryFirst,
    StoryOutlets,
    StoryPresses,
)
from storage.index_rows import first_row_of
from storage.schema import article, mention
from storage.search.textindex import TextIndex, Textual, is_textual, is_textual_absence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import FromClause, Select

Ts = TypeVarTuple("Ts")
Clause = ColumnElement[bool]
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query as SQL: all `conditions` must hold in `table`, whose column `row` is the index row, to be walked from its end.

    `ranked` if the index knows a score for them. Unless `exact`, the matcher must confirm each article.
    """

    table: FromClause
    row: ColumnElement[int]
    conditions: tuple[Clause, ...]
    ranked: bool
    exact: bool

    def of(self, columns: Select[*Ts]) -> Select[*Ts]:
        """`columns` of what is found."""
        return columns.select_from(self.table).where(*self.conditions)


def compile_query(index: TextIndex, root: Expression, now: datetime) -> Compiled:
    """The SQL for a query's tree; `now` (aware UTC) is what `since:` counts from."""
    parts = list(_conjuncts(root))
    textual: list[Expression] = [part for part in parts if is_textual(part)]
    if textual:
        textual += [part for part in parts if is_textual_absence(part)]
    reader = _Reader(index, now)
    read = [reader.read(part, widely=True) for part in parts if part not in textual]
    table: FromClause = article
    row: ColumnElement[int] = article.c.index_row
    if textual:
        words = index.condition(And(tuple(textual)))
        read.append((words.clause, words.exact))
        table, row = index.table.join(article, article.c.index_row == index.row), index.row
    bounds = (bound for part in parts for bound in reader.bounds(part, row))
    conditions = (*(clause for clause, _ in read), *bounds)
    return Compiled(table, row, conditions, ranked=bool(textual), exact=all(exact for _, exact in read))


def _conjuncts(node: Expression) -> Iterator[Expression]:
    """The parts that must all be so, however deep their Ands are nested."""
    for part in node.parts if isinstance(node, And) else ():
        yield from _conjuncts(part)
    if not isinstance(node, And):
        yield node


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the parts the index does not walk, as conditions on the article table."""

    index: TextIndex
    now: datetime

    def read(self, node: Expression, *, widely: bool) -> tuple[Clause, bool]:
        """The condition, and whether it is exact; if it is not, it holds too often (`widely`) or not often enough."""
        if is_textual(node):
            return self._words(node, widely=widely)
        match node:
            case Not(part):
                clause, exact = self.read(part, widely=not widely)
                return not_(clause), exact
            case And(parts) | Or(parts):
                read = [self.read(part, widely=widely) for part in parts]
                join = and_ if isinstance(node, And) else or_
                return join(*(clause for clause, _ in read)), all(exact for _, exact in read)
            case _:
                return self._fact(node), True

    def _words(self, node: Textual, *, widely: bool) -> tuple[Clause, bool]:
        found = self.index.condition(node)
        if not found.exact and not widely:
            return false(), False
        rows = select(self.index.row).select_from(self.index.table).where(found.clause)
        return article.c.index_row.in_(rows), found.exact

    def _fact(self, node: Expression) -> Clause:
        match node:
            case Mention(entities=entities):
                return article.c.id.in_(select(mention.c.article_id).where(mention.c.entity.in_(sorted(entities))))
            case SourceIs(name):
                return or_(article.c.source == name, article.c.outlet_folded == name)
            case LanguageIs(languages):
                return article.c.language.in_(sorted(languages))
            case PublishedFrom(moment):
                return article.c.at >= moment
            case PublishedBefore(moment):
                return article.c.at < moment
            case PublishedWithin(span):
                return article.c.at >= self.now - span
            case StoryPresses(present, absent):
                return and_(*(_carried(press) for press in present), *(not_(_carried(press)) for press in absent))
            case StoryFirst(press):
                return _first_language().in_(_languages(press))
            case StoryOutlets(least, most):
                outlets = _outlets()
                return outlets >= least if most is None else outlets.between(least, most)
            case _:
                raise TypeError(f"no SQL is known for {node!r}")

    def bounds(self, node: Expression, row: ColumnElement[int]) -> list[Clause]:
        """What a time condition says of index rows: it lets the walk begin late or end early."""
        match node:
            case PublishedFrom(moment):
                return [row >= first_row_of(moment)]
            case PublishedWithin(span):
                return [row >= first_row_of(self.now - span)]
            case PublishedBefore(moment):
                return [row < first_row_of(moment + _SECOND)]
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
