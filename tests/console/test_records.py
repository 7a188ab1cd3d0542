"""What programs and spreadsheets get of an article."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from console.records import FIELDS, article_record, write_csv, write_jsonl
from core.article import Article, DateOrigin, Precision, Published, TextExtent
from core.language import Language


def article(title: str = "A title") -> Article:
    return Article(
        id=7,
        story_id=3,
        source="s",
        outlet="The Outlet",
        url="https://example.org/a",
        canonical_url="https://example.org/a",
        title=title,
        text="正文\n第二段",
        summary="",
        language=Language.ZH_HANS,
        extent=TextExtent.FULL,
        extent_reason="",
        published=Published(datetime(2026, 1, 2, 3, 4, tzinfo=UTC), Precision.MINUTE, DateOrigin.FEED, "UTC", True),
        discovered=datetime(2026, 1, 2, 4, 0, tzinfo=UTC),
        mentions=frozenset({"huawei", "deepseek"}),
    )


def test_json_lines_give_the_text_exactly() -> None:
    out = io.StringIO()

    assert write_jsonl([article("=1+1")], out) == 1

    record = json.loads(out.getvalue())
    assert record["title"] == "=1+1"
    assert record["text"] == "正文\n第二段"
    assert record["published"] == "2026-01-02T03:04:00Z"
    assert record["mentions"] == ["deepseek", "huawei"]
    assert tuple(record) == FIELDS


@pytest.mark.parametrize("start", list("=+-@\t\r＝＋－＠"))
def test_no_cell_of_a_table_can_be_run_as_a_formula(start: str) -> None:
    out = io.StringIO()

    write_csv([article(start + "cmd|' /C calc'!A0")], out)

    (row,) = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    assert row["title"].startswith("'" + start)


def test_an_unknown_time_stays_unknown() -> None:
    made = article()
    unknown = Article(**{name: getattr(made, name) for name in made.__dataclass_fields__} | {"published": None})

    assert article_record(unknown)["published"] is None
