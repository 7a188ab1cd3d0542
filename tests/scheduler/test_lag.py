"""The loop-lag meter: nearest-rank figures of the last hour."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.heartbeat import ENOUGH, lag_trouble
from scheduler.lag import KEPT, Lag, LagMeter


class Hand:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def measured(*lags: float) -> LagMeter:
    hand = Hand()
    meter = LagMeter(hand)
    for lag in lags:
        meter.expect(1.0)
        hand.seconds += 1.0 + lag
        meter.happened()
    return meter


def test_the_figures_are_those_of_what_was_measured(caplog) -> None:
    figures = measured(*[0.01] * 97, 0.3, 2.0, 0.02).figures()

    assert (figures.measured, figures.slow) == (100, 2)
    assert [round(value, 6) for value in (figures.p50, figures.p99, figures.longest, figures.latest)] == [0.01, 0.3, 2.0, 0.02]
    assert [record.getMessage() for record in caplog.records] == ["the event loop was held up"]


def test_the_newest_lags_are_given_the_newest_last_and_no_more_than_there_are() -> None:
    meter = measured(0.5, 0.25, 0.125)

    assert [round(lag, 6) for lag in meter.newest(2)] == [0.25, 0.125]
    assert len(meter.newest(10)) == 3
    assert measured().newest(10) == ()


@settings(max_examples=50)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=300))
def test_at_most_one_lag_in_a_hundred_is_over_the_99th_percentile(lags) -> None:
    figures = measured(*lags).figures()

    assert sum(lag > figures.p99 + 1e-6 for lag in lags) <= len(lags) / 100
    assert sum(lag < figures.p50 - 1e-6 for lag in lags) < len(lags) / 2 <= sum(lag <= figures.p50 + 1e-6 for lag in lags)


def test_only_the_last_hour_counts() -> None:
    assert measured(9.0, *[0.0] * KEPT).figures().longest < 1e-6


def test_early_is_not_late_and_what_was_not_expected_is_not_measured() -> None:
    meter = measured(-0.5)
    meter.happened()

    assert meter.figures() == Lag(measured=1)


async def test_a_loop_that_is_blocked_is_seen() -> None:
    meter = LagMeter()
    meter.expect(0.0)
    asyncio.get_running_loop().call_soon(time.sleep, 0.02)
    await asyncio.sleep(0)
    meter.happened()

    assert meter.figures().latest >= 0.02


def test_the_operator_hears_of_a_loop_that_lags_often_and_not_of_one_that_did_once() -> None:
    often = Lag(p99=0.9, longest=7.0, measured=ENOUGH)

    assert "0.90 s" in lag_trouble(often)
    assert lag_trouble(Lag(p99=0.1, longest=7.0, measured=ENOUGH)) == ""
    assert lag_trouble(Lag(p99=0.9, measured=ENOUGH - 1)) == ""
