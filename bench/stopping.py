"""How soon a daemon ends on SIGTERM, at random moments: python -m bench.stopping [--rounds N] [--minutes M] [--seed S].

The real daemon collects the made-up newsroom, with a fast clock so that all its work comes round often, and mails to a mailbox.
Each round starts it on the same archive, waits a random while (one in five from its first moment on, the others from when it
watches), sends SIGTERM and measures. Rounds are kept as JSON lines in --folder with the phase the heartbeat told; a later call
goes on behind them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import time
from asyncio.subprocess import DEVNULL
from collections import Counter
from pathlib import Path

from core.clock import VARIABLE, Clock, WallClock
from scheduler.heartbeat import Heartbeat, heartbeat_file
from tests.newsroom.daemon import COMMAND
from tests.newsroom.mailbox import mailbox
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.proxy import playing
from tests.newsroom.setting import configuration, write_configuration
from tests.newsroom.site import newsroom_app

LONGEST_WAIT_SECONDS = 12.0
GIVEN_UP_SECONDS = 60.0
RULES = [{"name": "everything", "title": "Everything", "query": "lang:zh OR lang:en", "when": "now"}]


async def one_round(config: Path, clock: Clock, wait: float, *, at_work: bool) -> dict[str, object]:
    """Start, wait (`at_work`: from when it watches), SIGTERM; gives how it ended. It starts on what the round before left."""
    log, environment = config.with_name("log"), {**os.environ, VARIABLE: clock.shared()}
    with log.open("ab") as out:
        daemon = await asyncio.create_subprocess_exec(
            COMMAND, "--config", config, "run", stdin=DEVNULL, stdout=out, stderr=out, env=environment
        )
    while at_work and daemon.returncode is None and not watches(config, daemon.pid):  # noqa: ASYNC110  (a file tells nobody)
        await asyncio.sleep(0.05)
    await asyncio.sleep(wait)
    beat = Heartbeat.read(heartbeat_file(config.parent / "data"))
    daemon.terminate()
    started = time.monotonic()
    try:
        code = await asyncio.wait_for(daemon.wait(), GIVEN_UP_SECONDS)
    except TimeoutError:
        daemon.kill()
        code = await daemon.wait()
    phase = beat.phase if beat and beat.pid == daemon.pid else "loading"
    collecting = len(beat.collecting) if beat else 0
    return {"wait": wait, "phase": phase, "collecting": collecting, "seconds": time.monotonic() - started, "code": code}


def watches(config: Path, pid: int) -> bool:
    """Whether the daemon of this number has said that it is through its start."""
    beat = Heartbeat.read(heartbeat_file(config.parent / "data"))
    return beat is not None and beat.pid == pid and beat.phase == "watching"


async def campaign(folder: Path, rounds: int, minutes: float, seed: int) -> None:
    kept = folder / "rounds.jsonl"
    done = sum(1 for _ in kept.open()) if kept.exists() else 0
    until = time.monotonic() + minutes * 60
    clock = Clock(WallClock().now(), 60.0, WallClock().started_monotonic)
    newsroom = Newsroom(clock.now, day_begins=clock.now())
    async with playing(newsroom_app(newsroom)) as proxy:
        with mailbox() as box:
            values = configuration(newsroom.outlets, proxy=proxy.url, mailbox=box, rules=RULES, interval_minutes=1)
            config = write_configuration(folder, values)
            for number in range(done, rounds):
                if time.monotonic() > until:
                    break
                rng = random.Random(f"{seed}/{number}")
                wait, at_work = rng.uniform(0.3, LONGEST_WAIT_SECONDS), rng.random() > 0.2
                told = await one_round(config, clock, wait, at_work=at_work)
                with kept.open("a", encoding="utf-8") as out:
                    out.write(json.dumps({"round": number, "seed": seed, **told}) + "\n")


def tell(folder: Path) -> None:
    """How the rounds kept so far ended."""
    rounds = [json.loads(line) for line in (folder / "rounds.jsonl").read_text(encoding="utf-8").splitlines()]
    spans = sorted(each["seconds"] for each in rounds)
    p99 = spans[math.ceil(len(spans) * 0.99) - 1]
    print(f"{len(spans)} rounds: p99 {p99:.2f} s, longest {spans[-1]:.2f} s")
    for what in ("code", "phase"):  # -15: it came before Python had begun, and ended the process as it ends any
        print(what, dict(Counter(each[what] for each in rounds)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/jingbao-stopping"))
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(campaign(folder, arguments.rounds, arguments.minutes, arguments.seed))
    tell(folder)


if __name__ == "__main__":
    main()
