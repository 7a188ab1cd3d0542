"""Queries are read as they are meant, or refused with the place and what would work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import QueryError
from lexicon.expression import And, Field, Near, Not, Or, Term
from lexicon.query import MAX_CHARACTERS, MAX_TERMS, parse
from tests.lexicon.cases import WATCHLIST
from tests.lexicon.strategies import queries


def shape(node) -> str:
    """A tree as a formula."""
    match node:
        case And(parts):
            return "(" + " & ".join(map(shape, parts)) + ")"
        case Or(parts):
            return "(" + " | ".join(map(shape, parts)) + ")"
        case Not(part):
            return "!" + shape(part)
        case Term():
            return f"{'title:' if node.field is Field.TITLE else ''}{node.typed}{'*' if node.forms[0].prefix else ''}"
        case Near():
            return f"<{'/'.join(map(shape, node.left))} {node.distance} {'/'.join(map(shape, node.right))}>"
        case fact:
            return type(fact).__name__


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aa bb cc", "(aa & bb & cc)"),
        ("aa AND bb cc", "(aa & bb & cc)"),
        ("aa OR bb cc OR dd", "(aa | (bb & cc) | dd)"),
        ("aa -bb", "(aa & !bb)"),
        ("aa NOT bb OR cc", "((aa & !bb) | cc)"),
        ("-(aa OR bb)", "!(aa | bb)"),
        ("NOT NOT aa", "!!aa"),
        ("aa-bb", "aa-bb"),
        ("aa NEAR/3 bb cc", "(<aa 3 bb> & cc)"),
        ("(aa OR bb) NEAR cc", "<aa/bb 10 cc>"),
        ("-aa NEAR/3 bb", None),
        ("title:(aa bb) cc", "((title:aa & title:bb) & cc)"),
        ("title:aa bb", "(title:aa & bb)"),
        ("-title:aa", "!title:aa"),
        ("TITLE:aa", "title:aa"),
        ("title:(aa (bb OR cc))", "(title:aa & (title:bb | title:cc))"),
        ('"aa bb"*', "aa bb*"),
        ("aa* bb", "(aa* & bb)"),
        ('aa"bb"cc', "(aa & bb & cc)"),
        ("(aa)bb", "(aa & bb)"),
        ("aa and bb", "(aa & and & bb)"),
        ('"AND"', "AND"),
        ("aa、bb。cc", "(aa & bb & cc)"),
        ("12:30", "12:30"),
        ("外交部：声明", "外交部:声明"),
        ("source:a:b lang:en", "(SourceIs & LanguageIs)"),
        ("lang: zh", "LanguageIs"),
        ("after:2026-01-05T08:00+08:00", "PublishedFrom"),
        ("since:7d since:12h since:2w", "(PublishedWithin & PublishedWithin & PublishedWithin)"),
        ("before:2026/1/5 after:2026-01 after:2025", "(PublishedBefore & PublishedFrom & PublishedFrom)"),
        ("outlets:>=2 outlets:≥2 outlets:3 outlets:<9", "(StoryOutlets & StoryOutlets & StoryOutlets & StoryOutlets)"),
    ],
)
def test_the_tree_of(text, expected):
    """Nothing binds closer than a field and NOT, then NEAR, AND, OR; side by side is AND. A side of NEAR is never excluded."""
    if expected is None:
        with pytest.raises(QueryError):
            parse(text, WATCHLIST)
    else:
        assert shape(parse(text, WATCHLIST).root) == expected


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("（华为　OR　“芯片”）", '(华为 OR "芯片")'),
        ("title：芯片", "title:芯片"),
        ("标题:芯片", "title:芯片"),
        ("作者：张三", "by:张三"),
        ("＠deepseek　－芯片", "@deepseek -芯片"),
        ("–芯片", "-芯片"),
        ("「出口管制」＊", '"出口管制"*'),
        ("”出口管制”", '"出口管制"'),
        ('“出口管制"', '"出口管制"'),
        ("outlets：＞＝2", "outlets:>=2"),
    ],
)
def test_signs_of_chinese_keyboards_are_read_like_plain_ones(typed, plain):
    """Full-width signs, corner brackets, quotation marks that open or close twice."""
    assert parse(typed, WATCHLIST).root == parse(plain, WATCHLIST).root


@pytest.mark.parametrize(
    ("text", "position", "message", "hint"),
    [
        ("", 0, "empty", "as in"),
        ("  ", 0, "empty", "as in"),
        ("(chip", 0, "never closed", ")"),
        ("chip)", 4, "closes nothing", "("),
        ("()", 1, "between ( and )", "word"),
        ("chip AND", 8, "after AND", "word"),
        ("OR chip", 0, "before OR", "word"),
        ("chip AND OR gpu", 9, "between AND and OR", "word"),
        ("chip NOT", 8, "after NOT", "word"),
        ("chip - gpu", 5, "excludes nothing", "-word"),
        ('"chip', 0, "never closed", '"export controls"'),
        ("华为 “芯片", 3, "never closed", '"export controls"'),
        ("titel:chip", 0, "no field titel", "title"),
        ("http://example.com", 0, "no field http", "quotes"),
        ("@deepsek", 0, "no @deepsek", "@deepseek"),
        ("@nothing-like-it", 0, "no @nothing-like-it", "@chinese-models"),
        ("@", 0, "no concept", "@chinese-models"),
        ("topic:control", 6, "no topic control", "controls"),
        ("topic:zzz", 6, "no topic zzz", "models, controls"),
        ("after:2026-13-01", 6, "no date", "2026-01-20"),
        ("after:yesterday", 6, "no date", "since:7d"),
        ("before:", 7, "needs one value", "before:VALUE"),
        ('source:" "', 7, "needs one value", "source:VALUE"),
        ("since:7", 6, "no span", "since:7d"),
        ("since:week", 6, "no span", "since:2w"),
        ("lang:fr", 5, "No language", "zh-Hant"),
        ("lang:(zh OR en)", 5, "needs one value", "(lang:A OR lang:B)"),
        ("title:", 0, "needs a word", "title:芯片"),
        ("by:…", 3, "needs a name", "by:"),
        ("story:chinese", 6, "says nothing", "story:zh-only"),
        ("first:fr", 6, "says nothing", "first:zh"),
        ("outlets:many", 8, "no number", "outlets:>=2"),
        ("chip NEAR/0 gpu", 5, "no distance", "1 to 100"),
        ("chip NEAR/x gpu", 5, "no distance", "1 to 100"),
        ("chip NEAR/5", 11, "after NEAR", "word"),
        ("chip NEAR/5 -gpu", 5, "words alone", "OR"),
        ("(chip gpu) NEAR/5 tpu", 11, "words alone", "OR"),
        ("@deepseek NEAR/5 gpu", 10, "words alone", "OR"),
        ("title:chip NEAR/5 gpu", 11, "words alone", "both in the title"),
        ("a NEAR/5 b NEAR/5 c", 11, "not three", "AND"),
        ("*", 0, "stands for nothing", "robot*"),
        ("a*", 0, "two letters", "robot*"),
        ("ro*bot", 2, "only end", "robot*"),
        ("chip &", 5, "no word in &", "Leave it out"),
        ('chip ""', 5, "no word in these quotes", "Leave it out"),
        ("芯片 title：titel：a", 3, "needs a word", "title:芯片"),
        ("(" * 40 + "a" + ")" * 40, 32, "levels", "flatter"),
        ("NOT " * 40 + "a", 128, "levels", "flatter"),
        (" ".join(["a"] * (MAX_TERMS + 1)), 2 * MAX_TERMS, "more than 64 terms", "Divide"),
        ("a" * (MAX_CHARACTERS + 1), MAX_CHARACTERS, "more than 2,000 characters", "Divide"),
    ],
)
def test_an_error_says_where_and_what_would_work(text, position, message, hint):
    """So that a person can mend a query without a manual."""
    with pytest.raises(QueryError) as caught:
        parse(text, WATCHLIST)

    assert caught.value.position == position
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_the_largest_queries_allowed_are_read():
    """The limits are what they say."""
    assert len(parse(" ".join(["a"] * MAX_TERMS), WATCHLIST).root.parts) == MAX_TERMS
    assert parse("a" * MAX_CHARACTERS, WATCHLIST)


def refusal(text: str) -> QueryError | None:
    """The error of reading `text`, if there is one."""
    try:
        parse(text, WATCHLIST)
    except QueryError as error:
        return error
    return None


@given(st.text(max_size=30) | st.text(st.sampled_from('ab芯 ()"“”*-:@/ANDORTEitle，'), max_size=30))
def test_whatever_is_typed_is_read_or_refused_at_a_place_in_it(text):
    """No other error, whatever the characters."""
    error = refusal(text)

    assert error is None or (0 <= error.position <= len(text) and error.hint)


@given(queries())
def test_a_query_is_kept_as_typed(text):
    """What a mail or a configuration shows is what was written."""
    assert parse(text, WATCHLIST).text == text
