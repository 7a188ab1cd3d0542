"""Many standing queries against one article, without asking each: as Elasticsearch's percolator picks its candidates.

One Aho-Corasick pass (Aho & Corasick 1975) over the article's tokens finds which words of all the queries stand in it. A query
that can match only where some words stand, or some entity is mentioned, is filed under these, and only queries filed under
something that is there are put to the matcher, who is told which words were found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick

from lexicon.expression import And, Expression, Mention, Near, Not, Or, Term
from lexicon.matcher import matches
from lexicon.plan import All, Any, Node, Sought, plan

if TYPE_CHECKING:
    from datetime import datetime

    from lexicon.query import Query
    from lexicon.subject import Subject

# A key is a needle (with a space before it) or a watchlist id (without one). Mentions are about as rare as a word this long.
_MENTION_WEIGHT = 8


class RuleBook:
    """Standing queries by name, made ready once. Safe to use from any thread."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._queries = dict(queries)
        self._always: list[str] = []
        self._filed: defaultdict[str, list[str]] = defaultdict(list)
        needles: dict[str, None] = {}
        for name, query in self._queries.items():
            needles |= dict.fromkeys(_needles(query.root))
            keys = required(plan(query).root)
            for key in keys or ():
                self._filed[key].append(name)
            if keys is None:
                self._always.append(name)
        self._needles = list(needles)
        self._automaton = BytesAhoCorasick([needle.encode() for needle in needles]) if needles else None

    def matching(self, subject: Subject, now: datetime) -> list[str]:
        """The names of the queries that match, in the order they were given; `now` as in `matches`."""
        index = {field: self._found(text) for field, text in subject.indexes.items()}
        keys = subject.mentions.union(*index.values())
        candidates = set(self._always).union(*(self._filed[key] for key in keys if key in self._filed))
        return [name for name in self._queries if name in candidates and matches(self._queries[name], subject, now, index)]

    def _found(self, index_text: str) -> frozenset[str]:
        """Which of all the queries' needles stand in a text: with these known, no query looks into the text again."""
        if self._automaton is None:
            return frozenset()
        hits = self._automaton.find_matches_as_indexes(index_text.encode(), overlapping=True)
        return frozenset(self._needles[number] for number in {hit[0] for hit in hits})


def _needles(node: Expression) -> Iterator[str]:
    match node:
        case Term():
            yield from (form.needle for form in node.forms)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _needles(part)
        case Not(part):
            yield from _needles(part)
        case Near():
            for term in (*node.left, *node.right):
                yield from _needles(term)
        case _:
            return


def required(node: Node) -> frozenset[str] | None:
    """Keys one of which an article must have for `node` to find it, as rare ones as can be told; None if there are none such.

    A key is a needle of the tokens, which begins with a space, or a watchlist id.
    """
    match node:
        case Sought():
            return frozenset({node.words.needle})
        case Mention():
            return node.entities
        case All(parts):
            return max((keys for part in parts if (keys := required(part)) is not None), key=_rarity, default=None)
        case Any(parts):
            return _union(required(part) for part in parts)
        case _:
            return None


def _union(sides: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: set[str] = set()
    for keys in sides:
        if keys is None:
            return None
        found |= keys
    return frozenset(found)


def _rarity(keys: frozenset[str]) -> tuple[int, int]:
    """The longer the shortest of them the rarer, and of equal ones the fewer."""
    return min(map(_weight, keys), default=0), -len(keys)


def _weight(key: str) -> int:
    return len(key.encode()) if key.startswith(" ") else _MENTION_WEIGHT
