"""The pulse: signs of life only from a daemon that works, and a heartbeat that others can read."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.daemon import CLEAN, UNCLEAN, Daemon
from scheduler.heartbeat import FRESH_SECONDS, Heartbeat, heartbeat_file
from scheduler.lag import Lag
from scheduler.notify import ServiceManager
from scheduler.pulse import TICK_WITHIN, Pulse
from tests.scheduler.manager import Ear, listening
from tests.scheduler.rounds import Rounds, no_reload
from tests.scheduler.test_lag import Hand

WATCHDOG = timedelta(seconds=60)


class Watched:
    """A pulse whose seconds are moved by hand, and the manager that listens to it."""

    def __init__(self, ear: Ear) -> None:
        self.hand = Hand()
        self.ear = ear
        self.pulse = Pulse(ServiceManager(ear.address, WATCHDOG), monotonic=self.hand)

    def seconds(self, count: int, late: float = 0.0, *, ticking: bool = True) -> int:
        """Let so many seconds pass, each `late` by so much; gives how many signs of life were heard."""
        signs = 0
        for _ in range(count):
            self.pulse.lag.expect(1.0)
            self.hand.seconds += 1.0 + late
            self.pulse.lag.happened()
            if ticking:
                self.pulse.ticked(timedelta(seconds=5))
            self.pulse.beat()
            signs += sum("WATCHDOG" in message for message in self.ear.heard())
        return signs


@pytest.fixture
def watched(tmp_path: Path):
    with listening(tmp_path / "notify") as ear:
        each = Watched(ear)
        each.pulse.watching(timedelta(seconds=5))
        yield each


def test_a_sound_daemon_gives_a_sign_of_life_at_half_the_watchdogs_time(watched) -> None:
    assert 20 <= watched.seconds(600) <= 22


def test_a_loop_five_seconds_late_gives_no_sign_and_is_given_back_its_life_when_it_recovers(watched, caplog) -> None:
    assert watched.seconds(60, late=5.0) == 0
    assert watched.seconds(1) == 1
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "no sign of life for the service manager until this is better"
    ]


def test_one_long_block_costs_no_sign(watched) -> None:
    assert watched.seconds(30) + watched.seconds(1, late=20.0) + watched.seconds(30) >= 2


def test_a_tick_that_does_not_come_round_ends_the_signs(watched) -> None:
    assert watched.seconds(int(TICK_WITHIN), ticking=False) >= 1
    assert watched.seconds(300, ticking=False) == 0
    assert watched.seconds(1) == 1


def test_a_start_that_takes_long_asks_for_patience_and_an_end_needs_no_tick(tmp_path: Path) -> None:
    with listening(tmp_path / "notify") as ear:
        starting = Watched(ear)
        asked = []
        for _ in range(30):
            starting.hand.seconds += 1
            starting.pulse.beat()
            asked += [message["EXTEND_TIMEOUT_USEC"] for message in ear.heard() if "EXTEND_TIMEOUT_USEC" in message]
        starting.pulse.watching(timedelta(seconds=5))
        starting.pulse.ending()
        starting.hand.seconds += 1000

        assert asked == ["60000000"] * 3
        assert starting.pulse.sound


def test_while_the_archive_is_lent_signs_go_on_and_patience_is_asked_for(tmp_path: Path) -> None:
    """However long a restore takes: no tick comes round meanwhile."""
    with listening(tmp_path / "notify") as ear:
        lending = Watched(ear)
        lending.hand.seconds += 100_000
        lending.pulse.lending()
        ear.heard()
        heard = []
        for _ in range(600):
            lending.hand.seconds += 1
            lending.pulse.beat()
            heard += ear.heard()

    assert sum("EXTEND_TIMEOUT_USEC" in message for message in heard) == 60
    assert sum("WATCHDOG" in message for message in heard) >= 600 / WATCHDOG.total_seconds()


async def test_a_process_that_leaves_at_once_leaves_no_heartbeat(tmp_path: Path) -> None:
    file = heartbeat_file(tmp_path)
    async with Pulse() as pulse:
        pulse.write_to(file)
        pulse.vanish()
        assert not file.exists()
        pulse.lending()
    assert not file.exists()


async def test_a_daemon_tells_of_its_start_its_reloads_and_its_end(tmp_path: Path) -> None:
    async def word() -> str:
        return "all is well"

    rounds = Rounds()
    with listening(tmp_path / "notify") as ear:
        async with Pulse(ServiceManager(ear.address)) as pulse:
            pulse.write_to(heartbeat_file(tmp_path))
            duties = dataclasses.replace(rounds.duties(), word=word)
            running = asyncio.create_task(Daemon(duties, no_reload, pulse=pulse).run())
            ready = await ear.until("READY")
            while (heartbeat := Heartbeat.read(heartbeat_file(tmp_path))) is None or heartbeat.phase != "watching":
                await rounds.more(1)
            os.kill(os.getpid(), signal.SIGHUP)
            reloading, again = await ear.next(), await ear.next()
            os.kill(os.getpid(), signal.SIGTERM)
            stopping = await ear.until("STOPPING")

            assert await running == CLEAN

    assert ready == {"READY": "1", "STATUS": "all is well"}
    assert reloading["RELOADING"] == again["READY"] == "1"
    assert stopping["STOPPING"] == "1"
    assert (heartbeat.pid, heartbeat.trouble, heartbeat.word) == (os.getpid(), "", "all is well")
    assert not heartbeat_file(tmp_path).exists(), "a daemon that has ended leaves none"


async def test_a_second_sigterm_leaves_at_once() -> None:
    left, gone = [], asyncio.Event()
    rounds = Rounds()
    never = asyncio.Event()

    async def hang() -> None:
        await never.wait()

    duties = dataclasses.replace(rounds.duties(), stop=hang)
    daemon = Daemon(duties, no_reload, leave=lambda code: (left.append(code), gone.set()))
    running = asyncio.create_task(daemon.run())
    await rounds.more(1)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    await gone.wait()
    never.set()

    assert await running == CLEAN
    assert left == [UNCLEAN]


def heartbeat(**changes) -> Heartbeat:
    at = "2026-03-03T09:00:00+00:00"
    sound = Heartbeat(os.getpid(), at, at, time.monotonic(), "watching", at, ("daily",), "well", Lag(p99=0.01))
    return dataclasses.replace(sound, **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"monotonic": time.monotonic() - FRESH_SECONDS - 1}, "no sign of life"),
        ({"monotonic": time.monotonic() + 1e6}, "no sign of life"),
        ({"phase": "starting"}, "starting"),
        ({"lag": Lag(latest=6.0)}, "6.0 s late"),
        ({"pid": 2**22 + 1}, "gone"),
    ],
)
def test_a_heartbeat_tells_what_is_wrong(tmp_path: Path, changes, told) -> None:
    heartbeat(**changes).write(tmp_path / "heartbeat.json")
    read = Heartbeat.read(tmp_path / "heartbeat.json")

    assert read == heartbeat(**changes, **({} if "monotonic" in changes else {"monotonic": read.monotonic}))
    assert told in read.trouble
    assert bool(told) == bool(read.trouble)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": 1}', "\x00"])
def test_what_is_no_heartbeat_is_none(tmp_path: Path, text) -> None:
    (tmp_path / "heartbeat.json").write_text(text, encoding="utf-8")

    assert Heartbeat.read(tmp_path / "heartbeat.json") is None


def test_a_heartbeat_of_an_earlier_version_is_read_without_what_it_does_not_say(tmp_path: Path) -> None:
    told = dataclasses.asdict(heartbeat())
    file = tmp_path / "heartbeat.json"
    file.write_text(json.dumps({name: told[name] for name in told.keys() - {"tasks", "newest_lags"}}), encoding="utf-8")

    read = Heartbeat.read(file)

    assert (read.tasks, read.newest_lags, read.trouble) == (0, (), "")


async def test_a_heartbeat_counts_the_loops_tasks_and_tells_its_newest_lags(tmp_path: Path) -> None:
    file = tmp_path / "heartbeat.json"
    hand = Hand()
    async with Pulse(monotonic=hand) as pulse:
        pulse.lag.expect(1.0)
        hand.seconds += 1.5
        pulse.lag.happened()
        pulse.write_to(file)
        tasks = len(asyncio.all_tasks())
        while (read := Heartbeat.read(file)) is None:  # noqa: ASYNC110  (a thread writes it, and tells nobody)
            await asyncio.sleep(0)

    assert read.tasks == tasks > 1
    assert read.newest_lags == (0.5,)


async def test_a_disk_that_takes_no_heartbeat_does_not_end_the_daemon(tmp_path: Path, caplog) -> None:
    rounds = Rounds()
    async with Pulse() as pulse:
        pulse.write_to(tmp_path / "absent" / "heartbeat.json")
        daemon = Daemon(rounds.duties(), no_reload, pulse=pulse)
        running = asyncio.create_task(daemon.run())
        await rounds.more(2)
        daemon.stop()

        assert await running == CLEAN
    assert "the heartbeat could not be written" in caplog.text
