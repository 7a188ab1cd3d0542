"""What the archive asks of a database's full-text index. fts5.py is SQLite's, tsvector.py PostgreSQL's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeGuard

from lexicon.expression import AuthorIs
from lexicon.plan import All, Any, Leaf, Node, Sought, Without

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause

Textual: TypeAlias = All | Any | Sought | AuthorIs
BETWEEN_AUTHORS = " \ue07c "
"""A token no text has (private use), so that no phrase reaches from one name into the next."""


def is_textual(node: Node) -> TypeGuard[Textual]:
    """Whether an index of words can look for it: words alone, and not only what must be absent."""
    match node:
        case Sought() | AuthorIs():
            return True
        case All(parts):
            return any(map(is_textual, parts)) and all(is_textual(part) or is_textual_absence(part) for part in parts)
        case Any(parts):
            return all(map(is_textual, parts))
        case _:
            return False


def is_textual_absence(node: Node) -> bool:
    """Whether it says that words are absent: an index can take it away from what it found, but not look for it."""
    return isinstance(node, Without) and is_textual(node.part)


class TextIndex(Protocol):
    """An index of titles, bodies and authors by row number.

    Rows are added and never taken out: a changed text gets a new row. Texts are given as they are; folding and tokens are the
    index's own business, so that queries and texts go one way.
    """

    @property
    def table(self) -> FromClause:
        """The index as a table to join with."""

    @property
    def row(self) -> ColumnElement[int]:
        """Its row numbers: article.index_row of an article's present text."""

    def add(self, connection: Connection, row: int, title: str, body: str, authors: Sequence[str]) -> None:
        """Put a text in under a row number never used before."""

    def clear(self, connection: Connection) -> None:
        """Take everything out, before the index is built anew."""

    def check(self, connection: Connection) -> None:
        """Look through all of it for damage, in a transaction that may write. Raises the driver's error."""

    def answers(self, leaf: Leaf) -> bool:
        """Whether it can tell exactly which articles `leaf` holds for (other tables answer for facts and mentions)."""

    def condition(self, node: Textual) -> ColumnElement[bool]:
        """The condition on its rows that `node` stands for, all of whose leaves it answers."""

    def score(self, node: Textual) -> ColumnElement[float]:
        """How well a row found by `condition(node)` fits it, in the same SELECT; the best is the lowest."""
