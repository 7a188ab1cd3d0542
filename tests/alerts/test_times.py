from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from string import Formatter

import pytest

from alerts.times import day_start, in_quiet_hours, told_time
from alerts.wording import WORDING, Wording
from core.article import Article, DateOrigin, Precision, Published, TextExtent
from core.config import Reader
from core.language import Language

SEEN = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)


def reader(zone: str = "UTC", quiet: str = "", language: str = "en") -> Reader:
    return Reader(key="ann", addresses=("ann@example.org",), zone=zone, quiet_hours=quiet, language=language)


def article(published: Published | None) -> Article:
    return Article(
        1, 1, "news", "News", "https://n.example/1", "https://n.example/1", "Title", "", "", Language.EN, TextExtent.FULL, "", published, SEEN
    )  # fmt: skip


@pytest.mark.parametrize(
    ("at", "precision", "zone", "english", "chinese"),
    [
        (datetime(2026, 3, 2, 23, 5, tzinfo=UTC), Precision.SECOND, "UTC", "Tue 3 Mar, 00:05", "3月3日 周二 00:05"),
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), Precision.DAY, "Asia/Shanghai", "Mon 2 Mar, no time given", "3月2日 周一，未注明时刻"),
        (datetime(2026, 3, 1, 16, 0, tzinfo=UTC), Precision.DAY, "+08:00", "Mon 2 Mar, no time given", "3月2日 周一，未注明时刻"),
        (datetime(2026, 3, 1, 5, 0, tzinfo=UTC), Precision.DAY, "-05:00", "Sun 1 Mar, no time given", "3月1日 周日，未注明时刻"),
        (datetime(2026, 3, 1, 0, 0, tzinfo=UTC), Precision.DAY, "Nowhere/Land", "Sun 1 Mar, no time given", "3月1日 周日，未注明时刻"),
        (datetime(2026, 2, 28, 16, 0, tzinfo=UTC), Precision.MONTH, "Asia/Shanghai", "Mar 2026, no day given", "2026年3月，未注明日期"),
    ],
)  # fmt: skip
def test_a_time_is_told_in_the_readers_zone_and_no_more_exactly_than_known(at, precision, zone, english, chinese):
    told = article(Published(at, precision, DateOrigin.PAGE, zone, zone_stated=True))

    assert told_time(told, reader("Europe/Berlin")) == english
    assert told_time(told, reader("Europe/Berlin", language="zh")) == chinese


def test_an_unknown_time_says_when_it_was_first_seen():
    assert told_time(article(None), reader("Europe/Berlin")) == "time unknown, first seen Tue 3 Mar, 00:30"


@pytest.mark.parametrize(
    ("quiet", "hour", "minute", "silent"),
    [
        ("22:00-07:00", 21, 59, False),
        ("22:00-07:00", 22, 0, True),
        ("22:00-07:00", 3, 0, True),
        ("22:00-07:00", 7, 0, False),
        ("12:30 - 13:00", 12, 45, True),
        ("12:30 - 13:00", 13, 0, False),
        ("08:00-08:00", 8, 0, False),
        ("", 3, 0, False),
    ],
)
def test_quiet_hours_are_local_and_may_cross_midnight(quiet, hour, minute, silent):
    local = datetime(2026, 3, 2, hour, minute, tzinfo=UTC) - timedelta(hours=8)

    assert in_quiet_hours(reader("Asia/Shanghai", quiet), local) is silent


def test_a_readers_day_begins_at_their_midnight():
    assert day_start(reader("Asia/Shanghai"), SEEN) == datetime(2026, 3, 2, 16, 0, tzinfo=UTC)


def test_every_language_has_the_same_phrases_with_the_same_gaps():
    def gaps(words: Wording) -> dict[str, set[str | None]]:
        texts = {field.name: getattr(words, field.name) for field in fields(Wording)}
        return {name: {gap for _, gap, _, _ in Formatter().parse(text)} for name, text in texts.items() if isinstance(text, str)}

    english, chinese = gaps(WORDING["en"]), gaps(WORDING["zh"])
    assert {name: found - {None} for name, found in english.items()} == {name: found - {None} for name, found in chinese.items()}
    assert WORDING["en"].languages.keys() == WORDING["zh"].languages.keys() == set(Language)
    assert WORDING["en"].rhythms.keys() == WORDING["zh"].rhythms.keys()
    for words in WORDING.values():
        assert (len(words.weekdays), len(words.months)) == (7, 12)
        assert all(getattr(words, field.name) for field in fields(Wording))
