"""The daemon's pulse: each second it measures the loop's lag; from it come the heartbeat and the watchdog's sign of life.

The sign is given only by a daemon that works: its loop is less than five seconds late and its tick came round in time. A
process that merely exists, with a loop that hangs or a scheduler that died, gets none, and is restarted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from core.clock import WallClock
from core.log import values
from scheduler.heartbeat import Heartbeat
from scheduler.lag import LONGEST_SECONDS, LagMeter
from scheduler.notify import ServiceManager

log = logging.getLogger("jingbao.scheduler")

BEAT_SECONDS = 1.0
WRITTEN_EVERY = 10.0
TOLD_EVERY = 3600.0
TICK_WITHIN = 60.0
LONGER = timedelta(seconds=60)
LONGEST_START = timedelta(hours=2)
"""So long a migration, or a command that has the archive, may take before the service manager's own patience counts."""


class Pulse:
    """What a daemon gives to know of itself.

    `collecting` says which sources it collects; the daemon sets it. `monotonic` counts seconds.
    """

    def __init__(self, manager: ServiceManager | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.phase = "starting"
        self.word = ""
        self.collecting: Callable[[], tuple[str, ...]] = tuple
        self.lag = LagMeter(monotonic)
        self._manager = manager or ServiceManager()
        self._file: Path | None = None
        self._monotonic = monotonic
        self._wall = WallClock()
        self._began = monotonic()
        self._tick_due = self._began
        self._patient_until = self._began + LONGEST_START.total_seconds()
        self._last_tick = ""
        self._silent = False
        self._next = {"tell": self._began + TOLD_EVERY}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beating: asyncio.Task[None] | None = None
        # A thread of its own: the loop's common ones may all be waiting for names or mail servers.
        self._pen = ThreadPoolExecutor(1, thread_name_prefix="heartbeat")
        self._writing: Future[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to beat."""
        self._loop = asyncio.get_running_loop()
        self._beating = asyncio.create_task(self._beat(), name="pulse")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop beating; a heartbeat file says by its absence that the daemon has ended."""
        if self._beating:
            self._beating.cancel()
            await asyncio.wait([self._beating])
        if self._file:
            self._pen.submit(self._file.unlink, missing_ok=True)
        self._pen.shutdown()

    def vanish(self) -> None:
        """Take the heartbeat away, for a process about to leave at once. Waits a second for a disk that hangs."""
        file, self._file = self._file, None
        if file:
            wait([self._pen.submit(file.unlink, missing_ok=True)], timeout=1)

    # What the daemon says

    def write_to(self, file: Path) -> None:
        """From now on the heartbeat goes to `file`: for whoever holds the archive's lock."""
        self._file = file
        self._write()

    def watching(self, tick: timedelta) -> None:
        """The start or a reload is through."""
        self.ticked(tick)
        self.phase = "watching"
        self._manager.ready(self.word or "watching")
        self._write()

    def waiting(self, word: str) -> None:
        """The start, or going on after a lending, has to wait, `word` says for what. The service manager waits too."""
        self._patient_until = self._monotonic() + LONGEST_START.total_seconds()
        self.say(word)

    def reloading(self) -> None:
        """The configuration is being read again."""
        self.phase = "reloading"
        self._manager.reloading()

    def lending(self) -> None:
        """The archive is lent to a command for a while."""
        self.phase = "lending"
        self._patient_until = self._monotonic() + LONGEST_START.total_seconds()
        self._manager.reloading()
        self._write()

    def ending(self) -> None:
        """The end has begun."""
        self.phase = "ending"
        self._manager.stopping()
        self._write()

    def ticked(self, tick: timedelta) -> None:
        """The tick came round, and is to come again after `tick`."""
        self._tick_due = self._monotonic() + max(TICK_WITHIN, 3 * tick.total_seconds())
        self._last_tick = _told(self._wall.now())

    def say(self, word: str) -> None:
        """How it stands, in a line."""
        if word != self.word:
            self.word = word
            self._manager.status(word)

    @property
    def sound(self) -> bool:
        """Whether the daemon works: the loop not five seconds late, the tick not overdue."""
        overdue = self.phase in {"watching", "reloading"} and self._monotonic() > self._tick_due
        return self.lag.figures().latest < LONGEST_SECONDS and not overdue

    # The beat

    async def _beat(self) -> None:
        while True:
            self.lag.expect(BEAT_SECONDS)
            await asyncio.sleep(BEAT_SECONDS)
            self.lag.happened()
            self.beat()

    def beat(self) -> None:
        """Do what is to be done by now: the watchdog's sign, the heartbeat, the hour's figures."""
        if self._manager.watchdog and self._is_time("sign"):
            self._sign(self._manager.watchdog)
        if self._is_time("write"):
            self._again("write", WRITTEN_EVERY)
            if self.phase in {"starting", "lending"} and self._monotonic() < self._patient_until:
                self._manager.wait_longer(LONGER)
            self._write()
        if self._is_time("tell"):
            self._again("tell", TOLD_EVERY)
            self.lag.tell()

    def _sign(self, watchdog: timedelta) -> None:
        """A sign of life at half of the watchdog's time; a daemon that is not sound is looked at again at each beat."""
        sound = self.sound
        if sound and self._manager.alive():
            self._again("sign", watchdog.total_seconds() / 2 - BEAT_SECONDS)
        elif not sound and not self._silent:
            fields = values(lag_seconds=self.lag.figures().latest, last_tick=self._last_tick)
            log.error("no sign of life for the service manager until this is better", extra=fields)
        self._silent = not sound

    def _is_time(self, what: str) -> bool:
        return self._monotonic() >= self._next.get(what, self._began)

    def _again(self, what: str, seconds: float) -> None:
        self._next[what] = self._monotonic() + seconds

    def _write(self) -> None:
        """Have the heartbeat written, unless the one before still is: a disk that hangs holds up nothing else."""
        if self._file and (self._writing is None or self._writing.done()):
            self._writing = self._pen.submit(_put, self._heartbeat(), self._file)

    def _heartbeat(self) -> Heartbeat:
        now = self._wall.now()
        return Heartbeat(
            pid=os.getpid(),
            started=_told(now - timedelta(seconds=self._monotonic() - self._began)),
            at=_told(now),
            monotonic=time.monotonic(),
            phase=self.phase,
            last_tick=self._last_tick,
            collecting=self.collecting(),
            word=self.word,
            lag=self.lag.figures(),
            tasks=len(asyncio.all_tasks(self._loop)) if self._loop else 0,
            newest_lags=self.lag.newest(int(WRITTEN_EVERY / BEAT_SECONDS)),
        )


def _told(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _put(heartbeat: Heartbeat, file: Path) -> None:
    try:
        heartbeat.write(file)
    except OSError as error:
        log.warning("the heartbeat could not be written", extra=values(reason=str(error)))
