"""One daemon works on an archive in PostgreSQL, on whichever machine it is; a dead one holds nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from core.errors import BusyError, StorageError
from storage import server_lock as room
from storage.database import database_of
from storage.handover import archive_alone, is_wanted
from storage.postgres import Postgres
from storage.server_lock import ServerLock, held_on_server, server_holder
from tests.builders import NOW
from tests.databases import fresh_url, server

ROOT = Path(__file__).resolve().parents[2]
_HOLDER = """
import sys, time
from datetime import datetime, timedelta, UTC
from storage.database import database_of
from storage.server_lock import ServerLock
lock = ServerLock(database_of(sys.argv[1], timedelta(seconds=1))).acquire(datetime(2026, 11, 24, 8, tzinfo=UTC))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def url(tmp_path: Path):
    with ExitStack() as stack:
        yield fresh_url("postgres", tmp_path, stack)


def _lock(url: str) -> ServerLock:
    database = database_of(url, timedelta(seconds=1))
    assert isinstance(database, Postgres)
    return ServerLock(database)


def _break_lines() -> None:
    """What a restart of the server does to those connected."""
    server().run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'jingbao %@%'")


def test_the_second_daemon_is_refused_and_told_who_is_first(url: str) -> None:
    """And the lock of a process that was killed is free."""
    with subprocess.Popen([sys.executable, "-c", _HOLDER, url], cwd=ROOT, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        try:
            with pytest.raises(BusyError, match=rf"process {first.pid} on .*, started 2026-11-24 08:00:00 UTC"):
                _lock(url).acquire(NOW)
            assert f"process {first.pid} on " in server_holder(url)
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
    for _ in range(1000):  # the server notices the closed line in its own time
        if not server_holder(url):
            break
    _lock(url).acquire(NOW).release()


def test_locks_of_two_databases_are_two(url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        other = _lock(fresh_url("postgres", tmp_path, stack)).acquire(NOW)
        mine = _lock(url).acquire(NOW)
        mine.release()
        other.release()


def test_a_lock_whose_line_broke_is_taken_again(url: str) -> None:
    lock = _lock(url).acquire(NOW)
    _break_lines()
    lock.keep()

    assert lock.lost == ""
    assert str(os.getpid()) in server_holder(url)
    lock.keep()
    lock.release()
    assert server_holder(url) == ""


def test_a_lock_that_another_daemon_took_meanwhile_is_lost_to_it_by_name(url: str) -> None:
    lock = _lock(url).acquire(NOW)
    _break_lines()
    other = _lock(url).acquire(NOW + timedelta(hours=1))
    lock.keep()

    assert "started 2026-11-24 09:00:00 UTC" in lock.lost
    other.release()


def test_a_server_that_is_away_is_told_and_the_lock_is_lost_to_nobody(url: str) -> None:
    lock = _lock(url).acquire(NOW)
    server().halt()
    try:
        with pytest.raises(StorageError, match="cannot be reached"):
            lock.keep()
        with pytest.raises(StorageError, match="cannot be reached"):
            server_holder(url)
        assert lock.lost == ""
    finally:
        server().start()
    lock.keep()
    assert str(os.getpid()) in server_holder(url)
    lock.release()


async def test_while_it_is_held_it_is_looked_after(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOOK_EVERY", timedelta(milliseconds=5))
    async with held_on_server(url, NOW) as lock:
        assert lock is not None
        with lock._turn:  # no look comes between
            _break_lines()
            other = _lock(url).acquire(NOW)
        while not lock.lost:  # noqa: ASYNC110  (a thread's work tells nobody)
            await asyncio.sleep(0)
        other.release()


def test_a_line_that_gives_no_sign_holds_up_no_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look under way hangs on it, and takes nothing once it is through."""
    monkeypatch.setattr(room, "_GOODBYE_SECONDS", 0.01)
    lock = _lock(url).acquire(NOW)
    hangs, go_on = threading.Event(), threading.Event()

    def answers(_: object) -> bool:
        hangs.set()
        go_on.wait()
        return False

    monkeypatch.setattr(lock, "_answers", answers)
    looking = threading.Thread(target=lock.keep)
    looking.start()
    hangs.wait()

    lock.release()
    assert looking.is_alive()
    go_on.set()
    looking.join()
    for thread in threading.enumerate():
        if thread.name == "server-lock-release":
            thread.join()
    lock.keep()

    assert server_holder(url) == ""


def test_a_daemon_on_another_machine_is_asked_to_lend_the_archive(url: str, tmp_path: Path) -> None:
    """The command's folder is not the daemon's; it has the archive once the daemon has let go of it, and no second one has it."""
    here, there = tmp_path / "here" / "a.sqlite3", tmp_path / "there" / "a.sqlite3"
    daemon = _lock(url).acquire(NOW)
    daemon.keep()
    assert not daemon.wanted
    with pytest.raises(BusyError, match=f"process {os.getpid()}"), archive_alone(url, there, NOW, patience=timedelta(0)):
        pass
    with ThreadPoolExecutor(1) as command, ExitStack() as held:
        waiting = command.submit(held.enter_context, archive_alone(url, there, NOW))
        while not daemon.wanted:
            daemon.keep()
        assert not waiting.done()
        daemon.release()
        waiting.result()
        assert is_wanted(url, here)
        with pytest.raises(BusyError), archive_alone(url, here, NOW, patience=timedelta(0)):
            pass
        with pytest.raises(BusyError):
            daemon.acquire(NOW)
    assert not is_wanted(url, here)
    daemon.acquire(NOW).release()


async def test_an_archive_in_a_file_needs_no_server(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    async with held_on_server(url, NOW) as lock:
        assert lock is None
    assert server_holder(url) == ""
