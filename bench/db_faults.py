"""Databases that fail under the whole road; prints counts, and goes on where it was ended.

    python -m bench.db_faults nth      every operation fails, in every way, once and for ever (one process, the road in small)
    python -m bench.db_faults held     another process holds the database for 3 s, then 60 s, under the real daemon
    python -m bench.db_faults restart  PostgreSQL is restarted, or killed, at random moments under the real daemon

--database sqlite|postgres, --minutes M (no case begins later), --folder F (journal and worlds), --seed N.
docs/design/faults.md says what must hold.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench.db_outages import held, restarted
from tests.faults.failing import KINDS
from tests.faults.nth import Case, loop
from tests.faults.stores import Store, store

Found = dict[str, object]
"""What a case gave; `faults` is a list of what was wrong."""
Cases = Iterator[tuple[str, Callable[[], Found]]]


def nth(databases: Store, folder: Path, seed: int) -> Cases:
    """Every operation, in an order by chance, so that a short campaign is a fair sample."""
    with loop(databases, folder) as roads:
        cases = [case for kind in KINDS for for_ever in (False, True) for case in roads.cases(kind, for_ever=for_ever)]
        random.Random(seed).shuffle(cases)
        print(f"{len(cases)} cases in all", flush=True)
        for case in cases:
            yield str(case), partial(_one, roads.faults, case)


def _one(faults: Callable[[Case], list[str]], case: Case) -> Found:
    return {"kind": f"{case.kind}{' for ever' * case.for_ever}", "faults": faults(case)}


def outages(name: str) -> Callable[[Store, Path, int], Cases]:
    """Rounds of an outage, for ever."""
    do = {"held": held, "restart": restarted}[name]

    def cases(databases: Store, folder: Path, seed: int) -> Cases:
        number = 0
        while True:
            chance = random.Random(f"{seed} {number}")
            yield f"{name} {number}", partial(_outage, do, databases, folder / f"{name}-{number}", chance)
            number += 1

    return cases


def _outage(do: Callable[..., object], databases: Store, folder: Path, chance: random.Random) -> Found:
    found: Found = asyncio.run(do(databases, folder, chance))  # type: ignore[arg-type]
    return found


CAMPAIGNS = {"nth": nth, "held": outages("held"), "restart": outages("restart")}


def campaign(name: str, kind: str, folder: Path, seed: int, minutes: float) -> Path:
    """Do what the journal has not, a case after the other; gives the journal."""
    folder.mkdir(parents=True, exist_ok=True)
    journal, ends = folder / f"{name}-{kind}-{seed}.jsonl", time.monotonic() + minutes * 60
    done = {entry["case"] for entry in _entries(journal)}
    with store(kind) as databases, journal.open("a", encoding="utf-8") as file:
        for case, do in CAMPAIGNS[name](databases, folder / f"{name}-{kind}", seed):
            if case in done:
                continue
            if time.monotonic() > ends:
                break
            found = do()
            file.write(json.dumps({"case": case, **found}, ensure_ascii=False) + "\n")
            file.flush()
            if found["faults"] or name != "nth":
                print(case, json.dumps(found, ensure_ascii=False)[:600], flush=True)
    return journal


def _entries(journal: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()] if journal.exists() else []


def told(journal: Path) -> str:
    """A journal in a few lines."""
    entries = _entries(journal)
    wrong = [entry for entry in entries if entry["faults"]]
    by_kind = Counter(str(entry["kind"]) for entry in entries)
    kinds = ", ".join(f"{kind}: {number}" for kind, number in sorted(by_kind.items()))
    return f"{journal.stem}: {len(entries)} cases, {len(wrong)} with faults ({kinds})"


def main() -> None:
    """Read the command line, do it, and tell; exit code 1 if a promise did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("campaign", choices=CAMPAIGNS, nargs="?", default="nth")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--folder", type=Path, default=Path("data/db-faults"))
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and worlds are put away
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd's, on its own future
    journal = campaign(asked.campaign, asked.database, asked.folder.resolve(), asked.seed, asked.minutes)
    print(told(journal))
    sys.exit(any(entry["faults"] for entry in _entries(journal)))


if __name__ == "__main__":
    main()
