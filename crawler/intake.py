"""The one road into the archive: a judged draft meets what is held, and one transaction keeps the result.

One decider at a time: this runs inside a write transaction, which the archive serialises. There is no network in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.article import Article
from core.errors import ReadingError
from core.outcomes import Outcome
from core.source import Source
from crawler.appraisal import Appraisal
from crawler.judgement.canonical import canonical_url, rewritten
from crawler.judgement.identity import COPY_WINDOW, Copy, Same, alike_titles, decide
from crawler.triage import Arrival
from storage import addresses, articles, likeness
from storage.addresses import Ending

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
    held = _held(tx, run, arrival, appraisal)
    ending = _update(tx, run, held, appraisal, now) if held else _enter(tx, run, arrival, appraisal, now)
    address_id = note(tx, run, arrival, ending, now)
    if ending.article_id is not None:
        _note_redirect(tx, run, arrival, appraisal, ending.article_id, now)
    if raw is not None:
        addresses.keep_raw(tx, address_id, raw)
    return ending.outcome


def _note_redirect(tx: Transaction, run: Run, arrival: Arrival, appraisal: Appraisal, article_id: int, now: datetime) -> None:
    """Know the address that the entry's led to as the same article: a list may name it later."""
    reached = _canonical(appraisal.draft.url, run.source)
    if reached and reached != arrival.canonical_url and addresses.look_up(tx, reached) is None:
        draft, reason = appraisal.draft, f"where {arrival.entry.url} leads"
        ending = Ending(Outcome.DUPLICATE, reason, title=draft.title, article_id=article_id)
        addresses.record(tx, reached, ending, url=draft.url, source=run.source.key, now=now, run_id=run.id)


def note(tx: Transaction, run: Run, arrival: Arrival, ending: Ending, now: datetime) -> int:
    """Write down in the ledger how an arrival ended; gives the address's number."""
    entry = arrival.entry
    filled = Ending(
        ending.outcome,
        ending.reason,
        title=ending.title or entry.title,
        entry_fingerprint=entry.fingerprint,
        article_id=ending.article_id,
        next_try=ending.next_try,
        entry=entry if ending.next_try else None,
    )
    return addresses.record(
        tx, arrival.canonical_url, filled, url=entry.url, source=run.source.key, now=now, run_id=run.id, name=entry.guid
    )


def _held(tx: Transaction, run: Run, arrival: Arrival, appraisal: Appraisal) -> Article | None:
    """The article already held under the entry's address, the one it redirected to, or the one the page names as its own.

    A page is believed about that only if the titles agree: some sites name one address on all their pages.
    """
    draft = appraisal.draft
    if arrival.known is not None and arrival.known.article_id is not None:
        return articles.get(tx, arrival.known.article_id)
    addressed = (arrival.canonical_url, _canonical(draft.url, run.source))
    for record in addresses.look_up_many(tx, [url for url in addressed if url]).values():
        if record.article_id is not None:
            return articles.get(tx, record.article_id)
    named = addresses.look_up(tx, _canonical(draft.canonical_link, run.source))
    if named is not None and named.article_id is not None:
        article = articles.get(tx, named.article_id)
        return article if alike_titles(article.title, draft.title) else None
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
    says_less = len(draft.text or draft.summary) < len(held.body) // 2
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
    if copied:
        return Ending(Outcome.COPY, f"{copied.reason} (article {copied.article_id})", title=draft.title, article_id=article_id)
    return Ending(Outcome.NEW, "; ".join(judgement.relevance.reasons), title=draft.title, article_id=article_id)
