"""Intake and outbox alone (tests/faults/clerk.py): lives of a few hundredths of a second, killed at random times."""

from __future__ import annotations

import asyncio
import random
from contextlib import ExitStack
from functools import partial
from itertools import count

from bench.kills.journal import Cases, Entry, Ground
from tests.faults.clerks import Clerks, clerks

KILLS_A_ROUND = 25
SHARE = 0.15
"""Of an undisturbed life, up to which a life may last."""
FROM_NOTHING = 20
"""Every twentieth round begins without tables."""


async def times(ground: Ground) -> Cases:
    """Rounds on an archive that is empty, or now and then has no tables, for ever."""
    with ExitStack() as stack:
        free: asyncio.Queue[Clerks] = asyncio.Queue()
        for number in range(ground.at_once):
            free.put_nowait(stack.enter_context(clerks(ground.store, ground.folder / f"clerks-{number}")))
        for number in count():
            yield f"round {number}", partial(_round, free, number, random.Random(f"{ground.seed} {number}"))


async def _round(free: asyncio.Queue[Clerks], number: int, rng: random.Random) -> Entry:
    office = await free.get()
    try:
        delays = [rng.uniform(0, office.life_seconds * SHARE) for _ in range(KILLS_A_ROUND)]
        nothing = number % FROM_NOTHING == 0
        lives, verdict = await asyncio.to_thread(office.round, f"round-{number}", delays=delays, nothing=nothing)
    finally:
        free.put_nowait(office)
    entry = Entry(f"round {number}", kills=[f"{life['seconds']} s" for life in lives if life["code"] == -9])
    entry.count(verdict)
    return entry
