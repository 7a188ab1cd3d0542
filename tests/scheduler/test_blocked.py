"""A loop that is blocked, and a job that takes longer than its interval."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from datetime import timedelta
from pathlib import Path

from scheduler.daemon import CLEAN, Daemon
from scheduler.duties import Job
from scheduler.lag import LONGEST_SECONDS, TOLD_SECONDS
from scheduler.notify import ServiceManager
from scheduler.pulse import Pulse
from tests.scheduler.manager import listening
from tests.scheduler.rounds import Rounds, no_reload


async def test_a_job_that_blocks_the_loop_for_five_seconds_is_told_of_and_all_go_on(tmp_path: Path, caplog) -> None:
    """The seconds are the pulse's own: what it sees is a loop that was late by them."""
    skipped, blocked = [0.0], asyncio.Event()

    async def block() -> None:
        if not blocked.is_set():
            skipped[0] += LONGEST_SECONDS + TOLD_SECONDS
            blocked.set()

    rounds = Rounds()
    duties = dataclasses.replace(rounds.duties(), jobs=(*rounds.duties().jobs, Job("block", block)))
    with listening(tmp_path / "notify") as ear:
        manager = ServiceManager(ear.address, timedelta(seconds=4))
        async with Pulse(manager, monotonic=lambda: time.monotonic() + skipped[0]) as pulse:
            daemon = Daemon(duties, no_reload, pulse=pulse)
            running = asyncio.create_task(daemon.run())
            await blocked.wait()
            while pulse.lag.figures().longest < LONGEST_SECONDS:
                await rounds.more(1)
            await rounds.more(3)
            ear.heard()
            await asyncio.wait_for(ear.until("WATCHDOG"), 10)
            daemon.stop()

            assert await running == CLEAN
    assert next(record.getMessage() for record in caplog.records if record.levelname == "WARNING") == "the event loop was held up"


async def test_a_job_longer_than_its_interval_skips_its_turns_and_never_runs_twice_at_once() -> None:
    """Sixty intervals pass while it is at work; then it goes on with the next."""
    at_work, most, turns, ended = 0, 0, 0, asyncio.Event()
    rounds = Rounds()

    async def long() -> None:
        nonlocal at_work, most, turns
        at_work, turns = at_work + 1, turns + 1
        most = max(most, at_work)
        if turns == 1:
            await rounds.more(60)
        at_work -= 1
        if turns > 1:
            ended.set()

    duties = dataclasses.replace(rounds.duties(), jobs=(*rounds.duties().jobs, Job("long", long)))
    daemon = Daemon(duties, no_reload)
    running = asyncio.create_task(daemon.run())
    await asyncio.wait_for(ended.wait(), 30)
    daemon.stop()

    assert await running == CLEAN
    assert most == 1
    assert turns < 10
