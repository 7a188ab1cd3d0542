"""Entries sorted before anything of theirs is fetched: known ones, unusable ones, old ones end here, the rest go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from core.article import Entry
from core.errors import ReadingError
from core.outcomes import Outcome
from core.source import Source
from crawler.judgement.canonical import MAX_LENGTH, canonical_url, rewritten
from lexicon.folding import fold
from storage import addresses
from storage.addresses import AddressRecord, Ending

if TYPE_CHECKING:
    from storage.archive import Transaction


@dataclass(frozen=True, slots=True)
class Arrival:
    """An entry on its way in: its canonical URL, and what the ledger knew of it when it came."""

    entry: Entry
    canonical_url: str
    known: AddressRecord | None = None


@dataclass(frozen=True, slots=True)
class Triage:
    """Entries that go on, and those that end here, each with its ending. Together they are all entries."""

    going_on: tuple[Arrival, ...]
    ended: tuple[tuple[Arrival, Ending], ...]


def triage(tx: Transaction, entries: Sequence[Entry], source: Source, horizon: datetime) -> Triage:
    """Sort a list's entries by what the archive knows. Entries published before `horizon` (aware UTC) are too old."""
    arrivals, ended = _with_canonical_urls(entries, source)
    known = addresses.look_up_many(tx, [arrival.canonical_url for arrival in arrivals])
    going_on: list[Arrival] = []
    for arrival in arrivals:
        arrival = replace(arrival, known=_record_of(tx, arrival, source, known))
        ending = _ending(arrival, source, horizon)
        if ending:
            ended.append((arrival, ending))
        else:
            going_on.append(arrival)
    return Triage(tuple(going_on), tuple(ended))


def _with_canonical_urls(entries: Sequence[Entry], source: Source) -> tuple[list[Arrival], list[tuple[Arrival, Ending]]]:
    arrivals: dict[str, Arrival] = {}
    ended = []
    for entry in entries:
        try:
            entry = replace(entry, url=rewritten(entry.url, source))
            arrival = Arrival(entry, canonical_url(entry.url))
        except ReadingError as error:
            ended.append((Arrival(entry, entry.url[:MAX_LENGTH]), Ending(error.outcome, error.reason, title=entry.title)))
            continue
        if arrival.canonical_url in arrivals:
            ended.append((arrival, Ending(Outcome.DUPLICATE, "the same address twice in one list")))
        else:
            arrivals[arrival.canonical_url] = arrival
    return list(arrivals.values()), ended


def _record_of(tx: Transaction, arrival: Arrival, source: Source, known: Mapping[str, AddressRecord]) -> AddressRecord | None:
    """What is known of the address; or of the one this GUID stood for, if the entry is plainly that one under a new address."""
    record = known.get(arrival.canonical_url)
    if record is None and arrival.entry.guid:
        named = addresses.look_up_guid(tx, source.key, arrival.entry.guid)
        # Some feeds give one GUID to everything; so the title has to speak for it too.
        if named is not None and fold(named.title) == fold(arrival.entry.title):
            return named
    return record


def _ending(arrival: Arrival, source: Source, horizon: datetime) -> Ending | None:
    entry, known = arrival.entry, arrival.known
    if known is None:
        if entry.published and entry.published.at < horizon:
            reason = f"published {entry.published.at:%Y-%m-%d}, before the archive's horizon ({horizon:%Y-%m-%d})"
            return Ending(Outcome.TOO_OLD, reason, title=entry.title, entry_fingerprint=entry.fingerprint)
        return None
    if known.outcome.passing or _changed(entry, known, source):
        return None
    if known.canonical_url != arrival.canonical_url:
        reason = "its GUID and title are those of an address seen before"
        return Ending(Outcome.DUPLICATE, reason, title=entry.title, article_id=known.article_id)
    return Ending(Outcome.UNCHANGED, entry_fingerprint=entry.fingerprint)


def _changed(entry: Entry, known: AddressRecord, source: Source) -> bool:
    """Whether a known entry may say something new. A changed item alone does not: counters and ads change items all day."""
    if known.source != source.key or known.article_id is None or entry.fingerprint == known.entry_fingerprint:
        return False
    retitled = bool(entry.title) and bool(known.title) and fold(entry.title) != fold(known.title)
    return retitled or source.text == "feed" or bool(entry.updated and entry.updated > known.last_seen)
