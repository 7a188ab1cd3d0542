"""Is this an article we hold already, a copy of one, or new? The layers above the address; see docs/design/identity.md.

One decider at a time: intake asks inside its write transaction, so that two collectors cannot both find an article new.
When in doubt it is new: a repeat that slips through is a small nuisance, an article taken for another one is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from crawler.judgement.likeness import MIN_HASH_WEIGHT, MIN_TITLE_WEIGHT, heading, similarity, weight
from lexicon.folding import fold

if TYPE_CHECKING:
    from core.article import Candidate, Draft, Fingerprint
    from core.source import Source

COPY_WINDOW = timedelta(days=30)
"""How far apart a copy and its original may be: wire copies come within days, reposts of essays within weeks."""
SAME_TITLE_WINDOW = timedelta(days=3)
"""How far apart another outlet's title, or a pointer's, stands for one article: columns return under their title in a week."""
SAME_DAY = timedelta(hours=20)
"""How far apart one outlet's title stands for one article: daily columns return after 24 hours."""
SAME_TEXT = 0.50
"""Likeness from which a text of the same outlet, under an alike title on the same day, is the same article corrected."""
SAME_TITLE_TEXT = 0.30
"""The same under the very same title."""
PART = 0.60
"""Share of the shorter of two texts that is in the longer, from which one is a copy; texts written apart stay below."""
MIN_LIKENESS = 0.20
"""Likeness below which that share cannot be told: three standard deviations of the estimate above nothing in common."""
MAX_RATIO = 3.0
"""How many times longer the longer text of a copy may be; beyond, it is a digest, or quotes the shorter."""
WHOLE_DIGEST = 0.80
"""Likeness from which a digest is a copy: of a whole digest, never of one of its items."""
ANOTHER_REPORT = 0.10
"""Likeness of two full texts under one title below which they are reports written apart."""
ALIKE_TITLES = 0.5
"""Shared character pairs (Dice) from which one title is an edited form of the other."""
MIN_COPY_TITLE = 12 * 3
"""Weighted characters (see likeness) of a title by which alone an article of another outlet is a copy."""

_NUMBERS = re.compile(r"\d+")
_LISTS = re.compile(r"[；;].+[；;]|[|｜丨].+[；;]")
_DIGEST = re.compile(
    r"早报|晚报|早餐|早知道|早参|日报[｜|丨:：]|周报|周刊|一周|盘点|汇总|速览|内参|合集|"
    r"(?i:\b(?:round-?up|digest|briefing|newsletter|weekly|this week in|links|issue #?\d)\b)"
)


@dataclass(frozen=True, slots=True)
class Same:
    """The same article of the same outlet, under another address, GUID or title."""

    article_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Another outlet's text: it is stored and joins the story of what it copies."""

    article_id: int
    story_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing held is this article or its original."""


Verdict = Same | Copy | Fresh


def decide(
    draft: Draft, fingerprint: Fingerprint, source: Source, candidates: Iterable[Candidate], now: datetime
) -> Verdict:
    """What a draft from `source` is, seen beside the articles that share a text hash or a band with it.

    A draft without a date is taken to be of `now` (aware UTC). Among several copies the likest is taken, then the oldest.
    """
    at = min(draft.published.at, now) if draft.published else now
    new = _New(draft, fingerprint, source, at, heading(draft.title))
    pairs = [_Pair(new, old, heading(old.title)) for old in candidates]
    for pair in pairs:
        if reason := pair.same():
            return Same(pair.old.article_id, reason)
    copies = [(pair, reason) for pair in pairs if (reason := pair.copy())]
    if not copies:
        return Fresh()
    pair, reason = max(copies, key=lambda found: (found[0].likeness, -found[0].old.article_id))
    return Copy(pair.old.article_id, pair.old.story_id, reason)


@dataclass(frozen=True, slots=True)
class _New:
    """The draft under decision, with what is asked of it again and again."""

    draft: Draft
    fingerprint: Fingerprint
    source: Source
    at: datetime
    head: str

    @property
    def outlet(self) -> str:
        return self.draft.outlet or self.source.publisher


class _Pair:
    """A draft beside one candidate. `same` and `copy` give the reason, for people, or nothing."""

    def __init__(self, new: _New, old: Candidate, old_head: str) -> None:
        self.new, self.old = new, old
        self.apart = abs(new.at - old.at)
        self.likeness = 1.0 if self._equal_text else similarity(new.fingerprint.signature, old.signature)
        self.one_title = new.head == old_head and weight(new.head) >= MIN_TITLE_WEIGHT
        one_head = new.head == old_head and bool(new.head or self._both_long)
        self.alike_titles = one_head or _dice(new.head, old_head) >= ALIKE_TITLES
        self.one_outlet = _one_outlet(new, old)

    @property
    def _equal_text(self) -> bool:
        return self.new.fingerprint.text_hash == self.old.text_hash

    @property
    def _titles_agree(self) -> bool:
        """Whether the titles bear out an equal text: the less there is of it, the more they must."""
        if self._both_long:
            return self.alike_titles
        if self.one_title and self.old.weight >= MIN_HASH_WEIGHT:
            return self.apart < COPY_WINDOW
        return self.alike_titles and self.apart < SAME_DAY

    @property
    def _corrected(self) -> bool:
        likeness = SAME_TITLE_TEXT if self.one_title else SAME_TEXT
        return self.likeness >= likeness and self.alike_titles and self._same_numbers

    @property
    def _both_long(self) -> bool:
        return bool(self.new.fingerprint.signature and self.old.signature)

    def same(self) -> str:
        """Why this is the candidate itself. Sites reuse texts (stubs, tables, notices): a title must speak for it too."""
        if not self.one_outlet:
            return ""
        if self._equal_text and self._titles_agree:
            return "the same text of the same outlet"
        if self.apart < SAME_DAY and self._both_long and self._corrected:
            return f"much the same text ({self.likeness:.2f}) and title of the same outlet, on one day"
        says_no_more = not self.new.fingerprint.signature
        window = SAME_TITLE_WINDOW if self.new.source.aggregator else SAME_DAY
        if self.one_title and says_no_more and self.apart < window:
            return "the title of an article of the same outlet, of the same time"
        return ""

    def copy(self) -> str:
        """Why this is a copy of the candidate, or says more under its title."""
        if self.one_outlet:
            fuller = self.new.fingerprint.weight > self.old.weight and not self._both_long
            return "the full text of a headline held" if self.one_title and fuller and self.apart < SAME_TITLE_WINDOW else ""
        digest = reads_as_digest(self.new.draft.title) or reads_as_digest(self.old.title)
        if self._equal_text and self.alike_titles and self.apart < SAME_TITLE_WINDOW:
            return "its text is the same"
        if self._shares_text(WHOLE_DIGEST if digest else MIN_LIKENESS):
            return f"its text is a copy ({self._part:.0%} of the shorter is in the longer)"
        return "" if digest else self._copy_by_title()

    def _shares_text(self, least_likeness: float) -> bool:
        comparable = self._both_long and self.apart < COPY_WINDOW and self._ratio <= MAX_RATIO
        return comparable and self.likeness >= least_likeness and self._part >= PART

    def _copy_by_title(self) -> str:
        says_enough = self.one_title and weight(self.new.head) >= MIN_COPY_TITLE
        not_another_report = not self._both_long or self.likeness >= ANOTHER_REPORT
        if says_enough and not_another_report and self.apart < SAME_TITLE_WINDOW:
            return "another outlet's title, of the same days"
        return ""

    @property
    def _ratio(self) -> float:
        shorter, longer = sorted((self.new.fingerprint.weight, self.old.weight))
        return longer / shorter

    @property
    def _part(self) -> float:
        """The share of the shorter text that is in the longer: |A∩B| / min(|A|, |B|), from J and the lengths."""
        return min(1.0, self.likeness / (1 + self.likeness) * (1 + self._ratio))

    @property
    def _same_numbers(self) -> bool:
        return _NUMBERS.findall(fold(self.new.draft.title)) == _NUMBERS.findall(fold(self.old.title))


def alike_titles(one: str, other: str) -> bool:
    """Whether two titles are the same or edited forms of each other."""
    heads = heading(one), heading(other)
    return heads[0] == heads[1] or _dice(*heads) >= ALIKE_TITLES


def reads_as_digest(title: str) -> bool:
    """Whether a title announces several stories in one page: it lists them, or calls itself a digest in either language."""
    return bool(_LISTS.search(title) or _DIGEST.search(title))


def _one_outlet(new: _New, old: Candidate) -> bool:
    if new.source.key == old.source and not new.source.aggregator:
        return True
    one, other = sorted((fold(new.outlet).strip(), fold(old.outlet).strip()), key=len)
    return bool(one) and bool(re.match(re.escape(one) + r"(?:$|\W|(?<=[^\W\x00-\u2e7f])(?=[\x00-\u2e7f]))", other))


def _dice(one: str, other: str) -> float:
    """How alike two titles are, by the character pairs they share (Dice 1945): 0 to 1."""
    pairs, others = ({text[i : i + 2] for i in range(len(text) - 1)} for text in (one, other))
    return 2 * len(pairs & others) / ((len(pairs) + len(others)) or 1)
