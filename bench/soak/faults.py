"""Faults by chance: every few seconds one, from a seed, each written down."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.soak.journal import Journal, add
from bench.soak.mischief import MOODS, WAYS, Mischief, MoodyMailbox

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from core.clock import Clock

EVERY_SECONDS = (3.0, 12.0)
LOCKED_SECONDS = 3.0
OFFLINE_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Ground:
    """What faults befall: sites, mail server, archive, the daemon as it then is. `hosts` are the sites' names."""

    hosts: tuple[str, ...]
    mischief: Mischief
    mailbox: MoodyMailbox
    archive: Path
    daemon: Callable[[], Process | None]
    clock: Clock
    journal: Journal


async def trouble(ground: Ground, rng: random.Random) -> None:
    """Let faults happen until cancelled."""
    kinds, weights = zip(*_FAULTS.items(), strict=True)
    while True:
        await asyncio.sleep(rng.uniform(*EVERY_SECONDS))
        fault = rng.choices(kinds, weights)[0]
        note(ground, await fault(ground, rng))


def note(ground: Ground, fault: str) -> None:
    """Write a fault down, with the set clock's moment."""
    add(ground.journal.faults, {"at": ground.clock.now().isoformat(), "fault": fault})


async def _site(ground: Ground, rng: random.Random) -> str:
    hosts, kind, seconds = rng.sample(ground.hosts, rng.randint(1, 3)), rng.choice(list(WAYS)), rng.uniform(5, 60)
    for host in hosts:
        ground.mischief.begin(host, kind, seconds)
    return f"{kind} for {seconds:.0f} s: {', '.join(hosts)}"


async def _mail(ground: Ground, rng: random.Random) -> str:
    mood, seconds = rng.choice(list(MOODS)), rng.uniform(2, 20)
    ground.mailbox.begin(mood, seconds)
    return f"mail server: {mood} for {seconds:.0f} s"


async def _offline(ground: Ground, _rng: random.Random) -> str:
    ground.mischief.begin("*", "reset", OFFLINE_SECONDS)
    return f"no site answers for {OFFLINE_SECONDS:.0f} s"


async def _reload(ground: Ground, _rng: random.Random) -> str:
    daemon = ground.daemon()
    if daemon is None or daemon.returncode is not None:
        return "SIGHUP to nobody"
    daemon.send_signal(signal.SIGHUP)
    return "SIGHUP"


async def _locked(ground: Ground, _rng: random.Random) -> str:
    with closing(sqlite3.connect(ground.archive, timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            return "the archive was busy, or not there yet"
        await asyncio.sleep(LOCKED_SECONDS)
        other.execute("ROLLBACK")
    return f"another program held the archive {LOCKED_SECONDS:.0f} s"


_FAULTS: dict[Callable[[Ground, random.Random], Awaitable[str]], float] = {
    _site: 20,
    _mail: 8,
    _locked: 3,
    _reload: 1.5,
    _offline: 0.7,
}
