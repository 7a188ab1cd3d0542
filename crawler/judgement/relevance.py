"""Relevance: is this coverage of China's AI sector? Reasons written in the query language, in relevance.yaml beside this file.

An article is about what its headline and opening say; what comes up in passing further down makes nothing relevant.
Figures and the why: docs/design/relevance.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml
from pydantic import Field

from core.article import Relevance
from core.errors import ConfigError
from core.language import Language
from core.source import Model, Scope
from lexicon.matcher import matches
from lexicon.mentions import MentionFinder
from lexicon.query import parse
from lexicon.subject import Subject

if TYPE_CHECKING:
    from core.source import Source
    from lexicon.query import Query
    from lexicon.watchlist import Watchlist

LEAD_CHARACTERS = {True: 400, False: 1000}
"""How much of a text is its opening, in Chinese and in other writing: about the first five sentences."""
TELLING_CHARACTERS = {True: 40, False: 160}
"""A summary of this length says whether an article on AI is about China; a shorter one may leave it open."""

_READ_WHOLE = {Scope.RESEARCH, Scope.NEWSLETTER, Scope.THINK_TANK, Scope.GOVERNMENT, Scope.COMPANY}
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # the definition has no date predicates
_NAMES_SHOWN = 3


class _Definition(Model):
    """One reason as relevance.yaml writes it."""

    says: str = ""
    naming: str = ""
    title: str = ""
    lead: str = ""
    often: dict[str, int] = Field(default_factory=dict)
    languages: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ()
    countries: tuple[str, ...] = ()


class _File(Model):
    reasons: dict[str, _Definition]
    promise: str
    elsewhere: str


@dataclass(frozen=True)
class _Reading:
    """Headline and opening, read once for all reasons. `counts` is how often each entity is named in both."""

    title: Subject
    lead: Subject
    counts: Counter[str]


@dataclass(frozen=True)
class _Reason:
    """A reason ready to be asked."""

    says: str
    naming: frozenset[str]
    title: Query | None
    lead: Query | None
    often: tuple[tuple[frozenset[str], int], ...]
    definition: _Definition

    def concerns(self, source: Source, language: Language) -> bool:
        """Whether this reason is meant for articles of `source` in `language`."""
        only = self.definition
        return (
            (not only.languages or ("zh" if language.chinese else language) in only.languages)
            and (not only.scopes or source.scope in only.scopes)
            and (not only.countries or source.country in only.countries)
        )

    def holds(self, reading: _Reading) -> bool:
        """Whether everything this reason asks for is so."""
        return (
            (self.title is None or matches(self.title, reading.title, _NO_DATE))
            and (self.lead is None or matches(self.lead, reading.lead, _NO_DATE))
            and all(sum(reading.counts[entity] for entity in entities) >= times for entities, times in self.often)
        )


class RelevanceJudge:
    """Judges drafts and entries by the shipped definition; built once per watchlist, then safe to use from any thread."""

    def __init__(self, watchlist: Watchlist, finder: MentionFinder | None = None) -> None:
        text = files("crawler.judgement").joinpath("relevance.yaml").read_text(encoding="utf-8")
        definition = _File.model_validate(yaml.load(text, Loader=yaml.CSafeLoader))
        self._watchlist = watchlist
        self._finder = finder or MentionFinder(watchlist)
        self._reasons = [self._ready(reason) for reason in definition.reasons.values()]
        self._promise = parse(definition.promise, watchlist)
        self._elsewhere = parse(definition.elsewhere, watchlist)
        self._ai = self._concept("ai-terms")
        self._chinese = self._concept("chinese") | self._concept("chinese-places")

    def judge(self, title: str, text: str, source: Source, language: Language) -> Relevance:
        """Whether an article is coverage of China's AI sector; `text` is its text, or its summary where there is no more."""
        return self._verdict(self._read(title, text, language), source, language)

    def worth_fetching(self, title: str, summary: str, source: Source) -> Relevance:
        """Whether an entry's page is worth fetching to judge it whole: when in doubt, it is."""
        if not title.strip() and not summary.strip():
            return Relevance(relevant=True, reasons=("its list says nothing of it",))
        language = Language.ZH_HANS if source.language == "zh" else Language.EN
        reading = self._read(title, summary, language)
        verdict = self._verdict(reading, source, language)
        if verdict.relevant:
            return verdict
        if source.scope in _READ_WHOLE or (source.scope is Scope.AI_ONLY and source.country == "CN"):
            return Relevance(relevant=True, reasons=(f"everything of this source ({source.scope}) is read",))
        telling = len(summary) >= TELLING_CHARACTERS[language.chinese]
        about_elsewhere = telling and matches(self._elsewhere, reading.lead, _NO_DATE)
        if matches(self._promise, reading.lead, _NO_DATE) and not about_elsewhere:
            return Relevance(relevant=True, reasons=("title and summary leave it open",))
        return verdict

    def _verdict(self, reading: _Reading, source: Source, language: Language) -> Relevance:
        said = [
            self._said(reason, reading)
            for reason in self._reasons
            if reason.concerns(source, language) and reason.holds(reading)
        ]
        return Relevance(relevant=bool(said), reasons=tuple(said) or (self._off_topic(reading),))

    def _read(self, title: str, text: str, language: Language) -> _Reading:
        opening = text[: LEAD_CHARACTERS[language.chinese]]
        mentions, spans = self._finder.find_with_spans(title, opening)
        return _Reading(
            title=Subject.of_text(title, "", mentions=self._finder.find(title, "")),
            lead=Subject.of_text(title, opening, mentions=mentions),
            counts=Counter(span.entity for span in spans),
        )

    def _said(self, reason: _Reason, reading: _Reading) -> str:
        named = sorted(reason.naming & reading.counts.keys(), key=lambda entity: -reading.counts[entity])[:_NAMES_SHOWN]
        return f"{reason.says} {', '.join(self._shown(entity) for entity in named)}".strip()

    def _shown(self, entity: str) -> str:
        return self._watchlist.gloss(entity, "en") or self._watchlist.gloss(entity, "zh") or entity.replace("-", " ")

    def _off_topic(self, reading: _Reading) -> str:
        if self._ai.isdisjoint(reading.lead.mentions):
            return "no word of AI in headline or opening"
        if self._chinese.isdisjoint(reading.lead.mentions):
            return "AI, but nothing of China"
        return "AI or China only in passing"

    def _ready(self, reason: _Definition) -> _Reason:
        return _Reason(
            says=reason.says,
            naming=self._concept(reason.naming) if reason.naming else frozenset(),
            title=parse(reason.title, self._watchlist) if reason.title else None,
            lead=parse(reason.lead, self._watchlist) if reason.lead else None,
            often=tuple((self._concept(name), times) for name, times in reason.often.items()),
            definition=reason,
        )

    def _concept(self, name: str) -> frozenset[str]:
        entities = self._watchlist.concept(name)
        if entities is None:
            raise ConfigError([f"relevance.yaml: the watchlist has no @{name}"])
        return entities
