"""SQLite's full-text index: a contentless FTS5 table over the lexicon's tokens.

Contentless tables of SQLite before 3.43 cannot delete a row without its exact old text, so nothing is ever deleted: a changed
text gets a new row and joins with article.index_row leave the old one out. The tokenizer is `ascii`: it divides at spaces and
compares every character beyond ASCII byte by byte, so two tokens are equal here exactly if the lexicon says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Float, Integer, bindparam, column, func, insert, literal_column, table, text

from lexicon.expression import And, AuthorIs, Expression, Field, Near, Not, Or, Term
from lexicon.folding import fold
from lexicon.tokens import Words, index_text
from storage.search.textindex import TextCondition, Textual

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TABLE = table("article_index", column("rowid", Integer), column("title"), column("body"), column("authors"))
_ITSELF: ColumnElement[str] = literal_column("article_index")  # FTS5's hidden column, named like the table
_BETWEEN_AUTHORS = " \ue07c "  # a token no text has (private use), so that no phrase reaches from one name into the next
_COLUMNS = {Field.TITLE: "title", Field.TEXT: "body", None: "{title body}"}
# A word in the title weighs as much as four in the body; who wrote it says nothing of what it is about.
_WEIGHTS = (4.0, 1.0, 0.0)


class Fts5Index:
    """The index `article_index`, made by the first migration."""

    table = _TABLE
    row: ColumnElement[int] = _TABLE.c.rowid  # walked backwards it is newest first, without sorting
    score: ColumnElement[float] = func.bm25(_ITSELF, *_WEIGHTS, type_=Float)

    def add(self, connection: Connection, row: int, title: str, body: str, authors: Sequence[str]) -> None:
        """Put a text in under a row number never used before."""
        tokens = {"title": _tokens(title), "body": _tokens(body), "authors": _BETWEEN_AUTHORS.join(map(_tokens, authors))}
        connection.execute(insert(_TABLE), {"rowid": row} | tokens)

    def clear(self, connection: Connection) -> None:
        """Take everything out, before the index is built anew."""
        connection.execute(text("INSERT INTO article_index(article_index) VALUES ('delete-all')"))

    def condition(self, node: Textual) -> TextCondition:
        """How to look for `node`: a MATCH, exact for all but NEAR, whose distances FTS5 counts in its own way."""
        expression, exact = _expression(node)
        return TextCondition(_ITSELF.op("MATCH", is_comparison=True)(bindparam(None, expression)), exact)


def _tokens(words: str) -> str:
    return index_text(fold(words))


def _expression(node: Expression) -> tuple[str, bool]:
    """`node` in FTS5's query syntax (sqlite.org/fts5.html, 3), and whether it means exactly the same."""
    match node:
        case Term(forms=forms, field=field):
            return f"{_COLUMNS[field]} : ({_any(map(_phrase, forms))})", True
        case AuthorIs(words):
            return f"authors : {_phrase(words)}", True
        case Near():
            return _near(node), False
        case Or(parts):
            read = [_expression(part) for part in parts]
            return f"({_any(each for each, _ in read)})", all(exact for _, exact in read)
        case And(parts):
            return _all(parts)
        case _:
            raise TypeError(f"{node!r} is not textual")


def _all(parts: Sequence[Expression]) -> tuple[str, bool]:
    """All of the parts; an absence that can only be told too widely is left out, so that nothing is missed."""
    found = [_expression(part) for part in parts if not isinstance(part, Not)]
    absent = [_expression(part.part) for part in parts if isinstance(part, Not)]
    exact = all(exact for _, exact in found + absent)
    present = f"({' AND '.join(each for each, _ in found)})"
    unwanted = [each for each, exactly in absent if exactly]
    return (f"({present} NOT ({_any(unwanted)}))" if unwanted else present), exact


def _near(node: Near) -> str:
    """Every pair of forms. A Han pair reaches over two places but counts as one token, hence one more between."""
    left, right = ([form for term in terms for form in term.forms] for terms in (node.left, node.right))
    pairs = (f"NEAR({_phrase(one)} {_phrase(other)}, {node.distance + 1})" for one, other in product(left, right))
    return f"{_COLUMNS[node.left[0].field]} : ({_any(pairs)})"


def _any(expressions: Iterable[str]) -> str:
    return " OR ".join(expressions)


def _phrase(words: Words) -> str:
    """The tokens in a row; they hold letters and digits alone, so that quotes need no care."""
    return f'"{" ".join(words.tokens)}"{" *" if words.prefix else ""}'
