"""Sending what is in the outbox, one message at a time, each result committed at once.

A message is told apart from its way out: what concerns one address or one message is written on that message and the next
one goes on; what concerns the mail server pauses all sending, with a probe at growing gaps that never ends.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from alerts.notices import OPERATOR, operator_of
from alerts.transport import OutOfReachError, Parcel, StrainedError, Transport
from core.errors import (
    ChannelError,
    DamagedError,
    RefusedError,
    RestoredError,
    SendError,
    StorageError,
    TryLaterError,
    UncertainError,
)
from core.log import values
from storage import outbox
from storage.outbox import Message, MessageState, Pause

if TYPE_CHECKING:
    from alerts.desk import Desk
    from storage.archive import Archive
    from storage.transaction import Transaction

log = logging.getLogger("jingbao.mail")

# Growing gaps and a lifetime of five days, as Postfix does it (qmgr(8): minimal and maximal back-off, maximal_queue_lifetime).
RETRY_GAPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
LIFETIME = timedelta(days=5)
# A mail that may have arrived is tried twice more, under the same Message-ID, and then left for the operator to judge.
UNCERTAIN_GAP = timedelta(minutes=15)
UNCERTAIN_TRIES = 3
# Signing in wrongly again and again gets an account locked; a server that is away may be asked sooner.
SETUP_GAPS = tuple(timedelta(minutes=minutes) for minutes in (15, 60, 240))
AWAY_GAPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
STOP_PATIENCE = 6.0
"""Seconds that a message under way has after a stop is asked for. A healthy server takes one in less.

With what cutting the talk and closing take, a daemon ends within ten, also on a busy machine.
"""
LOOK_SECONDS = 0.5
"""How often a try under way is looked at for that."""
WRITE_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 15, 30))
"""Between tries to write down how a message ended; each waits for other programs by itself (storage.database.PATIENCE)."""


@dataclass(frozen=True, slots=True)
class Sending:
    """What one pass did: messages taken by the server, messages that were not, and why all sending paused, if it did."""

    sent: int = 0
    failed: int = 0
    paused: str = ""


async def send_due(
    archive: Archive,
    transport: Transport,
    sender: str,
    now: datetime,
    *,
    quiet: Collection[str] = (),
    limit: int = 50,
    wrapping_up: Callable[[], bool] = lambda: False,
    stopping: Callable[[], bool] = lambda: False,
) -> Sending:
    """Send what is due by `now` (aware UTC), at most `limit` messages; those to the readers in `quiet` wait.

    `sender` is the envelope's address, where refusals return to. `wrapping_up` and `stopping` are asked before each message,
    and end the pass when true. A message that was tried is not tried again before its end is written down, however long the
    server takes or the archive refuses that; only `stopping` cuts it short. Raises StorageError; of sending, nothing.
    """
    halt = await archive.reading(outbox.pause)
    if halt and now < halt.until <= now + outbox.FURTHEST_TRY:
        return Sending(paused=halt.reason)
    due = await archive.reading(lambda tx: outbox.due_messages(tx, now, limit, without_readers=quiet))
    done = Sending()
    strained_by = ""
    for message in due:
        if wrapping_up() or stopping():
            break
        try:
            error = await _try(transport, sender, message, stopping)
        except GivenUpError:
            break
        if isinstance(error, ChannelError | OutOfReachError):
            await _write_down(archive, partial(_pause, error=error, now=now), stopping)
            return replace(done, paused=str(error))
        await _write_down(archive, partial(_settle, message=message, error=error, now=now), stopping)
        done = replace(done, sent=done.sent + (error is None), failed=done.failed + (error is not None))
        if isinstance(error, StrainedError) and strained_by not in {"", message.address}:
            await _write_down(archive, partial(_pause, error=error, now=now), stopping)
            return replace(done, paused=str(error))
        strained_by = message.address if isinstance(error, StrainedError) else ""
    return done


class GivenUpError(Exception):
    """A stop came while a message was under way, and it was surely not taken: it stays as it was."""


async def _try(
    transport: Transport, sender: str, message: Message, stopping: Callable[[], bool] = lambda: False
) -> SendError | None:
    """Send one message. A fault nobody foresaw counts as passing, so that one message cannot hold up the others."""
    parcel = Parcel(message.id, sender, message.address, message.created, message.content)
    sending = asyncio.ensure_future(transport.send(parcel))
    try:
        await _ended(sending, stopping)
        await sending
    except asyncio.CancelledError:
        if not sending.cancelled():  # it is ours: the loop itself is ending
            sending.cancel()
            raise
        raise GivenUpError from None
    except SendError as error:
        return error
    except Exception as error:
        log.exception("sending met a bug; please report the lines below", extra=values(message=message.id))
        return TryLaterError(f"a fault of jingbao: {error!r}")
    return None


async def _ended(sending: asyncio.Future[None], stopping: Callable[[], bool]) -> None:
    """Return when a try has ended, or when it has been given up because of a stop."""
    loop, until = asyncio.get_running_loop(), math.inf
    while not (await asyncio.wait({sending}, timeout=LOOK_SECONDS))[0]:
        if stopping():
            until = min(until, loop.time() + STOP_PATIENCE)
        if loop.time() >= until:
            sending.cancel()
            await asyncio.wait({sending})


Line = tuple[int, str, dict[str, Any]]
"""What the log says once it is kept: level, event, fields."""


async def _write_down(archive: Archive, end: Callable[[Transaction], Iterable[Line]], stopping: Callable[[], bool]) -> None:
    """Keep how a message ended, if need be after a while: a mail whose sent mark is given up would be sent once more.

    Then tell the log. Raises StorageError if that is so all the same: after a stop, or where the archive is not the one it was.
    """
    refused = 0
    while True:
        try:
            lines = await archive.writing(end)
        except (DamagedError, RestoredError):
            raise
        except StorageError as error:
            if stopping():
                raise
            if not refused:
                log.warning("what became of a mail is not written yet; no other is sent", extra=values(reason=str(error)))
            await _pause_for(WRITE_PAUSES[min(refused, len(WRITE_PAUSES) - 1)].total_seconds(), stopping)
            refused += 1
        else:
            for level, event, fields in lines:
                log.log(level, event, extra=fields)
            return


async def _pause_for(seconds: float, stopping: Callable[[], bool]) -> None:
    """Wait, but not past a stop."""
    while seconds > 0 and not stopping():
        await asyncio.sleep(min(seconds, LOOK_SECONDS))
        seconds -= LOOK_SECONDS


def _settle(tx: Transaction, message: Message, error: SendError | None, now: datetime) -> list[Line]:
    """Write down how a try ended; whatever the answer, the server answered, so a pause is over."""
    lines: list[Line] = []
    if outbox.pause(tx):
        outbox.set_pause(tx, None)
        lines.append((logging.INFO, "sending goes on", values(after="pause")))
    if error is None:
        outbox.mark_sent(tx, message.id, now)
        return [*lines, (logging.INFO, "sent", values(message=message.id, reader=message.reader, kind=message.kind))]
    after = _after(message, error, now)
    outbox.mark_failed(
        tx, message.id, state=after.state, attempts=after.attempts, next_try=after.next_try, error=str(error)
    )
    fields = values(message=message.id, reader=message.reader, state=str(after.state), reason=str(error))
    return [*lines, (logging.WARNING, "not sent", fields)]


@dataclass(frozen=True, slots=True)
class _After:
    state: MessageState
    attempts: int
    next_try: datetime


def _after(message: Message, error: SendError, now: datetime) -> _After:
    """What becomes of a message after a failed try."""
    if isinstance(error, RefusedError):
        return _After(MessageState.REFUSED, message.attempts + 1, now)
    if isinstance(error, UncertainError):
        tries = message.attempts + 1 if message.state is MessageState.UNCERTAIN else 1
        state = MessageState.UNCERTAIN if tries < UNCERTAIN_TRIES else MessageState.UNCONFIRMED
        return _After(state, tries, now + UNCERTAIN_GAP)
    if message.state is MessageState.UNCERTAIN:
        state = MessageState.UNCERTAIN if now - message.created < LIFETIME else MessageState.UNCONFIRMED
        return _After(state, message.attempts, now + UNCERTAIN_GAP)
    state = MessageState.WAITING if now - message.created < LIFETIME else MessageState.EXPIRED
    return _After(state, message.attempts + 1, now + _gap(RETRY_GAPS, message.attempts))


def _pause(tx: Transaction, error: SendError, now: datetime) -> list[Line]:
    """Pause all sending; the message that met the trouble is not charged a try for it."""
    before = outbox.pause(tx)
    probes = before.probes + 1 if before else 0
    gap = _gap(SETUP_GAPS if isinstance(error, ChannelError) else AWAY_GAPS, probes)
    outbox.set_pause(tx, Pause(str(error), before.since if before else now, now + gap, probes))
    fields = values(reason=str(error), next_try_minutes=gap.total_seconds() / 60)
    return [(logging.WARNING, "sending is paused", fields)]


def _gap(gaps: tuple[timedelta, ...], failures: int) -> timedelta:
    return gaps[min(failures, len(gaps) - 1)]


def resume(tx: Transaction) -> None:
    """End a pause now: for an operator who has mended the set-up."""
    outbox.set_pause(tx, None)


async def withdraw_gone(archive: Archive, desk: Desk) -> None:
    """Withdraw the messages to readers and addresses that are no longer in the configuration. Raises StorageError."""
    at_home = {(reader.key, address) for reader in desk.readers.values() for address in reader.addresses}
    operator = operator_of(desk.config)
    at_home |= {(OPERATOR, address) for address in (operator.addresses if operator else ())}
    for reader, address in sorted(await archive.reading(outbox.open_recipients) - at_home):
        reason = f"{address} of the reader {reader} is no longer in the configuration"
        await archive.writing(partial(outbox.withdraw, reader=reader, address=address, reason=reason))
        log.info("withdrawn", extra=values(reader=reader, address=address))
