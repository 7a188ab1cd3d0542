"""SQLite's full-text index: a contentless FTS5 table over the lexicon's tokens.

Contentless tables of SQLite before 3.43 cannot delete a row without its exact old text, so nothing is ever deleted: a changed
text gets a new row and joins with article.index_row leave the old one out. The tokenizer is `ascii`: it compares every
other character byte by byte, so two tokens are equal here exactly if the lexicon says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Integer, column, insert, table, text

from lexicon.folding import fold
from lexicon.tokens import index_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = table("article_index", column("rowid", Integer), column("title"), column("body"))


class Fts5Index:
    """The index `article_index`, made by the first migration."""

    table = _TABLE

    @property
    def row(self) -> ColumnElement[int]:
        """FTS5's rowid: walking it backwards is newest first, without sorting."""
        return _TABLE.c.rowid

    def add(self, connection: Connection, row: int, title: str, body: str) -> None:
        """Put a text in under a row number never used before."""
        tokens = {"rowid": row, "title": index_text(fold(title)), "body": index_text(fold(body))}
        connection.execute(insert(_TABLE), tokens)

    def clear(self, connection: Connection) -> None:
        """Take everything out, before the index is built anew."""
        connection.execute(text("INSERT INTO article_index(article_index) VALUES ('delete-all')"))
