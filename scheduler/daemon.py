"""The daemon's life: one asyncio loop, APScheduler's few jobs, signals, a clean end.

One tick asks which sources are due, instead of a timer for each; so thousands cost no more than one question, nothing is
pickled, and what is due survives a restart. Jobs never overlap themselves (max_instances), a late one runs once
(coalesce, no misfire limit: APScheduler's default of one second would drop it). Intervals count on the loop's monotonic
clock, so neither summer time nor a corrected wall clock skips or repeats them. docs/design/daemon.md says more.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from core.errors import JingbaoError
from core.log import values
from scheduler.duties import Duties, Duty

log = logging.getLogger("jingbao.scheduler")
# It warns whenever a job is still busy at its next time, which is how overlap is meant to be avoided here.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

STOP_PATIENCE = timedelta(seconds=20)
LAST_PATIENCE = timedelta(seconds=5)
UPKEEP_EVERY = timedelta(minutes=10)
CLEAN, UNCLEAN = 0, 70


class Daemon:
    """Runs duties until told to stop."""

    def __init__(self, duties: Duties, reload: Callable[[], Awaitable[Duties]]) -> None:
        """`reload` gives the duties of the configuration as it is on disk now, or raises ConfigError."""
        self._duties = duties
        self._reload = reload
        self._collecting: dict[str, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )

    @property
    def collecting(self) -> tuple[str, ...]:
        """The keys of the sources being collected."""
        return tuple(self._collecting)

    def stop(self) -> None:
        """Ask for a clean end."""
        self._stop.set()

    async def run(self) -> int:
        """Work until stopped; returns the exit code: 0 after a clean end, 70 if something would not end in time."""
        self._take_signals()
        self._start_jobs()
        log.info("started", extra=values(tick_seconds=self._duties.tick.total_seconds()))
        await self._stop.wait()
        return await self._end()

    def _take_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.stop)
        self._reloading: asyncio.Task[None] | None = None
        loop.add_signal_handler(signal.SIGHUP, self._begin_reload)

    def _start_jobs(self) -> None:
        every = self._duties.tick
        self._add("tick", self.tick, every)
        for name, span in (("match", every), ("digest", every), ("send", every), ("upkeep", max(every, UPKEEP_EVERY))):
            self._add(name, self._contained(name), span)
        self._scheduler.start()

    def _add(self, name: str, job: Duty, every: timedelta) -> None:
        trigger = IntervalTrigger(seconds=max(every.total_seconds(), 0.05), timezone=UTC)
        self._scheduler.add_job(job, trigger, id=name, name=name)

    async def tick(self) -> None:
        """Start collecting what is due, up to the number of sources at once."""
        free = self._duties.sources_at_once - len(self._collecting)
        if free <= 0 or self._stop.is_set():
            return
        # More than `free` are asked for, since those being collected are still due in the archive.
        for key in await self._duties.due(free + len(self._collecting)):
            if key not in self._collecting and len(self._collecting) < self._duties.sources_at_once:
                task = asyncio.create_task(self._collect(key), name=f"collect {key}")
                self._collecting[key] = task

    async def _collect(self, key: str) -> None:
        try:
            await guarded("collect", self._duties.collect(key), source=key)
        finally:
            del self._collecting[key]

    def _contained(self, name: str) -> Duty:
        async def job() -> None:
            duty: Duty = getattr(self._duties, name)
            await guarded(name, duty())

        return job

    def _begin_reload(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.get_running_loop().create_task(self._reload_duties())

    async def _reload_duties(self) -> None:
        try:
            fresh = await self._reload()
        except JingbaoError as error:
            log.error("kept the running configuration: the new one has faults", extra=values(faults=str(error)))  # noqa: TRY400
            return
        old, self._duties = self._duties, fresh
        await asyncio.gather(*self._collecting.values(), return_exceptions=True)
        await old.close()
        log.info("reloaded the configuration")

    async def _end(self) -> int:
        log.info("stopping", extra=values(collecting=",".join(self._collecting)))
        self._scheduler.pause()
        ending = asyncio.create_task(self._duties.stop_collecting())
        running = [*self._collecting.values(), ending]
        _, late = await asyncio.wait(running, timeout=(STOP_PATIENCE + LAST_PATIENCE).total_seconds())
        self._scheduler.shutdown(wait=False)
        await guarded("close", self._duties.close())
        log.info("stopped", extra=values(unfinished=len(late)))
        return UNCLEAN if late else CLEAN


async def guarded(name: str, work: Awaitable[None], **fields: str) -> None:
    """Await `work`; what goes wrong is logged and contained, so that one source or mail cannot end the daemon."""
    try:
        await work
    except JingbaoError as error:
        log.warning("%s failed", name, extra=values(reason=str(error), **fields))
    except Exception:
        log.exception("%s met a bug; please report the lines below", name, extra=values(**fields))
