"""The web misbehaves and the network dies, around the real daemon: `python -m bench.web_faults --minutes 30 --folder F`.

A portion is a daemon of its own for nine set hours in three minutes. In turn: a street of good feeds beside sources that
misbehave (tests/newsroom/neighbours.py); and good feeds alone whose network and mail server are gone for an hour, directly or
behind a proxy. A campaign in the same folder goes on where the last one ended; what it found is in done.jsonl. What must be 0
stands under `wrong`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from core.clock import Clock, WallClock
from core.standing import Standing
from scheduler.heartbeat import Heartbeat, heartbeat_file
from scheduler.lag import SLOW_SECONDS
from storage import sources
from storage.archive import Archive
from tests.newsroom.daemon import Jingbao
from tests.newsroom.mailbox import Mailbox, mailbox
from tests.newsroom.neighbours import LOOPBACK, Neighbour, Street, living, street
from tests.newsroom.setting import READER, smtp, write_configuration

START = datetime(2026, 1, 20, 6, 0, tzinfo=UTC)
SPEED, HOURS = 180.0, 9
INTERVAL = timedelta(minutes=30)
GONE_FROM, GONE_FOR = timedelta(hours=3), timedelta(hours=1)
GOOD, BAD = 12, 30
LOOK_SECONDS = 2.0
_BUGS = re.compile(r"Traceback|met a bug|a bug|ERROR|CRITICAL")


@dataclass
class Watch:
    """What is measured while the daemon runs: its loop's lags in seconds, its and its workers' greatest memory in MB."""

    lags: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    async def look(self, pid: int, heartbeat: Path) -> None:
        """Look every two seconds, for ever."""
        last = ""
        while True:
            beat = Heartbeat.read(heartbeat)
            if beat and beat.at != last:
                last = beat.at
                self.lags += beat.newest_lags
            self.megabytes = max(self.megabytes, _megabytes(pid))
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def p99(self) -> float:
        """The 99th percentile of the lags."""
        return sorted(self.lags)[int(len(self.lags) * 0.99)] if self.lags else 0.0


def main() -> None:
    """Run portions until the time is up, and print what all of the folder gave."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("data/bench/web_faults"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    done = options.folder / "done.jsonl"
    portions = [json.loads(line) for line in done.read_text().splitlines()] if done.exists() else []
    clock = WallClock()
    until = clock.now() + timedelta(minutes=options.minutes)
    while clock.now() < until:
        number = len(portions)
        kind = ("street", "gone, direct", "street", "gone, proxy")[number % 4]
        portions.append(asyncio.run(portion(kind, f"{options.seed}/{number}", options.folder / "portion")))
        with done.open("a") as file:
            file.write(json.dumps(portions[-1], default=str) + "\n")
        print(json.dumps(portions[-1], indent=1, default=str), flush=True)
    wrong = sum(len(each["wrong"]) for each in portions)
    print(f"{len(portions)} portions, {sum(each['runs'] for each in portions)} runs, {wrong} wrong")


async def portion(kind: str, seed: str, folder: Path) -> dict[str, Any]:
    """One daemon's nine hours."""
    shutil.rmtree(folder, ignore_errors=True)
    clock, watch = Clock(START, SPEED, WallClock().started_monotonic), Watch()
    bad, named = (BAD if kind == "street" else 0), kind == "gone, proxy"
    houses = Street(street(seed, GOOD, bad), clock.now)
    async with living(houses):
        with mailbox() as box:
            config = write_configuration(folder, _configuration(houses, box, named=named))
            jingbao, heartbeat = Jingbao(config, clock), heartbeat_file(folder / "data")
            async with jingbao.running(folder / "log") as process, _beside(watch.look(process.pid, heartbeat)):
                if not bad:
                    await _outage(houses, box, clock, process)
                await _until(clock, timedelta(hours=HOURS), process)
            found = _judged(houses, folder, watch) if bad else _after_outage(folder, watch, box)
    return {"kind": kind, "seed": seed, **found}


def _configuration(houses: Street, box: Mailbox, *, named: bool) -> dict[str, Any]:
    minutes = INTERVAL / timedelta(minutes=1)
    add = [houses.configuration(each, named=named, interval_minutes=minutes) for each in houses.neighbours]
    rule = {"name": "all", "query": "lang:en", "when": "hourly", "readers": []}
    return {
        "data_dir": "data",
        "network": {"timeout_seconds": 2, "max_bytes": 100_000, "proxy": f"http://{LOOPBACK}:{houses.port}" if named else ""},
        "security": {"allow_networks": ["127.0.0.0/8"]},
        "collection": {"tick_seconds": 0.5, "sources_at_once": 8},
        "sources": {"catalogue": "none", "add": add},
        "mail": {"sender": "jingbao@newsroom.test", "smtp": smtp(box)},
        "readers": [READER],
        "rules": [rule],
    }


async def _outage(houses: Street, box: Mailbox, clock: Clock, process: Process) -> None:
    """Web and mail server are gone for an hour."""
    await _until(clock, GONE_FROM, process)
    await houses.go()
    box.refuse = "421 the network is gone"
    await _until(clock, GONE_FROM + GONE_FOR, process)
    box.refuse = ""
    await houses.come()


async def _until(clock: Clock, span: timedelta, process: Process) -> None:
    """Wait for the set moment, or for a daemon that ends before."""
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), max(clock.real_seconds(START + span - clock.now()), 0.01))


@asynccontextmanager
async def _beside(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _read(folder: Path) -> tuple[dict[str, sources.SourceState], list[sources.Run]]:
    with Archive.open(f"sqlite:///{folder / 'data' / 'jingbao.sqlite3'}", START) as archive, archive.read() as tx:
        return sources.states(tx), [run for run in sources.runs_since(tx, START - timedelta(days=1)) if run.finished]


def _common(runs: Sequence[sources.Run], folder: Path, watch: Watch) -> dict[str, Any]:
    """What holds for every portion."""
    log = (folder / "log").read_text(errors="replace")
    wrong = [f"does not add up: {run.source} {run.started}" for run in runs if not run.adds_up]
    wrong += [f"in the log: {line[:300]}" for line in log.splitlines() if _BUGS.search(line)]
    if watch.p99 >= SLOW_SECONDS:
        wrong.append(f"loop lag p99 {watch.p99:.3f} s")
    return {
        "runs": len(runs),
        "lags": len(watch.lags),
        "lag_p99": round(watch.p99, 3),
        "megabytes": round(watch.megabytes),
        "wrong": wrong,
    }


def _lateness(runs: Sequence[sources.Run], keys: set[str]) -> list[float]:
    """From one run's end to the next one's beginning, in intervals, for each of these sources."""
    late = []
    for key in keys:
        theirs = [run for run in runs if run.source == key]
        late += [(after.started - before.finished) / INTERVAL for before, after in pairwise(theirs) if before.finished]
    return sorted(late)


def _judged(houses: Street, folder: Path, watch: Watch) -> dict[str, Any]:
    """Whether every bad neighbour is named, and the good ones came on time."""
    states, runs = _read(folder)
    found = _common(runs, folder, watch)
    wrong = found["wrong"] + [problem for each in houses.neighbours if (problem := _unnamed(each, states[each.key], runs))]
    late = _lateness(runs, {each.key for each in houses.neighbours if not each.misbehaves})
    p99 = late[int(len(late) * 0.99)]
    if p99 > 1.25:
        wrong.append(f"good sources late: {p99:.2f} intervals")
    standings = {each.key: str(states[each.key].standing) for each in houses.neighbours if each.misbehaves}
    counted = {"bad": len(standings), "standings": _counted(standings.values())}
    return {**found, "late_p99": round(p99, 3), **counted, "wrong": wrong}


def _unnamed(neighbour: Neighbour, state: sources.SourceState, runs: Sequence[sources.Run]) -> str:
    """What is wrong with how a neighbour stands; empty if nothing is."""
    told = f"{neighbour.key} ({neighbour.misbehaves or 'good'} as {neighbour.place}): {state.standing} {state.last_error}"
    theirs = [run for run in runs if run.source == neighbour.key]
    if not neighbour.misbehaves or (neighbour.place == "robots" and not state.failures):
        return "" if state.standing in {Standing.OK, Standing.NEW} and not state.failures else told
    if neighbour.place in {"page", "child"}:
        ended = any(run.counts.get(neighbour.expected) for run in theirs if neighbour.expected)
        rests = "asked for a pause" in state.last_error  # by its real clock, for its list too
        ended = ended or neighbour.misbehaves == "a redirect inside"  # 127.0.0.0/8 is allowed here: it leads to a dead port
        sound = rests or (not state.failures and (ended or neighbour.expected == "blocked"))
        return "" if sound else f"{told} {theirs[0].counts}"
    told_of = state.standing in {Standing.BROKEN, Standing.BLOCKED} or state.failures > 1
    named = told_of and (state.standing_reason or state.last_error).endswith(".")
    return "" if named else told


def _after_outage(folder: Path, watch: Watch, box: Mailbox) -> dict[str, Any]:
    """Whether nobody was charged, all came back soon and spread, and news was mailed once."""
    states, runs = _read(folder)
    found, log = _common(runs, folder, watch), (folder / "log").read_text(errors="replace")
    gone, back = START + GONE_FROM, START + GONE_FROM + GONE_FOR
    good = [run for run in runs if run.started > back and run.result in sources.GOOD]
    never = START + timedelta(hours=HOURS)
    returned = [min((run.started for run in good if run.source == key), default=never) for key in states]
    charged = [key for key, state in states.items() if state.failures or state.standing is not Standing.OK]
    asked = [run for run in runs if gone < run.started < back]
    probes = sum(run.result == sources.OFFLINE for run in asked)
    links = [link for mail in box.received for link in re.findall(r"http://\S+/a/\d+", mail.part("plain"))]
    wrong = found["wrong"] + [f"charged: {key}" for key in charged]
    counts = {"offline": log.count(" offline: "), "online again": log.count(" online again")}
    wrong += [f"said {count} times: {said}" for said, count in counts.items() if count != 1]
    latest = (max(returned) - back) / timedelta(minutes=1)
    if latest > INTERVAL / timedelta(minutes=1) * 1.5:
        wrong.append(f"the last source came {latest:.0f} minutes after the return")
    new = sum(run.counts.get("new", 0) + run.counts.get("copy", 0) for run in runs)  # type: ignore[call-overload]
    return {
        **found,
        "asked_while_gone": len(asked),
        "of_those_offline": probes,
        "back_after_minutes": [round((at - back) / timedelta(minutes=1), 1) for at in sorted(returned)],
        "mails": len(box.received),
        "new": new,
        "told": len(set(links)),
        "wrong": wrong + [f"told twice: {len(links) - len(set(links))}"] * (len(links) != len(set(links))),
    }


def _counted(values: Any) -> dict[str, int]:
    return {value: list(values).count(value) for value in sorted(set(values))}


def _megabytes(pid: int) -> float:
    """Resident memory of a process and its children; those that ended meanwhile count nothing."""
    total = 0
    for child in [pid, *_children(pid)]:
        with suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{child}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total / 1e6


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


if __name__ == "__main__":
    main()
