"""Types of columns that SQLite and PostgreSQL hold alike, whatever came from the net: times, text, JSON."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, String, Text, TypeDecorator
from sqlalchemy.types import JSON, TypeEngine

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"  # not left out: what it divided would join up (Unicode TR 36, 3.5)


def storable(value: Any) -> Any:
    """The same text, or lists and mappings of texts, with U+FFFD for what a database cannot hold.

    PostgreSQL holds no U+0000 in a text, and no UTF-8 says a lone surrogate.
    """
    match value:
        case str():
            return _UNSTORABLE.sub(_REPLACEMENT, value)
        case dict():
            return {storable(key): storable(each) for key, each in value.items()}
        case list() | tuple():
            return [storable(each) for each in value]
        case _:
            return value


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; SQLite has no zones, so it is given back there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: it would be read as UTC and be wrong by hours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r} may not be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's)
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class AnyText(TypeDecorator[str]):
    """Text of any characters, at most `length` where that is given; made storable on its way in.

    PostgreSQL compares it by bytes, as SQLite does: both sort alike, and an index outlives a new edition of the system's
    locales.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """The database's own text type."""
        collation = "C" if dialect.name == "postgresql" else None
        return String(self.length, collation) if self.length else Text(collation=collation)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  (SQLAlchemy's)
        """Make it storable."""
        return value if value is None else _UNSTORABLE.sub(_REPLACEMENT, value)


class AnyJson(TypeDecorator[Any]):
    """Plain values as JSON, their texts made storable on the way in."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002  (SQLAlchemy's)
        """Make it storable."""
        return storable(value)
