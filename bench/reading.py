"""How well and how fast reading works on captured feeds and pages: `python -m bench.reading [folder of the captures]`.

Feeds: entries found against the suites' own counts and feedparser's, dates, CPU time; a delta parse against a full one.
Pages: F1 over 4-grams of characters (spaces left out), exact day, exact title, CPU time and its share outside extraction.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
import time
import unicodedata
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from core.article import Draft, Entry
from core.document import Document, DocumentKind, Request
from core.errors import ReadingError
from core.source import Source, SourceKind
from crawler.reading import article_text
from crawler.reading.feeds import read_feed
from crawler.reading.pages import read_page

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
ARTICLES = {"article", "news/blog article", "news article", "web page"}


def gram_f1(found: str, truth: str) -> float:
    """F1 over the multisets of 4-grams of characters, spaces left out."""
    got, want = (Counter(_grams(re.sub(r"\s+", "", text))) for text in (found, truth))
    shared = sum((got & want).values())
    return 2 * shared / (sum(got.values()) + sum(want.values())) if got and want else 0.0


def _grams(text: str) -> list[str]:
    return [text[place : place + 4] for place in range(max(1, len(text) - 3))] if text else []


def source_for(chinese: str) -> Source:
    language = "zh" if chinese == "1" else "en"
    return Source(key="bench", name="bench", kind=SourceKind.FEED, url="https://bench.test/", language=language)


def document_of(body: bytes, url: str, kind: DocumentKind) -> Document:
    return Document(Request(url, kind, "bench"), url, 200, {}, body, NOW)


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "index.csv").read_text().splitlines()))


def measure_feeds(folder: Path) -> dict[str, str]:
    counts: Counter[str] = Counter()
    full_seconds = captured_seconds = delta_seconds = known_seconds = 0.0
    for row in rows_of(folder):
        url = row["url"] or f"https://bench.test/{row['path']}"
        document, source = document_of((folder / row["file"]).read_bytes(), url, DocumentKind.FEED), source_for(row["chinese"])
        counts["files"] += 1
        start = time.process_time()
        try:
            full = read_feed(document, source, frozenset(), NOW, 2000)
        except ReadingError as error:
            counts[f"ended as {error.outcome}"] += 1
            full = None
        seconds = time.process_time() - start
        full_seconds += seconds
        found = full.found if full else 0
        if row["expected_entries"]:
            counts["with an expected count"] += 1
            counts["expected count met"] += found == int(row["expected_entries"])
        counts["entries"] += found
        if not full or row["kind"] != "captured" or not full.entries:
            continue
        counts["captured entries"] += len(full.entries)
        counts["captured entries with a date"] += sum(entry.published is not None for entry in full.entries)
        counts["captured feeds"] += 1
        captured_seconds += seconds
        start = time.process_time()
        one = read_feed(document, source, full.item_hashes - {bytes.fromhex(full.entries[0].fingerprint)}, NOW, 2000)
        middle = time.process_time()
        none = read_feed(document, source, full.item_hashes, NOW, 2000)
        known_seconds += time.process_time() - middle
        delta_seconds += middle - start
        counts["delta parse equals full parse"] += one.entries == full.entries[: len(one.entries)] and not none.entries
    rows = {name: f"{value:,}" for name, value in counts.items()}
    return rows | {
        "CPU ms a file, full": f"{1e3 * full_seconds / counts['files']:.1f}",
        "CPU ms a captured feed, full": f"{1e3 * captured_seconds / counts['captured feeds']:.2f}",
        "CPU ms a captured feed, one new item": f"{1e3 * delta_seconds / counts['captured feeds']:.2f}",
        "CPU ms a captured feed, none new": f"{1e3 * known_seconds / counts['captured feeds']:.2f}",
    }


def page_body(folder: Path, file: str) -> bytes:
    body = (folder / file).read_bytes()
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def truths_of(folder: Path) -> dict[str, dict[str, object]]:
    lines = gzip.decompress((folder / "truth.jsonl.gz").read_bytes()).splitlines()
    return {truth["file"]: truth for truth in map(json.loads, lines)}


def measure_pages(folder: Path) -> dict[str, str]:
    truths = truths_of(folder)
    scores: dict[str, list[float]] = defaultdict(list)
    counts: Counter[str] = Counter()
    extraction = _Stopwatch()
    article_text.article_text = extraction.around(article_text.article_text)
    reading = _Stopwatch()
    read = reading.around(read_page)
    for row in rows_of(folder):
        url = row["url"] or "https://bench.test/1"
        counts["pages"] += 1
        document = document_of(page_body(folder, row["file"]), url, DocumentKind.PAGE)
        try:
            draft = read(document, Entry(url), source_for(row["chinese"]), NOW)
        except ReadingError as error:
            counts[f"ended as {error.outcome}"] += 1
            draft = None
        _compare(draft, truths[row["file"]], row, scores, counts)
    rows = {name: f"{sum(values) / len(values):.3f} of {len(values)}" for name, values in sorted(scores.items())}
    return rows | {name: f"{value:,}" for name, value in counts.items()} | {
        "CPU ms a page": f"{1e3 * reading.seconds / counts['pages']:.1f}",
        "of that outside extraction": f"{1e3 * (reading.seconds - extraction.seconds) / counts['pages']:.1f}",
    }


class _Stopwatch:
    seconds = 0.0

    def around(self, function):  # noqa: ANN001, ANN202
        def timed(*arguments, **options):  # noqa: ANN002, ANN003, ANN202
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds += time.process_time() - start

        return timed


def _compare(
    draft: Draft | None, truth: dict[str, object], row: dict[str, str], scores: dict[str, list[float]], counts: Counter[str]
) -> None:
    if truth.get("text") and row["type"] in ARTICLES:
        language = "Chinese" if row["chinese"] == "1" else "other"
        scores[f"text F1, {language}"].append(gram_f1(draft.text if draft else "", str(truth["text"])))
    if truth.get("title"):
        scores["title exact"].append(float(bool(draft) and _plain(draft.title) == _plain(str(truth["title"]))))
    if isinstance(truth.get("date"), str):
        day = _day(draft)
        scores["day exact"].append(float(day == str(truth["date"])[:10]))
        counts["wrong day"] += bool(day) and day != str(truth["date"])[:10]


def _plain(text: str) -> str:
    return re.sub(r"\W", "", unicodedata.normalize("NFKC", text)).lower()


def _day(draft: Draft | None) -> str:
    """The published day in the zone it was written in."""
    if not draft or not draft.published:
        return ""
    zone = draft.published.zone
    tz = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo if zone[0] in "+-" else ZoneInfo(zone)
    return draft.published.at.astimezone(tz).date().isoformat()


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARED
    for name, measure in (("feeds", measure_feeds), ("pages", measure_pages)):
        table = Table("what", "measured", title=f"reading: {name}")
        for what, value in measure(folder / name).items():
            table.add_row(what, value)
        Console().print(table)


if __name__ == "__main__":
    main()
