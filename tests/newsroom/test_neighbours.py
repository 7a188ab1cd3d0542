"""Sources that misbehave at any place end in a named outcome with a reason; their neighbours are collected as if they were not there.

The small form of bench/web_faults.py, in one process.
"""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from core.config import Config
from core.outcomes import Outcome
from core.source import Source
from crawler.collect import Collector, RunReport
from crawler.connection import WITNESSES
from crawler.net.manners import Manners
from crawler.net.pace import Pace
from crawler.reading.workers import ReadingPool
from lexicon.watchlist import load_watchlist
from storage import sources
from storage.archive import Archive
from storage.raw import RawPages
from tests.crawler.test_collect import START, SetClock
from tests.newsroom.neighbours import PLACES, Neighbour, Street, living

WAYS = ("reset", "silence", "half a body", "gzip bomb", "a redirect loop", "404", "403")
GOOD = WITNESSES - 1


@pytest.fixture(scope="module")
def pool():
    pool = ReadingPool(2, 10.0)
    yield pool
    pool.close()


async def collected(neighbours: list[Neighbour], tmp_path, pool) -> tuple[dict[str, RunReport], dict[str, sources.SourceState]]:
    """One run of each, some at once. After each bad one a good one is asked again, or the line would seem dead."""
    clock = SetClock()
    network = {"timeout_seconds": 1, "max_bytes": 100_000}
    config = Config.model_validate({"network": network, "security": {"allow_networks": ["127.0.0.0/8"]}})
    manners = Manners.from_config(config, "0", clock, Pace(jitter=lambda: 0.0))
    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", START) as archive:
        async with living(Street(neighbours, clock.now)) as street:
            chosen = [Source(**street.configuration(each)) for each in neighbours]
            with archive.write() as tx:
                sources.ensure(tx, [each.key for each in chosen], START)
            raw, version = RawPages(tmp_path / "raw"), load_watchlist().version
            collector = Collector(archive, raw, manners, pool, config.collection, clock, version)
            try:
                reports = [await collector.collect(each) for each in chosen[:GOOD]]
                bad = deque(chosen[GOOD:])

                async def walk(good: Source) -> None:
                    while bad:
                        reports.append(await collector.collect(bad.popleft()))
                        await collector.collect(good)

                await asyncio.gather(*map(walk, chosen[:GOOD]))
            finally:
                await manners.close()
        with archive.read() as tx:
            return {report.source: report for report in reports}, sources.states(tx)


async def test_misbehaviour_at_any_place_is_named_and_holds_up_no_neighbour(tmp_path, pool) -> None:
    ways = [(name, place) for name in WAYS for place in PLACES]
    bad = [Neighbour(GOOD + number, name, place) for number, (name, place) in enumerate(ways)]
    reports, states = await collected([*map(Neighbour, range(GOOD)), *bad], tmp_path, pool)

    assert all(report.seen == sum(report.counts.values()) for report in reports.values())
    for number in range(GOOD):
        assert reports[f"n{number}"].result == "ok"
        assert reports[f"n{number}"].counts.get(Outcome.NEW, 0) >= 5
    for each in bad:
        report, state = reports[each.key], states[each.key]
        if each.place in {"page", "child"}:
            assert (report.result, state.failures) == ("ok", 0), (each, report)
            assert report.counts.get(each.expected) or each.expected is Outcome.BLOCKED, (each, report)
        elif each.place == "robots":
            assert report.result == "ok" or "robots.txt" in state.last_error, (each, report)
        else:
            assert report.result == each.expected, (each, report)
            assert state.last_error.endswith("."), state.last_error
