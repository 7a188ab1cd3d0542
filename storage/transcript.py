"""A transcript: the rows of an archive in any database and of any version, in a database of another kind with the same tables.

The tables are read from the source itself, not from storage/schema.py, so that an older archive, too, can be kept as it is
before it is changed. What is written is held against the source, table by table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from core.errors import StorageError
from storage.canonical import content_hash
from storage.columns import UtcDateTime
from storage.transaction import Transaction
from storage.upgrade import make_tables, revision_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AT_ONCE = 200
_NOT_OURS = ("article_index", "alembic")  # made by the migrations in each database's own way


def transcribe(source: Transaction, target: Transaction) -> None:
    """Make `target`, a database without tables, hold what `source` holds, with the tables of the same migration.

    Raises StorageError if in the end it is not the same.
    """
    make_tables(target.connection, revision_of(source.connection) or "head")
    tables = tables_of(source.connection)
    for table in tables:
        for rows in _pieces(source, table):
            target.connection.execute(sa.insert(table), [dict(row) for row in rows])
            if table.name == "article":
                _make_findable(target, rows)
    for table in tables:
        if content_hash(source, table) != content_hash(target, table):
            raise StorageError(f"The copy is not the same in the table {table.name}, so it was not kept. Please report this.")


def tables_of(connection: sa.Connection) -> Sequence[sa.Table]:
    """The archive's own tables as they are in a database, each behind those it refers to."""
    metadata = sa.MetaData()
    sa.event.listen(metadata, "column_reflect", _as_meant)
    metadata.reflect(connection, only=lambda name, _: not name.startswith(_NOT_OURS))
    return metadata.sorted_tables


def _as_meant(_inspector: Any, _table: sa.Table, column: Any) -> None:
    """Types that give equal values in both kinds of database."""
    if isinstance(column["type"], sa.DateTime):
        column["type"] = UtcDateTime()
    elif isinstance(column["type"], sa.JSON):
        column["type"] = sa.JSON(none_as_null=column["nullable"])


def _pieces(source: Transaction, table: sa.Table) -> Iterator[Sequence[sa.RowMapping]]:
    everything = sa.select(table).order_by(*table.primary_key.columns)
    with source.connection.execute(everything, execution_options={"yield_per": _AT_ONCE}) as found:
        yield from found.mappings().partitions()


def _make_findable(target: Transaction, articles: Sequence[sa.RowMapping]) -> None:
    for row in articles:
        target.index.add(target.connection, row["index_row"], row["title"], row["text"] or row["summary"], row["authors"])
