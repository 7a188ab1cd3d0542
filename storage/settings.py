"""Small facts of the archive itself, by key: plain values that JSON holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from storage.schema import setting

if TYPE_CHECKING:
    from storage.transaction import Transaction

FIRST_LIGHT, NOTICES = "first-light", "notices"
"""When readers were told how the archive began, and what the operator was told: a restore carries both over."""


def get(tx: Transaction, key: str) -> Any:
    """The fact kept under `key`, or None."""
    return tx.connection.scalar(select(setting.c.value).where(setting.c.key == key))


def put(tx: Transaction, key: str, value: Any) -> None:
    """Keep a fact under `key`, in the place of an earlier one."""
    changed = tx.connection.execute(update(setting).where(setting.c.key == key).values(value=value))
    if not changed.rowcount:
        tx.connection.execute(insert(setting).values(key=key, value=value))
