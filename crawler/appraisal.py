"""From bytes to a judged draft: reading and judgement joined, without net or database. Runs in a reading worker.

A worker builds its judge once, when the first document comes, and keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from core.article import Draft, Entry, Judgement, Relevance
from core.document import Document
from core.source import Source
from crawler.judgement.likeness import fingerprint
from crawler.judgement.relevance import RelevanceJudge
from crawler.reading.pages import draft_from_entry, read_page
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A draft and the verdict on it."""

    draft: Draft
    judgement: Judgement


def appraise_page(document: Document, entry: Entry, source: Source, now: datetime) -> Appraisal:
    """Read and judge an article's page. Raises ReadingError if no article can be read from it."""
    return _appraise(read_page(document, entry, source, now), source)


def appraise_entry(entry: Entry, source: Source, now: datetime) -> Appraisal:
    """Read and judge an entry by what its list says of it. Raises ReadingError if that is nothing."""
    return _appraise(draft_from_entry(entry, source, now), source)


def screen(entries: Sequence[Entry], source: Source) -> list[Relevance]:
    """For each entry, whether its title and summary make its page worth fetching."""
    judge = _judges()[1]
    return [judge.worth_fetching(entry.title, entry.summary, source) for entry in entries]


def warm_up() -> None:
    """Build this process's judge, so that the first document does not pay for it."""
    _judges()


def _appraise(draft: Draft, source: Source) -> Appraisal:
    finder, judge = _judges()
    body = draft.text or draft.summary
    mentions = finder.find(draft.title, body)
    relevance = judge.judge(draft.title, body, source, draft.language)
    return Appraisal(draft, Judgement(relevance, mentions, fingerprint(draft.title, body)))


@cache
def _judges() -> tuple[MentionFinder, RelevanceJudge]:
    watchlist = load_watchlist()
    finder = MentionFinder(watchlist)
    return finder, RelevanceJudge(watchlist, finder)
