"""What an index must look up to answer a query: a wider question it can answer alone, and whether it is the same question.

A plan finds every article its query matches. If it is `exact` it finds no others, and the index answers alone, counts and all;
otherwise the matcher confirms each. This is how search, alerts and the matcher come to agree whatever the database can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lexicon.expression import And, Expression, Fact, Field, Mention, Near, Not, Or, Term
from lexicon.tokens import Words

if TYPE_CHECKING:
    from lexicon.query import Query


@dataclass(frozen=True, slots=True)
class Sought:
    """These tokens in a row, in the column of `field` (None: in either one)."""

    words: Words
    field: Field | None


@dataclass(frozen=True, slots=True)
class All:
    """Every one of `parts`; with no parts, every article."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of `parts` (two or more)."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """Every article that `part` does not find; `part` is exact."""

    part: Node


Leaf: TypeAlias = Sought | Mention | Fact
Node: TypeAlias = All | Any | Without | Leaf
EVERYTHING = All(())


@dataclass(frozen=True, slots=True)
class Plan:
    """What to look up; `exact` if it finds what the query means and nothing else."""

    root: Node
    exact: bool


_UNKNOWN = Plan(EVERYTHING, exact=False)


def plan(query: Query, answers: Callable[[Leaf], bool] = lambda _: True) -> Plan:
    """The plan of a query for an index that can answer those leaves for which `answers` says so.

    An index without positions answers no Sought of several tokens: it is given them one by one. A leaf that cannot be
    answered in any way widens to everything.
    """
    return _plan(query.root, answers)


def _plan(node: Expression, answers: Callable[[Leaf], bool]) -> Plan:
    match node:
        case And(parts):
            return _all(_plan(part, answers) for part in parts)
        case Or(parts):
            return _any(_plan(part, answers) for part in parts)
        case Not(part):
            inner = _plan(part, answers)
            return Plan(Without(inner.root), exact=True) if inner.exact else _UNKNOWN
        case Term():
            return _term(node, answers)
        case Near(left, right):
            sides = _all(_any(_term(term, answers) for term in side) for side in (left, right))
            return Plan(sides.root, exact=False)
        case _:
            return Plan(node, exact=True) if answers(node) else _UNKNOWN


def _term(term: Term, answers: Callable[[Leaf], bool]) -> Plan:
    return _any(_sought(Sought(form, term.field), answers) for form in term.forms)


def _sought(leaf: Sought, answers: Callable[[Leaf], bool]) -> Plan:
    if answers(leaf):
        return Plan(leaf, exact=True)
    *firsts, last = leaf.words.tokens
    if not firsts:
        return _UNKNOWN
    singles = [*(Words((token,)) for token in dict.fromkeys(firsts)), Words((last,), leaf.words.prefix)]
    wider = _all(_sought(Sought(words, leaf.field), answers) for words in singles)
    return Plan(wider.root, exact=False)


def _all(plans: Iterable[Plan]) -> Plan:
    parts = list(plans)
    wanted = tuple(dict.fromkeys(part.root for part in parts if part.root != EVERYTHING))
    root = wanted[0] if len(wanted) == 1 else All(wanted)
    return Plan(root, exact=all(part.exact for part in parts))


def _any(plans: Iterable[Plan]) -> Plan:
    parts = list(plans)
    if any(part.root == EVERYTHING for part in parts):
        return Plan(EVERYTHING, exact=all(part.exact for part in parts))
    wanted = tuple(dict.fromkeys(part.root for part in parts))
    root = wanted[0] if len(wanted) == 1 else Any(wanted)
    return Plan(root, exact=all(part.exact for part in parts))
