"""Which language a text is in, by script first; Chinese scripts by the characters only one of them has, Latin by stop words."""

from __future__ import annotations

import re
from functools import cache

import opencc

from core.language import Language

_SAMPLE_CHARS = 4000
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_ASCII = re.compile(r"[A-Za-z]")
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff]")  # Greek, Cyrillic, Hebrew, Arabic, Indic, Thai and their neighbours
_WORD = re.compile(r"[a-z\u00df-\u024f']+")
# Words that hardly occur in another language's headlines, and the same of the European languages nearest to hand.
_ENGLISH = frozenset({
    "the", "of", "and", "to", "in", "is", "for", "that", "with", "as", "are", "by", "at", "from", "its", "it", "be", "an",
    "was", "has", "have", "will", "this", "their", "how", "what", "why", "who", "new", "says", "after", "over", "not",
    "but", "you", "your", "we", "he", "his", "more", "into", "about", "can", "up", "out", "than", "us",
})  # fmt: skip
_NOT_ENGLISH = frozenset({
    "der", "und", "den", "von", "mit", "ist", "dem", "ein", "eine", "auf", "für", "nicht", "les", "une", "pour", "dans",
    "que", "qui", "sur", "aux", "los", "las", "por", "con", "una", "para", "della", "gli", "che", "uma", "os", "het",
    "een", "och", "att", "det", "av", "til", "og", "nie", "się", "jest", "yang", "untuk", "dengan", "của", "và", "các",
})  # fmt: skip


def detect(text: str) -> Language:
    """The language of a text (its first 4,000 characters are looked at); OTHER for one with no letters.

    A Han text with kana or hangul is Japanese or Korean. A text that mixes Han and Latin is Chinese if its Han characters are
    one in twelve letters or more, or no English word is there: 用 GPT-5 is Chinese, "the Huawei (华为) chip" is not.
    """
    sample = text[:_SAMPLE_CHARS]
    han, kana, hangul = (len(script.findall(sample)) for script in (_HAN, _KANA, _HANGUL))
    latin, foreign = len(_LATIN.findall(sample)), len(_OTHER_SCRIPT.findall(sample))
    if (kana and kana * 10 > han) or hangul > han or foreign > latin + han:
        return Language.OTHER
    if not han + latin:
        return Language.OTHER
    words = _WORD.findall(sample.lower())
    english, other = (sum(word in known for word in words) for known in (_ENGLISH, _NOT_ENGLISH))
    if han and (han * 12 >= latin or not english):
        return _chinese_script(sample)
    # Names bring single foreign words into English; a headline without any known word is English if its letters are ASCII.
    ascii_letters = len(_ASCII.findall(sample)) == latin
    return Language.EN if other <= english + ascii_letters and (english or ascii_letters) else Language.OTHER


def _chinese_script(sample: str) -> Language:
    simplified, traditional = _characteristic()
    balance = sum(char in simplified for char in sample) - sum(char in traditional for char in sample)
    return Language.ZH_HANT if balance < 0 else Language.ZH_HANS


@cache
def _characteristic() -> tuple[frozenset[str], frozenset[str]]:
    """The characters that only Simplified, and those that only Traditional text has, by OpenCC's character maps."""
    every = "\n".join(map(chr, range(0x4E00, 0xA000)))
    to_simplified = opencc.OpenCC("t2s").convert(every).split("\n")
    to_traditional = opencc.OpenCC("s2t").convert(every).split("\n")
    plain = every.split("\n")
    simplified = frozenset(one for one, other in zip(plain, to_traditional, strict=True) if one != other)
    traditional = frozenset(one for one, other in zip(plain, to_simplified, strict=True) if one != other)
    return simplified - traditional, traditional - simplified
