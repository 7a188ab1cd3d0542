"""The other forms in which an unquoted word is looked for: English number, and words that differ by region (芯片 = 晶片).

The forms are looked for, never written into the index: an index that has turned `news` into `new` and 智慧 into 智能 cannot
tell them apart any more, and changing the table would mean indexing everything anew.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from importlib.resources import files

from lexicon.folding import fold

MOST_FORMS = 24
_LAST_WORD = re.compile(r"[a-z]{3,}$")
_ACRONYM = re.compile(r"(?<![A-Za-z])[A-Z]{3,}$|(?<![A-Za-z])[A-Z]{2,}s$")
_SIBILANT = ("x", "z", "ch", "sh", "ss")
# Words whose singular or plural is another word.
_NO_NUMBER = frozenset({"new", "news", "good", "goods", "mean", "means", "series", "species", "physics", "this", "does"})


def variants(typed: str) -> list[str]:
    """Every folded form of an unquoted word, or run of words without a space, the typed one first; at most MOST_FORMS."""
    folded = fold(typed)
    acronym = _ACRONYM.search(typed)
    if acronym:  # BIS is no plural; GPU has one, and GPUs is one
        others = [] if typed.endswith("S") else [folded[:-1] if typed.endswith("s") else f"{folded}s"]
        return [folded, *others]
    forms = (form for regional in _regional(folded) for form in (regional, *_other_numbers(regional)))
    return list(dict.fromkeys(itertools.islice(forms, MOST_FORMS)))


def _other_numbers(folded: str) -> list[str]:
    """`folded` with its last word in the plural or singular, by its ending. Some are no words at all; they find nothing."""
    last = _LAST_WORD.search(folded)
    if last is None or last[0] in _NO_NUMBER:
        return []
    word, before = last[0], folded[: last.start()]
    others = _singulars(word) if word.endswith("s") and not word.endswith("ss") else [_plural(word)]
    return [before + other for other in others]


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(_SIBILANT) else "s")


def _singulars(word: str) -> list[str]:
    if len(word) < 4 or word.endswith(("us", "is")):
        return []
    if word.endswith("ies"):
        return [word[:-3] + "y", word[:-1]]
    with_e = word[:-1]
    return [word[:-2], with_e] if word.endswith("es") and word[:-2].endswith(_SIBILANT) else [with_e]


def _regional(folded: str) -> list[str]:
    """`folded` itself, then with each regional word in it put in its other ways, in every combination."""
    pieces = _ANY_REGIONAL.split(folded)
    ways = [(piece, *_REGIONAL.get(piece, ())) for piece in pieces]
    combinations = itertools.islice(itertools.product(*ways), MOST_FORMS)
    return ["".join(parts) for parts in combinations]


def _regional_words() -> dict[str, list[str]]:
    """Word → the words that are equal to it."""
    equal: defaultdict[str, list[str]] = defaultdict(list)
    for line in files("lexicon").joinpath("regional.txt").read_text(encoding="utf-8").splitlines():
        row = [] if line.startswith("#") else line.split()
        for word in row:
            equal[word] += [other for other in row if other != word]
    return dict(equal)


_REGIONAL = _regional_words()
# The longest word first, so that 人工智能 is not read as the 智能 in it; Latin words only as a whole.
_ANY_REGIONAL = re.compile(
    "("
    + "|".join(
        rf"(?<![a-z]){word}(?![a-z])" if word.isascii() else word for word in sorted(_REGIONAL, key=len, reverse=True)
    )
    + ")"
)
