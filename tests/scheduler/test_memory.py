"""What the C library holds is bounded and given back."""

from __future__ import annotations

import platform

from scheduler.memory import bound_arenas, give_back


def test_glibc_is_told_to_share_arenas_and_to_give_memory_back() -> None:
    told = bound_arenas(8)
    give_back()

    assert told == (platform.libc_ver()[0] == "glibc")
