"""Mentions: which entities of the watchlist a text names, and where.

One Aho-Corasick pass (Aho & Corasick 1975) over the folded text finds every name, context word and exception; what follows
weighs them. Han names match anywhere; a Latin name must stand alone, where a change between letters, digits and Han is a
border (`AI` stands alone in 华为AI芯片, `GLM` in GLM5). A name with a common noun in it may take a plural s.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick

from lexicon.folding import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lexicon.watchlist import Entity, Watchlist

REACH = 80
"""How far (characters) a context word may stand from an unsure name in Chinese text; in English it is the paragraph."""

_VERSION = re.compile(r"\d+(?:\.\d+)*")
_JOINTS = re.compile(r"(?<=[A-Za-z])[ -]?(?=[\d#])|(?<=\d)[ -]?(?=[A-Za-z])|(?<=[A-Za-z])[ -](?=[A-Za-z])")
_VERSIONED_KINDS = {"model", "chip", "robot"}


@dataclass(frozen=True, slots=True)
class MentionSpan:
    """Where an entity is named: `start` and `end` count characters of the title if `in_title`, else of the text."""

    entity: str
    start: int
    end: int
    in_title: bool


class _Role(Enum):
    SURE = 1
    UNSURE = 2
    CONTEXT = 3
    UNLESS = 4


@dataclass(frozen=True, slots=True)
class _Use:
    """What one spelling is to one entity. `capitals`: only as written in capitals; `plural`: may take an s; `version`: a
    version number must follow."""

    entity: str
    role: _Role
    capitals: bool
    plural: bool
    version: bool


@dataclass(frozen=True, slots=True)
class _Found:
    entity: str
    role: _Role
    start: int
    end: int


class MentionFinder:
    """Finds mentions; built once per watchlist, then safe to use from any thread."""

    def __init__(self, watchlist: Watchlist) -> None:
        uses: defaultdict[str, list[_Use]] = defaultdict(list)
        for entity in watchlist.entities.values():
            for spelling, use in _uses_of(entity):
                if use not in uses[spelling]:
                    uses[spelling].append(use)
        self._uses = tuple(tuple(of_spelling) for of_spelling in uses.values())
        self._lengths = tuple(len(spelling) for spelling in uses)
        self._automaton = BytesAhoCorasick([spelling.encode() for spelling in uses])

    def find(self, title: str, text: str) -> frozenset[str]:
        """The ids of the entities that title or text mention."""
        return frozenset(found.entity for found in self._mentions(title, text))

    def spans(self, title: str, text: str) -> list[MentionSpan]:
        """Every mention in reading order, the title's first; of names that overlap only the longest (the first of equals)."""
        spans: list[MentionSpan] = []
        shift = len(title) + 1
        reached = 0
        for found in sorted(self._mentions(title, text), key=lambda found: (found.start, -found.end)):
            if found.start < reached:
                continue
            reached = found.end
            in_title = found.end <= len(title)
            offset = 0 if in_title else shift
            spans.append(MentionSpan(found.entity, found.start - offset, found.end - offset, in_title))
        return spans

    def _mentions(self, title: str, text: str) -> list[_Found]:
        original = f"{title}\n{text}"
        folded = fold(original)
        by_role: dict[_Role, list[_Found]] = {role: [] for role in _Role}
        for found in self._occurrences(original, folded):
            by_role[found.role].append(found)
        names = by_role[_Role.SURE]
        if by_role[_Role.UNSURE]:
            names = names + _supported(by_role[_Role.UNSURE], by_role[_Role.CONTEXT], folded, len(title))
        return _without(names, by_role[_Role.UNLESS])

    def _occurrences(self, original: str, folded: str) -> Iterator[_Found]:
        data = folded.encode("utf-8", "replace")
        place = _CharacterCount(data)
        for spelling, _, byte_end in self._automaton.find_matches_as_indexes(data, overlapping=True):
            end = place.at(byte_end)
            start = end - self._lengths[spelling]
            if not _border(folded, start):
                continue
            for use in self._uses[spelling]:
                last = _last(use, folded, end)
                if last and not (use.capitals and original[start:end].upper() != original[start:end]):
                    yield _Found(use.entity, use.role, start, last)


class _CharacterCount:
    """Turns rising byte offsets of UTF-8 data into character offsets, reading the data once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._ascii = data.isascii()
        self._bytes = self._characters = 0

    def at(self, offset: int) -> int:
        if self._ascii:
            return offset
        self._characters += len(self._data[self._bytes : offset].decode())
        self._bytes = offset
        return self._characters


def _uses_of(entity: Entity) -> Iterator[tuple[str, _Use]]:
    versioned = entity.kind in _VERSIONED_KINDS
    roles: Iterable[tuple[_Role, tuple[str, ...]]] = (
        (_Role.SURE, tuple(name for name in entity.names if name not in entity.unsure)),
        (_Role.UNSURE, entity.unsure),
        (_Role.CONTEXT, entity.context),
        (_Role.UNLESS, entity.unless),
    )
    for role, names in roles:
        for name in names:
            acronym = name.isascii() and name.isalpha() and name.isupper()
            common_noun = bool(re.search(r"(?:^|[ -])[a-z]+$", name))
            use = _Use(entity.id, role, capitals=acronym, plural=acronym or common_noun, version=name.endswith("#"))
            for spelling in _spellings(name) if versioned or use.version else [name]:
                yield fold(spelling.removesuffix("#")), use


def _spellings(name: str) -> list[str]:
    """A model's name with a space, a hyphen or nothing at each joint: GLM-5, GLM 5, GLM5 (as written, past two joints)."""
    parts = _JOINTS.split(name)
    if not 2 <= len(parts) <= 3:
        return [name]
    return [
        "".join(itertools.chain.from_iterable(zip(parts, (*joints, ""), strict=True)))
        for joints in itertools.product(("", " ", "-"), repeat=len(parts) - 1)
    ]


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


def _supported(unsure: list[_Found], context: list[_Found], folded: str, title_end: int) -> list[_Found]:
    """The unsure names that have a context word of their entity in the title or near them."""
    words: defaultdict[str, list[_Found]] = defaultdict(list)
    for word in context:
        words[word.entity].append(word)
    han = len(folded.encode("utf-8", "replace")) > 1.3 * len(folded)
    kept = []
    for name in unsure:
        left, right = _surroundings(name, folded, title_end, han=han)
        for word in words[name.entity]:
            apart = word.end <= name.start or word.start >= name.end
            if apart and (word.end <= title_end or (word.start >= left and word.end <= right)):
                kept.append(name)
                break
    return kept


def _surroundings(name: _Found, folded: str, title_end: int, *, han: bool) -> tuple[int, int]:
    """The stretch whose context words speak for `name`: its paragraph, in Chinese text no further than REACH.

    A name in the title is also spoken for by the opening of the text.
    """
    if name.start < title_end:
        opening = _paragraph_end(folded, title_end + 1)
        return 0, min(opening, title_end + REACH) if han else opening
    left, right = folded.rfind("\n", 0, name.start) + 1, _paragraph_end(folded, name.end)
    return (max(left, name.start - REACH), min(right, name.end + REACH)) if han else (left, right)


def _paragraph_end(folded: str, start: int) -> int:
    end = folded.find("\n", start)
    return len(folded) if end < 0 else end


def _without(names: list[_Found], exceptions: list[_Found]) -> list[_Found]:
    """`names` less those that stand inside an exception of their entity."""
    if not exceptions:
        return names
    return [
        name
        for name in names
        if not any(
            other.entity == name.entity and other.start <= name.start and name.end <= other.end for other in exceptions
        )
    ]
