"""What is forgotten in time: run records, what articles said before, and where raw pages lay. Articles are kept for ever.

Each call forgets at most `limit` rows and gives their number, so that a writer is never held long: call it until it gives
none. What has gone makes room for what comes; the database's file does not shrink (docs/design/disk.md).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, select, update

from storage.schema import NOT_EMPTIED, raw_page, run, sighting, version

if TYPE_CHECKING:
    from storage.transaction import Transaction

AT_ONCE = 500
"""Rows forgotten in one transaction: some ten milliseconds."""


def forget_runs(tx: Transaction, before: datetime, limit: int = AT_ONCE) -> int:
    """Drop the records of runs that started before `before` (aware UTC), but for each source's newest.

    An address's history stays and only no longer names the run.
    """
    newer = run.alias("newer")
    has_newer = exists().where(newer.c.source == run.c.source, newer.c.started > run.c.started)
    old = select(run.c.id).where(run.c.started < before, has_newer).order_by(run.c.started).limit(limit)
    going = list(tx.connection.scalars(old))
    if going:
        tx.connection.execute(update(sighting).where(sighting.c.run_id.in_(going)).values(run_id=None))
        tx.connection.execute(delete(run).where(run.c.id.in_(going)))
    return len(going)


def forget_versions(tx: Transaction, before: datetime, limit: int = AT_ONCE) -> int:
    """Drop what articles said until `before` (aware UTC). Their rows of the text index stay taken (storage/index_rows.py)."""
    old = select(version.c.id).where(version.c.until < before, NOT_EMPTIED).limit(limit)
    going = list(tx.connection.scalars(old))
    if going:
        tx.connection.execute(update(version).where(version.c.id.in_(going)).values(title="", text="", summary=""))
    return len(going)


def named_raw_files(tx: Transaction) -> set[str]:
    """The daily files of raw pages that the archive names."""
    return set(tx.connection.scalars(select(raw_page.c.file).distinct()))


def forget_raw(tx: Transaction, files: Collection[str], limit: int = AT_ONCE) -> int:
    """Forget the places of pages in these files, which have been removed."""
    places = select(raw_page.c.id).where(raw_page.c.file.in_(files)).limit(limit)
    return tx.connection.execute(delete(raw_page).where(raw_page.c.id.in_(places))).rowcount
