"""When all that was sound falls silent at once, it is our own line: no source is charged, and all goes on when it works again."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.config import Config
from core.errors import FetchError, ReadingError
from core.outcomes import Outcome
from core.source import Source
from core.standing import Standing
from crawler.collect import Collector
from crawler.connection import PROBE_GAPS, PROBES_AT_ONCE, WITNESSES, Connection, is_answer, is_silence
from crawler.dispatch import down_lines
from crawler.net.manners import Manners
from crawler.reading.workers import ReadingPool
from lexicon.watchlist import load_watchlist
from storage import sources
from storage.archive import Archive
from storage.raw import RawPages
from tests.crawler.small_site import SmallSite, small_site
from tests.crawler.test_collect import SetClock

NOW = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def silent(connection: Connection, number: int, at: datetime = NOW, *, was_sound: bool = True, hosts: int = 50) -> set[str]:
    return connection.silent("direct", f"s{number}", f"host-{number}.test", at, was_sound=was_sound, hosts=hosts)


@pytest.mark.parametrize(("error", "silence"), [
    (FetchError(Outcome.FAILED, "no name"), True),
    (FetchError(Outcome.TOO_SLOW, "late"), True),
    (FetchError(Outcome.FAILED, "busy", status=503), False),
    (FetchError(Outcome.FAILED, "asked for a pause", retry_after_seconds=300), False),
    (FetchError(Outcome.BLOCKED, "403", status=403), False),
    (ReadingError(Outcome.UNREADABLE, "no feed"), False),
])  # fmt: skip
def test_only_what_was_not_heard_at_all_is_silence(error, silence: bool) -> None:
    assert is_silence(error) is silence


@pytest.mark.parametrize(("error", "answer"), [
    (FetchError(Outcome.FAILED, "busy", status=503), True),
    (FetchError(Outcome.GONE, "404", status=404), True),
    (FetchError(Outcome.TOO_BIG, "redirected for ever"), True),
    (ReadingError(Outcome.UNREADABLE, "no feed"), True),
    (FetchError(Outcome.FAILED, "asked for a pause before", retry_after_seconds=300), False),
    (FetchError(Outcome.BLOCKED, "robots.txt, as it was yesterday, forbids it"), False),
    (FetchError(Outcome.FAILED, "no name"), False),
])  # fmt: skip
def test_what_is_remembered_of_a_host_is_no_answer_of_it(error, answer: bool) -> None:
    assert is_answer(error) is answer


@pytest.mark.parametrize(("status", "silence"), [(502, True), (503, True), (504, True), (500, False), (404, False)])
def test_a_proxys_own_word_that_it_heard_nothing_is_silence(status: int, silence: bool) -> None:
    error = FetchError(Outcome.FAILED, "bad gateway", status=status)

    assert (is_silence(error, by_gateway=True), is_silence(error)) == (silence, False)


def test_sources_asked_every_two_hours_are_heard_together_all_the_same() -> None:
    connection = Connection()
    down = [
        connection.silent(
            "direct", f"s{number}", f"h{number}.test", NOW + number * 25 * MINUTE, was_sound=True, hosts=4,
            within=timedelta(hours=2.4),
        )
        for number in range(4)
    ]  # fmt: skip

    assert [len(each) for each in down] == [0, 0, 0, 4]


def test_a_line_is_down_once_enough_hosts_are_silent_and_those_charged_before_are_forgiven() -> None:
    connection = Connection()
    before = [silent(connection, number, NOW + number * MINUTE) for number in range(WITNESSES - 1)]

    assert before == [set()] * (WITNESSES - 1)
    assert silent(connection, 9) == {"s0", "s1", "s2", "s3", "s9"}
    assert connection.down == {"direct": NOW}


def test_one_answer_in_between_shows_that_the_line_works() -> None:
    connection = Connection()
    for number in range(20):
        silent(connection, number)
        if number % 3 == 2:
            assert not connection.heard("direct")

    assert not connection.is_down("direct")


def test_sources_that_failed_before_are_no_witnesses_nor_are_many_of_one_host() -> None:
    connection = Connection()
    for number in range(20):
        silent(connection, number, was_sound=False)
        connection.silent("direct", f"t{number}", "one.test", NOW, was_sound=True, hosts=50)

    assert not connection.is_down("direct")


def test_silences_far_apart_say_nothing_of_the_line() -> None:
    connection = Connection()
    for number in range(20):
        silent(connection, number, NOW + number * 10 * MINUTE)

    assert not connection.is_down("direct")


def test_with_two_hosts_nothing_can_be_told_and_with_three_all_must_be_silent() -> None:
    two, three = Connection(), Connection()
    for number in range(2):
        silent(two, number, hosts=2)
    for number in range(3):
        silent(three, number, hosts=3)

    assert (two.is_down("direct"), three.is_down("direct")) == (False, True)


def test_a_line_that_is_down_is_probed_at_growing_gaps_for_ever() -> None:
    connection, moment, gaps = Connection({"direct": NOW}), NOW, []
    for _ in range(8):
        before = moment
        while not connection.may_probe("direct", moment):
            moment += timedelta(seconds=5)
        connection.probed("direct", moment)
        gaps.append(moment - before)

    assert gaps[1:] == [*PROBE_GAPS, PROBE_GAPS[-1], PROBE_GAPS[-1]]
    assert connection.heard("direct")
    assert connection.down == {}


def test_a_clock_put_back_does_not_hold_up_the_probes() -> None:
    connection = Connection({"direct": NOW})

    assert connection.may_probe("direct", NOW - timedelta(days=1))


# With real sources


@pytest.fixture(scope="module")
def pool():
    pool = ReadingPool(1, 10.0)
    yield pool
    pool.close()


def dead_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Net:
    """A collector of some sources, each at a loopback address of its own, which all have one port."""

    def __init__(self, archive: Archive, manners: Manners, pool: ReadingPool, folder: Path, clock: SetClock) -> None:
        self.archive, self.clock = archive, clock
        self._parts = (RawPages(folder / "raw"), manners, pool, Config().collection, clock, load_watchlist().version)
        self.chosen: list[Source] = []
        self.restart()

    def restart(self) -> None:
        self.collector = Collector(self.archive, *self._parts)

    def at(self, port: int, host: str = "127.0.0.{number}", **more) -> None:
        """Let all sources be at this port, each at an address of its own unless told."""
        about = {"name": "S", "kind": "feed", "language": "en", "delay_seconds": 0, "interval_minutes": 60, **more}
        self.chosen = [
            Source(**about, key=f"s{number}", url=f"http://{host.format(number=number)}:{port}/feed") for number in range(2, 10)
        ]
        with self.archive.write() as tx:
            sources.ensure(tx, [source.key for source in self.chosen], self.clock.now())

    async def round(self) -> list[str]:
        """Collect what is due; gives the results."""
        by_key = {source.key: source for source in self.chosen}
        return [
            (await self.collector.collect(by_key[key])).result for key in await self.collector.due(self.chosen, 20)
        ]

    def states(self) -> list[sources.SourceState]:
        with self.archive.read() as tx:
            return list(sources.states(tx).values())

    def down(self) -> dict[str, datetime]:
        with self.archive.read() as tx:
            return down_lines(tx)


@asynccontextmanager
async def net(tmp_path: Path, pool: ReadingPool) -> AsyncIterator[tuple[Net, SmallSite]]:
    clock = SetClock()
    manners = Manners.from_config(Config(security={"allow_networks": ("127.0.0.0/8",)}), "0", clock)
    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", NOW) as archive:
        async with small_site() as site:
            site.bodies["/feed"] = ""
            try:
                yield Net(archive, manners, pool, tmp_path, clock), site
            finally:
                await manners.close()


async def test_a_network_that_is_gone_for_an_hour_charges_nobody_and_all_are_asked_again_without_a_rush(tmp_path, pool) -> None:
    async with net(tmp_path, pool) as (it, site):
        it.at(dead_port())
        await it.round()
        asked = []
        for _ in range(60):
            it.clock.go(MINUTE)
            asked.append(len(await it.round()))

        assert set(it.down()) == {"direct"}
        assert {(state.failures, state.last_error, state.standing) for state in it.states()} == {(0, "", Standing.NEW)}
        assert max(asked) <= PROBES_AT_ONCE
        assert 0 < sum(asked) <= 40

        it.restart()
        assert set(it.down()) == {"direct"}
        it.at(site.port, "127.0.0.1")
        heard = []
        for _ in range(20):
            it.clock.go(MINUTE)
            heard.append(len(await it.round()))

        assert it.down() == {}
        assert max(heard) <= PROBES_AT_ONCE
        assert site.asked["/feed"] == len(it.chosen)


async def test_lists_whose_robots_txt_is_not_heard_are_silent_too_and_are_asked_again_at_once_on_return(tmp_path, pool) -> None:
    """What robots.txt last said, or did not say, is remembered; that is neither an answer nor held against anybody."""
    rows = {"kind": "listing", "listing": {"item": ".row", "link": "a", "title": "a"}}
    async with net(tmp_path, pool) as (it, site):
        it.at(dead_port(), **rows)
        port = it.chosen[0].url.rpartition(":")[2].partition("/")[0]
        await it.round()
        for _ in range(10):
            it.clock.go(MINUTE)
            await it.round()

        assert set(it.down()) == {"direct"}
        assert {(state.failures, state.standing) for state in it.states()} == {(0, Standing.NEW)}

        site.bodies["/feed"] = "<div class=row><a href=/a/1>A headline of enough words</a></div>"
        async with small_site(port=int(port), host="0.0.0.0") as back:
            back.bodies["/feed"] = site.bodies["/feed"]
            for _ in range(20):
                it.clock.go(MINUTE)
                await it.round()

        assert it.down() == {}
        assert {state.failures for state in it.states()} == {0}
        assert back.asked["/feed"] == len(it.chosen)


async def test_a_source_that_alone_is_silent_is_charged(tmp_path, pool) -> None:
    async with net(tmp_path, pool) as (it, site):
        it.at(site.port, "127.0.0.1")
        it.chosen[0] = it.chosen[0].model_copy(update={"url": f"http://127.0.0.2:{dead_port()}/feed"})
        await it.round()

        assert it.down() == {}
        assert it.states()[0].failures == 1
