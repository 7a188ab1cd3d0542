"""How sources stand, as it is kept: what was learnt of them, the verdict on each, what the operator was told, and pauses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import or_, update

from core.standing import Standing, Yield
from storage import sources
from storage.schema import source

if TYPE_CHECKING:
    from datetime import datetime

    from storage.transaction import Transaction


def learn(tx: Transaction, key: str, rhythm: Collection[datetime], yields: Collection[Yield]) -> None:
    """Keep what is known of a source's rhythm and yields, in the place of what was."""
    kept = {"rhythm": [moment.isoformat() for moment in rhythm], "yields": [sources.packed(each) for each in yields]}
    tx.connection.execute(update(source).where(source.c.key == key).values(kept))


def note_move(tx: Transaction, key: str, moved_to: str, now: datetime) -> None:
    """Keep where a source's list is redirected for good, and since when (aware UTC); empty for nowhere."""
    unlike = update(source).where(source.c.key == key, source.c.moved_to != moved_to)
    tx.connection.execute(unlike.values(moved_to=moved_to, moved_since=now if moved_to else None))


def set_standing(tx: Transaction, key: str, standing: Standing, reason: str, now: datetime) -> bool:
    """Keep how a source stands and why; gives whether that is a change, whose moment is then `now` (aware UTC)."""
    ours = source.c.key == key
    tx.connection.execute(update(source).where(ours).values(standing_reason=reason))
    unlike = or_(source.c.standing != standing, source.c.standing_since.is_(None))
    changed = tx.connection.execute(update(source).where(ours, unlike).values(standing=standing, standing_since=now))
    return changed.rowcount > 0


def mark_told(tx: Transaction, told: Mapping[str, Standing]) -> None:
    """The operator has been told that these sources stand so."""
    for key, standing in told.items():
        tx.connection.execute(update(source).where(source.c.key == key).values(told_standing=standing))


def pause(tx: Transaction, key: str, now: datetime, until: datetime | None, reason: str) -> None:
    """Leave a source alone until then (aware UTC), or until it is resumed. Raises NotFoundError if it was never ensured."""
    sources.state(tx, key)
    tx.connection.execute(update(source).where(source.c.key == key).values(next_due=until or sources.FOR_EVER))
    set_standing(tx, key, Standing.PAUSED, reason, now)


def wake(tx: Transaction, key: str, now: datetime) -> None:
    """End a source's pause if its time is over at `now` (aware UTC)."""
    over = update(source).where(source.c.key == key, source.c.standing == Standing.PAUSED, source.c.next_due <= now)
    tx.connection.execute(over.values(standing=Standing.NEW, standing_reason="", standing_since=now))


def resume(tx: Transaction, key: str, now: datetime) -> bool:
    """End a pause: the source is due at once, and judged by that run; gives whether it was paused.

    Raises NotFoundError if it was never ensured.
    """
    if sources.state(tx, key).standing is not Standing.PAUSED:
        return False
    set_standing(tx, key, Standing.NEW, "", now)
    sources.postpone(tx, key, now)
    return True
