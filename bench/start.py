"""How soon a daemon is ready with many articles, and again after kill -9: python -m bench.start [ARTICLES] [--rounds N].

From starting the command to READY=1 on a service manager's socket. `again` is a start on an archive that was left by kill -9 in
the middle of a run: its write-ahead log full, runs and mails under way. Beside each figure stands what starting Python alone
took then, since machines differ and are shared.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bench.archive import keep, texts
from storage.archive import Archive
from tests.newsroom.daemon import COMMAND, tail
from tests.scheduler.manager import listening

AT_ONCE = 500
SOURCES = [
    {"key": f"s{number}", "name": f"S{number}", "kind": "feed", "language": "zh", "url": f"http://127.0.0.1:9/{number}"}
    for number in range(80)
]


def build(folder: Path, size: int) -> Path:
    """An archive of so many articles, once; gives its configuration."""
    config = folder / f"{size}" / "config.yaml"
    config.parent.mkdir(parents=True, exist_ok=True)
    values = {"data_dir": "data", "sources": {"catalogue": "none", "add": SOURCES}, "collection": {"tick_seconds": 1}}
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    done = config.with_name("built")
    if not done.exists():
        rng = random.Random(7)
        stock = texts(rng)
        database = config.parent / "data" / "jingbao.sqlite3"
        with Archive.open(f"sqlite:///{database}", datetime.now(UTC) - timedelta(days=400)) as archive:
            for first in range(0, size, AT_ONCE):
                with archive.write() as tx:
                    for number in range(first, min(first + AT_ONCE, size)):
                        keep(tx, number, stock[number % len(stock)], rng)
        done.touch()
    return config


def leave_things_under_way(config: Path) -> None:
    """What a killed daemon leaves: runs that did not end, and a write-ahead log of some megabytes that nobody has emptied."""
    code = f"""
import os, random, sys
from datetime import UTC, datetime
from bench.archive import keep, texts
from storage import sources
from storage.archive import Archive
rng = random.Random()
stock = texts(rng)[:1]
archive = Archive.open("sqlite:///{config.parent / 'data' / 'jingbao.sqlite3'}", datetime.now(UTC))
with archive.write() as tx:
    for number in range(8):
        sources.begin_run(tx, f"s{{number}}", datetime.now(UTC))
for _ in range(200):
    with archive.write() as tx:
        keep(tx, rng.getrandbits(60), stock[0], rng)
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).resolve().parents[1])


async def seconds_to_ready(config: Path) -> float:
    """Start, wait for READY=1, kill -9."""
    socket, log = config.with_name("notify"), config.with_name("log")
    socket.unlink(missing_ok=True)
    with listening(socket) as ear, log.open("wb") as out:
        started = time.monotonic()
        daemon = await asyncio.create_subprocess_exec(
            COMMAND, "--config", config, "run", stdout=out, stderr=out, env={**os.environ, "NOTIFY_SOCKET": ear.address}
        )
        heard = asyncio.ensure_future(ear.until("READY"))
        await asyncio.wait([heard, asyncio.ensure_future(daemon.wait())], return_when=asyncio.FIRST_COMPLETED)
        seconds = time.monotonic() - started
        if not heard.done():
            raise SystemExit(f"the daemon ended:\n{tail(log)}")
        daemon.kill()
        await daemon.wait()
    return seconds


def python_seconds() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import asyncio, json, sqlite3"], check=True)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/jingbao-start"))
    arguments = parser.parse_args()
    config = build(arguments.folder.resolve(), arguments.articles)
    for name in ("start", "again after kill -9"):
        spans, ratios = [], []
        for _ in range(arguments.rounds):
            if name != "start":
                leave_things_under_way(config)
            unit = python_seconds()
            spans.append(asyncio.run(seconds_to_ready(config)))
            ratios.append(spans[-1] / unit)
        median, most = statistics.median(spans), max(spans)
        print(f"{name:20} median {median:.2f} s, most {most:.2f} s, {statistics.median(ratios):.0f} times Python's own start")


if __name__ == "__main__":
    main()
