"""A real daemon under a service manager: what it is told on a real datagram socket, from the start to the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from scheduler.heartbeat import Heartbeat, heartbeat_file
from scheduler.leaving import CLEAN
from tests.newsroom.daemon import COMMAND, tail
from tests.scheduler.manager import Ear, listening

pytestmark = pytest.mark.long

BUSY, FOR_A_PERSON = 75, 1
CONFIG = {
    "data_dir": "data",
    "collection": {"tick_seconds": 0.2},
    "sources": {
        "catalogue": "none",
        "add": [{"key": "daily", "name": "Daily", "kind": "feed", "language": "en", "url": "http://127.0.0.1:9/feed"}],
    },
    "readers": [{"key": "ann", "addresses": ["ann@example.org"]}],
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    return path


@asynccontextmanager
async def started(config: Path, **environment: str) -> AsyncIterator[Process]:
    """A daemon just started; killed if the test leaves it."""
    log = config.with_name("log")
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            COMMAND, "--config", config, "run", stdin=DEVNULL, stdout=out, stderr=out, env={**os.environ, **environment}
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def manager(ear: Ear, watchdog_seconds: float = 2) -> dict[str, str]:
    return {"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": str(int(watchdog_seconds * 1e6))}


async def test_a_service_manager_hears_of_start_life_reload_and_end(tmp_path: Path, config: Path) -> None:
    with listening(tmp_path / "notify") as ear:
        async with started(config, **manager(ear)) as daemon:
            while not _handles_sigterm(daemon.pid):  # noqa: ASYNC110  (it tells nobody)
                await asyncio.sleep(0.01)
            daemon.send_signal(signal.SIGHUP)  # while its code is loaded: it waits
            ready = await ear.until("READY")
            await ear.until("RELOADING")
            await ear.until("READY")
            await ear.until("WATCHDOG")
            async with started(config) as second:
                assert await second.wait() == BUSY
            heartbeat = Heartbeat.read(heartbeat_file(tmp_path / "data"))
            daemon.send_signal(signal.SIGHUP)
            reloading = await ear.until("RELOADING")
            await ear.until("READY")
            daemon.send_signal(signal.SIGSTOP)
            ear.heard()
            with pytest.raises(TimeoutError):  # a process that stands still gives no sign of life
                await asyncio.wait_for(ear.until("WATCHDOG"), 2.5)
            daemon.send_signal(signal.SIGCONT)
            await ear.until("WATCHDOG")
            daemon.terminate()
            await ear.until("STOPPING")

            assert await daemon.wait() == CLEAN, tail(tmp_path / "log")

    assert ready["STATUS"] == "1 source on, 0 articles today"
    assert int(reloading["MONOTONIC_USEC"]) > 0
    assert heartbeat is not None
    assert (heartbeat.pid, heartbeat.phase) == (daemon.pid, "watching")
    assert not heartbeat_file(tmp_path / "data").exists()


@pytest.mark.parametrize("there", ["", "jingbao.sqlite3.lock", "jingbao.sqlite3"])
async def test_sigterm_during_the_start_ends_it_cleanly(tmp_path: Path, config: Path, there) -> None:
    """While its code is loaded, from its first moments on; when it has the lock; when the archive is being made."""
    async with started(config) as daemon:
        file = tmp_path / "data" / there
        while not (_handles_sigterm(daemon.pid) and file.exists() >= bool(there)):  # noqa: ASYNC110  (files tell nobody)
            await asyncio.sleep(0.01)
        daemon.terminate()

        assert await daemon.wait() == CLEAN, tail(tmp_path / "log")


async def test_a_start_waits_for_an_archive_that_cannot_be_opened_and_goes_on_by_itself(tmp_path: Path, config: Path) -> None:
    in_the_way = tmp_path / "data" / "jingbao.sqlite3"
    in_the_way.mkdir(parents=True)
    with listening(tmp_path / "notify") as ear:
        async with started(config, **manager(ear)) as daemon:
            waits = await ear.until("STATUS")
            in_the_way.rmdir()
            ready = await ear.until("READY")
            daemon.terminate()

            assert await daemon.wait() == CLEAN, tail(tmp_path / "log")

    assert waits["STATUS"].startswith("waiting for the archive: ")
    assert ready["STATUS"] == "1 source on, 0 articles today"
    assert "the archive cannot be opened yet" in (tmp_path / "log").read_text(encoding="utf-8")


async def test_sigterm_ends_a_start_that_waits_for_a_database_server(tmp_path: Path, config: Path) -> None:
    config.write_text(yaml.safe_dump(CONFIG | {"storage": {"url": "postgresql://nobody@127.0.0.1:9/none"}}), encoding="utf-8")
    with listening(tmp_path / "notify") as ear:
        async with started(config, **manager(ear)) as daemon:
            await ear.until("STATUS")
            daemon.terminate()

            assert await daemon.wait() == CLEAN, tail(tmp_path / "log")


async def test_no_waiting_is_for_a_database_of_another_program(tmp_path: Path, config: Path) -> None:
    (tmp_path / "data").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "jingbao.sqlite3")) as foreign:
        foreign.execute("CREATE TABLE songs (name)")
        foreign.commit()
    async with started(config) as daemon:
        assert await daemon.wait() == FOR_A_PERSON, tail(tmp_path / "log")


def _handles_sigterm(pid: int) -> bool:
    """Whether a process has said what SIGTERM means to it (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    caught = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(caught >> (signal.SIGTERM - 1) & 1)
