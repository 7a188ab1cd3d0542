"""The soak's world: press, mail server and daemon on one set clock, for a number of minutes, measured all the time."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.soak.faults import Ground, note, trouble
from bench.soak.figures import samples_of
from bench.soak.journal import Journal, Plan, add
from bench.soak.measuring import Gauge, database
from bench.soak.mischief import Mischief, MoodyMailbox
from bench.soak.press import Press
from core.clock import Clock
from tests.newsroom.daemon import Jingbao, JingbaoFailedError
from tests.newsroom.mailbox import mailbox
from tests.newsroom.proxy import playing
from tests.newsroom.setting import READER, configuration, shipped_rules, write_configuration
from tests.newsroom.site import newsroom_app

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from tests.newsroom.mailbox import Mailbox

SAMPLED_EVERY = 5.0
LIVES = (300, 8000)
"""So many crawls a daemon does before it is killed, in turn: most of them long enough to show what grows."""
QUIET_SECONDS = 20.0
"""The end of each call is without faults, so that the daemon ends with nothing left over."""


@dataclass
class World:
    """One call's world, in a folder that may hold what earlier calls did. `rests` is how long its end is without faults."""

    plan: Plan
    journal: Journal
    clock: Clock
    began: float
    rests: float = QUIET_SECONDS
    every: float = SAMPLED_EVERY
    daemon: Process | None = None
    life: int = 0

    @property
    def data(self) -> Path:
        """The daemon's data folder."""
        return self.journal.folder / "data"

    async def soak(self, seconds: float) -> None:
        """Let the daemon work among faults for so long."""
        rng = random.Random(f"{self.plan.seed} {self.clock.start}")
        async with self._around(rng) as (ground, jingbao):
            befalling = asyncio.create_task(trouble(ground, rng))
            try:
                await self._live_on(jingbao, ground, seconds - self.rests, befalling)
            finally:
                befalling.cancel()
                await asyncio.gather(befalling, return_exceptions=True)

    @asynccontextmanager
    async def _around(self, rng: random.Random) -> AsyncIterator[tuple[Ground, Jingbao]]:
        press, mischief = Press(self.clock.now, self.plan.seed, self.plan.sources), Mischief(rng)
        app, box = newsroom_app(press), MoodyMailbox(self.journal.mails, self.clock)
        app.middlewares.append(mischief.middleware)
        async with playing(app) as proxy:
            with mailbox(box):
                config = write_configuration(self.journal.folder, self._configuration(press, proxy.url, box))
                hosts = tuple(outlet.host for outlet in press.outlets)
                archive = database(self.data)
                ground = Ground(hosts, mischief, box, archive, lambda: self.daemon, self.clock, self.journal)
                yield ground, Jingbao(config, self.clock)

    def _configuration(self, press: Press, proxy: str, box: Mailbox) -> dict[str, Any]:
        made = configuration(
            press.outlets, proxy=proxy, mailbox=box, rules=shipped_rules(), interval_minutes=self.plan.interval_minutes
        )
        made["network"]["timeout_seconds"] = 6
        made["mail"]["smtp"]["timeout_seconds"] = 6
        made["keep"] = {"raw_days": 2, "off_topic_raw_days": 1, "run_days": 7, "version_days": 3}
        made["operator"] = {"addresses": ["operator@reader.test"]}
        lin = {"key": "lin", "addresses": ["lin@reader.test"], "language": "zh", "zone": "Asia/Shanghai"}
        made["readers"] = [READER, {**lin, "quiet_hours": "22:00-07:00"}]
        return made

    async def _live_on(self, jingbao: Jingbao, ground: Ground, seconds: float, befalling: asyncio.Task[None]) -> None:
        ends, comes_up = time.monotonic() + seconds, True
        while comes_up and time.monotonic() < ends:
            self.life = self.journal.lives + 1
            try:
                async with jingbao.running(self.journal.log_of(self.life)) as self.daemon:
                    gauge = Gauge(self.daemon.pid, self.life, self.data)
                    died = await self._watch(gauge, ends)
                    if died:
                        note(ground, died)
                    else:
                        befalling.cancel()
                        await self._watch(gauge, time.monotonic() + self.rests, mortal=False)
            except JingbaoFailedError as error:
                if self.daemon is None or self.daemon.returncode != -signal.SIGKILL:
                    note(ground, f"the daemon failed: {error}")
                    comes_up = self.life in {sample.life for sample in samples_of(self.journal.samples)}

    async def _watch(self, gauge: Gauge, ends: float, *, mortal: bool = True) -> str:
        """Measure a life, at least once, until a moment, or until its time has come; gives what it died of, if it did."""
        assert self.daemon is not None
        first, most = None, LIVES[(self.life - 1) % len(LIVES)] if mortal else float("inf")
        while first is None or time.monotonic() < ends:
            await asyncio.sleep(self.every)
            if self.daemon.returncode is not None:
                return f"the daemon ended by itself with {self.daemon.returncode}"
            sample = await asyncio.to_thread(gauge.read, self.clock.now().isoformat(), time.monotonic() - self.began)
            if sample is None:
                continue
            add(self.journal.samples, sample.told())
            first = sample.crawls if first is None else first
            if sample.crawls - first >= most:
                self.daemon.kill()
                await self.daemon.wait()
                return "kill -9"
        return ""


async def soak(
    folder: Path, seconds: float, wanted: Plan, *, rests: float = QUIET_SECONDS, every: float = SAMPLED_EVERY
) -> None:
    """Soak in a folder for so long, measuring `every` so many seconds; what an earlier call left goes on, with its plan."""
    journal = Journal(folder)
    plan = journal.plan(wanted)
    clock = Clock(journal.resumes_at, plan.speed, time.monotonic())
    await World(plan, journal, clock, time.monotonic(), rests, every).soak(seconds)
