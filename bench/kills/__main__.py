"""`python -m bench.kills points|daemon|intake`: kill -9 by the hundred; prints a table, and goes on where it was ended."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bench.kills import daemon, intake
from bench.kills.journal import Case, Cases, Entry, Ground, Journal
from bench.kills.report import told
from tests.faults.stores import store

CAMPAIGNS = {"points": daemon.points, "daemon": daemon.times, "intake": intake.times}
FOLDER = Path("data/kills")


@dataclass
class Campaign:
    """Cases done one after the other, some at once, until the time or the number of kills (0: no bound) is reached."""

    journal: Journal
    ends: float
    most_kills: int

    def __post_init__(self) -> None:
        self._done = self.journal.done
        self._killed = sum(len(entry.kills) for entry in self.journal)
        self._handing_out = asyncio.Lock()

    async def run(self, name: str, kind: str, folder: Path, seed: int, at_once: int) -> None:
        """Do what was not done yet."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _present_task().cancel)
        with store(kind) as databases:
            cases = CAMPAIGNS[name](Ground(databases, folder, seed, at_once))
            try:
                await asyncio.gather(*(self._work(cases) for _ in range(at_once)))
            finally:
                await cases.aclose()

    async def _work(self, cases: Cases) -> None:
        while time.monotonic() < self.ends and not 0 < self.most_kills <= self._killed:
            do = await self._next(cases)
            entry = await do()
            self.journal.add(entry)
            self._killed += len(entry.kills)
            _show(self._killed, entry)

    async def _next(self, cases: Cases) -> Case:
        async with self._handing_out:
            while True:
                name, case = await anext(cases)
                if name not in self._done:
                    self._done.add(name)
                    return case


def _present_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _show(killed: int, entry: Entry) -> None:
    faults = f"{len(entry.faults)} faults, the first: {entry.faults[0][:300]}" if entry.faults else "as undisturbed"
    Console(stderr=True).print(f"{killed:6} kills  {entry.case}: {faults}", highlight=False, markup=False, soft_wrap=True)


def main() -> None:
    """Read the command line, kill, and tell; exit code 1 if a promise did not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("campaign", choices=CAMPAIGNS)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--minutes", type=float, default=30, help="no case begins later (30)")
    parser.add_argument("--kills", type=int, default=0, help="end once reached, earlier runs counted too")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2, help="worlds at once (2)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"for worlds and journal; a new one begins anew ({FOLDER})")
    asked = parser.parse_args()
    name, folder = f"{asked.campaign}-{asked.database}-{asked.seed}", asked.folder.resolve()
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's, on its own future
    journal, began = Journal(folder, name), time.monotonic()
    campaign = Campaign(journal, began + asked.minutes * 60, asked.kills)
    with suppress(asyncio.CancelledError, KeyboardInterrupt):  # ended from outside: what was done is told all the same
        asyncio.run(campaign.run(asked.campaign, asked.database, folder / name, asked.seed, asked.at_once))
    print(told(name, list(journal), time.monotonic() - began))
    sys.exit(any(entry.faults for entry in journal))


if __name__ == "__main__":
    main()
