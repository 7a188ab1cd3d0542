"""The lives of a daemon in a small world: it is started as its users start it, and dies; afterwards somebody looks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from storage.lock import holder, lock_path

if TYPE_CHECKING:
    from tests.faults.world import World

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("jingbao")
LOOK_SECONDS = 0.05
LONGEST_LIFE_SECONDS = 180.0
WORKERS_LEAVE_SECONDS = 10.0
READY = " started "
"""In the daemon's log, once its duties begin."""


@dataclass(frozen=True, slots=True)
class Death:
    """How a life is to end: at a point, the nth time it is reached; else after so many seconds. Neither: once all is done.

    The seconds count from its start, or from when it is `ready`.
    """

    point: str = ""
    nth: int = 1
    seconds: float | None = None
    ready: bool = False

    @property
    def command(self) -> list[str]:
        """The command that dies so by itself, or lives."""
        if not self.point:
            return [str(COMMAND)]
        return [sys.executable, "-m", "tests.faults.dying", "--at", self.point, "--nth", str(self.nth), "--"]

    def __str__(self) -> str:
        if self.point:
            return self.point + (f" ({self.nth})" if self.nth > 1 else "")
        return "done" if self.seconds is None else f"{self.seconds:.3f} s{' after ready' * self.ready}"


@dataclass(frozen=True, slots=True)
class Life:
    """How one life went. `ready_seconds` from its start to its duties' beginning, if it came to that; `ready_cpu` of them on a CPU.

    On a busy machine the second says more of the daemon, the first more of the machine.
    """

    death: Death
    returncode: int | None
    settled: bool
    seconds: float
    ready_seconds: float | None
    ready_cpu: float | None

    @property
    def as_meant(self) -> bool:
        """Whether it died where it should: at its point, at its time, or with everything done.

        How often a point comes round may differ, with what one pass finds: a later turn of it may not come at all.
        """
        if self.death.point:
            return self.returncode == -signal.SIGKILL and (not self.settled or self.death.nth > 1)
        return self.death.seconds is not None or self.settled


async def live(world: World, death: Death, *, command: list[str] | None = None, clean: bool = False) -> Life:
    """One daemon in `world` until `death`; it ends by SIGKILL in any case, unless `clean`, which is SIGTERM once all is done."""
    world.begin_life()
    log = world.place.folder / "jingbao.log"
    begin, started = log.stat().st_size if log.exists() else 0, time.monotonic()
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *(command or death.command),
            *("--config", str(world.config), "run", "--plain"),
            stdin=DEVNULL,
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **world.environment},
        )
    ready = settled = cpu = None
    longest = LONGEST_LIFE_SECONDS if death.seconds is None or death.ready else death.seconds
    try:
        async for age in _ages(process, started, longest):
            if ready is None and _said(log, begin):
                ready, cpu = age, _cpu(process.pid)
                if death.ready and death.seconds is not None:
                    await _wait(process, death.seconds)
                    break
            if death.seconds is None and ready is not None and world.settled():
                settled = age
                break
    finally:
        await _end(process, signal.SIGTERM if clean and settled else signal.SIGKILL)
    return Life(death, process.returncode, settled is not None, time.monotonic() - started, ready, cpu)


async def _ages(process: Process, started: float, longest: float) -> AsyncIterator[float]:
    """The age of a process, again and again until it ends or is `longest` seconds old."""
    while process.returncode is None and (left := started + longest - time.monotonic()) > 0:
        await _wait(process, min(LOOK_SECONDS, left))
        yield time.monotonic() - started


def _cpu(pid: int) -> float | None:
    with suppress(psutil.Error):
        return sum(psutil.Process(pid).cpu_times()[:2])
    return None


async def _wait(process: Process, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), seconds)


def _said(log: Path, begin: int) -> bool:
    with log.open("rb") as lines:
        lines.seek(begin)
        return READY.encode() in lines.read()


async def _end(process: Process, by: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(by)
    await process.wait()


async def leftovers(world: World) -> list[str]:
    """What a dead daemon left behind that its successor does not need: processes that outlive it, a lock that is held."""
    deadline = time.monotonic() + WORKERS_LEAVE_SECONDS
    while (left := _processes(str(world.place.folder))) and time.monotonic() < deadline:  # noqa: ASYNC110  (they are no children of ours)
        await asyncio.sleep(LOOK_SECONDS)
    told = [f"process {each} still runs" for each in left]
    if world.place.url.startswith("sqlite") and (held := holder(lock_path(Path(world.place.url.removeprefix("sqlite:///"))))):
        told.append(f"the lock is held by {held}")
    return told


def _processes(world: str) -> list[str]:
    """The processes started for a world, known by their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("JINGBAO_WORLD") == world:
                found.append(f"{process.pid} ({' '.join(process.cmdline())[:120]})")
        except psutil.Error:
            continue
    return found
