"""A reading worker is held to its limits, replaced when it dies, and gone when the pool is closed."""

import asyncio
import multiprocessing
import os
import signal

import pytest

from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading.workers import CutShortError, ReadingPool
from tests.reading import misdeeds


async def outcome_of(pool, function):
    with pytest.raises(ReadingError) as caught:
        await pool.run(function)
    return caught.value.outcome


async def test_each_misdeed_ends_in_its_outcome_and_the_pool_goes_on():
    pool = ReadingPool(1, cpu_seconds=0.4)
    try:
        assert await outcome_of(pool, misdeeds.spin_in_python) is Outcome.TOO_SLOW
        assert await outcome_of(pool, misdeeds.spin_in_c) is Outcome.TOO_SLOW
        assert await outcome_of(pool, misdeeds.eat_memory) is Outcome.TOO_BIG
        assert await outcome_of(pool, misdeeds.recurse) is Outcome.TOO_BIG
        assert await outcome_of(pool, misdeeds.refuse) is Outcome.BLOCKED
        assert await outcome_of(pool, misdeeds.die) is Outcome.UNREADABLE
        with pytest.raises(RuntimeError, match="KeyError: 'a bug'"):
            await pool.run(misdeeds.err)
        assert await pool.run(misdeeds.double, 21) == 42
    finally:
        pool.close()


async def test_workers_share_nothing_with_the_daemon_and_leave_interrupts_to_it():
    pool = ReadingPool(1)
    try:
        assert await pool.run(misdeeds.loaded_modules) == []
        assert await pool.run(misdeeds.ignores_interrupts)
    finally:
        pool.close()


async def test_a_worker_killed_from_outside_while_idle_is_replaced():
    pool = ReadingPool(1)
    try:
        os.kill(await pool.run(misdeeds.own_pid), signal.SIGKILL)
        assert await pool.run(misdeeds.double, 4) == 8
    finally:
        pool.close()


async def test_closing_gives_up_what_is_being_read_and_refuses_more():
    pool = ReadingPool(1, cpu_seconds=20)
    pid = await pool.run(misdeeds.own_pid)
    reading = asyncio.ensure_future(pool.run(misdeeds.spin_in_python))
    for _ in range(2):  # the run begins, then its first try
        await asyncio.sleep(0)
    pool.close()

    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(RuntimeError, match="closed"):
        await pool.run(misdeeds.double, 1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_cut_short_it_gives_up_what_is_read_and_what_waits_and_reads_no_more():
    pool = ReadingPool(1, cpu_seconds=20)
    try:
        pid = await pool.run(misdeeds.own_pid)
        under_way = [asyncio.ensure_future(pool.run(misdeeds.spin_in_python)) for _ in range(2)]
        await asyncio.sleep(0)
        pool.cut_short()

        assert [type(each) for each in await asyncio.gather(*under_way, return_exceptions=True)] == [CutShortError] * 2
        with pytest.raises(CutShortError):
            await pool.run(misdeeds.double, 1)
    finally:
        pool.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_idle_workers_are_let_go_and_the_next_document_starts_one():
    pool = ReadingPool(1, idle_seconds=0)
    try:
        first = await pool.run(misdeeds.own_pid)
        await until_gone(first)
        assert await pool.run(misdeeds.double, 3) == 6
    finally:
        pool.close()


async def until_gone(pid: int) -> None:
    while pid in {child.pid for child in multiprocessing.active_children()}:  # noqa: ASYNC110  (no event of this loop)
        await asyncio.sleep(0.01)
