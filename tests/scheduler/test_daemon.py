"""The daemon: nothing overlaps, faults are contained, signals are obeyed."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from datetime import timedelta

import pytest

from core.errors import ConfigError, FetchError, StorageError
from core.outcomes import Outcome
from scheduler.daemon import CLEAN, UNCLEAN, Daemon
from scheduler.duties import Duties, Job


class Work:
    """Duties that record what was asked of them."""

    def __init__(self, due: list[str], at_once: int = 2) -> None:
        self.waiting = due
        self.at_once = at_once
        self.release = asyncio.Event()
        self.started: list[str] = []
        self.running = 0
        self.most_running = 0
        self.calls: list[str] = []
        self.error: Exception | None = None
        self.all_started = asyncio.Event()
        self.wrapped_up = asyncio.Event()
        self.closed = asyncio.Event()
        self.called: dict[str, asyncio.Event] = {}

    async def due(self, limit: int) -> list[str]:
        return self.waiting[:limit]

    async def collect(self, key: str) -> None:
        self.started.append(key)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        if len(self.started) >= 2:
            self.all_started.set()
        try:
            if self.error:
                raise self.error
            await self.release.wait()
            self.waiting.remove(key)
        finally:
            self.running -= 1

    def note(self, name: str):
        async def duty() -> None:
            self.calls.append(name)
            self.called.setdefault(name, asyncio.Event()).set()
            if name == "stop":
                self.release.set()
            if name == "close":
                self.closed.set()

        return duty

    async def next(self, name: str) -> None:
        """Until a duty is called anew."""
        called = self.called.setdefault(name, asyncio.Event())
        called.clear()
        await asyncio.wait_for(called.wait(), 10)

    def duties(self) -> Duties:
        jobs = tuple(Job(name, self.note(name)) for name in ("match", "digest", "send"))
        named = {name: self.note(name) for name in ("stop", "close")}
        return Duties(
            self.due,
            self.collect,
            jobs=(*jobs, Job("upkeep", self.note("upkeep"), timedelta(minutes=10))),
            wrap_up=self.wrapped_up.set,
            sources_at_once=self.at_once,
            tick=timedelta(seconds=0.01),
            **named,
        )


async def no_reload() -> Duties:
    raise ConfigError(["config.yaml:1:1: broken"])


async def test_a_source_being_collected_is_not_started_again_and_the_rest_wait_their_turn() -> None:
    work = Work(["a", "b", "c"])
    daemon = Daemon(work.duties(), no_reload)

    await daemon.tick()
    await daemon.tick()
    await work.all_started.wait()
    await daemon.tick()

    assert sorted(work.started) == ["a", "b"]
    assert work.most_running == 2
    work.release.set()


async def test_an_archive_that_refuses_for_a_while_is_asked_again(caplog) -> None:
    work = Work(["a", "b"])
    refusals = iter([StorageError("the database is locked")])

    async def due(limit: int) -> list[str]:
        for refusal in refusals:
            raise refusal
        return work.waiting[:limit]

    daemon = Daemon(dataclasses.replace(work.duties(), due=due), no_reload)
    running = asyncio.create_task(daemon.run())
    await work.all_started.wait()
    daemon.stop()

    assert await running == CLEAN
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == ["tick failed"]


@pytest.mark.parametrize("error", [FetchError(Outcome.FAILED, "no route"), RuntimeError("a bug")])
async def test_a_source_that_fails_or_meets_a_bug_does_not_end_the_daemon(error) -> None:
    work = Work(["a", "b"])
    work.error = error
    daemon = Daemon(work.duties(), no_reload)
    running = asyncio.create_task(daemon.run())

    await work.all_started.wait()
    daemon.stop()

    assert await running == CLEAN


async def test_sigterm_ends_collections_and_gives_everything_back() -> None:
    work = Work(["a", "b"])
    daemon = Daemon(work.duties(), no_reload)
    running = asyncio.create_task(daemon.run())
    await work.all_started.wait()

    os.kill(os.getpid(), signal.SIGTERM)

    assert await running == CLEAN
    assert work.calls[-1] == "close"
    assert work.running == 0


async def test_a_broken_configuration_on_sighup_keeps_the_old_one() -> None:
    work = Work([])
    asked = asyncio.Event()

    async def broken() -> Duties:
        asked.set()
        raise ConfigError(["config.yaml:3:1: rulse: unknown key"])

    daemon = Daemon(work.duties(), broken)
    running = asyncio.create_task(daemon.run())
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGHUP)
    await asked.wait()
    daemon.stop()

    assert await running == CLEAN
    assert work.calls.count("close") == 1


async def test_a_good_configuration_on_sighup_replaces_the_old_one() -> None:
    old, new = Work([]), Work(["x", "y"])

    async def fresh() -> Duties:
        return new.duties()

    daemon = Daemon(old.duties(), fresh)
    running = asyncio.create_task(daemon.run())
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGHUP)
    await new.all_started.wait()
    daemon.stop()

    assert await running == CLEAN
    assert "close" in old.calls
    assert "close" in new.calls


async def test_what_stays_is_settled_after_the_start_and_after_a_reload_once_the_old_duties_are_closed() -> None:
    old, new = Work([]), Work([])
    settled: list[int] = []
    again = asyncio.Event()

    def settle() -> None:
        settled.append(old.calls.count("close"))
        if len(settled) == 2:
            again.set()

    async def fresh() -> Duties:
        return new.duties()

    daemon = Daemon(old.duties(), fresh, settle=settle)
    running = asyncio.create_task(daemon.run())
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGHUP)
    await again.wait()
    daemon.stop()

    assert await running == CLEAN
    assert settled == [0, 1]


async def test_a_second_sighup_is_obeyed_while_the_old_configuration_still_collects() -> None:
    old, second, third = Work(["a", "b"]), Work([]), Work([])
    fresh = [second, third]

    async def reload() -> Duties:
        return fresh.pop(0).duties()

    daemon = Daemon(old.duties(), reload)
    running = asyncio.create_task(daemon.run())
    await old.all_started.wait()
    os.kill(os.getpid(), signal.SIGHUP)
    await second.next("match")
    os.kill(os.getpid(), signal.SIGHUP)
    await third.next("match")

    await asyncio.wait_for(second.closed.wait(), 10)
    assert (old.running, old.wrapped_up.is_set(), old.closed.is_set()) == (2, True, False)

    old.release.set()
    await old.closed.wait()
    daemon.stop()

    assert await running == CLEAN
    assert third.calls[-1] == "close"


async def test_sigterm_ends_the_collections_of_every_configuration_that_is_left() -> None:
    old, new = Work(["a", "b"]), Work(["x"], at_once=3)

    async def reload() -> Duties:
        return new.duties()

    daemon = Daemon(old.duties(), reload)
    running = asyncio.create_task(daemon.run())
    await old.all_started.wait()
    os.kill(os.getpid(), signal.SIGHUP)
    await new.next("match")
    daemon.stop()

    assert await running == CLEAN
    assert (old.running, new.running) == (0, 0)
    for work in (old, new):
        assert "stop" in work.calls
        assert work.calls.count("close") == 1


async def test_a_configuration_that_is_loaded_only_after_sigterm_is_closed_too() -> None:
    old, new, asked, loaded = Work([]), Work([]), asyncio.Event(), asyncio.Event()

    async def slowly() -> Duties:
        asked.set()
        await loaded.wait()
        return new.duties()

    daemon = Daemon(old.duties(), slowly)
    running = asyncio.create_task(daemon.run())
    await old.next("match")
    os.kill(os.getpid(), signal.SIGHUP)
    await asked.wait()
    daemon.stop()
    await old.wrapped_up.wait()
    loaded.set()

    assert await running == CLEAN
    assert old.calls.count("close") == new.calls.count("close") == 1
    assert "match" not in new.calls


async def test_a_bug_while_reloading_keeps_the_old_configuration_and_is_logged(caplog) -> None:
    work = Work([])

    async def broken() -> Duties:
        raise ZeroDivisionError

    daemon = Daemon(work.duties(), broken)
    running = asyncio.create_task(daemon.run())
    await work.next("match")
    os.kill(os.getpid(), signal.SIGHUP)
    await work.next("match")
    await work.next("match")
    daemon.stop()

    assert await running == CLEAN
    assert "reload met a bug" in caplog.text


async def test_what_would_not_end_is_told_by_the_exit_code(monkeypatch) -> None:
    monkeypatch.setattr("scheduler.daemon.PATIENCE", timedelta(0))
    work = Work(["a", "b"])
    stuck = dataclasses.replace(work.duties(), stop=work.note("nothing"))
    daemon = Daemon(stuck, no_reload)
    running = asyncio.create_task(daemon.run())
    await work.all_started.wait()
    daemon.stop()

    assert await running == UNCLEAN
    assert work.calls[-1] == "close"
    work.release.set()
