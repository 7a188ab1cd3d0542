"""Reading a query: its text becomes a tree (lexicon/expression.py), or an error that points at the place.

    either  = both { "OR" both }
    both    = nearby { ["AND"] nearby }
    nearby  = unary [ "NEAR/n" unary ]
    unary   = ("NOT" | "-") unary | single
    single  = "(" either ")" | "title:" single | word | "phrase" | @concept | field:value

docs/reference/query-language.md explains it to people.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import QueryError
from lexicon.expression import And, Expression, Field, Not, Or
from lexicon.facts import fact
from lexicon.lexer import Kind, Lexeme, Refused, lexemes
from lexicon.terms import mention, near, term

if TYPE_CHECKING:
    from lexicon.watchlist import Watchlist

MAX_CHARACTERS = 2000
MAX_TERMS = 64
MAX_DEPTH = 32
_SMALLER = "Divide it into several, or name a group of the watchlist, as in @chinese-models."


@dataclass(frozen=True, slots=True)
class Query:
    """A query that has been read: its text as typed and its tree."""

    text: str
    root: Expression


def parse(text: str, watchlist: Watchlist) -> Query:
    """Read a query; `watchlist` says what `@concept` and `topic:` stand for.

    Raises QueryError with the place and what would work there.
    """
    try:
        if len(text) > MAX_CHARACTERS:
            raise Refused(f"The query has more than {MAX_CHARACTERS:,} characters", MAX_CHARACTERS, _SMALLER)
        return Query(text, _Parser(list(lexemes(text)), watchlist).query())
    except Refused as refused:
        raise QueryError(refused.message, text, refused.start, refused.hint) from None


class _Parser:
    """Recursive descent over the lexemes, a method a rule of the grammar above. `field` is the one that `title:` sets."""

    def __init__(self, found: list[Lexeme], watchlist: Watchlist) -> None:
        self._lexemes = found
        self._watchlist = watchlist
        self._place = 0
        self._terms = 0
        self._depth = 0

    def query(self) -> Expression:
        if self._here.kind is Kind.END:
            raise Refused("The query is empty", 0, "Write what to look for, as in: chips OR 芯片")
        root = self._either(None)
        if self._here.kind is Kind.CLOSE:
            raise Refused("This ) closes nothing", self._here.start, "Take it away, or put a ( before.")
        return root

    @property
    def _here(self) -> Lexeme:
        return self._lexemes[self._place]

    def _take(self) -> Lexeme:
        taken = self._here
        if taken.kind is not Kind.END:
            self._place += 1
        return taken

    def _either(self, field: Field | None) -> Expression:
        parts = [self._both(field)]
        while self._here.kind is Kind.OR:
            self._take()
            parts.append(self._both(field))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self, field: Field | None) -> Expression:
        parts = [self._nearby(field)]
        while self._here.kind not in {Kind.OR, Kind.CLOSE, Kind.END}:
            if self._here.kind is Kind.AND:
                self._take()
            parts.append(self._nearby(field))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _nearby(self, field: Field | None) -> Expression:
        left = self._unary(field)
        if self._here.kind is not Kind.NEAR:
            return left
        sign = self._take()
        right = self._unary(field)
        if self._here.kind is Kind.NEAR:
            raise Refused("NEAR joins two places, not three", self._here.start, "Write (a NEAR/5 b) AND (b NEAR/5 c).")
        return near(sign, left, right)

    def _unary(self, field: Field | None) -> Expression:
        if self._here.kind is not Kind.NOT:
            return self._single(field)
        sign = self._take()
        with self._deeper(sign):
            return Not(self._unary(field))

    def _single(self, field: Field | None) -> Expression:
        first = self._here
        match first.kind:
            case Kind.OPEN:
                return self._group(self._take(), field)
            case Kind.FIELD if first.text == "title":
                return self._title(self._take())
            case Kind.FIELD:
                return self._counted(fact(self._take(), self._take(), self._watchlist), first)
            case Kind.CONCEPT:
                return self._counted(mention(self._take(), self._watchlist), first)
            case Kind.QUOTED | Kind.WORD:
                return self._counted(term(self._take(), field), first)
            case _:
                raise self._nothing_here()

    def _group(self, opening: Lexeme, field: Field | None) -> Expression:
        with self._deeper(opening):
            inside = self._either(field)
        if self._take().kind is not Kind.CLOSE:
            raise Refused("This ( is never closed", opening.start, "Put a ) where the group ends.")
        return inside

    def _title(self, name: Lexeme) -> Expression:
        if self._here.kind not in {Kind.OPEN, Kind.WORD, Kind.QUOTED}:
            raise Refused("title: needs a word, a phrase or a group", name.start, "As in title:芯片 or title:(chip OR 芯片).")
        return self._single(Field.TITLE)

    def _counted(self, node: Expression, lexeme: Lexeme) -> Expression:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise Refused(f"The query has more than {MAX_TERMS} terms", lexeme.start, _SMALLER)
        return node

    @contextmanager
    def _deeper(self, lexeme: Lexeme) -> Iterator[None]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Refused(f"More than {MAX_DEPTH} levels lie inside each other here", lexeme.start, "Write it flatter.")
        yield
        self._depth -= 1

    def _nothing_here(self) -> Refused:
        before = self._lexemes[self._place - 1].sign if self._place else ""
        sides = [side for side in (before, self._here.sign) if side]
        where = "between " + " and ".join(sides) if len(sides) == 2 else f"{'after' if before else 'before'} {sides[0]}"
        hint = 'Write a word, a "phrase", a @concept or a group in ( ) there. In quotes, "and" is a word like any other.'
        return Refused(f"Nothing stands {where}", self._here.start, hint)
