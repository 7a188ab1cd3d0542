"""What a query found is marked: its words, and the names of the concepts it asks for."""

from __future__ import annotations

from datetime import UTC, datetime

from lexicon.expression import Field
from lexicon.marking import marked
from lexicon.mentions import MentionFinder
from lexicon.query import parse
from lexicon.subject import Subject
from lexicon.watchlist import load_watchlist

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WATCHLIST = load_watchlist()
FINDER = MentionFinder(WATCHLIST)


def marks(title: str, text: str, *queries: str) -> list[tuple[Field, str]]:
    subject = Subject.of_text(title, text, mentions=FINDER.find(title, text))
    found = marked([parse(query, WATCHLIST) for query in queries], subject, FINDER, NOW)
    return [(hit.field, (title if hit.field is Field.TITLE else text)[hit.start : hit.end]) for hit in found]


def test_names_of_concepts_and_words_are_marked_the_titles_first() -> None:
    found = marks("深度求索发布新模型", "DeepSeek的价格下降", "@deepseek 价格")

    assert found == [(Field.TITLE, "深度求索"), (Field.TEXT, "DeepSeek"), (Field.TEXT, "价格")]


def test_what_two_queries_find_at_one_place_is_marked_once() -> None:
    assert marks("DeepSeek", "", "@deepseek", "deepseek") == [(Field.TITLE, "DeepSeek")]


def test_what_a_query_excludes_is_not_marked() -> None:
    assert marks("DeepSeek and Huawei", "", "@deepseek NOT @baidu") == [(Field.TITLE, "DeepSeek")]
