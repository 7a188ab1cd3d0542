"""The daemon lends the archive: a command that needs it alone asks, the daemon ends what is under way, closes it, and waits.

Two locks of the operating system, so that nobody's death leaves anything behind: whoever wants the archive holds
`<database>.wanted`, and gets the daemon's own lock once the daemon has let go of it. The daemon takes it again when neither is
held.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from core.errors import BusyError
from storage.lock import DaemonLock, holder, lock_path

PATIENCE = timedelta(seconds=90)
"""How long a command waits for the daemon: it ends what is under way within half a minute."""
_LOOK_EVERY_SECONDS = 0.2


def wanted_path(database: Path) -> Path:
    """The lock of those who want the archive alone."""
    return database.with_name(database.name + ".wanted")


def is_wanted(database: Path) -> bool:
    """Whether a command wants the archive, or has it."""
    return bool(holder(wanted_path(database)))


@contextmanager
def archive_alone(database: Path, now: datetime, *, patience: timedelta = PATIENCE) -> Iterator[None]:
    """Have the archive without a daemon, which goes on afterwards by itself. Blocks while it ends what is under way.

    Raises BusyError if another command has it, or the daemon does not let go of it in time.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with DaemonLock(wanted_path(database)).acquire(now):
        lock = _lock(database, now, patience)
        with lock:
            yield


def _lock(database: Path, now: datetime, patience: timedelta) -> DaemonLock:
    until = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return DaemonLock(lock_path(database)).acquire(now)
        except BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK_EVERY_SECONDS)
