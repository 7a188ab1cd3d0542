"""The one road into the archive: a judged draft meets what is held, and one transaction keeps the result.

One decider at a time: this runs inside a write transaction, which the archive serialises. There is no network in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.article import Article, TextExtent
from core.errors import ReadingError
from core.outcomes import Outcome
from core.source import Source
from crawler.appraisal import Appraisal
from crawler.judgement.canonical import canonical_url, rewritten
from crawler.judgement.identity import COPY_WINDOW, Copy, Same, alike_titles, decide
from crawler.triage import Arrival
from storage import addresses, articles, likeness, sources
from storage.addresses import AddressRecord, Ending

if TYPE_CHECKING:
    from storage.archive import Transaction
    from storage.raw import RawLocation


@dataclass(frozen=True, slots=True)
class Run:
    """The run an arrival belongs to. `baseline_ended` is when its source's first good run was through (aware UTC), if it was.

    `horizon`: what was published before is too old for the archive.
    """

    id: int
    source: Source
    baseline_ended: datetime | None
    horizon: datetime
    watchlist_version: str


def take_in(
    tx: Transaction, run: Run, arrival: Arrival, appraisal: Appraisal, now: datetime, raw: RawLocation | None = None
) -> Outcome:
    """Keep a judged draft, or the reason why not; gives the outcome that was recorded. `now` is aware UTC."""
    names = _Names.of(arrival, appraisal, run.source)
    known = addresses.look_up_many(tx, names.all)
    held = _held(tx, arrival, names, known, appraisal)
    ending = _update(tx, run, held, appraisal, now) if held else _enter(tx, run, arrival, appraisal, now)
    if ending.outcome is Outcome.UNCHANGED and names.listed not in known:
        ending = Ending(Outcome.DUPLICATE, f"held as article {ending.article_id}", article_id=ending.article_id)
    address_id = note(tx, run, arrival, ending, now, known)
    if ending.article_id is not None and names.reached not in {*known, "", names.listed}:
        _note_redirect(tx, run, arrival, names.reached, ending, now)
    if raw is not None:
        addresses.keep_raw(tx, address_id, raw)
    return ending.outcome


@dataclass(frozen=True, slots=True)
class _Names:
    """The canonical URLs an article goes by: as its list has it, where that led, and what its page names; empty for none."""

    listed: str
    reached: str
    named: str

    @classmethod
    def of(cls, arrival: Arrival, appraisal: Appraisal, source: Source) -> _Names:
        draft = appraisal.draft
        return cls(arrival.canonical_url, _canonical(draft.url, source), _canonical(draft.canonical_link, source))

    @property
    def all(self) -> set[str]:
        return {self.listed, self.reached, self.named} - {""}


def _note_redirect(tx: Transaction, run: Run, arrival: Arrival, reached: str, ending: Ending, now: datetime) -> None:
    """Know the address that the entry's led to as the same article: a list may name it later."""
    reason = f"where {arrival.entry.url} leads"
    same = Ending(Outcome.DUPLICATE, reason, title=ending.title, article_id=ending.article_id)
    addresses.record(tx, reached, same, url=reached, source=run.source.key, now=now, run_id=run.id, looked_up={})


def note(
    tx: Transaction,
    run: Run,
    arrival: Arrival,
    ending: Ending,
    now: datetime,
    looked_up: Mapping[str, AddressRecord] | None = None,
) -> int:
    """Write down in the ledger how an arrival ended; gives the address's number. `looked_up` as in addresses.record."""
    entry = arrival.entry
    filled = Ending(
        ending.outcome,
        ending.reason,
        title=ending.title or entry.title,
        entry_fingerprint=entry.fingerprint,
        article_id=ending.article_id,
        next_try=ending.next_try,
        entry=entry if ending.next_try else ending.entry,
    )
    return addresses.record(
        tx,
        arrival.canonical_url,
        filled,
        url=entry.url,
        source=run.source.key,
        now=now,
        run_id=run.id,
        name=entry.guid,
        looked_up=looked_up,
    )


def _held(
    tx: Transaction, arrival: Arrival, names: _Names, known: Mapping[str, AddressRecord], appraisal: Appraisal
) -> Article | None:
    """The article already held under the entry's GUID or address, the one it led to, or the one the page names as its own.

    The last two count only if the titles agree: some sites name one address on all their pages, or lead lost ones home.
    """
    if arrival.known is not None and arrival.known.article_id is not None:
        return articles.get(tx, arrival.known.article_id)
    for url in (names.listed, names.reached, names.named):
        record = known.get(url)
        if record is not None and record.article_id is not None:
            article = articles.get(tx, record.article_id)
            if url == names.listed or alike_titles(article.title, appraisal.draft.title):
                return article
    return None


def _canonical(url: str, source: Source) -> str:
    """The canonical URL of an address a page gave; empty if it is none."""
    try:
        return canonical_url(rewritten(url, source)) if url else ""
    except ReadingError:
        return ""


def _of_the_baseline(run: Run, arrival: Arrival) -> bool:
    """Whether the source's first collection brought it: then it is kept and never mailed, even if its page came later."""
    if run.baseline_ended is None:
        return True
    return (
        arrival.known is not None and arrival.known.source == run.source.key and arrival.known.first_seen <= run.baseline_ended
    )


def _update(tx: Transaction, run: Run, held: Article, appraisal: Appraisal, now: datetime) -> Ending:
    """A held article again: a new version if its own source changed it, else the same one under one more address."""
    draft = appraisal.draft
    if held.source != run.source.key:
        return Ending(Outcome.DUPLICATE, f"held as article {held.id}", article_id=held.id)
    lost_text = held.extent is TextExtent.FULL and draft.extent in {TextExtent.SUMMARY, TextExtent.HEADLINE}
    says_less = lost_text or len(draft.text or draft.summary) < len(held.body) // 2
    same = (draft.title, draft.text or draft.summary) == (held.title, held.body)
    if same or says_less:
        return Ending(Outcome.UNCHANGED, article_id=held.id)
    articles.update(tx, held.id, draft, appraisal.judgement, now=now, watchlist_version=run.watchlist_version)
    return Ending(Outcome.UPDATED, "its title or text changed", title=draft.title, article_id=held.id)


def _enter(tx: Transaction, run: Run, arrival: Arrival, appraisal: Appraisal, now: datetime) -> Ending:
    """An article under an address not held: off-topic, too old, the same as one held, a copy of one, or new."""
    draft, judgement = appraisal.draft, appraisal.judgement
    if not judgement.relevance.relevant:
        return Ending(Outcome.OFF_TOPIC, "; ".join(judgement.relevance.reasons), title=draft.title)
    if draft.published and draft.published.at < run.horizon:
        return Ending(Outcome.TOO_OLD, f"published {draft.published.at:%Y-%m-%d}", title=draft.title)
    found = likeness.candidates(tx, judgement.fingerprint, now - COPY_WINDOW - timedelta(days=1))
    verdict = decide(draft, judgement.fingerprint, run.source, found, now)
    if isinstance(verdict, Same):
        reason = f"{verdict.reason} (article {verdict.article_id})"
        return Ending(Outcome.DUPLICATE, reason, title=draft.title, article_id=verdict.article_id)
    copied = verdict if isinstance(verdict, Copy) else None
    article_id = articles.insert(
        tx,
        draft,
        judgement,
        source=run.source.key,
        outlet=draft.outlet or run.source.publisher,
        canonical_url=arrival.canonical_url,
        discovered=now,
        watchlist_version=run.watchlist_version,
        story_id=copied.story_id if copied else None,
        copy_of=copied.article_id if copied else None,
        baseline=_of_the_baseline(run, arrival),
    )
    sources.note_news(tx, run.source.key, now)
    if copied:
        return Ending(Outcome.COPY, f"{copied.reason} (article {copied.article_id})", title=draft.title, article_id=article_id)
    return Ending(Outcome.NEW, "; ".join(judgement.relevance.reasons), title=draft.title, article_id=article_id)
