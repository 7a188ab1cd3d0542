"""What makes two texts comparable: an exact hash, a MinHash signature, and bands by which a database finds near-copies.

One-permutation MinHash (Li, Owen and Zhang 2012) with rotation for empty bins (Shrivastava and Li 2014): every shingle is
hashed once, the top bits choose one of 64 bins, each bin keeps its least value; the share of equal bins estimates Jaccard
likeness with a standard deviation of about .06 at .5. Measured choices and thresholds: docs/design/identity.md.
"""

from __future__ import annotations

import hashlib
import re

import numpy as np
import numpy.typing as npt

from core.article import Fingerprint
from lexicon.folding import fold

BINS = 64
BANDS, ROWS = 32, 2  # a pair alike by .25 shares a band with probability .87, one by .01 (unrelated) with .003
MIN_WEIGHT = 300
"""Weighted characters below which a text gets no signature: a news flash of a hundred Han characters says too little."""
MIN_HASH_WEIGHT = 60
"""Weighted characters below which a text is hashed together with its title: "click here for more" stands under many."""
MIN_TITLE_WEIGHT = 24
"""Weighted characters of a title that may find candidates by itself: shorter ones (早报, Editorial) return every day."""

_Words = npt.NDArray[np.uint64]
_NOT_LETTERS = re.compile(r"[\W_]+")
_COLUMN = re.compile(r"^\s*(?:【[^】]{1,8}】|[^丨｜|]{1,8}[丨｜|])")
_WIDE = 0x2E80  # the first code point of the CJK blocks: Han, kana, hangul and their signs lie above
_NARROW = re.compile(r"[^\u2e80-\U0010ffff]+")
_HAN_WEIGHT = 3  # translators reckon a thousand Han characters as 600 to 700 English words, about 3,000 letters
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplication is a bijection mod 2**64
_EMPTY = np.uint32(0xFFFFFFFF)


def fingerprint(title: str, text: str) -> Fingerprint:
    """What makes an article comparable. `text` is clean: without wire credits and boilerplate.

    Letters and digits alone count, folded: spacing, punctuation and script variants differ between copies. The hash of hardly
    any text covers the title too, so that two bare headlines are equal only if they say the same.
    """
    head, body = heading(title), letters(text)
    length = weight(body)
    text_hash = _digest(body if length >= MIN_HASH_WEIGHT else f"{letters(title)}\n{body}", 16)
    if length < MIN_WEIGHT:
        return Fingerprint(text_hash, b"", _title_band(head), length)
    signature = _signature(_shingles(body))
    return Fingerprint(text_hash, signature.astype("<u4").tobytes(), _bands(signature) + _title_band(head), length)


def similarity(one: bytes, other: bytes) -> float:
    """The estimated Jaccard likeness (0 to 1) of two texts by their signatures; 0.0 where either has none."""
    if not one or not other:
        return 0.0
    return float(np.mean(np.frombuffer(one, "<u4") == np.frombuffer(other, "<u4")))


def letters(text: str) -> str:
    """The text's letters and digits, folded, without anything between them."""
    return _NOT_LETTERS.sub("", fold(text))


def heading(title: str) -> str:
    """A title's letters without the name of a column before it (【快讯】, 财经｜), if enough is left to be a title."""
    bare = letters(_COLUMN.sub("", title))
    return bare if weight(bare) >= MIN_TITLE_WEIGHT else letters(title)


def weight(text: str) -> int:
    """A text's length in weighted characters: what a reader takes in, in about the same measure for both languages."""
    return len(text) + (_HAN_WEIGHT - 1) * len(_NARROW.sub("", text))


def _points(text: str) -> _Words:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


def _title_band(head: str) -> tuple[int, ...]:
    """One more band, of the title alone: by it a pointer finds the article it points to, and a rewritten copy its original."""
    if weight(head) < MIN_TITLE_WEIGHT:
        return ()
    return (int.from_bytes(_digest("title:" + head, 8), "big") >> 1,)


def _shingles(body: str) -> _Words:
    """One hash for each place: of four characters where they begin with a wide one, else of eight.

    Four Latin letters are shared by any two English texts (Jaccard .10 at the median, .005 with eight).
    """
    points = _points(body)
    twos = points[:-1] * _BASE + points[1:]
    fours = twos[:-2] * _BASE**2 + twos[2:]
    eights = fours[:-4] * _BASE**4 + fours[4:]
    places = len(eights)
    return _mixed(np.where(points[:places] >= _WIDE, fours[:places], eights))


def _mixed(words: _Words) -> _Words:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): every bit of the input moves every bit of the output."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _signature(shingles: _Words) -> npt.NDArray[np.uint32]:
    least = np.full(BINS, _EMPTY, np.uint32)
    bins = (shingles >> np.uint64(58)).astype(np.intp)
    np.minimum.at(least, bins, ((shingles >> np.uint64(26)) & np.uint64(_EMPTY)).astype(np.uint32))
    return _rotated(least)


def _rotated(least: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Empty bins filled from the next filled one to the right, moved by the distance so that only like borrowings are equal."""
    filled, empty = np.flatnonzero(least != _EMPTY), np.flatnonzero(least == _EMPTY)
    if len(empty):
        lender = filled[np.searchsorted(filled, empty) % len(filled)]
        distance = ((lender - empty) % BINS).astype(np.uint32)
        least[empty] = least[lender] + distance * np.uint32(0x9E3779B1)
    return least


def _bands(signature: npt.NDArray[np.uint32]) -> tuple[int, ...]:
    rows = signature.reshape(BANDS, ROWS).astype(np.uint64)
    hashes = _mixed(np.arange(BANDS, dtype=np.uint64) + _BASE)
    for column in rows.T:
        hashes = _mixed((hashes ^ column) * _BASE)
    return tuple((hashes >> np.uint64(1)).tolist())
