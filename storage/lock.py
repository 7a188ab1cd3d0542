"""One daemon on one archive: a lock the operating system lets go of when the process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Self

from core.errors import BusyError, StorageError

_PAUSES = (0.001, 0.005, 0.02, 0.1)
"""Seconds between tries to take a lock, a look at which takes microseconds."""


class DaemonLock:
    """A lock file beside the database, `<database>.lock`. It names the process that holds it; the file itself stays."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, now: datetime) -> Self:
        """Take the lock, or raise BusyError naming the process that has it and since when. `now` is aware UTC.

        Raises StorageError if the file cannot be made.
        """
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageError(f"The lock {self.path} cannot be made ({error}).") from error
        try:
            _lock(descriptor)
        except OSError as error:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise BusyError(f"Another jingbao already works on this archive ({holder or 'unnamed'}). Stop it first.") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, started {now:%Y-%m-%d %H:%M:%S} UTC\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def release(self) -> None:
        """Let go of the lock; nothing happens if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _lock(descriptor: int) -> None:
    """Take the lock; raises OSError if somebody holds it. Who only looks (`holder`) has it for a moment, and is waited for."""
    for pause in _PAUSES:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(pause)
        else:
            return
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def holder(path: Path) -> str:
    """Who holds the lock at `path` ("process 4711, started …"), or nothing if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.pread(descriptor, 200, 0).decode(errors="replace").strip()
    finally:
        os.close(descriptor)
    return ""


def lock_path(database: Path) -> Path:
    """Where the lock of an SQLite archive lies: beside it."""
    return database.with_name(database.name + ".lock")
