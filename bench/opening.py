"""How soon a large archive is ready after a start, and after a kill: python -m bench.opening [ARTICLES] [DATABASE].

Each start is a process of its own: open, the count, one search; the archive's texts are short, as only their number matters.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import insert, select

from bench.archive import NOW, keep, settle, texts
from storage.archive import Archive
from storage.schema import article
from tests.databases import fresh_url

ROOT = Path(__file__).resolve().parents[1]
STARTS = 5
_START = """
import json, sys, time
began = time.perf_counter()
from datetime import datetime, UTC
from storage import articles
from storage.archive import Archive
from storage.search import search
from lexicon.query import parse
from lexicon.watchlist import load_watchlist
now = datetime(2026, 11, 24, tzinfo=UTC)
watchlist = load_watchlist()
imported = time.perf_counter()
with Archive.open(sys.argv[1], now, migrate=False) as archive:
    opened = time.perf_counter()
    with archive.read() as tx:
        found = search(tx, parse("甲乙", watchlist), now)
        ended = time.perf_counter()
        print(json.dumps([imported - began, opened - imported, ended - opened, found.total]))
"""
_WRITES = """
import sys, random
from sqlalchemy import insert, select

from bench.archive import NOW, keep
from storage.archive import Archive
with Archive.open(sys.argv[1], NOW) as archive:
    with archive.write() as tx:
        for number in range(10_000_000):
            keep(tx, 10_000_000 + number, "甲乙 many words " * 20, random.Random(number))
            if number == 300:
                print("writing", flush=True)
"""


def fill(archive: Archive, size: int) -> None:
    """A thousand articles kept as always, and all others as copies of their rows."""
    rng = random.Random(7)
    with archive.write() as tx:
        for number, text in enumerate(texts(rng)):
            keep(tx, number, text[:200], rng)
        stock = [dict(row) for row in tx.connection.execute(select(article)).mappings()]
    for start in range(len(stock), size, len(stock)):
        with archive.write() as tx:
            rows = [
                row | {"id": start + row["id"], "index_row": row["index_row"] + start, "canonical_url": f"{row['url']}/{start}"}
                for row in stock
            ]
            tx.connection.execute(insert(article), rows)
            for row in rows:
                tx.index.add(tx.connection, row["index_row"], row["title"], row["text"], row["authors"])


def started(url: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", _START, url], cwd=ROOT, check=True, capture_output=True)
    return json.loads(done.stdout)


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    kind = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        url = fresh_url(kind, Path(name), stack)
        began = time.perf_counter()
        with Archive.open(url, NOW) as archive:
            fill(archive, size)
            settle(archive)
            print(f"{kind}: {size} articles, {archive.size().bytes / 1e6:.0f} MB, made in {time.perf_counter() - began:.0f} s")
        for _ in range(STARTS):
            imports, opened, found, total = started(url)
            print(f"start: imports {imports:.2f} s, open {opened:.3f} s, first search {found:.3f} s ({total} hits)")
        with subprocess.Popen([sys.executable, "-c", _WRITES, url], cwd=ROOT, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        imports, opened, found, total = started(url)
        print(f"after a kill: imports {imports:.2f} s, open {opened:.3f} s, first search {found:.3f} s ({total} hits)")


if __name__ == "__main__":
    main()
