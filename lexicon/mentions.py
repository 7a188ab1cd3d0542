"""Mentions: which entities of the watchlist a text names, and where.

One Aho-Corasick pass (Aho & Corasick 1975) over the folded text finds every name, context word and exception; what follows
weighs them. Han names match anywhere; a Latin name must stand alone, where a change between letters, digits and Han is a
border (`AI` stands alone in 华为AI芯片, `GLM` in GLM5). A name with a common noun in it may take a plural s.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick

from lexicon.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lexicon.watchlist import Entity, Watchlist

REACH = 80
"""How far (characters) a context word may stand from an unsure name in Chinese text; in English it is the paragraph."""

PARAGRAPH = 2000
"""No paragraph is taken to be longer either way (characters), so that a text without line ends costs no more than others."""

_LONGEST = 64  # no exception is longer (characters)
_VERSION = re.compile(r"\d+(?:\.\d+)*")
_HAN = r"[\u2e80-\u9fff]"
_HAN_JOINT = re.compile(rf"(?<=[A-Za-z\d]) ?(?={_HAN})|(?<={_HAN}) ?(?=[A-Za-z\d])")
_ANY_JOINT = re.compile(
    rf"{_HAN_JOINT.pattern}|(?<=[A-Za-z])[ -]?(?=[\d#])|(?<=\d)[ -]?(?=[A-Za-z])|(?<=[A-Za-z])[ -](?=[A-Za-z])"
)
_COMMON_NOUN = re.compile(r"(?:^|[ -])[a-z]+$")
_VERSIONED_KINDS = {"model", "chip", "robot"}


@dataclass(frozen=True, slots=True)
class MentionSpan:
    """Where an entity is named: `start` and `end` count characters of the title if `in_title`, else of the text."""

    entity: str
    start: int
    end: int
    in_title: bool


@dataclass(frozen=True, slots=True)
class _Use:
    """What one spelling is to one entity: `unsure` names need context; `capitals` only count as written in capitals; a `plural`
    may take an s; a `version` number must follow.
    """

    entity: str
    unsure: bool
    capitals: bool
    plural: bool
    version: bool


_Places = list[tuple[int, int]]


class MentionFinder:
    """Finds mentions; built once per watchlist, then safe to use from any thread."""

    def __init__(self, watchlist: Watchlist) -> None:
        self._rank = {entity: rank for rank, entity in enumerate(watchlist.entities)}
        self._numbers: dict[str, int] = {}
        self._names: defaultdict[int, list[_Use]] = defaultdict(list)
        self._context: defaultdict[str, list[tuple[int, _Use]]] = defaultdict(list)
        self._unless: defaultdict[str, list[tuple[int, _Use]]] = defaultdict(list)
        for entity in watchlist.entities.values():
            self._learn(entity)
        self._lengths = [len(spelling) for spelling in self._numbers]
        self._automaton = BytesAhoCorasick([spelling.encode() for spelling in self._numbers])

    def find(self, title: str, text: str) -> frozenset[str]:
        """The ids of the entities that title or text mention."""
        return frozenset(entity for entity, _, _ in self._mentions(title, text))

    def spans(self, title: str, text: str) -> list[MentionSpan]:
        """Every mention, the title's first, in reading order; of names that overlap the longest, of equals the list's first."""
        return self.find_with_spans(title, text)[1]

    def find_with_spans(self, title: str, text: str) -> tuple[frozenset[str], list[MentionSpan]]:
        """What `find` and `spans` give, for one reading of the text."""
        found = list(self._mentions(title, text))
        return frozenset(entity for entity, _, _ in found), self._spans(found, title)

    def _spans(self, found: list[tuple[str, int, int]], title: str) -> list[MentionSpan]:
        spans: list[MentionSpan] = []
        shift = len(title) + 1
        reached = 0
        for entity, start, end in sorted(found, key=lambda each: (each[1], -each[2], self._rank[each[0]])):
            if start < reached:
                continue
            reached = end
            in_title = end <= len(title)
            offset = 0 if in_title else shift
            spans.append(MentionSpan(entity, start - offset, end - offset, in_title))
        return spans

    def _learn(self, entity: Entity) -> None:
        for name in entity.names:
            for number, use in self._spelled(name, entity):
                if use not in self._names[number]:
                    self._names[number].append(use)
        for word in entity.context:
            self._context[entity.id] += self._spelled(word, entity)
        for word in entity.unless:
            self._unless[entity.id] += self._spelled(word, entity)

    def _spelled(self, name: str, entity: Entity) -> Iterator[tuple[int, _Use]]:
        """The numbers of a name's spellings, each with what it is to the entity."""
        acronym = name.isascii() and name.isalpha() and name.isupper()
        common_noun = bool(_COMMON_NOUN.search(name))
        use = _Use(entity.id, name in entity.unsure, acronym, acronym or common_noun, version=name.endswith("#"))
        for spelling in _spellings(name, versioned=entity.kind in _VERSIONED_KINDS or use.version):
            yield self._numbers.setdefault(fold(spelling.removesuffix("#")), len(self._numbers)), use

    def _mentions(self, title: str, text: str) -> Iterator[tuple[str, int, int]]:
        """Each mention's entity, start and end in the title, a newline and the text."""
        reading = _Reading(f"{title}\n{text}", len(title))
        reading.look_up(self._automaton, self._lengths)
        for number in reading.hits.keys() & self._names.keys():
            for use in self._names[number]:
                places = reading.places([(number, use)])
                if use.entity in self._unless:
                    places = _outside(places, reading.places(self._unless[use.entity]))
                if use.unsure and places:
                    places = reading.supported(places, reading.places(self._context[use.entity]))
                for start, end in places:
                    yield use.entity, start, end


class _Reading:
    """One text under the automaton: its title ends at `title_end`; `hits` are the places of each spelling found."""

    def __init__(self, original: str, title_end: int) -> None:
        self.original = original
        self.folded = fold(original)
        self.title_end = title_end
        self.hits: defaultdict[int, _Places] = defaultdict(list)

    def look_up(self, automaton: BytesAhoCorasick, lengths: list[int]) -> None:
        """Note where each spelling stands, with a border before it. Byte offsets become characters as they rise."""
        data = self.folded.encode("utf-8", "replace")
        plain = data.isascii()
        reached = end = 0
        for number, _, byte_end in automaton.find_matches_as_indexes(data, overlapping=True):
            if byte_end > reached:
                end = byte_end if plain else end + len(data[reached:byte_end].decode())
                reached = byte_end
            start = end - lengths[number]
            if _border(self.folded, start):
                self.hits[number].append((start, end))

    def places(self, spelled: list[tuple[int, _Use]]) -> _Places:
        """Where these spellings stand as their uses ask, in reading order."""
        found = []
        for number, use in spelled:
            for start, end in self.hits.get(number, ()):
                written = self.original[start:end]
                last = 0 if use.capitals and written.upper() != written else _last(use, self.folded, end)
                if last:
                    found.append((start, last))
        return sorted(found) if len(spelled) > 1 else found

    def supported(self, names: _Places, context: _Places) -> _Places:
        """The unsure names that a word of context stands near, or in the title."""
        kept = []
        starts = [start for start, _ in context]
        for name in names:
            left, right = self._surroundings(*name)
            if _any_apart(name, context, bisect_left(starts, left), right) or _any_apart(name, context, 0, self.title_end):
                kept.append(name)
        return kept

    def _surroundings(self, start: int, end: int) -> tuple[int, int]:
        """The stretch whose context words speak for a name: its paragraph, in Chinese text no further than REACH.

        A name in the title is also spoken for by the opening of the text.
        """
        if start < self.title_end:
            return 0, self._paragraph_end(self.title_end + 1, REACH if self._han else PARAGRAPH)
        reach = REACH if self._han else PARAGRAPH
        earliest = max(0, start - reach)
        return max(earliest, self.folded.rfind("\n", earliest, start) + 1), self._paragraph_end(end, reach)

    @cached_property
    def _han(self) -> bool:
        """Whether this is Chinese text: a Han character has three bytes in UTF-8."""
        return len(self.folded.encode("utf-8", "replace")) > 1.3 * len(self.folded)

    def _paragraph_end(self, start: int, reach: int) -> int:
        end = self.folded.find("\n", start, start + reach)
        return min(len(self.folded), start + reach) if end < 0 else end


def _any_apart(name: tuple[int, int], words: _Places, first: int, end: int) -> bool:
    """Whether one of `words` (in order), from number `first` on, ends by `end` without touching `name`."""
    for number in range(first, len(words)):
        start, last = words[number]
        if start >= end:
            return False
        if last <= end and (last <= name[0] or start >= name[1]):
            return True
    return False


def _outside(names: _Places, exceptions: _Places) -> _Places:
    """The names that stand inside none of the exceptions (in order)."""
    starts = [start for start, _ in exceptions]
    return [
        (start, end)
        for start, end in names
        if all(last < end for _, last in exceptions[bisect_left(starts, start - _LONGEST) : bisect_right(starts, start)])
    ]


def _spellings(name: str, *, versioned: bool) -> Iterator[str]:
    """A name with each way to write its joints (as written, past three joints).

    Between Han and Latin a space or nothing (AI芯片, AI 芯片); in a `versioned` name between Latin words and numbers a space, a
    hyphen or nothing (GLM-5, GLM 5, GLM5).
    """
    parts = (_ANY_JOINT if versioned else _HAN_JOINT).split(name)
    if len(parts) > 4:
        parts = [name]
    joints = [
        ("", " ") if before[-1:] >= "\u2e80" or after[:1] >= "\u2e80" else ("", " ", "-")
        for before, after in itertools.pairwise(parts)
    ]
    for choice in itertools.product(*joints):
        yield "".join(itertools.chain.from_iterable(zip(parts, (*choice, ""), strict=True)))


def _sort(character: str) -> int:
    """Letters 1, digits 2; Han and everything else 0: two neighbours of one sort above 0 belong to one word."""
    if character.isdecimal():
        return 2
    return 1 if character.isalpha() and character < "\u2e80" else 0


def _border(folded: str, place: int) -> bool:
    """Whether a word may begin or end between the characters before and at `place`."""
    if not 0 < place < len(folded):
        return True
    before = _sort(folded[place - 1])
    return before == 0 or before != _sort(folded[place])


def _last(use: _Use, folded: str, end: int) -> int:
    """Where the name that matched up to `end` really ends: after its version number or plural s; 0 if it is another word."""
    if use.version:
        version = _VERSION.match(folded, end)
        return version.end() if version else 0
    if _border(folded, end):
        return end
    if use.plural and folded[end] == "s" and _border(folded, end + 1):
        return end + 1
    return 0
