"""The index, the matcher and the rule book give one answer, whatever is asked of whatever text."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lexicon.expression import Mention
from lexicon.matcher import hits, matches
from lexicon.plan import EVERYTHING, All, Sought, Without, plan
from lexicon.query import parse
from lexicon.rulebook import RuleBook
from tests.lexicon.cases import WATCHLIST, load_cases
from tests.lexicon.index import WordIndex
from tests.lexicon.strategies import NOW, queries, subjects

several_subjects = st.lists(subjects(), min_size=1, max_size=6)
several_queries = st.lists(queries(), min_size=1, max_size=6, unique=True)


def without_positions(leaf) -> bool:
    """What an index that keeps no positions and knows no facts can answer."""
    return isinstance(leaf, Sought) and len(leaf.words.tokens) == 1


def words_alone(leaf) -> bool:
    """What an index can answer that knows words and mentions."""
    return isinstance(leaf, Sought | Mention)


@settings(max_examples=120, deadline=None)
@given(several_queries, several_subjects, st.sampled_from(["unicode61", "ascii"]))
def test_a_plan_finds_all_that_matches_and_an_exact_one_nothing_else(asked, articles, tokenizer):
    """For an index that can do everything, one without facts, and one without positions."""
    with closing(WordIndex(articles, NOW, tokenizer)) as index:
        for text in asked:
            query = parse(text, WATCHLIST)
            meant = {n for n, article in enumerate(articles) if matches(query, article, NOW)}
            for able in (lambda _: True, words_alone, without_positions):
                planned = plan(query, able)
                found = index.find(planned.root)
                assert found >= meant
                assert found == meant or not planned.exact


@settings(max_examples=120, deadline=None)
@given(several_queries, subjects())
def test_the_rule_book_finds_what_asking_each_query_finds(asked, article):
    """In the same order too."""
    rules = {text: parse(text, WATCHLIST) for text in asked}

    assert RuleBook(rules).matching(article, NOW) == [text for text, query in rules.items() if matches(query, article, NOW)]


@settings(max_examples=120, deadline=None)
@given(queries(stories=False), subjects())
def test_what_does_not_match_has_no_hits_and_what_has_hits_matches(text, article):
    """Marks are never shown for an article that was not found."""
    query = parse(text, WATCHLIST)
    found = hits(query, article, NOW)

    assert not found or matches(query, article, NOW)
    assert all(0 <= hit.start < hit.end <= len(article.original(hit.field)) for hit in found)


def test_every_row_of_the_table_is_found_by_its_plan_and_only_if_the_table_says_so():
    """An index that knows everything leaves nothing to confirm but NEAR."""
    rows = load_cases()
    with closing(WordIndex([row.subject for row in rows], NOW)) as index:
        for number, row in enumerate(rows):
            planned = plan(parse(row.query, WATCHLIST))
            assert planned.exact is ("NEAR" not in row.query.replace('"NEAR"', ""))
            found = number in index.find(planned.root)
            assert found if row.found else (not found or not planned.exact)


@pytest.mark.parametrize(
    ("text", "exact"),
    [("芯片 -chip", True), ("华为 NEAR/3 芯片", False), ("a OR lang:zh", True), ("-(a NEAR/2 b)", False), ("a (b NEAR/2 c)", False)],
)
def test_a_plan_is_exact_unless_something_in_it_is_near_something(text, exact):
    """Distances are the matcher's to measure."""
    assert plan(parse(text, WATCHLIST)).exact is exact


def test_what_cannot_be_answered_widens_to_everything_on_both_sides_of_not():
    """A superset's complement would lose articles, so an inexact NOT finds all."""
    assert plan(parse("lang:zh", WATCHLIST), words_alone).root == EVERYTHING
    assert plan(parse("-lang:zh", WATCHLIST), words_alone).root == EVERYTHING
    assert plan(parse("芯片 OR lang:zh", WATCHLIST), words_alone).root == EVERYTHING
    narrowed = plan(parse("网络安全 lang:zh", WATCHLIST), words_alone)
    assert narrowed.root != EVERYTHING
    assert not narrowed.exact


def test_an_index_without_positions_is_asked_for_each_token():
    """And told that the phrase is still to be confirmed."""
    planned = plan(parse('"export controls"', WATCHLIST), without_positions)

    assert isinstance(planned.root, All)
    assert [part.words.tokens for part in planned.root.parts] == [("export",), ("controls",)]
    assert not planned.exact
    assert isinstance(plan(parse("-chips*", WATCHLIST), without_positions).root, Without)
