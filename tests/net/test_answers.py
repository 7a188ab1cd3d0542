"""What statuses and Retry-After mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.answers import judge_status, retry_after

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def judged(status: int, **headers: str) -> FetchError | None:
    try:
        judge_status(status, {name.replace("_", "-"): value for name, value in headers.items()}, "news.example", NOW)
    except FetchError as error:
        return error
    return None


@pytest.mark.parametrize("status", [200, 201, 203, 206, 304])
def test_documents_and_no_news_pass(status: int) -> None:
    assert judged(status) is None


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Outcome.GONE), (410, Outcome.GONE),
        (401, Outcome.BLOCKED), (402, Outcome.BLOCKED), (403, Outcome.BLOCKED), (405, Outcome.BLOCKED), (412, Outcome.BLOCKED),
        (418, Outcome.BLOCKED), (451, Outcome.BLOCKED),
        (408, Outcome.FAILED), (425, Outcome.FAILED), (429, Outcome.FAILED), (500, Outcome.FAILED), (503, Outcome.FAILED),
        (522, Outcome.FAILED), (599, Outcome.FAILED), (300, Outcome.FAILED), (305, Outcome.FAILED), (102, Outcome.FAILED),
        (999, Outcome.FAILED),
    ],
)  # fmt: skip
def test_other_answers_have_a_named_outcome(status: int, outcome: Outcome) -> None:
    error = judged(status)

    assert error
    assert (error.outcome, error.status) == (outcome, status)
    assert error.reason.startswith(f"news.example answered {status}")


@pytest.mark.parametrize("status", [200, 202, 403, 429, 503])
def test_a_test_for_people_is_a_block_whatever_its_status(status: int) -> None:
    for header, value in {"cf_mitigated": "challenge", "x_amzn_waf_action": "captcha"}.items():
        error = judged(status, **{header: value})
        assert error
        assert error.outcome is Outcome.BLOCKED


def test_a_mark_that_is_no_challenge_changes_nothing() -> None:
    assert judged(200, cf_mitigated="log") is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 0), ("99999999999999999999", 86400), ("-5", None), ("", None), ("soon", None), ("1.5", None), ("٣", None),
     ("Tue, 24 Nov 2026 08:10:00 GMT", 600), ("Tue, 24 Nov 2026 07:00:00 GMT", 0), ("Wed, 24 Nov 2027 08:00:00 GMT", 86400),
     ("Tue, 99 Nov 2026 08:10:00 GMT", None), ("NaN", None), ("1e309", None), ("inf", None), ("-0", None), ("120, 60", 120),
     ("60,soon", None), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400), ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
     ("Tuesday, 24-Nov-26 08:10:00 GMT", 600), ("Tue, 24 Nov 2026 08:10:00 +9999", None), ("Tue, 24 Nov 2026 09:10:00 +0100", 600)],
)  # fmt: skip
def test_retry_after_is_read_in_both_its_forms_and_capped_at_a_day(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_a_date_is_counted_from_the_servers_own_clock() -> None:
    slow_clock = {"date": "Tue, 24 Nov 2026 05:00:00 GMT", "retry-after": "Tue, 24 Nov 2026 05:01:00 GMT"}

    assert retry_after(slow_clock, NOW) == 60


def test_only_passing_refusals_carry_a_pause() -> None:
    assert [(e := judged(s, retry_after="60")) and e.retry_after_seconds for s in (429, 503, 404, 403)] == [60, 60, None, None]


def test_too_many_requests_mean_a_pause_though_none_is_named_or_one_of_nothing() -> None:
    assert [(e := judged(429, retry_after=value)) and e.retry_after_seconds for value in ("0", "soon", "7")] == [300, 300, 7]
    assert [(e := judged(s)) and e.retry_after_seconds for s in (429, 503)] == [300, None]


_ODD = st.one_of(
    st.text(max_size=40),
    st.floats().map(str),
    st.integers().map(str),
    st.lists(st.integers(0, 10**12).map(str), min_size=1, max_size=4).map(", ".join),
    st.builds(
        "{} {} {:04} {}:{}:{} {}".format,
        st.integers(0, 40),
        st.sampled_from(["Nov", "Feb", "Foo"]),
        st.integers(0, 9999),
        st.integers(0, 30),
        st.integers(0, 70),
        st.integers(0, 70),
        st.sampled_from(["GMT", "+9999", "-2400", "+0800", "EST", ""]),
    ),
)


@given(_ODD)
def test_no_header_makes_it_fail(value: str) -> None:
    seconds = retry_after({"retry-after": value, "date": value}, NOW)

    assert seconds is None or 0 <= seconds <= 86400


@given(st.integers(0, 86400))
def test_both_forms_say_the_same(seconds: int) -> None:
    date = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert retry_after({"retry-after": date}, NOW) == retry_after({"retry-after": str(seconds)}, NOW) == seconds
