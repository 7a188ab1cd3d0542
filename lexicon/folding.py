"""Folding: one form for the ways a character is written, character by character, so that offsets stay true.

What folds: width (ＡＩ, ｶ), presentation forms (𝐀𝐈, ⑤, ㊙), case, accents on Latin letters, Traditional Chinese. What
would change the number of characters (ß → ss, ﬁ → fi, … → ...) stays as it is. The reasons: docs/design/language.md.
"""

from __future__ import annotations

import unicodedata
from importlib.resources import files


def _simplified_forms() -> dict[str, str]:
    lines = files("lexicon").joinpath("traditional.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {traditional: simplified for simplified, variants in rows for traditional in variants}


_SIMPLIFIED = _simplified_forms()


def _without_accent(char: str) -> str:
    """The base of an accented Latin letter (é → e, ǐ → i); of other scripts an accent may make another letter (が, й)."""
    parts = unicodedata.normalize("NFD", char)
    base, marks = parts[0], parts[1:]
    return base if marks and "a" <= base.lower() <= "z" and all(map(unicodedata.combining, marks)) else char


def _without_case(char: str) -> str:
    folded = char.casefold()
    return folded if len(folded) == 1 else char.lower()


def _fold_once(char: str) -> str:
    forms = (unicodedata.normalize("NFKC", char), _without_case(char), _without_accent(char))
    return next((form for form in forms if len(form) == 1 and form != char), _SIMPLIFIED.get(char, char))


class _Folds(dict[int, int]):
    """Code point → folded code point, worked out when first met: a few thousand of a million are ever needed."""

    def __missing__(self, point: int) -> int:
        char = chr(point)
        while (folded := _fold_once(char)) != char:
            char = folded
        self[point] = ord(char)
        return self[point]


_FOLDS = _Folds()


def fold(text: str) -> str:
    """`text` folded, of the same length: `fold(text)[i]` stands for `text[i]`, and folding twice is folding once.

    Width and presentation forms as by NFKC, case as by Unicode case folding, accents as by NFD, Chinese as by OpenCC's
    t2s, each where one character becomes one. If `part in text` then `fold(part) in fold(text)`.
    """
    return text.translate(_FOLDS)
