"""The reference's examples do what it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lexicon.facts import FIELDS
from lexicon.matcher import matches
from lexicon.query import parse
from lexicon.subject import Subject
from lexicon.watchlist import load_watchlist

REFERENCE = (Path(__file__).resolve().parents[2] / "docs/reference/query-language.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
FOUND = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", REFERENCE, re.MULTILINE)
EXPLAINED = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", REFERENCE, re.MULTILINE)


def subject(written: str) -> Subject:
    title, divider, text = written.partition(" ‖ ")
    return Subject.of_text(title if divider else "", text if divider else title)


@pytest.mark.parametrize(("query", "found", "not_found"), FOUND)
def test_an_example_finds_the_one_text_and_not_the_other(query, found, not_found):
    """Row by row."""
    asked = parse(query, load_watchlist())

    assert matches(asked, subject(found), NOW)
    assert not matches(asked, subject(not_found), NOW)


def test_every_example_can_be_read():
    """With the shipped watchlist."""
    blocks = re.findall(r"^```\n(.+?) *\n```", REFERENCE, re.MULTILINE)
    for query in [*(query for query, _ in EXPLAINED), blocks[0]]:
        assert parse(query, load_watchlist()).text == query


def test_every_field_has_an_example():
    """None is left to be found in the code."""
    examples = " ".join(row[0] for row in [*FOUND, *EXPLAINED])

    assert len(FOUND) > 25
    for field in FIELDS:
        assert f"{field}:" in examples
