"""The daemon's life: one asyncio loop, APScheduler's few jobs, signals, a clean end.

One tick asks which sources are due, instead of a timer for each; so thousands cost no more than one question, nothing is
pickled, and what is due survives a restart. Jobs never overlap themselves (max_instances), a late one runs once
(no misfire limit: APScheduler's default of one second would drop it). APScheduler waits for moments on the wall clock; that
jobs go on when it is set, forwards or backwards, is the work of scheduler/intervals.py. docs/design/daemon.md says more.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from core.clock import WallClock
from core.errors import ConfigError, JingbaoError
from core.log import values
from scheduler.duties import Duties, Duty
from scheduler.intervals import Every, bring_near
from scheduler.leaving import CLEAN, UNCLEAN, hear_reloads, leave_at_once
from scheduler.pulse import Pulse
from scheduler.shift import Shift, guarded

log = logging.getLogger("jingbao.scheduler")
# It warns whenever a job is still busy at its next time, which is how overlap is meant to be avoided here.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

PATIENCE = timedelta(seconds=25)
"""How long the end waits for what is under way."""
CLOSING = timedelta(seconds=3)
"""How long it then waits for what gives things back; a service manager's thirty seconds are not passed."""
SHORTEST_TICK = timedelta(seconds=0.05)
WORD_EVERY = timedelta(seconds=30)


class Daemon:
    """Runs duties until told to stop."""

    def __init__(
        self,
        duties: Duties,
        reload: Callable[[], Awaitable[Duties]],
        wall: Callable[[], datetime] | None = None,
        *,
        pulse: Pulse | None = None,
        leave: Callable[[int], object] = leave_at_once,
        settle: Callable[[], object] = lambda: None,
    ) -> None:
        """`reload` gives the duties of the configuration as it is on disk now, or raises ConfigError.

        `wall` reads the clock that APScheduler goes by (aware UTC); the machine's own if none is given. `pulse` is told how
        the daemon is. `leave` ends the process at once, with an exit code. `settle` is called when what stays is there: after
        the start, and after a reload once the old duties are closed.
        """
        self._shifts = [Shift(duties)]  # the last is at work, those before it finish what they began
        self._reload = reload
        self._wall = wall or WallClock().now
        self._pulse = pulse or Pulse()
        self._pulse.collecting = lambda: self.collecting
        self._leave = leave
        self._settle = settle
        self._reloads: set[asyncio.Task[None]] = set()
        self._loading = asyncio.Lock()
        self._stop = asyncio.Event()
        self.lent = False
        """Whether the end is one for a while: somebody wants the archive alone."""
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    @property
    def collecting(self) -> tuple[str, ...]:
        """The keys of the sources being collected."""
        return tuple(key for shift in self._shifts for key in shift.collecting)

    @property
    def _present(self) -> Shift:
        return self._shifts[-1]

    def stop(self) -> None:
        """Ask for a clean end."""
        self._stop.set()

    def lend(self) -> None:
        """Ask for a clean end for a while; the process stays, and another daemon in it goes on afterwards."""
        self.lent = True
        self._stop.set()

    async def run(self) -> int:
        """Work until stopped; returns the exit code: 0 after a clean end, 70 if something would not end in time."""
        self._take_signals()
        self._set_jobs()
        self._scheduler.start()
        await guarded("word", self._say_word())
        self._settle()
        self._pulse.watching(self._tick)
        hear_reloads()
        log.info("started", extra=values(tick_seconds=self._tick.total_seconds()))
        while not self._stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), self._tick.total_seconds())
            bring_near(self._scheduler.get_jobs(), self._wall())
        return await self._end()

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._told_to_stop)
        loop.add_signal_handler(signal.SIGINT, self._told_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._begin_reload)

    def _told_to_stop(self) -> None:
        if self._stop.is_set() and not self.lent:
            log.warning("told to stop again: leaving at once")
            self._leave(UNCLEAN)
        self.lent = False
        self.stop()

    # Jobs

    @property
    def _tick(self) -> timedelta:
        return max(self._present.duties.tick, SHORTEST_TICK)

    def _set_jobs(self) -> None:
        self._add("tick", self._guarded_tick, self._tick)
        self._add("word", self._guarded_word, max(self._tick, WORD_EVERY))
        for job in self._present.duties.jobs:
            self._add(job.name, self._turn(job.name), max(self._tick, job.every or self._tick))

    def _add(self, name: str, job: Duty, every: timedelta) -> None:
        self._scheduler.add_job(job, Every(every), id=name, name=name, replace_existing=True)

    def _turn(self, name: str) -> Duty:
        """One turn of a job, as the duties at work then have it; nothing if a reload has taken it out."""

        async def turn() -> None:
            job = self._present.duties.job(name)
            if job and not self._stop.is_set():
                await self._present.begin(name, job.work())

        return turn

    async def _guarded_tick(self) -> None:
        await guarded("tick", self.tick())
        self._pulse.ticked(self._tick)

    async def _guarded_word(self) -> None:
        await guarded("word", self._say_word())

    async def _say_word(self) -> None:
        if word := self._present.duties.word:
            self._pulse.say(await word())

    async def tick(self) -> None:
        """Start collecting what is due, up to the number of sources at once."""
        busy, at_once = len(self.collecting), self._present.duties.sources_at_once
        if busy >= at_once or self._stop.is_set():
            return
        # More are asked for than there is room for, since those being collected are still due in the archive.
        for key in await self._present.duties.due(at_once):
            collecting = self.collecting
            if key not in collecting and len(collecting) < at_once and not self._stop.is_set():
                self._present.begin("collect", self._present.duties.collect(key), source=key)

    # Reloading

    def _begin_reload(self) -> None:
        if self._stop.is_set():
            return
        task = asyncio.get_running_loop().create_task(guarded("reload", self._reload_duties()))
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def _reload_duties(self) -> None:
        """New duties take over at once; the old ones are closed when what they began has ended."""
        async with self._loading:
            self._pulse.reloading()
            try:
                fresh = await self._reload()
            except ConfigError as error:
                log.error("kept the running configuration: the new one has faults", extra=values(faults=str(error)))  # noqa: TRY400
                return
            except JingbaoError as error:
                log.warning("kept the running configuration: the new one cannot begin yet", extra=values(reason=str(error)))
                return
            else:
                old = self._present
                self._shifts.append(Shift(fresh))
                self._set_jobs()
            finally:
                if not self._stop.is_set():
                    self._pulse.watching(self._tick)
        log.info("reloaded the configuration")
        old.duties.wrap_up()
        await old.ended()
        await old.close()
        self._shifts.remove(old)
        del old
        self._settle()

    # The end

    async def _end(self) -> int:
        log.info("stopping", extra=values(collecting=",".join(self.collecting)))
        if self.lent:
            self._pulse.lending()
        else:
            self._pulse.ending()
        self._scheduler.pause()
        for shift in self._shifts:
            shift.hurry()
        under_way = self._reloads.union(*(shift.under_way for shift in self._shifts))
        _, late = await asyncio.wait(under_way, timeout=PATIENCE.total_seconds())
        self._scheduler.shutdown(wait=False)
        closing = asyncio.gather(*(shift.close() for shift in self._shifts))
        _, open_still = await asyncio.wait([closing], timeout=CLOSING.total_seconds())
        log.info("stopped", extra=values(unfinished=len(late) + len(open_still)))
        return UNCLEAN if late or open_still else CLEAN
