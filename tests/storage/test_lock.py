"""One daemon works on an archive; a dead one holds nothing."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import BusyError, StorageError
from storage.lock import DaemonLock, holder, lock_path
from tests.builders import NOW

_HOLDER = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from storage.lock import DaemonLock
DaemonLock(Path(sys.argv[1])).acquire(datetime(2026, 11, 24, 8, tzinfo=UTC))
print("held", flush=True)
time.sleep(60)
"""


def _hold(path: Path) -> subprocess.Popen[bytes]:
    root = Path(__file__).resolve().parents[2]
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], cwd=root, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    return holder


def test_the_second_daemon_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    """And the lock of a process that was killed is free."""
    path = tmp_path / "jingbao.sqlite3.lock"
    with _hold(path) as first:
        try:
            with pytest.raises(BusyError, match=rf"process {first.pid}, started 2026-11-24 08:00:00 UTC"):
                DaemonLock(path).acquire(NOW)
        finally:
            first.send_signal(signal.SIGKILL)
            first.wait()
        DaemonLock(path).acquire(NOW).release()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with DaemonLock(path).acquire(NOW), pytest.raises(BusyError, match=str(os.getpid())):
        DaemonLock(path).acquire(NOW)
    with DaemonLock(path).acquire(NOW):
        pass


def test_releasing_what_is_not_held_does_nothing(tmp_path: Path) -> None:
    DaemonLock(tmp_path / "lock").release()


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be made"):
        DaemonLock(tmp_path / "nowhere" / "lock").acquire(NOW)


def test_the_lock_lies_beside_the_database() -> None:
    assert lock_path(Path("/data/jingbao.sqlite3")) == Path("/data/jingbao.sqlite3.lock")


def test_whoever_only_looks_keeps_nobody_from_taking_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look takes the lock for a moment."""
    path = tmp_path / "lock"
    path.touch()
    descriptor = os.open(path, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    monkeypatch.setattr("storage.lock.time.sleep", lambda _: fcntl.flock(descriptor, fcntl.LOCK_UN))

    DaemonLock(path).acquire(NOW).release()
    os.close(descriptor)


def test_the_holder_is_named_while_it_lives_and_only_then(tmp_path: Path) -> None:
    path = tmp_path / "jingbao.sqlite3.lock"
    assert holder(path) == ""
    with DaemonLock(path).acquire(NOW):
        assert str(os.getpid()) in holder(path)
    assert holder(path) == ""
