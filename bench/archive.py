"""What keeping and finding articles costs, on made-up Chinese articles: python -m bench.archive [ARTICLES] [FOLDER] [DATABASE].

DATABASE is sqlite (unless told otherwise) or postgres: the server the tests start, which flushes nothing to the disk.

Ratios mean more than the figures: to one commit flushed to the disk, and to sorting the hits by date.
"""

import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select

from core.article import DateOrigin, Draft, Fingerprint, Judgement, Precision, Published, Relevance, TextExtent
from core.language import Language
from lexicon.query import Query, parse
from lexicon.watchlist import Watchlist, load_watchlist
from storage import articles
from storage.archive import Archive, Transaction
from storage.schema import article
from storage.search import count, search
from storage.search.compiling import compile_query
from tests.databases import fresh_url

NOW = datetime(2026, 11, 24, tzinfo=UTC)
YEAR_SECONDS = 365 * 86400
CHARACTERS = 1500
ASKED_FOR = ["甲乙", "甲乙丙", "乙丙"]  # two articles in five hold one or two of these
QUERIES = (
    "甲乙",
    '"甲乙丙"',
    "甲乙 乙丙",
    "甲乙 -乙丙",
    "甲乙 since:30d",
    "甲乙 lang:zh",
    "@deepseek",
    "@deepseek 甲乙",
    "甲",
    "名無",
)


def made_up(rng: random.Random, words: list[str]) -> str:
    """A text that draws its words as a language does (Zipf), with some punctuation."""
    drawn = rng.choices(words, weights=[1 / (rank + 20) for rank in range(len(words))], k=CHARACTERS // 2)
    for place, word in enumerate(rng.sample(ASKED_FOR, rng.choice((0, 0, 0, 1, 2)))):
        drawn[rng.randrange(500) + place] = word
    return "".join(word + ("，" if rng.random() < 0.1 else "") for word in drawn)[:CHARACTERS]


def texts(rng: random.Random) -> list[str]:
    """A thousand articles of a language of three thousand words of one to three characters."""
    words = ["".join(chr(rng.randrange(0x4E50, 0x9000)) for _ in range(rng.choice((1, 2, 2, 3)))) for _ in range(3000)]
    return [made_up(rng, words) for _ in range(1000)]


def keep(tx: Transaction, number: int, text: str, rng: random.Random) -> None:
    at = NOW - timedelta(seconds=rng.randrange(YEAR_SECONDS))
    published = Published(at, Precision.SECOND, DateOrigin.FEED, "Asia/Shanghai", zone_stated=True)
    url = f"https://news.test/{number}"
    bands = tuple(rng.getrandbits(62) for _ in range(16))
    fingerprint = Fingerprint(rng.randbytes(16), rng.randbytes(256), bands, len(text))
    mentions = frozenset(rng.sample(("deepseek", "huawei", "smic", "alibaba", "baidu"), 2))
    articles.insert(
        tx,
        Draft(url, text[:30], text, "", Language.ZH_HANS, TextExtent.FULL, "the page's text", published),
        Judgement(Relevance(relevant=True, reasons=("made up",)), mentions, fingerprint),
        source=f"s{number % 80}",
        outlet=f"Outlet {number % 80}",
        canonical_url=url,
        discovered=NOW,
        watchlist_version="1",
    )


def milliseconds(work: Callable[[], object], rounds: int = 15) -> float:
    """The median of some rounds."""
    spans = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        spans.append((time.perf_counter() - started) * 1000)
    return statistics.median(spans)


def flush_milliseconds(folder: Path) -> float:
    """What this disk takes to be sure of four kilobytes."""
    with (folder / "flush").open("wb") as file:

        def flush() -> None:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())

        return milliseconds(flush, 100)


def fill(archive: Archive, size: int) -> None:
    rng = random.Random(7)
    stock = texts(rng)
    spans, began = [], time.process_time()
    for number in range(size):
        started = time.perf_counter()
        with archive.write() as tx:
            keep(tx, number, stock[number % len(stock)], rng)
        spans.append((time.perf_counter() - started) * 1000)
    cpu = (time.process_time() - began) / size * 1000
    median, mean = statistics.median(spans), statistics.fmean(spans)
    print(f"insert, a transaction each: median {median:.2f} ms, mean {mean:.2f} ms, CPU {cpu:.2f} ms")


def settle(archive: Archive) -> None:
    """What PostgreSQL's autovacuum does within a minute or two, and is off in the tests' server."""
    asyncio.run(archive.upkeep())
    if server_there(archive):
        with archive.write() as tx:
            tx.connection.exec_driver_sql("ANALYZE")


def server_there(archive: Archive) -> bool:
    return archive.name.startswith("PostgreSQL")


def find(tx: Transaction, watchlist: Watchlist) -> None:
    print(f"{'query':16} {'page':>8} {'with total':>11} {'by relevance':>13} {'sorted by date':>15}   hits")
    for text in QUERIES:
        query = parse(text, watchlist)
        spans = [milliseconds(partial(way, tx, query)) for way in (page, with_total, by_relevance, sorted_by_date)]
        hits = count(tx, query, NOW)  # None where the index alone cannot tell: a phrase in PostgreSQL
        print("{:16} {:6.2f}ms {:9.2f}ms {:11.2f}ms {:13.2f}ms".format(text, *spans), f"{'-' if hits is None else hits:>7}")


def page(tx: Transaction, query: Query) -> object:
    compiled = compile_query(tx.index, query, NOW)
    rows = compiled.of(select(compiled.row)).order_by(compiled.row.desc()).limit(20)
    return articles.by_index_rows(tx, tx.connection.scalars(rows).all())


def with_total(tx: Transaction, query: Query) -> object:
    return search(tx, query, NOW)


def by_relevance(tx: Transaction, query: Query) -> object:
    return search(tx, query, NOW, order="relevance")


def sorted_by_date(tx: Transaction, query: Query) -> object:
    found = compile_query(tx.index, query, NOW).of(select(article.c.id))
    return tx.connection.execute(found.order_by(article.c.at.desc()).limit(20)).all()


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name, ExitStack() as stack:
        folder = Path(name)
        print(f"{size} articles of {CHARACTERS} characters; a flush to this disk takes {flush_milliseconds(folder):.2f} ms")
        url = fresh_url(sys.argv[3] if len(sys.argv) > 3 else "sqlite", folder, stack)
        with Archive.open(url, NOW) as archive:
            fill(archive, size)
            settle(archive)
            with archive.read() as tx:
                find(tx, load_watchlist())
            print(f"{archive.size().bytes / size / 1024:.1f} KB an article, index and all")


if __name__ == "__main__":
    main()
