"""Outages under the real daemon in the small world: the database is held by another process, or its server is restarted.

Each gives what was found as JSON: `faults`, what was counted, and the event loop's lag as the daemon's heartbeat has it.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from scheduler.heartbeat import Heartbeat, heartbeat_file
from storage import sources
from storage.postgres import JINGBAO, WRITING
from tests.databases import server
from tests.faults.dump import Dump, differences
from tests.faults.lives import Death, live
from tests.faults.rounds import Oracle, look, undisturbed
from tests.faults.stores import Store
from tests.faults.world import DAY, FIRST, World, world

LONGEST_LAG = 0.25
HOLDS = (3.0, 60.0)
RESTARTS = 4
TRY_AGAIN, MOST_STARTS = 75, 10
"""The exit code of a daemon whose archive cannot be opened just now."""
_BUG = re.compile(r"(?ms)^Traceback .*?^(?=\d{4}-)")
_oracles: dict[str, Oracle] = {}


async def _oracle(databases: Store, folder: Path) -> Oracle:
    """What an undisturbed daemon leaves of the first two moments; found out once in a process."""
    if databases.kind not in _oracles:
        _oracles[databases.kind] = await undisturbed(databases, folder.with_name("oracle"), (FIRST, DAY))
    return _oracles[databases.kind]


async def held(databases: Store, folder: Path, chance: random.Random) -> dict[str, Any]:
    """A day's work during which another process holds the database, for 3 s or 60 s, from a moment by chance."""
    oracle, seconds = await _oracle(databases, folder), chance.choice(HOLDS)

    @asynccontextmanager
    async def holding(made: World) -> AsyncIterator[dict[str, Any]]:
        task = asyncio.create_task(asyncio.to_thread(_hold, made.place.url, chance.uniform(1.0, 4.0), seconds))
        yield {"kind": f"held {seconds:g} s"}
        await task

    found = await _disturbed(databases, folder, oracle, holding)
    if seconds == HOLDS[0] and (warned := [line for line in found["warnings"] if "failed" in line or "not written" in line]):
        found["faults"] += [f"it was noticed: {line}" for line in warned]
    return found


def _hold(url: str, after: float, seconds: float) -> None:
    time.sleep(after)
    with _lock(url):
        time.sleep(seconds)


@contextmanager
def _lock(url: str) -> Iterator[None]:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(str(make_url(url).database), timeout=30, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
        connection.close()
        return
    with psycopg.connect(url, autocommit=True) as server_side:
        server_side.execute("SELECT pg_advisory_lock(%s, %s)", (JINGBAO, WRITING))
        yield


async def restarted(databases: Store, folder: Path, chance: random.Random) -> dict[str, Any]:
    """A day's work during which the server is restarted some times: cleanly, as if it died, or by killing what serves us."""
    assert databases.kind == "postgres", "only a server can be restarted"
    oracle = await _oracle(databases, folder)
    ways = [chance.choice(("fast", "immediate", "kill backend", "kill postmaster")) for _ in range(RESTARTS)]

    @asynccontextmanager
    async def restarting(made: World) -> AsyncIterator[dict[str, Any]]:
        name = str(make_url(made.place.url).database)
        task = asyncio.create_task(asyncio.to_thread(_restart, ways, name, chance))
        yield {"kind": "restarts", "ways": ways}
        await task

    return await _disturbed(databases, folder, oracle, restarting)


def _restart(ways: list[str], name: str, chance: random.Random) -> None:
    for way in ways:
        time.sleep(chance.uniform(0.3, 2.5))
        if way == "kill backend":
            with suppress(psycopg.Error):
                pids = server().run(f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()")
                if pids:
                    subprocess.run(["kill", "-9", str(chance.choice(pids)[0])], check=False)
        elif way == "kill postmaster":
            postmaster = (server().folder / "db" / "postmaster.pid").read_text().split()[0]
            subprocess.run(["kill", "-9", postmaster], check=False)
            _start_again()
        else:
            server().restart(way)


def _start_again() -> None:
    """The dead postmaster's children go by themselves within a moment; until then no new one begins."""
    for _ in range(60):
        time.sleep(0.5)
        with suppress(subprocess.CalledProcessError):
            server().revive()
            return
    raise TimeoutError("the killed server did not start again within 30 s")


async def _disturbed(databases: Store, folder: Path, oracle: Oracle, disturbing: Any) -> dict[str, Any]:
    """A day with a disturbance; the daemon has to live through it, and leave what an undisturbed one does."""
    async with world(databases, folder, DAY, oracle.start_of(DAY)) as made:
        beats = asyncio.create_task(_lags(made.place.folder))
        began = time.monotonic()
        async with disturbing(made) as found:
            life, starts = await live(made, Death(), clean=True), 1
            while life.returncode == TRY_AGAIN and starts < MOST_STARTS:  # as its service manager does
                life, starts = await live(made, Death(), clean=True), starts + 1
        beats.cancel()
        log = (made.place.folder / "jingbao.log").read_text(encoding="utf-8", errors="replace")
        with suppress(asyncio.CancelledError):
            await beats
        lives, cut_off = [life], _due_again(made)
        if cut_off:
            lives.append(await live(made, Death(), clean=True))
        verdict = await look(made, oracle, lives)
        if cut_off:  # then others came before it, and what is a copy of what went by that
            verdict.faults = [fault for fault in verdict.faults if not _of_the_dump(fault)]
            verdict.faults += differences(_essence(oracle.dumps[DAY.name]), _essence(made.written_out()))
    found |= {
        "faults": verdict.faults + [f"in the log: {bug[-1500:]}" for bug in _BUG.findall(log)],
        "seconds": round(time.monotonic() - began, 1),
        "lag": max(_seen, default=0.0),
        "warnings": [line for line in log.splitlines() if "WARNING" in line or " warning" in line.lower()][:10],
        "starts": starts,
        "cut_off": cut_off,
        "ended": [each.returncode for each in lives],
    }
    _seen.clear()
    if signal.SIGKILL in {-(code or 0) for code in found["ended"]}:
        found["faults"].append("the daemon had to be killed")
    return found


def _due_again(made: World) -> list[str]:
    """Who was cut off is due again in ten minutes, which do not pass on a clock that stands: it is due now."""
    with made.opened() as archive, archive.write() as tx:
        ended = {key: sources.last_runs(tx, key, 1) for key in sources.states(tx)}
        cut_off = [key for key, runs in ended.items() if runs and runs[0].result == sources.INTERRUPTED]
        for key in cut_off:
            sources.postpone(tx, key, DAY.at)
    return cut_off


def _of_the_dump(fault: str) -> bool:
    return ": missing {" in fault or ": too much {" in fault or fault.startswith("search: ")


def _essence(dump: Dump) -> Dump:
    """Which articles there are, how each source stands, and that no run is left open."""
    rows = {part: [json.loads(line) for line in dump[part]] for part in ("article", "source", "run")}
    return {
        "article": sorted(row["canonical_url"] for row in rows["article"]),
        "source": sorted(f"{row['key']} {row['failures']} {row['standing']} {row['last_error']}" for row in rows["source"]),
        "run": ["open" for row in rows["run"] if row["finished"] is None],
    }


_seen: list[float] = []


async def _lags(folder: Path) -> None:
    while True:
        await asyncio.sleep(1)
        beat = Heartbeat.read(heartbeat_file(folder))
        if beat:
            _seen.append(beat.lag.longest)
