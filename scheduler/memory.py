"""The C library's part in a daemon's memory: it keeps what was freed, in an arena for each thread, for ever.

A daemon whose threads come and go grows by that, not by what it holds (figures: docs/design/soak.md). mallopt(3) bounds the
arenas, malloc_trim(3) gives the free part back. Both are glibc's; elsewhere nothing is done.
"""

from __future__ import annotations

import ctypes
from functools import cache

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
ARENAS = 2


@cache
def _libc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def bound_arenas(arenas: int = ARENAS) -> bool:
    """Let threads share so many arenas; for the start, before there are threads. Whether the C library could be told."""
    library = _libc()
    return bool(library and library.mallopt(_ARENA_MAX, arenas))


def give_back() -> None:
    """Give free memory back to the system: some milliseconds, without Python's lock. Not for the event loop."""
    library = _libc()
    if library:
        library.malloc_trim(0)
