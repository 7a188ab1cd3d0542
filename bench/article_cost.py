"""`python -m bench.article_cost`: what an article costs besides fetching and extraction, as a share of extraction.

CPU seconds of this process, over captured article pages (../shared/data, or JINGBAO_SHARED): extraction = from bytes to a
draft; the rest = mentions, relevance, fingerprint, identity, storing with index and bands, and matching with the shipped rules.
The goal is 20 %. Each step's share is printed, so that a step that grows is seen.
"""

from __future__ import annotations

import csv
import gzip
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alerts.desk import Desk
from alerts.matching import match_pending
from console.settings import load_settings
from core.article import Entry, Judgement, Relevance
from core.document import Document, DocumentKind, Request
from core.errors import ReadingError
from core.source import Source
from crawler.appraisal import Appraisal
from crawler.intake import Run, take_in
from crawler.judgement.canonical import canonical_url
from crawler.judgement.likeness import fingerprint
from crawler.judgement.relevance import RelevanceJudge
from crawler.reading.pages import read_page
from crawler.triage import Arrival
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist
from storage import sources
from storage.archive import Archive
from tests.newsroom.captured import captured_folder

NOW = datetime(2026, 2, 1, tzinfo=UTC)
SOURCE = Source(key="bench", name="Bench", kind="feed", language="zh", url="https://bench.test/", scope="ai-only")
GOAL = 0.20


class Costs:
    """CPU seconds by step."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        """Charge what happens inside to `step`."""
        started = time.process_time()
        try:
            yield
        finally:
            self.seconds[step] += time.process_time() - started


def pages() -> Iterator[Document]:
    """The captured article pages with a known address."""
    folder = captured_folder() / "pages"
    with (folder / "index.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if "article" not in row["type"] or not row["url"]:
                continue
            body = gzip.decompress((folder / row["file"]).read_bytes())
            request = Request(row["url"], DocumentKind.PAGE, SOURCE.key)
            headers = {"content-type": f"text/html; charset={row['charset']}" if row["charset"] else "text/html"}
            yield Document(request, row["url"], 200, headers, body, NOW)


def measure(archive: Archive, costs: Costs) -> int:
    """Take every page in; gives how many were."""
    watchlist = load_watchlist()
    finder = MentionFinder(watchlist)
    judge = RelevanceJudge(watchlist, finder)
    desk = Desk.of(load_settings().config, watchlist, finder)
    with archive.write() as tx:
        sources.ensure(tx, [SOURCE.key], NOW)
        run = Run(sources.begin_run(tx, SOURCE.key, NOW), SOURCE, NOW, NOW - timedelta(days=36500), watchlist.version)
    taken = 0
    for document in pages():
        entry = Entry(document.url)
        try:
            with costs.of("extraction"):
                draft = read_page(document, entry, SOURCE, NOW)
        except ReadingError:
            continue
        with costs.of("mentions and relevance"):
            mentions = finder.find(draft.title, draft.text)
            judge.judge(draft.title, draft.text, SOURCE, draft.language)
        with costs.of("fingerprint"):
            print_ = fingerprint(draft.title, draft.text)
        judgement = Judgement(Relevance(True, ("measured",)), mentions, print_)
        with costs.of("identity and storing"), archive.write() as tx:
            take_in(tx, run, Arrival(entry, canonical_url(document.url)), Appraisal(draft, judgement), NOW)
        taken += 1
    with costs.of("matching"), archive.write() as tx:
        while match_pending(tx, desk, NOW).articles:
            pass
    return taken


def main() -> None:
    """Measure and print; exit code 1 if the goal is missed."""
    if not captured_folder().is_dir():
        sys.exit(f"The captured pages are not at {captured_folder()}; name their parent in JINGBAO_SHARED.")
    costs = Costs()
    with tempfile.TemporaryDirectory() as folder, Archive.open(f"sqlite:///{Path(folder) / 'a.sqlite3'}", NOW) as archive:
        taken = measure(archive, costs)
    extraction = costs.seconds["extraction"]
    for step, seconds in costs.seconds.most_common():
        print(f"{step:<24} {seconds / taken * 1000:8.2f} ms an article {seconds / extraction:7.1%} of extraction")
    share = (costs.seconds.total() - extraction) / extraction
    print(f"all but extraction       {share:.1%} of extraction, over {taken} pages (goal: at most {GOAL:.0%})")
    sys.exit(share > GOAL)


if __name__ == "__main__":
    main()
