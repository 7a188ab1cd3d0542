from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.trial import rule_of, trial
from core.article import Article, DateOrigin, Precision, Published, TextExtent
from core.errors import QueryError
from core.language import Language
from storage.outbox import MatchState
from tests.alerts.test_telling import ANN, CHIPS, NOW, desk

SINCE = NOW - timedelta(days=10)


def article(number: int, title: str, hours_ago: float, story: int = 0, **other) -> Article:
    at = NOW - timedelta(hours=hours_ago)
    published = Published(at, Precision.MINUTE, DateOrigin.FEED, "UTC", zone_stated=True)
    made = Article(
        number, story or number, "news", "News", f"https://n.example/{number}", f"https://n.example/{number}",
        title, "", "", Language.EN, TextExtent.FULL, "", published, at,
    )  # fmt: skip
    return replace(made, **other)


def test_a_query_shows_the_mails_it_would_have_made_and_why():
    found = [article(1, "A chip", 5), article(2, "Another chip", 5), article(3, "A third Chip", 2), article(4, "A robot", 2)]
    result = trial(desk(), rule_of(desk(), "chip"), found, SINCE, NOW)

    assert [[item.article.id for item in mail.items] for mail in result.mails] == [[1, 2], [3]]
    assert [item.found for mail in result.mails for item in mail.items] == [("chip",), ("chip",), ("Chip",)]
    assert result.unsent == ()


def test_a_rule_goes_by_its_own_rhythm_and_its_readers_zone():
    daily = {**CHIPS, "when": "daily 08:00", "enabled": False}
    of = desk(daily)
    result = trial(of, rule_of(of, "chips"), [article(1, "A chip", 30), article(2, "A chip too", 0.5)], SINCE, NOW)

    assert [(mail.kind, mail.at) for mail in result.mails] == [("digest", NOW - timedelta(hours=23))]
    assert [(each.article.id, each.state) for each in result.unsent] == [(2, MatchState.WAITING)]


def test_what_would_not_be_mailed_says_why():
    found = [
        article(1, "A chip", 5),
        article(2, "A chip copied", 4, story=1),
        article(3, "An old chip", 3, published=replace(article(1, "", 100).published)),
        article(4, "A chip at first", 2, baseline=True),
    ]
    result = trial(desk(), rule_of(desk(), "chip"), found, SINCE, NOW)

    assert [item.copies for mail in result.mails for item in mail.items] == [1]
    assert {each.article.id: each.state for each in result.unsent} == {
        2: MatchState.TOLD,
        3: MatchState.TOO_OLD,
        4: MatchState.BASELINE,
    }


def test_the_cap_and_quiet_hours_count():
    of = desk(CHIPS, readers=({**ANN, "mails_per_day": 2, "quiet_hours": "22:00-06:00"},))
    found = [article(number, f"chip {number}", 29.5 - number) for number in range(8)]  # from 01:30 in Berlin, one each hour
    result = trial(of, rule_of(of, "chips"), found, SINCE, NOW)

    assert [(mail.kind, [item.article.id for item in mail.items]) for mail in result.mails] == [
        ("now", [0, 1, 2, 3, 4]),  # when the quiet hours end
        ("now", [5]),
        ("digest", [6]),  # past the cap, so at eight
    ]
    assert {each.article.id: each.state for each in result.unsent} == {7: MatchState.FOLDED}


def test_only_the_time_asked_for_is_played():
    result = trial(desk(), rule_of(desk(), "chip"), [article(1, "A chip", 24 * 11), article(2, "A chip", -1)], SINCE, NOW)

    assert (result.mails, result.unsent) == ((), ())


def test_a_query_that_cannot_be_read_is_an_error_that_points():
    with pytest.raises(QueryError):
        rule_of(desk(), "(chip")
