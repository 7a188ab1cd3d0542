"""The table of what is found and what is not: rows of cases.tsv as (query, subject, whether it matches)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lexicon.mentions import MentionFinder
from lexicon.subject import Subject
from lexicon.watchlist import parse_watchlist

WATCHLIST = parse_watchlist(
    """
topics:
  models: {en: Models, zh: 模型}
  controls: {en: Export controls, zh: 出口管制}
groups:
  models: {about: Models, members: [deepseek, qwen]}
entities:
- {id: deepseek, kind: company, origin: CN, topics: [models], en: [DeepSeek], zh_hans: [深度求索]}
- {id: qwen, kind: model, origin: CN, topics: [models], en: [Qwen], zh_hans: [通义千问]}
- {id: bis, kind: agency, origin: US, topics: [controls], en: [BIS], zh_hans: [美国商务部工业与安全局]}
- {id: controls, kind: rule, topics: [controls], en: [export controls], zh_hans: [出口管制]}
"""
)
"""A watchlist of four entities, one group and two topics, for tests of queries."""
_FINDER = MentionFinder(WATCHLIST)


@dataclass(frozen=True)
class Case:
    """One row."""

    query: str
    title: str
    text: str
    found: bool

    @property
    def subject(self) -> Subject:
        return Subject.of_text(self.title, self.text, mentions=_FINDER.find(self.title, self.text))

    def __str__(self) -> str:
        return f"{self.query} | {self.title} ‖ {self.text}"


def load_cases() -> list[Case]:
    """Every row of cases.tsv."""
    rows = Path(__file__).with_name("cases.tsv").read_text(encoding="utf-8").splitlines()
    return [_case(*row.split("\t")) for row in rows if row and not row.startswith(("# ", "#\n")) and row != "#"]


def _case(query: str, written: str, answer: str) -> Case:
    assert answer in {"yes", "no"}, written
    plain = written.encode("raw_unicode_escape").decode("raw_unicode_escape") if "\\u" in written else written
    title, divider, text = plain.replace("\\n", "\n").partition(" ‖ ")
    return Case(query, title if divider else "", text if divider else title, answer == "yes")
