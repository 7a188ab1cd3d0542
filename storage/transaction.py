"""An open transaction: what every function of this room takes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Insert

    from storage.search.textindex import TextIndex


AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of columns known by name."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """An open transaction. What is done in it is kept together or not at all.

    `connection` and `index` are for this room alone; other rooms hand the transaction on to the room's functions.
    """

    connection: Connection
    index: TextIndex

    def new_row(self, statement: Insert, row: Mapping[str, Any] | None = None) -> int:
        """Insert one row, with these values or the statement's own; gives the number the database gave it."""
        key = self.connection.execute(statement, row and dict(row)).inserted_primary_key
        assert key is not None
        return int(key[0])
