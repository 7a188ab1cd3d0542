"""What a log says again and again is written once an hour, and how often it came is said when that changes or the hour ends.

A source that fails each minute, or a bug that each article meets, would otherwise bury all else and fill the disk.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

HOUR_SECONDS = 3600.0
MOST_REMEMBERED = 500
FIELDS = "jingbao_fields"
"""The attribute of a record that holds its named values."""


@dataclass(slots=True)
class _Said:
    """Something that was written, and how often it came again since. `topic` is what it says without the reason."""

    at: float
    topic: Hashable
    logger: str
    level: int
    event: str
    values: dict[str, Any]
    again: int = 0


@dataclass
class Repeats:
    """Decides which records are written. The same event of the same source for the same reason is written once an hour.

    Warnings, errors and bugs are looked at so, and news of a source with a reason; other records always pass. Of bugs the
    place counts as the reason.
    """

    _said: dict[Hashable, _Said] = field(default_factory=dict)  # oldest first

    def written(self, record: logging.LogRecord) -> Iterator[logging.LogRecord]:
        """The records to write when this one comes: none, it, or before it how often others came again."""
        yield from self._ended(record.created)
        news = _news(record)
        if news is None:
            yield record
            return
        topic, reason = news
        before = self._said.get((topic, reason))
        if before:
            before.again += 1
            return
        yield from self._changed(topic)
        values = getattr(record, FIELDS, {})
        about = {name: values[name] for name in ("source", "reason") if name in values}
        self._said[topic, reason] = _Said(record.created, topic, record.name, record.levelno, record.getMessage(), about)
        yield record

    def left(self) -> Iterator[logging.LogRecord]:
        """How often what was last said came again; for the end of the log."""
        yield from self._counts(list(self._said.values()))
        self._said.clear()

    def _ended(self, now: float) -> Iterator[logging.LogRecord]:
        over = [key for key, said in self._said.items() if not 0 <= now - said.at < HOUR_SECONDS]
        over += list(self._said)[: max(0, len(self._said) - MOST_REMEMBERED)]
        yield from self._counts([self._said.pop(key) for key in dict.fromkeys(over)])

    def _changed(self, topic: Hashable) -> Iterator[logging.LogRecord]:
        yield from self._counts([said for said in self._said.values() if said.topic == topic])

    @staticmethod
    def _counts(those: list[_Said]) -> Iterator[logging.LogRecord]:
        for said in those:
            if said.again:
                record = logging.LogRecord(said.logger, said.level, "", 0, said.event, (), None)
                setattr(record, FIELDS, said.values | {"repeated_times": said.again})
                said.again = 0
                yield record


def _news(record: logging.LogRecord) -> tuple[Hashable, Hashable] | None:
    """What a record is about, and why; None if it is never held back."""
    values = getattr(record, FIELDS, {})
    source, reason = values.get("source", ""), values.get("reason", "")
    if record.levelno < logging.WARNING and not (source and reason):
        return None
    return (record.name, record.getMessage(), str(source)), (str(reason), _place(record))


def _place(record: logging.LogRecord) -> Hashable:
    """Where a bug is: its kind and the line that raised it."""
    if not record.exc_info or record.exc_info[0] is None:
        return None
    kind, _, step = record.exc_info
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return kind.__qualname__, step and (step.tb_frame.f_code.co_filename, step.tb_lineno)
