"""Where words stand in a text: the ground of NEAR and of marking."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lexicon.tokens import is_han

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lexicon.tokens import Token, Words


@dataclass(frozen=True, slots=True)
class Place:
    """One occurrence: `first` to `after` counts words and Han characters, `start` to `end` characters (ends excluded)."""

    first: int
    after: int
    start: int
    end: int


def places(words: Words, tokens: Sequence[Token]) -> list[Place]:
    """Every place of `tokens` (those of one text, all of them) where `words` stand, in order."""
    length = len(words.tokens)
    starts = (i for i in range(len(tokens) - length + 1) if _stand_at(words, tokens, i))
    return [_place(words, tokens, i) for i in starts]


def _stand_at(words: Words, tokens: Sequence[Token], start: int) -> bool:
    *firsts, last = words.tokens
    found = tokens[start + len(firsts)].text
    if not (found.startswith(last) if words.prefix else found == last):
        return False
    return all(tokens[start + i].text == wanted for i, wanted in enumerate(firsts))


def _place(words: Words, tokens: Sequence[Token], first: int) -> Place:
    last = first + len(words.tokens) - 1
    start, end = tokens[first].start, tokens[last].end
    if words.prefix and is_han(words.tokens[-1]):  # it was found as the beginning of a pair
        end = tokens[last].start + 1
    return Place(first, last + (2 if words.ends_in_pair else 1), start, end)


def near(some: Sequence[Place], others: Sequence[Place], distance: int) -> list[Place]:
    """Those of `some` that have one of `others` before or behind, with at most `distance` words or Han characters between."""
    firsts = sorted(other.first for other in others)
    afters = sorted(other.after for other in others)
    return [place for place in some if _gap(place, firsts, afters) <= distance]


def _gap(place: Place, firsts: Sequence[int], afters: Sequence[int]) -> float:
    behind = bisect_left(firsts, place.after)
    before = bisect_right(afters, place.first) - 1
    gap_behind = firsts[behind] - place.after if behind < len(firsts) else float("inf")
    gap_before = place.first - afters[before] if before >= 0 else float("inf")
    return min(gap_behind, gap_before)
