"""The daemon lends the archive: a command that needs it alone asks, the daemon ends what is under way, closes it, and waits.

Two locks, so that nobody's death leaves anything behind: whoever wants the archive holds the one, and gets the daemon's own
once the daemon has let go of it. The daemon takes it again when neither is held. They are locks of the operating system beside
the database (`<database>.wanted`, `<database>.lock`), and of the server too where the archive is on one: the daemon may be on
another machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from core.errors import BusyError
from storage.lock import DaemonLock, holder, lock_path
from storage.server_lock import DAEMON, WANTED, ServerLock, on_a_server, server_holder

PATIENCE = timedelta(seconds=90)
"""How long a command waits for the daemon: it ends what is under way within half a minute."""
_LOOK_EVERY_SECONDS = 0.2

Lock = DaemonLock | ServerLock


def wanted_path(database: Path) -> Path:
    """The lock of those who want the archive alone."""
    return database.with_name(database.name + ".wanted")


def is_wanted_here(database: Path) -> bool:
    """Whether a command on this machine wants the archive, or has it."""
    return bool(holder(wanted_path(database)))


def is_wanted(url: str, database: Path) -> bool:
    """Whether a command on any machine wants the archive at `url`, or has it. Raises StorageError if a server is not there."""
    return is_wanted_here(database) or bool(server_holder(url, WANTED))


def is_held(url: str, database: Path) -> bool:
    """Whether a daemon on any machine works on the archive, or a command has it. Raises StorageError as `is_wanted` does."""
    return bool(holder(lock_path(database))) or bool(server_holder(url, DAEMON))


@contextmanager
def archive_alone(url: str, database: Path, now: datetime, *, patience: timedelta = PATIENCE) -> Iterator[None]:
    """Have the archive without a daemon, which goes on afterwards by itself. Blocks while it ends what is under way.

    `database` is where this machine's locks lie. Raises BusyError if another command has the archive, or the daemon does not
    let go of it in time, and StorageError if a server is not there.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    wanted: list[Lock] = [DaemonLock(wanted_path(database))]
    daemons: list[Lock] = [DaemonLock(lock_path(database))]
    server = on_a_server(url)
    if server:
        wanted.append(ServerLock(server, WANTED))
        daemons.append(ServerLock(server, DAEMON))
    with ExitStack() as held:
        for lock in wanted:
            held.enter_context(lock.acquire(now))
        for lock in daemons:
            held.enter_context(_once_free(lock, now, patience))
        yield


def _once_free(lock: Lock, now: datetime, patience: timedelta) -> Lock:
    until = time.monotonic() + patience.total_seconds()
    while True:
        try:
            return lock.acquire(now)
        except BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK_EVERY_SECONDS)
