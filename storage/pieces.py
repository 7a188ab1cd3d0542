"""Long lists in pieces, because a statement takes only so many bound values (SQLite: 32,766; PostgreSQL: 65,535)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_SIZE = 500


def pieces(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in order, in lists of at most 500; nothing for nothing."""
    everything = list(values)
    return (everything[start : start + _SIZE] for start in range(0, len(everything), _SIZE))
