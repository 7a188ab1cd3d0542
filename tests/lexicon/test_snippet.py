"""Snippets show what was found, on one line, cut where sentences and words end."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from lexicon.expression import Field
from lexicon.matcher import hits
from lexicon.query import parse
from lexicon.snippet import columns, lead, marked_title, snippets
from lexicon.subject import Subject
from tests.lexicon.cases import WATCHLIST
from tests.lexicon.strategies import queries, subjects

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
TEXT = (
    "周二，一家上海公司展示了新的训练集群。集群由两千张国产芯片组成，电力来自西部的风电场，运营方说成本比去年低三成，明年还要再扩建一倍，并向高校开放。\n"
    "The cluster's chips were tested for six months. Analysts who follow the company's spending said that the domestic "
    "chips still trail foreign ones in memory bandwidth, though by less than they did 1.5 years ago."
)


def shown(query: str, text: str = TEXT, width: int = 60, most: int = 2) -> list[tuple[str, list[str]]]:
    subject = Subject.of_text("", text)
    found = snippets(hits(parse(query, WATCHLIST), subject, NOW), subject, width, most)
    return [(one.text, [one.text[start:end] for start, end in one.marks]) for one in found]


def test_a_sentence_that_fits_is_shown_whole():
    """With the mark that ends it."""
    assert shown("集群 上海", width=50)[0] == ("周二，一家上海公司展示了新的训练集群。", ["上海", "集群"])


def test_a_sentence_too_wide_is_cut_around_the_hit_and_says_so():
    """In Chinese between any two characters."""
    (text, marks), = shown("风电场")

    assert marks == ["风电场"]
    assert text.startswith("…")
    assert text.endswith("…")
    assert text.strip("…") in TEXT


def test_an_english_cut_divides_no_word():
    """Every piece of the snippet is a word of the text."""
    (text, marks), = shown("bandwidth")

    assert marks == ["bandwidth"]
    assert set(text.strip("…").split()) <= set(TEXT.split())


def test_a_point_inside_a_number_ends_no_sentence():
    """1.5 is one number."""
    (text, _), = shown("ago", width=200)

    assert text.startswith("Analysts who")
    assert text.endswith("1.5 years ago.")


def test_following_sentences_come_along_while_there_is_room():
    """A short sentence alone would waste the room."""
    assert shown("一", "一句。两句。三句。", width=12) == [("一句。两句。", ["一"])]


def test_the_passages_that_show_most_terms_are_chosen_and_keep_the_text_s_order():
    """Two of three, the one with both terms among them."""
    text = "芯片很多。\n芯片又很多很多。\n算力与芯片都有。"

    assert [one for one, _ in shown("芯片 算力", text, width=18)] == ["芯片很多。", "算力与芯片都有。"]
    assert [one for one, _ in shown("芯片 算力", text, width=18, most=1)] == ["算力与芯片都有。"]


def test_line_breaks_and_marks_that_touch():
    """A snippet is one line; neighbouring marks are one mark."""
    assert shown("二 OR 三", "一二三", width=20) == [("一二三", ["二三"])]
    assert shown('"二 三"', "一二\n三四", width=20) == [("一二 三四", ["二 三"])]


def test_titles_are_marked_whole():
    """Whatever their length."""
    subject = Subject.of_text("华为\t发布芯片", "")
    title = marked_title(hits(parse("芯片", WATCHLIST), subject, NOW), subject)

    assert title.text == "华为 发布芯片"
    assert title.marks == ((5, 7),)


def test_a_lead_is_the_text_s_beginning():
    """For articles found by a fact or a mention."""
    assert lead(TEXT, 60).text == "周二，一家上海公司展示了新的训练集群。"
    assert lead("", 60).text == ""
    assert lead("一" * 100, 20).text == "一" * 9 + "…"


@given(queries(), subjects(), st.integers(8, 60))
def test_snippets_keep_to_their_width_and_mark_what_was_hit(text, subject, width):
    """Whatever the query and the text; only a hit wider than the room may pass it."""
    found = hits(parse(text, WATCHLIST), subject, NOW)
    in_text = [hit for hit in found if hit.field is Field.TEXT]
    passages = snippets(found, subject, width)

    assert bool(passages) is bool(in_text)
    widest = max((columns(subject.text[hit.start : hit.end]) for hit in in_text), default=0)
    for passage in passages:
        assert columns(passage.text) <= max(width, widest + 2)
        assert "\n" not in passage.text
        assert passage.marks
        ends = [place for mark in passage.marks for place in mark]
        assert ends == sorted(set(ends))
        assert ends[0] >= 0
        assert ends[-1] <= len(passage.text)
