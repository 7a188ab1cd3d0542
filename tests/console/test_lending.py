"""What the daemon does between two turns at the archive: it goes round while a command is in its way, and leaves no trace."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from console.commands import run
from console.settings import Settings, load_settings
from console.workshop import database_file
from core.errors import BusyError
from scheduler.pulse import Pulse
from storage.handover import wanted_path
from storage.lock import DaemonLock, lock_path
from tests.builders import NOW
from tests.newsroom.daemon import COMMAND

CONFIG = """\
sources:
  catalogue: none
  add: [{key: daily, name: Daily, kind: feed, language: en, url: "http://127.0.0.1:9/feed"}]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    settings = load_settings(path)
    settings.config.data_dir.mkdir(parents=True, exist_ok=True)
    return settings


async def test_a_daemon_goes_round_when_a_command_was_faster(settings: Settings) -> None:
    database = database_file(settings)
    with DaemonLock(wanted_path(database)).acquire(NOW), DaemonLock(lock_path(database)).acquire(NOW):
        assert await run._watch_again(settings, database, Pulse()) is None


async def test_and_when_that_command_has_just_ended(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def watch(*_: object) -> int:
        raise BusyError("Another jingbao already works on this archive (process 4711).")

    monkeypatch.setattr(run, "_watch", watch)
    assert await run._watch_again(settings, database_file(settings), Pulse()) is None


async def test_a_daemon_that_took_the_archive_meanwhile_ends_the_first_one(settings: Settings) -> None:
    database = database_file(settings)
    with DaemonLock(lock_path(database)).acquire(NOW), pytest.raises(BusyError, match=f"process {os.getpid()}"):
        await run._watch_again(settings, database, Pulse())


def test_a_daemon_told_to_stop_while_it_lends_leaves_no_heartbeat(settings: Settings) -> None:
    with subprocess.Popen([COMMAND, "--config", settings.path, "run"], stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        _until(daemon, " started ")
        with DaemonLock(wanted_path(database_file(settings))).acquire(NOW):
            _until(daemon, " stopped ")
            while _held(settings):
                time.sleep(0.05)
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(30) == 0
    assert not (settings.config.data_dir / "heartbeat.json").exists()


def _until(daemon: subprocess.Popen[str], told: str) -> None:
    assert daemon.stderr is not None
    while told not in (line := daemon.stderr.readline()):
        assert line, "the daemon ended"


def _held(settings: Settings) -> bool:
    try:
        DaemonLock(lock_path(database_file(settings))).acquire(NOW).release()
    except BusyError:
        return True
    return False
