"""The parts of a query that speak of words: terms, places near each other, and concepts."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lexicon.expression import Expression, Field, Mention, Near, Or, Term
from lexicon.folding import fold
from lexicon.lexer import Kind, Lexeme, Refused
from lexicon.tokens import Words, is_han, words
from lexicon.variants import variants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lexicon.watchlist import Watchlist

NEAR_DEFAULT = 10
NEAR_MOST = 100


def term(lexeme: Lexeme, field: Field | None) -> Term:
    """A word or a quoted phrase. A word is also found in its other forms (lexicon/variants.py), a quoted one is not.

    Raises Refused if it holds nothing to look for, or a star anywhere but behind a beginning of two letters or more.
    """
    typed = lexeme.text.rstrip("*")
    prefix = typed != lexeme.text
    if "*" in typed and lexeme.kind is Kind.WORD:
        raise Refused("* may only end a word", lexeme.start + typed.index("*"), "As in robot*, which finds robotics too.")
    exact = prefix or lexeme.kind is Kind.QUOTED
    spellings = [fold(typed)] if exact else variants(typed)
    forms = tuple(dict.fromkeys(form for spelling in spellings if (form := words(spelling, prefix=prefix))))
    if not forms:
        raise _empty(lexeme, typed)
    if prefix and _too_short(forms[0]):
        raise Refused("A beginning needs two letters or more", lexeme.start, "As in robot*, which finds robotics too.")
    return Term(typed, forms, field)


def _empty(lexeme: Lexeme, typed: str) -> Refused:
    if lexeme.text == "*":
        return Refused("A * alone stands for nothing", lexeme.start, "Put it behind a beginning, as in robot*.")
    if lexeme.text == "-":
        return Refused("A - alone excludes nothing", lexeme.start, "Write -word without a space, or leave the dash out.")
    return Refused(f"There is no word in {typed or 'these quotes'}", lexeme.start, "Leave it out, or write a word.")


def _too_short(beginning: Words) -> bool:
    return len(beginning.tokens) == 1 and len(beginning.tokens[0]) < 2 and not is_han(beginning.tokens[0])


def near(sign: Lexeme, left: Expression, right: Expression) -> Near:
    """Two places near each other. Raises Refused if a side is more than words, or the distance is no number in bounds."""
    distance = int(sign.text) if sign.text.isdecimal() else 0 if sign.text else NEAR_DEFAULT
    if not 1 <= distance <= NEAR_MOST:
        raise Refused(f"NEAR/{sign.text} names no distance", sign.start, f"Write a number from 1 to {NEAR_MOST}, as in NEAR/5.")
    terms = _terms(left), _terms(right)
    if not (terms[0] and terms[1]) or len({one.field for one in (*terms[0], *terms[1])}) > 1:
        hint = 'Each side is a word, a "phrase" or (several OR of them), both in the title or both anywhere.'
        raise Refused("NEAR joins words alone", sign.start, hint)
    return Near(*terms, distance)


def _terms(side: Expression) -> tuple[Term, ...]:
    """The terms one side of NEAR is made of; empty if it is made of anything else."""
    match side:
        case Term():
            return (side,)
        case Or(parts):
            found = [_terms(part) for part in parts]
            return tuple(one for terms in found for one in terms) if all(found) else ()
        case _:
            return ()


def mention(lexeme: Lexeme, watchlist: Watchlist) -> Mention:
    """A concept of the watchlist: one entity or a group. Raises Refused naming the nearest concepts if there is none."""
    name = fold(lexeme.text).rstrip(",.;:!?")
    entities = watchlist.concept(name)
    if entities is None:
        hint = suggestion(name, watchlist.concept_names, "@") or "The watchlist names the concepts, as in @chinese-models."
        raise Refused(f"The watchlist has no @{name}" if name else "@ names no concept", lexeme.start, hint)
    return Mention(f"@{name}", entities)


def topic(lexeme: Lexeme, watchlist: Watchlist) -> Mention:
    """A topic of the watchlist, as the entities it holds. Raises Refused naming the nearest topics if there is none."""
    name = fold(lexeme.text)
    entities = watchlist.topic(name)
    if not entities:
        hint = suggestion(name, watchlist.topics) or f"Topics are {', '.join(watchlist.topics)}."
        raise Refused(f"The watchlist has no topic {lexeme.text}", lexeme.start, hint)
    return Mention(f"topic:{name}", entities)


def suggestion(name: str, known: Iterable[str], before: str = "") -> str:
    """A hint that names what may have been meant by `name`; empty if nothing known is near."""
    nearest = [f"{before}{one}" for one in get_close_matches(name, list(known), n=3, cutoff=0.6)]
    return f"Did you mean {' or '.join(nearest)}?" if nearest else ""
