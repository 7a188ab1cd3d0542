"""Copies among real articles: wire reprints, press releases reworked, reports written apart. Figures: docs/design/identity.md."""

import gzip
import json
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest

from core.article import Candidate, Draft, TextExtent
from core.language import Language
from core.source import Source
from crawler.judgement.identity import Copy, decide, reads_as_digest
from crawler.judgement.likeness import fingerprint

DATA = Path(__file__).parents[3] / "shared" / "data" / "duplicates"
NOW = datetime(2026, 2, 1, tzinfo=UTC)
SOURCE = Source.model_validate({"key": "new", "name": "new", "kind": "feed", "url": "https://x.example/", "language": "zh"})

pytestmark = [pytest.mark.real, pytest.mark.skipif(not DATA.is_dir(), reason="the real data is not here")]


def rows(name: str) -> list[dict]:
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def copies(pairs) -> list[bool]:
    """Whether the second of each (title, text) pair, found by hash or band alone, is taken for a copy of the first."""
    return [_is_copy(*one, *other) for one, other in pairs]


def _is_copy(old_title: str, old_text: str, title: str, text: str) -> bool:
    old, new = fingerprint(old_title, old_text), fingerprint(title, text)
    if old.text_hash != new.text_hash and not set(old.bands) & set(new.bands):
        return False
    candidate = Candidate(1, 1, "old", "old", "https://y.example/", old_title, old.text_hash, old.signature, old.weight, NOW)
    draft = Draft("https://x.example/", title, text, "", Language.OTHER, TextExtent.FULL, "")
    return isinstance(decide(draft, new, SOURCE, [candidate], NOW), Copy)


def test_wire_reprints_are_found():
    """Pairs mined from the Chinese press: nearly all that share two fifths of their five-character runs, digests aside."""
    pairs = [
        tuple((side["title"], side["text"]) for side in (row["a"], row["b"]))
        for row in rows("exposir_wire_pairs_mined")
        if row["jaccard5"] >= 0.4 and not any(reads_as_digest(side["title"]) for side in (row["a"], row["b"]))
    ]
    found = copies(pairs)
    assert len(found) > 20
    assert sum(found) / len(found) > 0.9


def test_reports_of_different_events_are_never_copies():
    """All pairs of English energy reports that belong to different events."""
    articles = {row["url"]: (row["title"], row["text"]) for row in rows("energy_story_chains_articles")}
    pairs = [(articles[p["url1"]], articles[p["url2"]]) for p in rows("energy_story_chains_pairs") if p["label"] == 0]
    assert len(pairs) > 800
    assert not any(copies(pairs))


def test_planted_copies_are_found_and_nothing_else():
    """A thousand English texts with known near-copies: recall and precision 1."""
    articles = {row["id"]: fingerprint("", row["text"]) for row in rows("minhash_articles_1000")}
    texts = {row["id"]: ("", row["text"]) for row in rows("minhash_articles_1000")}
    by_band: dict[int, list[str]] = {}
    for key, found in articles.items():
        for band in found.bands:
            by_band.setdefault(band, []).append(key)
    near = {frozenset(pair) for keys in by_band.values() for pair in combinations(keys, 2)}
    found = {pair for pair in near if copies([tuple(texts[key] for key in sorted(pair))]) == [True]}
    assert found == {frozenset(row["pair"]) for row in rows("minhash_truth_1000")}
