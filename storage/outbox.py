"""Matches and messages: who is to be told of what, and the mails that tell it.

    match    waiting → mailed | told | withdrawn            baseline and too-old never wait
             waiting → folded → mailed | told | withdrawn   folded: past the reader's cap, now for a digest
    message  waiting → sent | refused | expired | withdrawn | uncertain
             uncertain → sent | refused | unconfirmed       the line broke at the end of a try: it may have arrived

The decisions are made in alerts; this file keeps them. docs/design/alerts.md says what each state means.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, func, insert, or_, select, update

from storage import settings
from storage.pieces import pieces
from storage.schema import match, message

if TYPE_CHECKING:
    from storage.transaction import Transaction

_PAUSE = "mail.pause"


class MatchState(StrEnum):
    """Where a match stands."""

    WAITING = "waiting"
    FOLDED = "folded"
    MAILED = "mailed"
    TOLD = "told"
    BASELINE = "baseline"
    TOO_OLD = "too-old"
    WITHDRAWN = "withdrawn"


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"
    UNCONFIRMED = "unconfirmed"
    WITHDRAWN = "withdrawn"


OPEN_MATCHES = (MatchState.WAITING, MatchState.FOLDED)
_KNOWN_TO_RULE = (*OPEN_MATCHES, MatchState.MAILED, MatchState.TOLD)
_OPEN_MESSAGES = (MessageState.WAITING, MessageState.UNCERTAIN)
FURTHEST_TRY = timedelta(hours=4)
"""No try is put off further than this. One that lies further ahead was written by a clock that has been put back since."""
LOST_MESSAGES = (MessageState.REFUSED, MessageState.EXPIRED, MessageState.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Match:
    """A rule found an article for a reader; `at` is when it was found (aware UTC). `message` is the mail's row, once in one."""

    id: int
    rule: str
    reader: str
    article_id: int
    story_id: int
    at: datetime
    state: MatchState
    message: int | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A mail to put into the outbox: to one address, whole, under the Message-ID it keeps whatever happens."""

    reader: str
    address: str
    kind: str
    period_key: str
    message_id: str
    subject: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A mail in the outbox. `attempts` counts tries, and since the state is `uncertain` those that ended uncertain."""

    id: int
    reader: str
    address: str
    kind: str
    period_key: str
    message_id: str
    subject: str
    content: bytes
    created: datetime
    state: MessageState
    attempts: int
    next_try: datetime
    sent: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Why no mail leaves at all, since when, until when, and after how many failed probes (aware UTC)."""

    reason: str
    since: datetime
    until: datetime
    probes: int


# Matches


def add_match(
    tx: Transaction, *, rule: str, reader: str, article_id: int, story_id: int, at: datetime, state: MatchState
) -> None:
    """Keep one match."""
    values = {"rule": rule, "reader": reader, "article_id": article_id, "story_id": story_id, "at": at, "state": state}
    tx.connection.execute(insert(match).values(values))


def story_known(tx: Transaction, rule: str, reader: str, story_id: int) -> bool:
    """Whether this rule has already found this story for this reader, and told it or is going to."""
    query = select(match.c.id).where(
        match.c.reader == reader, match.c.rule == rule, match.c.story_id == story_id, match.c.state.in_(_KNOWN_TO_RULE)
    )
    return tx.connection.execute(query.limit(1)).first() is not None


def open_matches(tx: Transaction, reader: str) -> list[Match]:
    """The reader's matches that are still to be told, oldest first."""
    query = select(match).where(match.c.reader == reader, match.c.state.in_(OPEN_MATCHES)).order_by(match.c.at, match.c.id)
    return [_match(row) for row in tx.connection.execute(query)]


def readers_waiting(tx: Transaction) -> list[str]:
    """The keys of readers with matches still to be told."""
    query = select(match.c.reader).where(match.c.state.in_(OPEN_MATCHES)).distinct().order_by(match.c.reader)
    return list(tx.connection.scalars(query))


def matches_of(tx: Transaction, article_id: int) -> list[Match]:
    """Every match of an article, for `explain`."""
    query = select(match).where(match.c.article_id == article_id).order_by(match.c.id)
    return [_match(row) for row in tx.connection.execute(query)]


def told_stories(tx: Transaction, reader: str, story_ids: Collection[int]) -> dict[int, datetime]:
    """Those of the stories that are in a mail to the reader, with the time of the first such mail."""
    first = func.min(message.c.created, type_=message.c.created.type)
    query = select(match.c.story_id, first).join(message, match.c.message_id == message.c.id).group_by(match.c.story_id)
    query = query.where(match.c.reader == reader, match.c.state == MatchState.MAILED)
    told: dict[int, datetime] = {}
    for piece in pieces(story_ids):
        told |= dict(tx.connection.execute(query.where(match.c.story_id.in_(piece))).tuples().all())
    return told


def set_matches(tx: Transaction, ids: Collection[int], state: MatchState, message_row: int | None = None) -> None:
    """Move matches to a state, and into a mail."""
    for piece in pieces(ids):
        tx.connection.execute(update(match).where(match.c.id.in_(piece)).values(state=state, message_id=message_row))


def match_counts(tx: Transaction, since: datetime) -> dict[tuple[str, str], int]:
    """Matches found since then (aware UTC), by rule and state."""
    query = select(match.c.rule, match.c.state, func.count()).where(match.c.at >= since).group_by(match.c.rule, match.c.state)
    return {(rule, state): count for rule, state, count in tx.connection.execute(query)}


# Messages


def mails_since(tx: Transaction, reader: str, since: datetime) -> int:
    """How many mails were made for the reader since then; one to several addresses counts once."""
    query = select(func.count(message.c.period_key.distinct())).where(message.c.reader == reader, message.c.created >= since)
    return tx.connection.execute(query).scalar_one()


def has_mail(tx: Transaction, reader: str, period_key: str) -> bool:
    """Whether there is a mail of this period for the reader."""
    query = select(message.c.id).where(message.c.reader == reader, message.c.period_key == period_key)
    return tx.connection.execute(query.limit(1)).first() is not None


def put(tx: Transaction, mail: NewMessage, now: datetime) -> int:
    """Put a mail into the outbox, due at once; returns its row's number."""
    values = {
        "reader": mail.reader,
        "address": mail.address,
        "kind": mail.kind,
        "period_key": mail.period_key,
        "message_id": mail.message_id,
        "subject": mail.subject,
        "content": mail.content,
        "created": now,
        "next_try": now,
        "state": MessageState.WAITING,
    }
    return tx.new_row(insert(message).values(values))


def due_messages(tx: Transaction, now: datetime, limit: int, *, without_readers: Collection[str] = ()) -> list[Message]:
    """Messages whose next try has come, the longest due first; after them those further ahead than FURTHEST_TRY."""
    has_come = or_(message.c.next_try <= now, message.c.next_try > now + FURTHEST_TRY)
    query = select(message).where(message.c.state.in_(_OPEN_MESSAGES), has_come)
    query = query.where(message.c.reader.not_in(without_readers)).order_by(message.c.next_try, message.c.id).limit(limit)
    return [_message(row) for row in tx.connection.execute(query)]


def oldest_due(tx: Transaction, now: datetime, *, without_readers: Collection[str] = ()) -> datetime | None:
    """Since when the message has been due that has been so the longest, if one is."""
    waiting = select(message.c.next_try).where(message.c.state.in_(_OPEN_MESSAGES), message.c.next_try <= now)
    waiting = waiting.where(message.c.reader.not_in(without_readers))
    oldest: datetime | None = tx.connection.scalar(waiting.order_by(message.c.next_try).limit(1))
    return oldest


def mark_sent(tx: Transaction, number: int, now: datetime) -> None:
    """The mail server has taken the message. Said twice, it counts once: the answer to a commit can be lost."""
    values = {"state": MessageState.SENT, "sent": now, "attempts": message.c.attempts + 1, "last_error": ""}
    unmarked = update(message).where(message.c.id == number, message.c.state != MessageState.SENT)
    tx.connection.execute(unmarked.values(values))


def mark_failed(tx: Transaction, number: int, *, state: MessageState, attempts: int, next_try: datetime, error: str) -> None:
    """A try has failed; what follows is in `state` and `next_try`."""
    values = {"state": state, "attempts": attempts, "next_try": next_try, "last_error": error}
    tx.connection.execute(update(message).where(message.c.id == number).values(values))


def open_recipients(tx: Transaction) -> set[tuple[str, str]]:
    """The (reader, address) pairs with messages that are still to be sent."""
    query = select(message.c.reader, message.c.address).where(message.c.state.in_(_OPEN_MESSAGES)).distinct()
    return set(tx.connection.execute(query).tuples())


def withdraw(tx: Transaction, reader: str, address: str, reason: str) -> None:
    """Send nothing more of this reader's to this address. What may have arrived already is left as unconfirmed."""
    for state, ends in ((MessageState.WAITING, MessageState.WITHDRAWN), (MessageState.UNCERTAIN, MessageState.UNCONFIRMED)):
        theirs = update(message).where(message.c.reader == reader, message.c.address == address, message.c.state == state)
        tx.connection.execute(theirs.values(state=ends, last_error=reason))


def get_message(tx: Transaction, number: int) -> Message | None:
    """One message by its row's number."""
    row = tx.connection.execute(select(message).where(message.c.id == number)).first()
    return None if row is None else _message(row)


def latest_messages(tx: Transaction, limit: int, states: Sequence[MessageState] = ()) -> list[Message]:
    """The newest messages, of these states if any are given."""
    query = select(message).order_by(message.c.id.desc()).limit(limit)
    if states:
        query = query.where(message.c.state.in_(states))
    return [_message(row) for row in tx.connection.execute(query)]


def message_counts(tx: Transaction) -> dict[str, int]:
    """Messages by state."""
    query = select(message.c.state, func.count()).group_by(message.c.state)
    return dict(tx.connection.execute(query).tuples().all())


# The channel


def pause(tx: Transaction) -> Pause | None:
    """Why no mail leaves at all, or None."""
    value: Mapping[str, Any] | None = settings.get(tx, _PAUSE)
    if not value:
        return None
    since, until = (datetime.fromisoformat(value[name]) for name in ("since", "until"))
    return Pause(value["reason"], since, until, value["probes"])


def set_pause(tx: Transaction, halt: Pause | None) -> None:
    """Pause all sending, or end the pause."""
    value = {} if halt is None else {
        "reason": halt.reason, "since": halt.since.isoformat(), "until": halt.until.isoformat(), "probes": halt.probes,
    }  # fmt: skip
    settings.put(tx, _PAUSE, value)


def _match(row: Row[Any]) -> Match:
    return Match(row.id, row.rule, row.reader, row.article_id, row.story_id, row.at, MatchState(row.state), row.message_id)


def _message(row: Row[Any]) -> Message:
    return Message(**{**row._asdict(), "state": MessageState(row.state)})
