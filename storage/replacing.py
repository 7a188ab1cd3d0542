"""Another archive's rows in the place of all that is in a database, in one transaction: readers see the one or the other.

It is for servers. Rows go one by one and tables stay: TRUNCATE would show an empty archive to whoever waits for it, and with
new tables those who were given the right to read would lose it. Whoever dies in the middle has changed nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from storage.copying import copy_rows, go_on_counting, verify
from storage.schema import metadata

if TYPE_CHECKING:
    from storage.archive import Archive


def replace_contents(source: Archive, target: Archive) -> None:
    """Make `target` hold what `source` holds, and nothing else. Raises StorageError; `target` is as it was then."""
    with source.read() as present, target.write() as tx:
        tx.index.clear(tx.connection)
        for table in reversed(metadata.sorted_tables):
            tx.connection.execute(sa.delete(table))
        for table in metadata.sorted_tables:
            copy_rows(present, tx, table)
        go_on_counting(tx)
        verify(present, tx, target.name)
