"""SQLite's full-text index: a contentless FTS5 table over the lexicon's tokens.

Contentless tables of SQLite before 3.43 cannot delete a row without its exact old text, so nothing is ever deleted: a changed
text gets a new row and joins with article.index_row leave the old one out. The tokenizer is `ascii`: it divides at spaces and
compares every character beyond ASCII byte by byte, so two tokens are equal here exactly if the lexicon says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Float, Integer, bindparam, column, func, insert, literal_column, table, text

from lexicon.expression import AuthorIs, Field
from lexicon.folding import fold
from lexicon.plan import All, Any, Leaf, Node, Sought, Without
from lexicon.tokens import Words, index_text
from storage.search.textindex import BETWEEN_AUTHORS, Textual

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = table("article_index", column("rowid", Integer), column("title"), column("body"), column("authors"))
_ITSELF: ColumnElement[str] = literal_column("article_index")  # FTS5's hidden column, named like the table
_COLUMNS = {Field.TITLE: "title", Field.TEXT: "body", None: "{title body}"}
# A word in the title weighs as much as four in the body; who wrote it says nothing of what it is about.
_WEIGHTS = (4.0, 1.0, 0.0)


class Fts5Index:
    """The index `article_index`, made by the first migration."""

    table = _TABLE
    row: ColumnElement[int] = _TABLE.c.rowid  # walked backwards it is newest first, without sorting

    def add(self, connection: Connection, row: int, title: str, body: str, authors: Sequence[str]) -> None:
        """Put a text in under a row number never used before."""
        tokens = {"title": _tokens(title), "body": _tokens(body), "authors": BETWEEN_AUTHORS.join(map(_tokens, authors))}
        connection.execute(insert(_TABLE), {"rowid": row} | tokens)

    def clear(self, connection: Connection) -> None:
        """Take everything out, before the index is built anew."""
        connection.execute(text("INSERT INTO article_index(article_index) VALUES ('delete-all')"))

    def check(self, connection: Connection) -> None:
        """Look through all of it (a second for each 100 MB; it holds the write lock). Raises SQLite's SQLITE_CORRUPT_VTAB."""
        connection.execute(text("INSERT INTO article_index(article_index) VALUES ('integrity-check')"))

    def answers(self, _leaf: Leaf) -> bool:
        """Everything: it keeps every token's position, and no text is too long for it."""
        return True

    def condition(self, node: Textual) -> ColumnElement[bool]:
        """`node` as a MATCH."""
        return _ITSELF.op("MATCH", is_comparison=True)(bindparam(None, _expression(node)))

    def score(self, _node: Textual) -> ColumnElement[float]:
        """bm25 of the condition it was found by."""
        return func.bm25(_ITSELF, *_WEIGHTS, type_=Float)


def _tokens(words: str) -> str:
    return index_text(fold(words))


def _expression(node: Node) -> str:
    """`node` in FTS5's query syntax (sqlite.org/fts5.html, 3)."""
    match node:
        case Sought(words, field):
            return f"{_COLUMNS[field]} : {_phrase(words)}"
        case AuthorIs(words):
            return f"authors : {_phrase(words)}"
        case Any(parts):
            return f"({_any(parts)})"
        case All(parts):
            found = " AND ".join(_expression(part) for part in parts if not isinstance(part, Without))
            absent = [part.part for part in parts if isinstance(part, Without)]
            return f"(({found}) NOT ({_any(absent)}))" if absent else f"({found})"
        case _:
            raise TypeError(f"{node!r} is not about words")


def _any(parts: Iterable[Node]) -> str:
    return " OR ".join(map(_expression, parts))


def _phrase(words: Words) -> str:
    """The tokens in a row; they hold letters and digits alone, so that quotes need no care."""
    return f'"{" ".join(words.tokens)}"{" *" if words.prefix else ""}'
