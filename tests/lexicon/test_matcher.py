"""What is asked of an article itself, and which places made it match."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.article import Article, DateOrigin, Precision, Published, StoryFacts, TextExtent
from core.language import Language
from lexicon.matcher import hits, matches
from lexicon.query import parse
from lexicon.subject import Subject
from tests.lexicon.cases import WATCHLIST

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SUBJECT = Subject(
    title="DeepSeek 发布新模型",
    text="训练用了国产芯片。",
    source="people-tech",
    outlet="新華社",
    language=Language.ZH_HANS,
    authors=("Zhang San", "李雷"),
    mentions=frozenset({"deepseek"}),
    at=datetime(2026, 11, 20, 16, 30, tzinfo=UTC),
    story=StoryFacts(7, outlets=3, presses=frozenset({"zh"}), first_press="zh"),
)


def asks(query: str, subject: Subject = SUBJECT) -> bool:
    return matches(parse(query, WATCHLIST), subject, NOW)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("source:people-tech", True),
        ("source:People-Tech", True),
        ("source:people", False),
        ("source:新华社", True),
        ("source:新華社", True),
        ('source:"新华社"', True),
        ("lang:zh", True),
        ("lang:zh-hans", True),
        ("lang:zh-Hant", False),
        ("lang:en", False),
        ("by:zhang", True),
        ('by:"Zhang San"', True),
        ('by:"San Zhang"', False),
        ("by:李", True),
        ("by:李雷", True),
        ("by:雷李", False),
        ("by:Zha", False),
        ("topic:models", True),
        ("topic:controls", False),
        ("@deepseek", True),
        ("@models -@qwen", True),
        ("after:2026-11-20", True),
        ("after:2026-11-21", False),
        ("after:2026-11", True),
        ("after:2026", True),
        ("before:2026-11-20", False),
        ("before:2026-11-21", True),
        ("after:2026-11-21T00:00+08:00", True),
        ("after:2026-11-21T01:00+08:00", False),
        ("after:2026-11-20T16:30", True),
        ("before:2026-11-20T16:30", False),
        ("since:4d", True),
        ("since:3d", False),
        ("since:87h", False),
        ("since:88h", True),
        ("since:1w", True),
        ("story:zh-only", True),
        ("story:en-only", False),
        ("story:both", False),
        ("first:zh", True),
        ("first:en", False),
        ("outlets:>=3", True),
        ("outlets:>3", False),
        ("outlets:3", True),
        ("outlets:=3", True),
        ("outlets:<=3", True),
        ("outlets:<3", False),
        ("outlets:2", False),
    ],
)
def test_facts(query, found):
    """Of one article, each field asked both ways."""
    assert asks(query) is found
    assert asks(f"-{query}") is not found


def test_a_story_in_both_presses_is_in_neither_alone():
    """The presses are those of the whole story."""
    both = replace(SUBJECT, story=StoryFacts(7, 4, frozenset({"zh", "en"}), "en"))

    assert asks("story:both first:en", both)
    assert not asks("story:zh-only OR story:en-only", both)


def test_a_draft_without_a_date_is_neither_before_nor_after():
    """What is not known is not so."""
    draft = Subject.of_text("DeepSeek", "")

    assert not asks("after:2020 OR before:2030 OR since:9w", draft)
    assert asks("deepseek -after:2020", draft)


def test_since_counts_back_from_now():
    """The same article is new today and old next week."""
    query = parse("since:7d", WATCHLIST)

    assert matches(query, SUBJECT, NOW)
    assert not matches(query, SUBJECT, NOW + timedelta(days=7))


def test_a_kept_article_is_asked_with_all_it_has():
    """Its summary stands in for a text that is not held; its moment is Article.at."""
    article = Article(
        id=1, story_id=2, source="people-tech", outlet="人民网", url="https://a.test/1", canonical_url="https://a.test/1",
        title="标题", text="", summary="国产芯片", language=Language.ZH_HANS, extent=TextExtent.SUMMARY, extent_reason="paywall",
        published=Published(NOW, Precision.DAY, DateOrigin.FEED, "Asia/Shanghai", zone_stated=True),
        discovered=NOW - timedelta(hours=1), authors=("李雷",), mentions=frozenset({"qwen"}),
        story=StoryFacts(2, 2, frozenset({"zh", "en"}), "zh"),
    )  # fmt: skip
    subject = Subject.of_article(article)

    assert asks("芯片 source:人民网 by:李雷 @qwen lang:zh story:both outlets:2 since:1h", subject)
    assert not asks("since:1h", replace(subject, at=NOW - timedelta(hours=2)))


def marked(query: str, subject: Subject) -> list[tuple[str, str, str]]:
    found = hits(parse(query, WATCHLIST), subject, NOW)
    return [(str(hit.field), subject.original(hit.field)[hit.start : hit.end], hit.term) for hit in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("芯片", [("title", "晶片", "芯片"), ("text", "芯片", "芯片"), ("text", "芯片", "芯片")]),
        ('"晶片"', [("title", "晶片", "晶片")]),
        ("glm5", [("text", "GLM－5", "glm5")]),
        ("chip", [("text", "Chips", "chip")]),
        ("ch*", [("text", "Chips", "ch")]),
        ("片", [("title", "片", "片"), ("text", "片", "片"), ("text", "片", "片")]),
        ("华为 OR 手机", [("title", "華為", "华为")]),
        ("(华为 手机) OR chip", [("text", "Chips", "chip")]),
        ("华为 -手机", [("title", "華為", "华为")]),
        ("title:芯片", [("title", "晶片", "芯片")]),
        ("性能 NEAR/2 芯片", [("text", "芯片", "芯片"), ("text", "性能", "性能")]),
        ("lang:en OR 华为", [("title", "華為", "华为")]),
        ("手机", []),
    ],
)
def test_hits_are_the_words_that_made_it_match(query, expected):
    """As they stand in the original, in its own script and width; sides of an OR that do not hold are not marked."""
    subject = Subject.of_text("華為AI晶片", "新芯片的性能更好。GLM－5 用的也是国产芯片。Chips and more.")

    assert marked(query, subject) == expected


def test_a_hit_of_a_hidden_character_takes_it_along():
    """A mark in what people see has no hole."""
    assert marked("芯片", Subject.of_text("", "新芯\u200b片")) == [("text", "芯\u200b片", "芯片")]
