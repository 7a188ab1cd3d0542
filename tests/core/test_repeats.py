"""What is said again and again is written once an hour, with how often it came; nothing else is held back."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.log import values
from core.repeats import HOUR_SECONDS, MOST_REMEMBERED, Repeats


def record(at: float, event: str = "upkeep failed", level: int = logging.WARNING, **fields: Any) -> logging.LogRecord:
    made = logging.LogRecord("jingbao", level, "", 0, event, (), None)
    made.created = at
    made.__dict__.update(values(**fields))
    return made


def bug(at: float, divisor: int = 0) -> logging.LogRecord:
    made = record(at, "an article met a bug", logging.ERROR)
    try:
        if divisor:
            raise KeyError(divisor)
        1 / divisor
    except (ZeroDivisionError, KeyError) as error:
        made.exc_info = (type(error), error, error.__traceback__)
    return made


def said(repeats: Repeats, *records: logging.LogRecord) -> list[tuple[str, int]]:
    """Events written, each with how often it says it came again."""
    return [
        (each.getMessage(), each.jingbao_fields.get("repeated_times", 0)) for one in records for each in repeats.written(one)
    ]


def test_the_same_is_written_once_an_hour_and_then_counted() -> None:
    records = [record(60 * minute, reason="disk full", source="a") for minute in range(61)]

    assert said(Repeats(), *records) == [("upkeep failed", 0), ("upkeep failed", 59), ("upkeep failed", 0)]


def test_another_reason_or_source_is_news_and_tells_how_often_the_one_before_came() -> None:
    again = [record(n, reason="disk full", source="a") for n in range(3)]
    others = [record(4, reason="locked", source="a"), record(5, reason="disk full", source="b")]

    assert said(Repeats(), *again, *others) == [
        ("upkeep failed", 0),
        ("upkeep failed", 2),
        ("upkeep failed", 0),
        ("upkeep failed", 0),
    ]


def test_two_reasons_taking_turns_are_each_written_once() -> None:
    records = [record(n, reason=("one", "two")[n % 2]) for n in range(100)]

    assert len(said(Repeats(), *records)) == 2


def test_ordinary_events_always_pass() -> None:
    records = [record(n, "collected", logging.INFO, source="a", seen=3) for n in range(50)]

    assert len(said(Repeats(), *records)) == 50


def test_a_failing_source_is_told_once_an_hour() -> None:
    records = [record(n, "collected", logging.INFO, source="a", reason="timeout") for n in range(50)]

    assert len(said(Repeats(), *records)) == 1


def test_a_bug_is_known_by_where_it_is() -> None:
    repeats = Repeats()

    assert len(said(repeats, *(bug(n) for n in range(10)))) == 1
    assert len(said(repeats, bug(11, divisor=1))) == 2  # how often the first came, then the new one


def test_at_the_end_what_was_not_told_is_told() -> None:
    repeats = Repeats()
    said(repeats, *(record(n) for n in range(5)))

    assert [each.jingbao_fields["repeated_times"] for each in repeats.left()] == [4]
    assert list(repeats.left()) == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 2000)), max_size=60))
def test_every_record_is_written_or_counted(steps: list[tuple[str, float]]) -> None:
    """And no reason is written twice within an hour."""
    repeats, now, written, counted = Repeats(), 0.0, Counter[str](), 0
    last: dict[str, float] = {}
    for reason, gap in steps:
        now += gap
        for each in repeats.written(record(now, reason=reason)):
            again = each.jingbao_fields.get("repeated_times", 0)
            counted += again
            if not again:
                assert reason not in last or now - last[reason] >= HOUR_SECONDS
                written[reason], last[reason] = written[reason] + 1, now
    counted += sum(each.jingbao_fields["repeated_times"] for each in repeats.left())

    assert written.total() + counted == len(steps)


def test_what_is_remembered_is_bounded() -> None:
    repeats = Repeats()
    said(repeats, *(record(n / 1000, reason=str(n)) for n in range(3 * MOST_REMEMBERED)))

    assert len(repeats._said) <= MOST_REMEMBERED + 1
