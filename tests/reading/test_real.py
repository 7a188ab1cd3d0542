"""Captured feeds and pages: nothing crashes, counts are the suites' own, a delta parse equals the full one."""

import csv
import gzip
import json
import random
from datetime import UTC, datetime

import pytest

from bench.reading import ARTICLES, gram_f1, page_body
from core.article import Entry
from core.document import DocumentKind
from core.errors import ReadingError
from crawler.reading.feeds import read_feed
from crawler.reading.pages import read_page
from tests.reading.documents import document, source

NOW = datetime(2026, 11, 24, tzinfo=UTC)
pytestmark = pytest.mark.real


def feed_rows(shared_data, count):
    rows = list(csv.DictReader((shared_data / "feeds" / "index.csv").read_text().splitlines()))
    return random.Random(7).sample(rows, count)


def read(shared_data, row, known=frozenset()):
    body = (shared_data / "feeds" / row["file"]).read_bytes()
    return read_feed(document(body, row["url"] or "https://feeds.test/" + row["path"]), source(), frozenset(known), NOW, 2000)


def test_a_sample_of_real_feeds_holds_as_many_entries_as_expected(shared_data):
    """The suites' own counts, where they give one; other files end in a reading or a named outcome."""
    wrong = []
    for row in feed_rows(shared_data, 250):
        try:
            found = read(shared_data, row).found
        except ReadingError:
            found = 0
        if row["expected_entries"] and row["expected_entries"] == row["feedparser_entries"] and found != int(row["expected_entries"]):
            wrong.append(row["file"])

    assert wrong == []


def test_on_real_feeds_a_delta_parse_equals_the_full_parse(shared_data):
    for row in (row for row in feed_rows(shared_data, 150) if row["kind"] == "captured" and int(row["bytes"]) < 200_000):
        full = read(shared_data, row)
        known = {bytes.fromhex(entry.fingerprint) for entry in full.entries[1::2]}
        expected = [entry for entry in full.entries if bytes.fromhex(entry.fingerprint) not in known]

        assert list(read(shared_data, row, known).entries) == expected, row["file"]


def test_real_chinese_pages_keep_their_text(shared_data):
    """Mean F1 over 4-grams of characters; the floor lies below the .91 that docs/design/reading.md reports."""
    truths = map(json.loads, gzip.decompress((shared_data / "pages" / "truth.jsonl.gz").read_bytes()).splitlines())
    texts = {truth["file"]: truth["text"] for truth in truths if truth.get("text")}
    index = csv.DictReader((shared_data / "pages" / "index.csv").read_text().splitlines())
    scores = []
    for row in (row for row in index if row["chinese"] == "1" and row["file"] in texts and row["type"] in ARTICLES):
        page = document(page_body(shared_data / "pages", row["file"]), row["url"] or "https://p.test/1", kind=DocumentKind.PAGE)
        try:
            text = read_page(page, Entry(row["url"]), source(), NOW).text
        except ReadingError:
            text = ""
        scores.append(gram_f1(text, texts[row["file"]]))

    assert sum(scores) / len(scores) > 0.85
