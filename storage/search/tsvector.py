"""PostgreSQL's full-text index: one tsvector a text, of the lexicon's tokens, without their places.

A tsvector keeps at most 256 places of a word and none past 16,383, so phrases would be missed in long texts: `answers`
refuses them, the plan asks for their words instead, and the matcher confirms. The words are written as a literal, since
PostgreSQL's own parsers would divide them again, and are compared byte by byte. Each carries the letter of its column.

A text whose words do not fit into a tsvector (1,048,575 bytes) has none; its tokens are kept as text and looked through, so
that it is found by exactly the same queries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Float, Text, and_, bindparam, cast, column, func, literal, not_, or_, table, text
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR

from lexicon.expression import AuthorIs, Field
from lexicon.folding import fold
from lexicon.plan import All, Any, Leaf, Node, Sought, Without
from lexicon.tokens import Words, index_text
from storage.search.textindex import BETWEEN_AUTHORS, Textual

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

_TABLE = table(
    "article_index",
    column("index_row", BigInteger),
    column("tokens", TSVECTOR),
    column("long_title", Text),
    column("long_body", Text),
    column("long_authors", Text),
)
_TITLE, _BODY, _AUTHOR = "T", "B", "A"
_COLUMNS = {Field.TITLE: (_TITLE,), Field.TEXT: (_BODY,), None: (_TITLE, _BODY)}
_LONG = {_TITLE: _TABLE.c.long_title, _BODY: _TABLE.c.long_body, _AUTHOR: _TABLE.c.long_authors}
_LONGEST_TOKEN = 500
"""Bytes of a token that are kept; a longer one (a text without a space) is found by its beginning, and confirmed."""
_ROOM = 1_048_575 - 2**10
"""Bytes of all words and counts of one text (PostgreSQL: MAXSTRPOS), with some to spare."""
_MOST_COUNTED = 4  # a word's fourth mention adds a sixteenth of its first to the rank
_WEIGHTS = "{0.25, 0, 0, 1}"  # of the labels D, C, B, A: a word in the title weighs as much as four in the body
_BY_LENGTH = 1  # ts_rank divides by 1 + log of the text's length

_ADD = text(
    "INSERT INTO article_index (index_row, tokens, long_title, long_body, long_authors) "
    "VALUES (:row, CAST(:tokens AS tsvector), :title, :body, :authors)"
)


class TsvectorIndex:
    """The index `article_index`, made by the first migration."""

    table = _TABLE
    row: ColumnElement[int] = _TABLE.c.index_row

    def add(self, connection: Connection, row: int, title: str, body: str, authors: Sequence[str]) -> None:
        """Put a text in under a row number never used before."""
        read = {_TITLE: _tokens(title), _BODY: _tokens(body), _AUTHOR: BETWEEN_AUTHORS.join(map(_tokens, authors))}
        vector = " ".join([*_counted(_TITLE, read[_TITLE]), *_counted(_BODY, read[_BODY]), *_names(authors)])
        fits = len(vector.encode()) < _ROOM  # as written it is longer than as kept
        kept = {key: None if fits else f" {said} " for key, said in read.items()}
        values = {"tokens": vector if fits else None, "title": kept[_TITLE], "body": kept[_BODY], "authors": kept[_AUTHOR]}
        connection.execute(_ADD, {"row": row} | values)

    def clear(self, connection: Connection) -> None:
        """Take everything out, before the index is built anew. Readers go on with what they see."""
        connection.execute(text("DELETE FROM article_index"))

    def check(self, connection: Connection) -> None:
        """Nothing: the index is a table like others, and is read with them."""

    def answers(self, leaf: Leaf) -> bool:
        """Single words and their beginnings, and names; no phrases, since it knows no places, and nothing cut short."""
        match leaf:
            case Sought(words):
                return len(words.tokens) == 1 and _fits(words.tokens[0])
            case AuthorIs(words):
                return _fits(words.needle)
            case _:
                return True

    def condition(self, node: Textual) -> ColumnElement[bool]:
        """`node` as a tsquery, and for texts that have no tsvector as a look through their tokens."""
        found = _TABLE.c.tokens.op("@@", is_comparison=True)(_asked(_expression(node)))
        return or_(found, and_(_TABLE.c.tokens.is_(None), _stands(node)))

    def score(self, node: Textual) -> ColumnElement[float]:
        """ts_rank of the words sought, whichever of them are there; the best is the lowest. Names have no part in it."""
        words = [_lexemes(leaf) for leaf in _sought(node)]
        if not words:
            return literal(0.0, Float)
        weights = literal(_WEIGHTS).op("::")(text("float4[]"))
        return -func.coalesce(func.ts_rank(weights, _TABLE.c.tokens, _asked(" | ".join(words)), _BY_LENGTH, type_=Float), 0.0)


def _tokens(words: str) -> str:
    return index_text(fold(words))


def _fits(token: str) -> bool:
    return len(token.encode()) <= _LONGEST_TOKEN - 4  # what is cut loses up to three bytes more, with half a character


def _cut(token: str) -> str:
    return token.encode()[:_LONGEST_TOKEN].decode(errors="ignore")


def _counted(letter: str, tokens: str) -> Iterator[str]:
    """Words of a tsvector; how often one is said stands in place of where, and the title's are labelled A: for the rank."""
    label = "A" if letter == _TITLE else ""
    for token, count in Counter(map(_cut, tokens.split())).items():
        counts = ",".join(f"{place}{label}" for place in range(1, min(count, _MOST_COUNTED) + 1))
        yield f"'{letter}{token}':{counts}" if label or count > 1 else f"'{letter}{token}'"


def _names(authors: Sequence[str]) -> Iterator[str]:
    """Each name from each of its words to its end: a phrase stands in a name exactly if it begins one of these."""
    for author in authors:
        said = _tokens(author).split()
        for start in range(len(said)):
            yield f"'{_AUTHOR}{_cut(' '.join(said[start:]) + ' ')}'"


def _asked(expression: str) -> ColumnElement[str]:
    return cast(bindparam(None, expression, Text), TSQUERY)


def _lexemes(leaf: Sought) -> str:
    """A word in the columns it may stand in. Tokens hold letters and digits alone, so that quotes need no care."""
    beginning = ":*" if leaf.words.prefix else ""
    return " | ".join(f"'{letter}{leaf.words.tokens[0]}'{beginning}" for letter in _COLUMNS[leaf.field])


def _expression(node: Node) -> str:
    """`node` in the syntax of tsquery (PostgreSQL's documentation, 8.11.2)."""
    match node:
        case Sought():
            return f"({_lexemes(node)})"
        case AuthorIs(words):
            return f"'{_AUTHOR}{words.needle[1:]}':*"
        case Any(parts):
            return f"({' | '.join(map(_expression, parts))})"
        case All(parts):
            return f"({' & '.join(map(_expression, parts))})"
        case Without(part):
            return f"!{_expression(part)}"
        case _:
            raise TypeError(f"{node!r} is not about words")


def _stands(node: Node) -> ColumnElement[bool]:
    """`node` held against the tokens of a text as a string, as the matcher does."""
    match node:
        case Sought(words, field):
            return or_(*(_in(letter, words) for letter in _COLUMNS[field]))
        case AuthorIs(words):
            return _in(_AUTHOR, words)
        case Any(parts):
            return or_(*map(_stands, parts))
        case All(parts):
            return and_(*map(_stands, parts))
        case Without(part):
            return not_(_stands(part))
        case _:
            raise TypeError(f"{node!r} is not about words")


def _in(letter: str, words: Words) -> ColumnElement[bool]:
    return func.strpos(_LONG[letter], words.needle) > 0


def _sought(node: Node) -> Iterable[Sought]:
    match node:
        case Sought():
            yield node
        case Any(parts) | All(parts):
            for part in parts:
                yield from _sought(part)
        case _:
            return
