"""What the archive asks of a database's full-text index. Each database has one: fts5.py is SQLite's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, FromClause


class TextIndex(Protocol):
    """An index of titles and bodies by row number. Rows are added and never taken out: a changed text gets a new row.

    Texts are given as they are; folding and tokens are the index's own business, so that queries and texts go one way.
    """

    @property
    def table(self) -> FromClause:
        """The index as a table to join with; one column is `row`."""

    @property
    def row(self) -> ColumnElement[int]:
        """The row numbers: article.index_row of the article's present text."""

    def add(self, connection: Connection, row: int, title: str, body: str) -> None:
        """Put a text in under a row number never used before."""

    def clear(self, connection: Connection) -> None:
        """Take everything out, before the index is built anew."""
