"""One pace per host: told by a clock that only moves when someone sleeps."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.pace import MANY_HOSTS, Pace


class Time:
    """Monotonic seconds; sleeping moves them on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)


def paced(jitter: float = 1.0) -> tuple[Pace, Time]:
    time = Time()
    return Pace(time.clock, time.sleep, lambda: jitter), time


async def test_the_first_request_to_a_host_does_not_wait() -> None:
    pace, time = paced()

    async with pace.slot("a.example", 5):
        assert time.now == 1000


async def test_the_pause_counts_from_the_end_of_a_request_to_the_start_of_the_next() -> None:
    pace, time = paced()

    async with pace.slot("a.example", 5):
        time.now += 7
    async with pace.slot("a.example", 5):
        assert time.now == 1000 + 7 + 5


async def test_hosts_do_not_wait_for_one_another() -> None:
    pace, time = paced()

    async with pace.slot("a.example", 5), pace.slot("b.example", 5):
        assert time.now == 1000


async def test_the_pause_is_varied_by_the_jitter() -> None:
    pace, time = paced(jitter=0.8)

    for _ in range(2):
        async with pace.slot("a.example", 10):
            pass

    assert time.now == pytest.approx(1008)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 9), st.floats(0, 9)), max_size=12))
def test_however_many_come_a_host_serves_one_at_a_time_in_order_with_pauses(visits: list[tuple[str, float, float]]) -> None:
    pace, time = paced()
    log: list[tuple[str, int, float, float, float]] = []

    async def visit(number: int, host: str, delay: float, takes: float) -> None:
        async with pace.slot(host, delay):
            start = time.now
            await time.sleep(takes)
            log.append((host, number, delay, start, time.now))

    async def all_visits() -> None:
        await asyncio.gather(*(visit(n, *v) for n, v in enumerate(visits)))

    asyncio.run(all_visits())

    assert len(log) == len(visits)
    for host in "ab":
        served = [entry for entry in log if entry[0] == host]
        assert [number for _, number, *_ in served] == sorted(number for _, number, *_ in served)
        for (*_, end), (_, _, delay, start, _) in itertools.pairwise(served):
            assert start - end >= delay - 1e-6


async def test_a_short_pause_asked_for_is_waited_out_and_a_long_one_ends_the_request() -> None:
    pace, time = paced()
    pace.pause("a.example", 20)
    async with pace.slot("a.example", 0):
        assert time.now == 1020

    pace.pause("a.example", 3600)
    with pytest.raises(FetchError, match=r"a\.example asked for a pause") as error:
        async with pace.slot("a.example", 0):
            pass

    assert error.value.outcome is Outcome.FAILED
    assert error.value.retry_after_seconds == 3600
    assert time.now == 1020


async def test_a_longer_pause_stays_when_a_shorter_one_is_asked_for() -> None:
    pace, time = paced()
    pace.pause("a.example", 25)
    pace.pause("a.example", 5)

    async with pace.slot("a.example", 0):
        assert time.now == 1025


async def test_a_failed_request_gives_its_turn_on() -> None:
    pace, _ = paced()
    with pytest.raises(ZeroDivisionError):
        async with pace.slot("a.example", 0):
            raise ZeroDivisionError

    async with pace.slot("a.example", 0):
        pass


async def test_a_cancelled_wait_gives_its_turn_on() -> None:
    pace, _ = paced()
    async with pace.slot("a.example", 0):
        waiting = asyncio.ensure_future(pace.slot("a.example", 0).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})

    async with pace.slot("a.example", 0):
        pass


async def test_idle_hosts_are_forgotten_and_busy_and_paused_ones_are_not() -> None:
    pace, time = paced()
    pace.pause("paused.example", 30)
    time.now += 10
    async with pace.slot("busy.example", 0):
        for n in range(MANY_HOSTS):
            async with pace.slot(f"{n}.example", 0):
                pass
        time.now += 3600
        pace.pause("paused.example", 30)
        async with pace.slot("new.example", 0):
            pass
        assert pace.hosts == 3
