"""A list's entry as plain values, for the time until its page can be read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.article import DateOrigin, Entry, Precision, Published


def entry_values(entry: Entry) -> dict[str, Any]:
    """An entry as JSON holds it."""
    values = asdict(entry)
    if entry.published:
        values["published"]["at"] = entry.published.at.isoformat()
    values["updated"] = entry.updated and entry.updated.isoformat()
    return values


def entry_of(values: dict[str, Any]) -> Entry:
    """The entry that `entry_values` was given."""
    return Entry(**(values | _dates(values) | {"authors": tuple(values["authors"])}))


def _dates(values: dict[str, Any]) -> dict[str, Any]:
    published, updated = values["published"], values["updated"]
    return {"published": published and _published(published), "updated": updated and datetime.fromisoformat(updated)}


def _published(values: dict[str, Any]) -> Published:
    return Published(
        at=datetime.fromisoformat(values["at"]),
        precision=Precision(values["precision"]),
        origin=DateOrigin(values["origin"]),
        zone=values["zone"],
        zone_stated=values["zone_stated"],
    )
