"""How soon a daemon is ready with many articles, and again after kill -9: python -m bench.start [ARTICLES] [--database KIND].

From starting the command to READY=1 on a service manager's socket. `again` is a start on an archive that was left by kill -9 in
the middle of its work: the write-ahead log full, a transaction open, runs under way. Beside each figure stands what starting
Python alone took then, and the processor time the daemon had used by READY, since machines differ and are shared.

The archive: a thousand articles are kept as always, then doubled within the database until they are enough. Only the thousand
are in the full-text index, which a start does not read.
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
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
import yaml

from bench.archive import keep, texts
from storage.archive import Archive, Transaction
from storage.copying import go_on_counting
from storage.schema import article, band, mention, story
from tests.databases import KINDS, fresh_url
from tests.newsroom.daemon import COMMAND, tail
from tests.scheduler.manager import listening

KEPT = 1000
SOURCES = [
    {"key": f"s{number}", "name": f"S{number}", "kind": "feed", "language": "zh", "url": f"http://127.0.0.1:9/{number}"}
    for number in range(80)
]


def build(folder: Path, size: int, url: str) -> Path:
    """An archive of so many articles, unless it is there; gives its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    config, rng = folder / "config.yaml", random.Random(7)
    values = {
        "data_dir": "data",
        "storage": {"url": url},
        "sources": {"catalogue": "none", "add": SOURCES},
        "collection": {"tick_seconds": 1},
    }
    config.write_text(yaml.safe_dump(values), encoding="utf-8")
    (folder / "data").mkdir(exist_ok=True)
    with Archive.open(url, datetime.now(UTC) - timedelta(days=400)) as archive, archive.write() as tx:
        if tx.connection.scalar(sa.select(sa.func.count()).select_from(article)):
            return config
        for number, text in enumerate(texts(rng)[:KEPT]):
            keep(tx, number, text, rng)
        there = KEPT
        while there < size:
            double(tx, there, size)
            there *= 2
        go_on_counting(tx)
    return config


def double(tx: Transaction, there: int, size: int) -> None:
    """Put in a second of each of the articles 1 to `there`, up to the number `size`."""
    own = {
        story: {"id": story.c.id + there},
        article: {
            "id": article.c.id + there,
            "story_id": article.c.story_id + there,
            "index_row": article.c.index_row + there,
            "canonical_url": article.c.canonical_url + f"/{there}",
        },
        mention: {"article_id": mention.c.article_id + there},
        band: {"article_id": band.c.article_id + there},
    }
    for table, changed in own.items():
        columns: Mapping[str, Any] = dict(table.columns) | changed
        number = table.columns["id"] if "id" in changed else table.columns["article_id"]
        rows = sa.select(*columns.values()).where(number <= min(there, size - there))
        tx.connection.execute(sa.insert(table).from_select(list(columns), rows))


def leave_things_under_way(url: str) -> None:
    """What a killed daemon leaves: runs that did not end, a transaction, and a write-ahead log of some megabytes."""
    code = f"""
import os, random
from datetime import UTC, datetime
from bench.archive import keep, texts
from storage import sources
from storage.archive import Archive
rng = random.Random()
text = texts(rng)[0]
archive = Archive.open({url!r}, datetime.now(UTC))
with archive.write() as tx:
    for number in range(8):
        sources.begin_run(tx, f"s{{number}}", datetime.now(UTC))
for _ in range(200):
    with archive.write() as tx:
        keep(tx, rng.getrandbits(60), text, rng)
with archive.write() as tx:
    keep(tx, rng.getrandbits(60), text, rng)
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).resolve().parents[1])


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds to READY, the processor seconds used by then, and the seconds Python alone took just before."""

    seconds: float
    processor: float
    python: float


async def start(config: Path) -> Start:
    """Start, wait for READY=1, kill -9."""
    socket, log, python = config.with_name("notify"), config.with_name("log"), python_seconds()
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
        used = psutil.Process(daemon.pid).cpu_times()
        daemon.kill()
        await daemon.wait()
    return Start(seconds, used.user + used.system, python)


def python_seconds() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import asyncio, json, sqlite3"], check=True)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=200_000)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("data/bench/start"))
    arguments = parser.parse_args()
    folder = arguments.folder.resolve() / f"{arguments.database}-{arguments.articles}"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        url = fresh_url(arguments.database, folder / "data", stack)
        config = build(folder, arguments.articles, url)
        for name in ("start", "again after kill -9"):
            starts = []
            for _ in range(arguments.rounds):
                if name != "start":
                    leave_things_under_way(url)
                starts.append(asyncio.run(start(config)))
            print(f"{arguments.database}, {name:20} {told(starts)}")


def told(starts: list[Start]) -> str:
    """Medians of some starts, and the load of the machine."""
    seconds, used = [each.seconds for each in starts], [each.processor for each in starts]
    ratio = statistics.median(each.seconds / each.python for each in starts)
    figures = f"median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s, processor {statistics.median(used):.2f} s"
    return f"{figures}, {ratio:.0f} times Python's own start; load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
