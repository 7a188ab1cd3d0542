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
from crawler.judgement.identity import SAME_DAY
from lexicon.folding import fold
from storage import addresses
from storage.addresses import AddressRecord, Ending

if TYPE_CHECKING:
    from storage.archive import Transaction

_MAY_CHANGE = {Outcome.FAILED, Outcome.TOO_SLOW, Outcome.BLOCKED, Outcome.UNREADABLE}
_PAGE_WAS_ASKED_FOR = {Outcome.FAILED, Outcome.TOO_SLOW, Outcome.BLOCKED, Outcome.UNREADABLE, Outcome.GONE, Outcome.TOO_BIG}


@dataclass(frozen=True, slots=True)
class Arrival:
    """An entry on its way in: its canonical URL, and what the ledger knew of it when it came."""

    entry: Entry
    canonical_url: str
    known: AddressRecord | None = None

    @property
    def is_screened(self) -> bool:
        """Whether its title and summary were found worth fetching before: it is held, or its page was asked for."""
        return self.known is not None and (self.known.article_id is not None or self.known.outcome in _PAGE_WAS_ASKED_FOR)


@dataclass(frozen=True, slots=True)
class Triage:
    """Entries that go on; those that end here, each with its ending; and how many stood in the list once more."""

    going_on: tuple[Arrival, ...]
    ended: tuple[tuple[Arrival, Ending], ...]
    repeated: int


def triage(tx: Transaction, entries: Sequence[Entry], source: Source, horizon: datetime, now: datetime) -> Triage:
    """Sort a list's entries by what the archive knows at `now`. Those published before `horizon` are too old (aware UTC)."""
    arrivals, refused, repeated = _with_canonical_urls(entries, source)
    known = addresses.look_up_many(tx, [arrival.canonical_url for arrival in arrivals])
    going_on: list[Arrival] = []
    ended = list(refused)
    for arrival in arrivals:
        arrival = replace(arrival, known=_record_of(tx, arrival, source, known, now))
        ending = _ending(tx, arrival, source, horizon, now)
        if ending:
            ended.append((arrival, ending))
        else:
            going_on.append(arrival)
    return Triage(tuple(going_on), tuple(ended), repeated)


def _with_canonical_urls(entries: Sequence[Entry], source: Source) -> tuple[list[Arrival], list[tuple[Arrival, Ending]], int]:
    arrivals: dict[str, Arrival] = {}
    refused = []
    for entry in entries:
        try:
            entry = replace(entry, url=rewritten(entry.url, source))
            arrival = Arrival(entry, canonical_url(entry.url))
        except ReadingError as error:
            refused.append((Arrival(entry, entry.url[:MAX_LENGTH]), Ending(error.outcome, error.reason, title=entry.title)))
        else:
            arrivals.setdefault(arrival.canonical_url, arrival)
    return list(arrivals.values()), refused, len(entries) - len(arrivals) - len(refused)


def _record_of(
    tx: Transaction, arrival: Arrival, source: Source, known: Mapping[str, AddressRecord], now: datetime
) -> AddressRecord | None:
    """What is known of the address; or of the one this GUID stood for, if the entry is plainly that one under a new address.

    Some feeds give one GUID to everything, and columns return under their title: so both have to agree, within a day.
    """
    record = known.get(arrival.canonical_url)
    if record is None and arrival.entry.guid and arrival.entry.title:
        named = addresses.look_up_guid(tx, source.key, arrival.entry.guid)
        held = named is not None and named.article_id is not None
        if named and held and named.last_seen > now - SAME_DAY and fold(named.title) == fold(arrival.entry.title):
            return named
    return record


def _ending(tx: Transaction, arrival: Arrival, source: Source, horizon: datetime, now: datetime) -> Ending | None:
    entry, known = arrival.entry, arrival.known
    if known is None:
        if entry.published and entry.published.at < horizon:
            reason = f"published {entry.published.at:%Y-%m-%d}, before the archive's horizon ({horizon:%Y-%m-%d})"
            return Ending(Outcome.TOO_OLD, reason, title=entry.title, entry_fingerprint=entry.fingerprint)
        return None
    if _is_to_go_on(tx, entry, known, source, now):
        return None
    if known.canonical_url != arrival.canonical_url:
        reason = "its GUID and title are those of an address seen before"
        return Ending(Outcome.DUPLICATE, reason, title=entry.title, article_id=known.article_id)
    if known.next_try is not None:
        return Ending(Outcome.UNCHANGED, entry=entry)
    return Ending(Outcome.UNCHANGED, entry_fingerprint=entry.fingerprint)


def _is_to_go_on(tx: Transaction, entry: Entry, known: AddressRecord, source: Source, now: datetime) -> bool:
    """Whether an entry seen before is looked at again."""
    if known.article_id is not None:
        return _says_something_new(entry, known, source)
    if known.source != source.key and not addresses.is_carried_by(tx, known.id, source.key):
        return True  # another source may have asked more of it, or reached less
    if known.next_try is not None:
        return known.next_try <= now
    # A duplicate without its article was noted by a run that did not come to its end.
    says_something_new = entry.fingerprint != known.entry_fingerprint
    return known.outcome is Outcome.DUPLICATE or (known.outcome in _MAY_CHANGE and says_something_new)


def _says_something_new(entry: Entry, known: AddressRecord, source: Source) -> bool:
    """Whether an entry of a held article says something new. A changed item alone does not: counters change all day."""
    if known.source != source.key or entry.fingerprint == known.entry_fingerprint:
        return False
    retitled = bool(entry.title) and bool(known.title) and fold(entry.title) != fold(known.title)
    return retitled or source.text == "feed" or bool(entry.updated and entry.updated > known.last_seen)
