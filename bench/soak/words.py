"""How the soak's made-up press writes: sentences of words.yaml with their gaps filled by chance."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

_WORDS = Path(__file__).with_name("words.yaml")
_GAP = re.compile(r"\{(\w+)\}")
NUMBERS = (2, 990)
"""What fills the gap `n`; the gap `name` is filled by syllables, so that no two texts are alike by chance."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A language and a subject: what headlines and sentences look like, what fills their gaps, what joins sentences."""

    titles: Sequence[str]
    sentences: Sequence[str]
    words: Mapping[str, Sequence[str]]
    syllables: Sequence[str]
    joint: str

    def title(self, rng: random.Random) -> str:
        """A headline."""
        return self._filled(rng.choice(self.titles), rng)

    def paragraph(self, rng: random.Random) -> str:
        """Three to six sentences."""
        return self.joint.join(self._filled(rng.choice(self.sentences), rng) for _ in range(rng.randint(3, 6)))

    def _filled(self, pattern: str, rng: random.Random) -> str:
        def word(gap: re.Match[str]) -> str:
            if gap[1] == "name":
                return "".join(rng.choices(self.syllables, k=3)).capitalize()
            return str(rng.randint(*NUMBERS)) if gap[1] == "n" else rng.choice(self.words[gap[1]])

        return _GAP.sub(word, pattern)


@cache
def voice(*, chinese: bool, on_ai: bool) -> Voice:
    """How one writes of a subject in a language."""
    language = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))["chinese" if chinese else "english"]
    return Voice(
        **language["ai" if on_ai else "else"], words=language["words"], syllables=language["syllables"], joint=language["joint"]
    )
