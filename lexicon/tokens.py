"""Tokens without a dictionary: what a text is to the index, the matcher and a phrase of a query alike.

A Latin run is a word, a digit run another (GLM5 = GLM-5 = GLM 5), and a run of Han, kana or hangul is its overlapping pairs of
characters and then its last character: 人工智能 is 人工, 工智, 智能, 能. So there are as many tokens as words, numbers and Han
characters, and a token's place counts them. A run of + or # right behind a word is a token too (C++, C#, 人工智能+).
Everything else divides. The reasons: docs/design/language.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_HAN = (
    "々〇ぁ-ゖゝ-ゟァ-ヺー-ヿㄅ-ㄯㄱ-ㆎㆠ-ㆿㇰ-ㇿ㐀-䶿一-鿿"  # ideographs, kana, bopomofo, compatibility jamo
    r"\u1100-\u11ff\ua960-\ua97f가-힣\ud7b0-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Numbers that are no digits (½, ⑩) divide; so do the few letters that FTS5's unicode61 divides at (of New Tai Lue and Vedic).
_NO_LETTERS = r"¼-¾⅐-⅟⑩-⓿❶-➓㈀-㏿\u19b0-\u19c9\u1cf2\u1cf3"
_RUN = re.compile(rf"(?P<han>[{_HAN}]+)|[0-9]+|[^\W0-9_{_HAN}{_NO_LETTERS}]+|(?<=[^\W_])[+#]+")
_RUNS = re.compile(_RUN.pattern.replace("?P<han>", "?:"))  # the same without a group, for findall
_FIRST_HAN = "\u1100"  # of _HAN, in order of code points
# Marks and format characters that stand inside a word without being part of it: accents on their own, zero width, soft hyphen.
_TRANSPARENT = re.compile(
    "[\u00ad\u0300-\u036f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u3099\u309a\ufe00-\ufe0f\ufeff]"
)
# unicode61 keeps letters, digits and private-use characters, so + and # are written as the latter.
_PLUS, _HASH = "\ue02b", "\ue023"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `text` as the index writes it, from `start` to `end` (end excluded) of the text it was read in."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Words:
    """What a phrase looks for: these tokens in a row, the last one possibly only the beginning of one (`prefix`)."""

    tokens: tuple[str, ...]
    prefix: bool = False

    @cached_property
    def needle(self) -> str:
        """The string to find in an `index_text` with a space put before and behind it."""
        return f" {' '.join(self.tokens)}{'' if self.prefix else ' '}"

    @property
    def ends_in_pair(self) -> bool:
        """Whether the last token is a pair of Han characters, which reaches over two places."""
        return len(self.tokens[-1]) == 2 and is_han(self.tokens[-1])


def is_han(text: str) -> bool:
    """Whether `text` (folded) begins with a Han, kana or hangul character, which is read by pairs."""
    run = _RUN.match(text)
    return bool(run and run["han"])


def _written(text: str) -> str:
    return text.replace("+", _PLUS).replace("#", _HASH)


def index_text(folded: str) -> str:
    """The tokens of a folded text, divided by single spaces: what the full-text index is fed with.

    FTS5's unicode61 (with its default options) reads exactly these tokens back.
    """
    found: list[str] = []
    for run in _RUNS.findall(_TRANSPARENT.sub("", folded)):
        if run < _FIRST_HAN or not is_han(run):  # the first settles most, and is quick
            found.append(run)
        else:
            found += [run[i : i + 2] for i in range(len(run))]
    return _written(" ".join(found))


def tokens(folded: str) -> list[Token]:
    """The tokens of a folded text with their places in it; their texts are those of `index_text`."""
    if not _TRANSPARENT.search(folded):
        return list(_placed(folded))
    places = [i for i, char in enumerate(folded) if not _TRANSPARENT.match(char)]
    plain = "".join(folded[i] for i in places)
    return [Token(token.text, places[token.start], places[token.end - 1] + 1) for token in _placed(plain)]


def _placed(plain: str) -> Iterator[Token]:
    for run in _RUN.finditer(plain):
        start, end = run.span()
        if run.lastgroup:  # Han
            for i in range(start, end):
                yield Token(plain[i : min(i + 2, end)], i, min(i + 2, end))
        else:
            yield Token(_written(run[0]), start, end)


def words(folded: str, *, prefix: bool = False) -> Words | None:
    """A folded phrase as what to look for, or None if it holds no token.

    A Han run at the phrase's end may go on in the text, so its last character is no token of its own there; a single
    Han character at the end begins a token (芯 begins 芯片, and 芯 at a run's end). `prefix` lets the last word go on.
    """
    found = index_text(folded).split()
    if not found:
        return None
    if not is_han(found[-1]):
        return Words(tuple(found), prefix)
    if len(found) > 1 and len(found[-2]) == 2 and is_han(found[-2]):
        return Words(tuple(found[:-1]))
    return Words(tuple(found), prefix=True)
