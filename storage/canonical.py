"""What a table holds, written so that two databases of any kind can be held against each other: row by row, or by one hash."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, select

from storage.columns import storable
from storage.schema import metadata, setting

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from storage.transaction import Transaction

_AT_ONCE = 200
_HASH_BYTES = 16
_ALL = 1 << (8 * _HASH_BYTES)


def dump_rows(tx: Transaction, without: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Every row of the archive as (table, row), in the order of tables' names and primary keys; equal archives give equal rows.

    A row is a JSON object: times in UTC, bytes in hexadecimal. `without` names tables and columns ("run", "run.started") to
    leave out. The full-text index is not among them: it follows from the articles.
    """
    for table in sorted(metadata.sorted_tables, key=lambda each: each.name):
        if table.name not in without:
            hidden = {column.name for column in table.c if f"{table.name}.{column.name}" in without}
            for row in _rows(tx, table):
                yield table.name, canonical({name: value for name, value in row.items() if name not in hidden})


def content_hash(tx: Transaction, table: Table, without: Collection[str] = ()) -> str:
    """One hash for all a table holds: the sum of its rows' hashes, so that the order of rows is nothing (BLAKE2b, RFC 7693).

    `without` names keys of `setting` that belong to a database rather than to an archive.
    """
    total = 0
    for row in _rows(tx, table):
        if table is not setting or row["key"] not in without:
            total += int.from_bytes(hashlib.blake2b(canonical(row).encode(), digest_size=_HASH_BYTES).digest())
    return f"{total % _ALL:0{2 * _HASH_BYTES}x}"


def canonical(row: Mapping[str, Any]) -> str:
    """A row as one JSON object, the same for the same values whichever database they came from.

    Text is taken as `columns.storable` makes it, since earlier versions wrote it into SQLite as it came.
    """
    return json.dumps(storable(dict(row)), ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    raise TypeError(f"{value!r} is not a value of the archive")


def _rows(tx: Transaction, table: Table) -> Iterator[dict[str, Any]]:
    """All rows in the order of the primary key, a few in memory at a time."""
    everything = select(table).order_by(*table.primary_key.columns)
    with tx.connection.execute(everything, execution_options={"yield_per": _AT_ONCE}) as found:
        for row in found.mappings():
            yield dict(row)
