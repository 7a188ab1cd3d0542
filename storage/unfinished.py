"""The mark of a copy that is not whole yet (storage/copying.py): what bears it is no archive to work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import UnfitError
from storage import settings

if TYPE_CHECKING:
    from storage.transaction import Transaction

MARK = "archive.copying"
"""The setting that says of which archive, by when it began, an unfinished copy is."""


def refuse_unfinished(tx: Transaction, name: str) -> None:
    """Raise UnfitError if the database is an unfinished copy; `name` is what people know it by."""
    if settings.get(tx, MARK) is not None:
        advice = "Run the same jingbao archive copy again, it goes on where it ended."
        raise UnfitError(f"{name} is an unfinished copy of another archive. {advice}")
