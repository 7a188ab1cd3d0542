"""Made-up texts, subjects and queries that meet often, for laws that hold for all of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from core.article import StoryFacts
from core.language import Language
from lexicon.subject import Subject

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
_PIECES = [
    *"华为芯片国产人工智能网云能",
    *("晶片", "華為", "人工智能", "人工智慧", "芯片", "AI", "ai", "chip", "Chips", "chipmaker", "GLM", "Export", "controls"),
    *("5", "4.5", "20", "C++", "#", "é", "e\u0301", "\u200b", "テ", "삼성"),
    *(" ", " ", " ", "-", ".", "，", "。", "\n", "’s ", "“", "ＡＩ", "ß", "½"),
]
_WORDS = [
    *("芯", "片", "网", "芯片", "晶片", "华为", "人工智能", "工智能", "国产芯片", "AI芯片", "华为AI", "AI芯"),
    *("ai", "AI", "chip", "chips", "GLM", "GLM-5", "GLM5", "4.5", "5", "C++", "export", "controls", "AI’s", "テ", "삼"),
    *('"芯片"', '"chip"', '"export controls"', '"AI chip"', '"芯 片"', '"人工智能 AI"', "“华为”", '"GLM 4.5"'),
    *("chip*", "ch*", "GL*", '"export con*"', "AI芯*"),
]
_FACTS = [
    *("@deepseek", "@models", "topic:controls", "lang:zh", "lang:en", "lang:zh-Hant", "source:people", "source:Reuters"),
    *('source:"新华社"', "by:Zhang", 'by:"Li Lei"', "by:王", "after:2026-11-20", "before:2026-11-20T12:00+08:00"),
    *("since:2d", "since:12h", "before:2026"),
]
_STORY_FACTS = ["story:zh-only", "story:en-only", "story:both", "first:zh", "first:en", "outlets:>=2", "outlets:<3", "outlets:1"]


def texts(most: int = 25) -> st.SearchStrategy[str]:
    """A text of at most `most` pieces in both scripts, with what stands between and inside words."""
    return st.lists(st.sampled_from(_PIECES), max_size=most).map("".join)


def subjects() -> st.SearchStrategy[Subject]:
    """An article as a subject, some of whose facts the queries ask for."""
    stories = st.builds(
        StoryFacts,
        st.just(1),
        st.integers(1, 4),
        st.frozensets(st.sampled_from(["zh", "en"])),
        st.sampled_from(["zh", "en", ""]),
    )
    return st.builds(
        Subject,
        title=texts(8),
        text=texts(),
        source=st.sampled_from(["people", "reuters", "36kr"]),
        outlet=st.sampled_from(["人民网", "Reuters", "新华社"]),
        language=st.sampled_from(Language),
        authors=st.lists(st.sampled_from(["Zhang San", "Li Lei", "王五", "Lei Li"]), max_size=2).map(tuple),
        mentions=st.frozensets(st.sampled_from(["deepseek", "qwen", "bis", "controls"])),
        at=st.integers(0, 24 * 10).map(lambda hours: NOW - timedelta(hours=hours)),
        story=stories,
    )


def queries(*, stories: bool = True) -> st.SearchStrategy[str]:
    """A query as typed, which can be read with the watchlist of tests/lexicon/cases.py; `stories`: may ask for a story's facts."""
    words = st.sampled_from(_WORDS)
    side = words | st.lists(words, min_size=2, max_size=3).map(lambda several: f"({' OR '.join(several)})")
    nearby = st.builds("{} NEAR/{} {}".format, side, st.integers(1, 6), side)
    facts = st.sampled_from([*_FACTS, *(_STORY_FACTS if stories else [])])
    single = st.one_of(words, words, words, nearby, facts, words.map("title:{}".format), nearby.map("title:({})".format))
    return st.recursive(single, _joined, max_leaves=6)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({}) ({})".format, inner, inner),
        st.builds("({}) AND ({})".format, inner, inner),
        st.builds("({}) OR ({})".format, inner, inner),
        st.builds("（{}） -（{}）".format, inner, inner),
        inner.map("NOT ({})".format),
        inner.map("title:({})".format),
    )
