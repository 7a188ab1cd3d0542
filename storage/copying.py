"""Carrying an archive over into another database, of either kind, verified at the end and gone on with after an interruption.

The copy is of one moment: everything is read in one transaction of the source, which goes on working meanwhile. It is written
in pieces, each kept at once; until it is whole the target bears a mark and no daemon takes it for an archive. A copy that was
interrupted is gone on with from the source as it then is: pieces that are there are compared and brought up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.errors import StorageError
from storage import settings
from storage.canonical import content_hash
from storage.schema import article, metadata, setting
from storage.unfinished import MARK
from storage.upgrade import CREATED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.archive import Archive
    from storage.transaction import AnyRow, Transaction

Progress = Callable[[str, int, int], None]
"""Told the table, the rows of it that are done, and how many there are."""
Key = tuple[Any, ...]
_AT_ONCE = 200
_TABLES = tuple(table for table in metadata.sorted_tables if table is not setting)


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What was carried over: rows and content hash by table, equal on both sides. `resumed` if an earlier try had begun."""

    rows: Mapping[str, int]
    hashes: Mapping[str, str]
    resumed: bool


def copy_archive(source: Archive, target: Archive, progress: Progress = lambda *_: None) -> CopyReport:
    """Make `target`, which is empty or an unfinished copy of this archive, the same as `source` is now.

    `target` is opened with `unfinished=True`. Raises StorageError if it is another archive, or if in the end it is not the
    same; it stays marked as unfinished then.
    """
    if source.name == target.name:
        raise StorageError(f"{target.name} is the archive itself. Name another database; nothing was changed.")
    with source.read() as present:
        resumed = _begin(present, target)
        for table in _TABLES:
            _copy(present, target, table, progress)
        if resumed:
            for table in reversed(_TABLES):
                _drop_surplus(present, target, table)
        report = _report(present, resumed, progress)
        with target.write() as tx:
            _copy_settings(present, tx)
            _verify(tx, report, target.name, progress)
            go_on_counting(tx)
            tx.connection.execute(sa.delete(setting).where(setting.c.key == MARK))
    return report


def _begin(present: Transaction, target: Archive) -> bool:
    """Mark the target as ours; whether it was already."""
    created = settings.get(present, CREATED)
    with target.write() as tx:
        mark = settings.get(tx, MARK)
        if mark is not None and mark == created:
            return True
        if mark is not None or any(_count(tx, table) for table in _TABLES):
            raise StorageError(f"{target.name} holds another archive already. Name an empty database; nothing was changed.")
        settings.put(tx, MARK, created)
        return False


def _copy(present: Transaction, target: Archive, table: sa.Table, progress: Progress) -> None:
    keys = tuple(table.primary_key.columns)
    done, total, last = 0, _count(present, table), None
    with target.read() as tx:
        held = _count(tx, table)
    while rows := _piece(present, table, keys, last):
        until = _key(rows[-1], keys)
        try:
            with target.write() as tx:
                known = _known(tx, table, keys, last, until) if held else {}
                _bring_up(tx, table, keys, rows, known)
        except IntegrityError as error:  # its numbers are from before a restore of the source
            message = f"What {target.name} has of an earlier try does not go with this archive ({table.name})."
            raise StorageError(f"{message} Copy into an empty database.") from error
        done, last = done + len(rows), until
        progress(table.name, done, total)


def copy_rows(present: Transaction, tx: Transaction, table: sa.Table) -> None:
    """Copy a whole table into an empty one, within one transaction, and make its articles findable."""
    keys, last = tuple(table.primary_key.columns), None
    while rows := _piece(present, table, keys, last):
        _bring_up(tx, table, keys, rows, {})
        last = _key(rows[-1], keys)


def _piece(tx: Transaction, table: sa.Table, keys: Sequence[sa.Column[Any]], last: Key | None) -> Sequence[AnyRow]:
    """The next rows after the key `last`."""
    rows = sa.select(table).order_by(*keys).limit(_AT_ONCE)
    return tx.connection.execute(rows if last is None else rows.where(sa.tuple_(*keys) > sa.tuple_(*_bound(keys, last)))).all()


def _known(
    tx: Transaction, table: sa.Table, keys: Sequence[sa.Column[Any]], last: Key | None, until: Key
) -> dict[Key, AnyRow]:
    """The target's rows behind the key `last`, up to and with `until`."""
    rows = sa.select(table).where(sa.tuple_(*keys) <= sa.tuple_(*_bound(keys, until)))
    if last is not None:
        rows = rows.where(sa.tuple_(*keys) > sa.tuple_(*_bound(keys, last)))
    return {_key(row, keys): row for row in tx.connection.execute(rows)}


def _bring_up(
    tx: Transaction, table: sa.Table, keys: Sequence[sa.Column[Any]], rows: Sequence[AnyRow], known: Mapping[Key, AnyRow]
) -> None:
    """Insert the rows that are missing and change those that are not the same."""
    missing = [row for row in rows if _key(row, keys) not in known]
    changed = [row for row in rows if known.get(_key(row, keys), row) != row]
    if missing:
        tx.connection.execute(sa.insert(table), [_values(row) for row in missing])
    for row in changed:
        here = (column == value for column, value in zip(keys, _key(row, keys), strict=True))
        tx.connection.execute(sa.update(table).where(*here).values(_values(row)))
    if table is article:
        for row in (*missing, *(row for row in changed if row.index_row != known[_key(row, keys)].index_row)):
            tx.index.add(tx.connection, row.index_row, row.title, row.text or row.summary, row.authors)


def _drop_surplus(present: Transaction, target: Archive, table: sa.Table) -> None:
    """Remove rows that the source had when the copy began and has no more."""
    keys = tuple(table.primary_key.columns)
    with target.write() as tx:
        last: Key | None = None
        while _count(tx, table) > _count(present, table) and (rows := _piece(tx, table, keys, last)):
            until = _key(rows[-1], keys)
            kept = _known(present, table, keys, last, until)
            for row in rows:
                if _key(row, keys) not in kept:
                    here = (column == value for column, value in zip(keys, _key(row, keys), strict=True))
                    tx.connection.execute(sa.delete(table).where(*here))
            last = until


def _copy_settings(present: Transaction, tx: Transaction) -> None:
    tx.connection.execute(sa.delete(setting).where(setting.c.key != MARK))
    rows = [_values(row) for row in present.connection.execute(sa.select(setting).where(setting.c.key != MARK))]
    if rows:
        tx.connection.execute(sa.insert(setting), rows)


def verify(present: Transaction, tx: Transaction, name: str) -> None:
    """Raise StorageError if `tx`, whose database people know by `name`, does not hold the same as `present`."""
    _verify(tx, _report(present, False), name)


def _report(present: Transaction, resumed: bool, progress: Progress = lambda *_: None) -> CopyReport:
    """What the copy must hold."""
    rows, hashes = {}, {}
    for number, table in enumerate(metadata.sorted_tables):
        rows[table.name], hashes[table.name] = _count(present, table), content_hash(present, table)
        progress("reading again", number + 1, len(metadata.sorted_tables))
    return CopyReport(rows, hashes, resumed)


def _verify(tx: Transaction, report: CopyReport, name: str, progress: Progress = lambda *_: None) -> None:
    """Raise StorageError if the target holds anything else, or an article is not in its index."""
    for number, table in enumerate(metadata.sorted_tables):
        if content_hash(tx, table, (MARK,)) != report.hashes[table.name]:
            raise StorageError(f"The copy in {name} is not the same in the table {table.name}. Copy into an empty database.")
        progress("verifying", number + 1, len(metadata.sorted_tables))
    indexed = sa.select(sa.func.count()).select_from(article.join(tx.index.table, article.c.index_row == tx.index.row))
    if tx.connection.scalar(indexed) != report.rows[article.name]:
        raise StorageError(f"Some articles are missing from the index of {name}. Copy into an empty database.")


def go_on_counting(tx: Transaction) -> None:
    """Let PostgreSQL give out the numbers that follow; SQLite goes by the highest there is."""
    if tx.connection.dialect.name != "postgresql":
        return
    for table in (table for table in _TABLES if table.primary_key.columns.keys() == ["id"]):
        highest = sa.select(sa.func.coalesce(sa.func.max(table.c.id) + 1, 1)).scalar_subquery()
        sequence = sa.func.pg_get_serial_sequence(f'"{table.name}"', "id")
        tx.connection.execute(sa.select(sa.func.setval(sequence, highest, sa.false())))


def _count(tx: Transaction, table: sa.Table) -> int:
    return int(tx.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _key(row: AnyRow, keys: Sequence[sa.Column[Any]]) -> Key:
    return tuple(getattr(row, column.name) for column in keys)


def _bound(keys: Sequence[sa.Column[Any]], values: Key) -> list[sa.ColumnElement[Any]]:
    return [sa.literal(value, column.type) for column, value in zip(keys, values, strict=True)]


def _values(row: AnyRow) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  (SQLAlchemy's public way, named so as not to meet a column)
