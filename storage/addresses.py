"""The ledger: every address ever seen, where it stands, and how it came to that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from core.article import Entry
from core.outcomes import Outcome
from storage import settings
from storage.entries import entry_of, entry_values
from storage.pieces import pieces
from storage.raw import RawLocation
from storage.schema import address, guid, raw_page, sighting

if TYPE_CHECKING:
    from storage.transaction import AnyRow, Transaction


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """Where an address stands. Times are aware UTC.

    `outcome` is the last that said something (never `unchanged`). `attempts` counts tries in a row after which another was
    worth while; `next_try` is set while one is to come, and `entry` is what the list said of it then. `source` is the one
    that brought it first.
    """

    id: int
    canonical_url: str
    url: str
    source: str
    title: str
    first_seen: datetime
    last_seen: datetime
    outcome: Outcome
    reason: str
    attempts: int
    next_try: datetime | None
    article_id: int | None
    entry_fingerprint: str
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One line of an address's history: at `at` (aware UTC), `source` carried it, and this came of it."""

    at: datetime
    source: str
    outcome: Outcome
    reason: str
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of an address in one run.

    `title`, `entry_fingerprint` and `article_id` replace what is known only where they are given. With a `next_try` comes
    the `entry`, which the next try will need; without one the address waits until a source says something new of it.
    """

    outcome: Outcome
    reason: str = ""
    title: str = ""
    entry_fingerprint: str = ""
    article_id: int | None = None
    next_try: datetime | None = None
    entry: Entry | None = None


_RULES = "addresses.canonical_rules"

# Built once: each entry of each list asks these.
_BY_URL = select(address).where(address.c.canonical_url == bindparam("canonical_url"))
_BY_URLS = select(address).where(address.c.canonical_url.in_(bindparam("canonical_urls", expanding=True)))
_CARRYING = (
    select(sighting.c.id)
    .where(sighting.c.address_id == bindparam("address_id"), sighting.c.source == bindparam("source"))
    .limit(1)
)


def look_up(tx: Transaction, canonical_url: str) -> AddressRecord | None:
    """Where the address with this canonical URL stands, if it was ever seen."""
    row = tx.connection.execute(_BY_URL, {"canonical_url": canonical_url}).one_or_none()
    return None if row is None else _record(row)


def look_up_many(tx: Transaction, canonical_urls: Collection[str]) -> dict[str, AddressRecord]:
    """Those of the addresses that were ever seen, by canonical URL: one question for a whole feed."""
    found: dict[str, AddressRecord] = {}
    for piece in pieces(canonical_urls):
        rows = tx.connection.execute(_BY_URLS, {"canonical_urls": piece})
        found |= {row.canonical_url: _record(row) for row in rows}
    return found


def look_up_guid(tx: Transaction, source: str, name: str) -> AddressRecord | None:
    """The address a source last used this GUID for."""
    named = select(guid.c.address_id).where(guid.c.source == source, guid.c.guid == name)
    row = tx.connection.execute(select(address).where(address.c.id.in_(named))).one_or_none()
    return None if row is None else _record(row)


def of_article(tx: Transaction, article_id: int) -> list[AddressRecord]:
    """Every address that leads to an article, oldest first."""
    rows = tx.connection.execute(select(address).where(address.c.article_id == article_id).order_by(address.c.id))
    return [_record(row) for row in rows]


def retries_due(tx: Transaction, source: str, now: datetime, limit: int) -> list[AddressRecord]:
    """Addresses a source brought, to try again by `now` (aware UTC), the longest overdue first; at most `limit`."""
    overdue = select(address).where(address.c.next_try <= now, address.c.source == source)
    return [_record(row) for row in tx.connection.execute(overdue.order_by(address.c.next_try).limit(limit))]


def record(
    tx: Transaction,
    canonical_url: str,
    ending: Ending,
    *,
    url: str,
    source: str,
    now: datetime,
    run_id: int | None = None,
    name: str = "",
    looked_up: Mapping[str, AddressRecord] | None = None,
) -> int:
    """Write down how an address ended this time; gives the address's number.

    `name` is the GUID the source used; `looked_up` what look_up_many gave for it in this transaction, to spare a question.
    `unchanged` leaves outcome, reason and tries as they stand. The history gets a line only where there is something to tell:
    a new outcome or reason, or a source that had not carried the address before.
    """
    before = look_up(tx, canonical_url) if looked_up is None else looked_up.get(canonical_url)
    if before is None:
        address_id = _add(tx, canonical_url, ending, url=url, source=source, now=now)
    else:
        address_id = before.id
        tx.connection.execute(update(address).where(address.c.id == address_id).values(_changes(before, ending, now)))
    if before is None or _tells_something(tx, before, ending, source):
        line = {"address_id": address_id, "run_id": run_id, "source": source, "at": now}
        tx.connection.execute(insert(sighting), line | {"outcome": str(ending.outcome), "reason": ending.reason})
    if name:
        _name(tx, source, name, address_id)
    return address_id


def is_carried_by(tx: Transaction, address_id: int, source: str) -> bool:
    """Whether this source has carried the address before."""
    return tx.connection.scalar(_CARRYING, {"address_id": address_id, "source": source}) is not None


def note_rules(tx: Transaction, version: int) -> int:
    """Remember by which version of the rules canonical URLs are made from now on; gives the one they were made by so far."""
    before = settings.get(tx, _RULES)
    if before != version:
        settings.put(tx, _RULES, version)
    return version if before is None else int(before)


def history(tx: Transaction, address_id: int) -> list[Sighting]:
    """What became of an address, oldest first."""
    rows = tx.connection.execute(select(sighting).where(sighting.c.address_id == address_id).order_by(sighting.c.id))
    return [Sighting(row.at, row.source, Outcome(row.outcome), row.reason, row.run_id) for row in rows]


def keep_raw(tx: Transaction, address_id: int, location: RawLocation) -> None:
    """Remember where a page fetched from an address lies in the WARC files."""
    place = {"file": location.file, "offset": location.offset, "bytes": location.bytes}
    tx.connection.execute(insert(raw_page), {"address_id": address_id, "fetched": location.fetched} | place)


def raw_pages(tx: Transaction, address_id: int) -> list[RawLocation]:
    """Where the pages fetched from an address lie, newest first."""
    rows = tx.connection.execute(select(raw_page).where(raw_page.c.address_id == address_id).order_by(raw_page.c.id.desc()))
    return [RawLocation(row.file, row.offset, row.bytes, row.fetched) for row in rows]


def _add(tx: Transaction, canonical_url: str, ending: Ending, *, url: str, source: str, now: datetime) -> int:
    known = {"canonical_url": canonical_url, "url": url, "source": source, "first_seen": now, "last_seen": now}
    standing = _standing(ending, attempts=0) | {
        "title": ending.title,
        "article_id": ending.article_id,
        "entry_fingerprint": ending.entry_fingerprint,
    }
    return tx.new_row(insert(address), known | standing)


def _changes(before: AddressRecord, ending: Ending, now: datetime) -> dict[str, Any]:
    given = {"title": ending.title, "article_id": ending.article_id, "entry_fingerprint": ending.entry_fingerprint}
    changes: dict[str, Any] = {"last_seen": now} | {key: value for key, value in given.items() if value}
    if ending.outcome is not Outcome.UNCHANGED:
        return changes | _standing(ending, before.attempts)
    if ending.article_id is not None and not before.outcome.stored:  # it failed, and now shows what is held
        held = Ending(Outcome.DUPLICATE, f"held as article {ending.article_id}")
        return changes | _standing(held, before.attempts)
    if ending.entry and before.next_try:  # the next try goes by what the list says now
        changes["entry"] = entry_values(ending.entry)
    return changes


def _standing(ending: Ending, attempts: int) -> dict[str, Any]:
    return {
        "outcome": str(ending.outcome),
        "reason": ending.reason,
        "attempts": attempts + 1 if ending.next_try or ending.outcome.passing else 0,
        "next_try": ending.next_try,
        "entry": entry_values(ending.entry) if ending.entry else None,
    }


def _tells_something(tx: Transaction, before: AddressRecord, ending: Ending, source: str) -> bool:
    changed = (ending.outcome, ending.reason) != (before.outcome, before.reason)
    if changed and ending.outcome is not Outcome.UNCHANGED:
        return True
    return not is_carried_by(tx, before.id, source)


def _name(tx: Transaction, source: str, name: str, address_id: int) -> None:
    ours = guid.c.source == source, guid.c.guid == name
    if tx.connection.execute(update(guid).where(*ours).values(address_id=address_id)).rowcount == 0:
        tx.connection.execute(insert(guid), {"source": source, "guid": name, "address_id": address_id})


def _record(row: AnyRow) -> AddressRecord:
    return AddressRecord(
        id=row.id,
        canonical_url=row.canonical_url,
        url=row.url,
        source=row.source,
        title=row.title,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        outcome=Outcome(row.outcome),
        reason=row.reason,
        attempts=row.attempts,
        next_try=row.next_try,
        article_id=row.article_id,
        entry_fingerprint=row.entry_fingerprint,
        entry=entry_of(row.entry) if row.entry else None,
    )
