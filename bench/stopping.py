"""How soon a daemon ends on SIGTERM: python -m bench.stopping [--rounds N] [--minutes M] [--seed S] [--at-once K].

The real daemon in a small world (tests/faults/stops.py): in each round it comes to a random point of a random phase, a random
moment later it gets SIGTERM, and what is measured is how long it takes to end, its exit code, and what it leaves running.
Rounds are kept as JSON lines in --folder; a later call does those that are missing. Exit code 1 if a promise did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.rounds import undisturbed
from tests.faults.stops import Stop, any_scene, stop_in
from tests.faults.stores import Place, Store, store
from tests.faults.world import FIRST

SOON_SECONDS, LONGEST_SECONDS = 10.0, 30.0
"""Promised: in 99 of 100 stops the first, always the second."""
BEFORE_PYTHON = -15
"""The exit code where SIGTERM came before Python had begun: it ends the process as it ends any."""


@dataclass
class Campaign:
    """Rounds of one seed, some at once, those that `kept` (a file of JSON lines) has not."""

    databases: Store
    folder: Path
    seed: int
    kept: Path
    ends: float

    async def run(self, rounds: int, at_once: int) -> None:
        """Do what is missing of the rounds, until the time is over."""
        done = {number for number, _ in kept_rounds(self.kept)}
        missing = iter([number for number in range(rounds) if number not in done])
        start = (await undisturbed(self.databases, self.folder / "start", (FIRST,))).places[FIRST.name]
        await asyncio.gather(*(self._work(missing, start) for _ in range(at_once)))

    async def _work(self, missing: Iterator[int], start: Place) -> None:
        for number in missing:
            if time.monotonic() > self.ends:
                return
            await self._round(number, start)

    async def _round(self, number: int, start: Place) -> None:
        rng, folder = random.Random(f"{self.seed}/{number}"), self.folder / f"round-{number}"
        stop = await stop_in(any_scene(rng), self.databases, folder, start, rng)
        with self.kept.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"round": number, **asdict(stop)}) + "\n")


def kept_rounds(kept: Path) -> list[tuple[int, Stop]]:
    """The rounds a file has, by number."""
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    told = [json.loads(line) for line in lines]
    return sorted(
        ((each.pop("round"), Stop(**{**each, "left": tuple(each["left"])})) for each in told), key=lambda each: each[0]
    )


def faults(stop: Stop) -> list[str]:
    """What was not as promised of one stop."""
    clean = {0, BEFORE_PYTHON} if stop.phase == "loading" else {0}
    found = [] if stop.code in clean else [f"exit code {stop.code}"]
    found += [f"took {stop.seconds:.1f} s"] * (stop.seconds > SOON_SECONDS)
    return [*found, *["did not come to its point"] * (not stop.reached), *stop.left]


def tell(rounds: Sequence[tuple[int, Stop]]) -> None:
    """The figures, by phase, and every stop that was not as it should be."""
    print(f"{'phase':32} stops  median    p99    max  exit codes, left running")
    phases = sorted({stop.phase for _, stop in rounds})
    for name in [*phases, "all"]:
        stops = [stop for _, stop in rounds if name in {stop.phase, "all"}]
        spans, codes = sorted(stop.seconds for stop in stops), Counter(stop.code for stop in stops)
        figures = f"{statistics.median(spans):7.2f} {_p99(spans):6.2f} {spans[-1]:6.2f}"
        print(f"{name:32} {len(stops):5} {figures}  {dict(codes)}, {sum(bool(stop.left) for stop in stops)}")
    for number, stop in rounds:
        if found := faults(stop):
            where = f"{stop.phase} ({stop.trouble}), {stop.after_seconds:.2f} s after {stop.point}"
            print(f"round {number}: {where}: {'; '.join(found)}")


def _p99(spans: Sequence[float]) -> float:
    return spans[math.ceil(len(spans) * 0.99) - 1]


def held(rounds: Sequence[tuple[int, Stop]]) -> bool:
    """Whether the promises did."""
    spans = sorted(stop.seconds for _, stop in rounds)
    unclean = any(set(faults(stop)) - {f"took {stop.seconds:.1f} s"} for _, stop in rounds)
    return not unclean and _p99(spans) <= SOON_SECONDS and spans[-1] <= LONGEST_SECONDS


def main() -> None:
    """Read the command line, stop daemons, and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench.stopping", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=30, help="no round begins later (30)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=3, help="daemons at once (3)")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--folder", type=Path, default=Path("data/stopping"), help="for worlds and rounds (data/stopping)")
    asked = parser.parse_args()
    folder = asked.folder.resolve() / f"{asked.database}-{asked.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    kept, ends = folder / "rounds.jsonl", time.monotonic() + asked.minutes * 60
    with store(asked.database) as databases:
        asyncio.run(Campaign(databases, folder, asked.seed, kept, ends).run(asked.rounds, asked.at_once))
    rounds = kept_rounds(kept)
    tell(rounds)
    sys.exit(not held(rounds))


if __name__ == "__main__":
    main()
