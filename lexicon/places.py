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
    """One occurrence of `words`: from the token `first`, up to the word or Han character `after` (excluded)."""

    words: Words
    first: int

    @property
    def last(self) -> int:
        """The number of its last token."""
        return self.first + len(self.words.tokens) - 1

    @property
    def after(self) -> int:
        """The number of the first word or Han character behind it (tokens are numbered as these are)."""
        return self.last + (2 if self.words.ends_in_pair else 1)

    def span(self, tokens: Sequence[Token]) -> tuple[int, int]:
        """Its characters in the text that `tokens` were read in, the end excluded."""
        start, last = tokens[self.first].start, tokens[self.last]
        # A single Han character is found as the beginning of a pair.
        whole = not (self.words.prefix and is_han(self.words.tokens[-1]))
        return start, last.end if whole else last.start + 1


def places(words: Words, texts: Sequence[str]) -> list[Place]:
    """Every place of `words` among `texts`, the token texts of one title or text, in order."""
    first, rest = words.tokens[0], words.tokens[1:]
    if words.prefix and not rest:
        return [Place(words, i) for i, text in enumerate(texts) if text.startswith(first)]
    starts = [i for i, text in enumerate(texts[: len(texts) - len(rest)]) if text == first]
    return [Place(words, i) for i in starts if _follow(words, rest, texts[i + 1 : i + 1 + len(rest)])]


def _follow(words: Words, rest: Sequence[str], found: Sequence[str]) -> bool:
    if not words.prefix:
        return tuple(found) == tuple(rest)
    return tuple(found[:-1]) == tuple(rest[:-1]) and found[-1].startswith(rest[-1])


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
