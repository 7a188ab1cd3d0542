"""Many standing queries against one article, without asking each: as Elasticsearch's percolator picks its candidates.

Each query that can only match where some words stand, or some entity is mentioned, is filed under them; one Aho-Corasick pass
(Aho & Corasick 1975) over the article's tokens and a look at its mentions give the candidates, and the matcher decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick

from lexicon.expression import Mention
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
        self._always: set[str] = set()
        by_key: defaultdict[str, list[str]] = defaultdict(list)
        for name, query in self._queries.items():
            keys = required(plan(query).root)
            if keys is None:
                self._always.add(name)
            for key in keys or ():
                by_key[key].append(name)
        self._by_entity = {key: names for key, names in by_key.items() if not key.startswith(" ")}
        needles = {key: names for key, names in by_key.items() if key.startswith(" ")}
        self._by_needle = list(needles.values())
        self._automaton = BytesAhoCorasick([needle.encode() for needle in needles]) if needles else None

    def matching(self, subject: Subject, now: datetime) -> list[str]:
        """The names of the queries that match, in the order they were given; `now` as in `matches`."""
        candidates = self._candidates(subject)
        return [name for name, query in self._queries.items() if name in candidates and matches(query, subject, now)]

    def _candidates(self, subject: Subject) -> set[str]:
        found = set(self._always)
        for entity in subject.mentions:
            found.update(self._by_entity.get(entity, ()))
        if self._automaton:
            tokens = f"{subject.title_index}\n{subject.text_index}".encode()
            for needle in {hit[0] for hit in self._automaton.find_matches_as_indexes(tokens, overlapping=True)}:
                found.update(self._by_needle[needle])
        return found


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
