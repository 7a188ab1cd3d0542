"""What is found and what is not, row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lexicon.matcher import hits, matches
from lexicon.query import parse
from lexicon.rulebook import RuleBook
from tests.lexicon.cases import WATCHLIST, Case, load_cases

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
CASES = load_cases()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matcher_says_what_the_table_says(case: Case):
    """Each row of cases.tsv."""
    query = parse(case.query, WATCHLIST)

    assert matches(query, case.subject, NOW) is case.found


def test_all_queries_of_the_table_at_once_find_in_each_text_what_each_finds_alone():
    """Alerts ask the rule book, which must not know better than the matcher."""
    queries = {str(case): parse(case.query, WATCHLIST) for case in CASES}
    book = RuleBook(queries)

    for case in CASES:
        subject = case.subject
        alone = [name for name, query in queries.items() if matches(query, subject, NOW)]
        assert book.matching(subject, NOW) == alone


def test_what_is_not_found_has_no_hits_and_hits_are_inside_the_text():
    """A row that says no marks nothing; every mark is a piece of title or text."""
    for case in CASES:
        subject = case.subject
        found = hits(parse(case.query, WATCHLIST), subject, NOW)
        assert case.found or not found
        for hit in found:
            assert 0 <= hit.start < hit.end <= len(subject.original(hit.field))


def test_the_table_is_large_and_answers_both_ways():
    """Two hundred rows and more, none twice, a good part of them no."""
    assert len(CASES) >= 200
    assert len({str(case) for case in CASES}) == len(CASES)
    assert sum(not case.found for case in CASES) > len(CASES) / 4
