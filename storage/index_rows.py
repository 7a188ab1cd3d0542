"""Row numbers of the full-text index: ordered by time, so that newest first is the index's own order and needs no sorting.

A row is the article's moment in seconds, shifted left by 20 bits, plus a count within that second (a million articles
dated to the day alone have room). A number once given is never given again, because the index keeps the words of texts
that were replaced: with an old number a new article would be found by another's words.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, union_all

from storage.schema import article, version

if TYPE_CHECKING:
    from sqlalchemy import Select, Table

    from storage.transaction import Transaction

_BITS = 20


def _highest_of(table: Table) -> Select[tuple[int]]:
    between = table.c.index_row.between(bindparam("first"), bindparam("last"))
    return select(func.max(table.c.index_row).label("row")).where(between)


_HIGHEST = select(func.max(union_all(_highest_of(article), _highest_of(version)).subquery().c.row))


def first_row_of(moment: datetime) -> int:
    """The lowest row of the second `moment` (aware) falls in."""
    return int(moment.timestamp() // 1) << _BITS


def first_row_after(moment: datetime) -> int:
    """The lowest row of the second after the one `moment` (aware) falls in."""
    return first_row_of(moment) + (1 << _BITS)


def next_index_row(tx: Transaction, moment: datetime) -> int:
    """A row never given out, in the second of `moment` (aware)."""
    first, last = first_row_of(moment), first_row_after(moment) - 1
    highest = tx.connection.scalar(_HIGHEST, {"first": first, "last": last})
    return first if highest is None else int(highest) + 1
