"""How a source stands: no single bad run changes it, nothing dies in silence, and what is well again is said to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.outcomes import Outcome
from core.source import Source
from core.standing import Standing, Yield
from crawler import rhythm
from crawler.standing import YIELDS_REMEMBERED, judge, learn_rhythm, learn_yields
from storage.sources import INTERRUPTED, OFFLINE, OK, UNCHANGED, Run, SourceState, Validators

NOW = datetime(2027, 6, 16, 8, 0, tzinfo=UTC)  # a Wednesday in a month without holidays
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
READ = Yield(listed=25, fresh=2, pages=2, read=2, full=2, dated=2)


def source(**other: Any) -> Source:
    about = {"key": "s", "name": "S", "kind": "feed", "language": "en", "url": "https://s.test/feed"}
    return Source(**(about | other))


def state(**other: Any) -> SourceState:
    """A source that is well: news every four hours till an hour ago, one good run after the other."""
    moments = tuple(NOW - HOUR - 7 * HOUR * number for number in range(30, -1, -1))
    well = SourceState("s", NOW, Validators(), NOW - 90 * DAY, 0, NOW, NOW, NOW, "", Standing.OK, "", NOW - 90 * DAY)
    return replace(well, **({"rhythm": moments, "yields": (READ,) * 20} | other))


def failed(failures: int, for_hours: float, reason: str = "s.test answered 502 Bad Gateway.", **other: Any) -> SourceState:
    return state(failures=failures, last_good=NOW - for_hours * HOUR, last_error=reason, **other)


def runs(*results: str, yields: Yield | None = None) -> list[Run]:
    return [Run(0, "s", NOW, NOW, result, "", 0, {}, yields) for result in results]


@pytest.mark.parametrize(("failures", "hours", "standing"), [
    (1, 1, Standing.OK), (3, 2, Standing.OK), (2, 8, Standing.OK), (1, 30, Standing.OK),
    (3, 6, Standing.BROKEN), (5, 7, Standing.BROKEN), (2, 24, Standing.BROKEN),
])  # fmt: skip
def test_a_source_is_broken_once_it_has_failed_three_times_in_six_hours_or_twice_in_a_day(failures, hours, standing) -> None:
    verdict = judge(source(), failed(failures, hours), runs(*[Outcome.FAILED] * failures), NOW)

    assert verdict.standing is standing
    assert verdict.reason == ("s.test answered 502 Bad Gateway." if standing is Standing.BROKEN else "")


def test_what_is_gone_for_good_is_said_at_once() -> None:
    assert judge(source(), failed(1, 0.5, "s.test answered 410 Gone."), runs(Outcome.GONE), NOW).standing is Standing.BROKEN
    assert judge(source(), failed(1, 0.5, "s.test answered 404 Not Found."), runs(Outcome.GONE), NOW).standing is Standing.OK


@pytest.mark.parametrize(("results", "kind", "standing"), [
    ([Outcome.BLOCKED] * 3, "feed", Standing.BLOCKED),
    ([Outcome.BLOCKED, Outcome.FAILED, Outcome.BLOCKED], "feed", Standing.BLOCKED),
    ([Outcome.FAILED, INTERRUPTED, OFFLINE, Outcome.BLOCKED, Outcome.BLOCKED], "feed", Standing.BLOCKED),
    ([Outcome.UNREADABLE] * 3, "feed", Standing.BROKEN),
    ([Outcome.UNREADABLE] * 3, "listing", Standing.DEGRADED),
])  # fmt: skip
def test_how_it_failed_mostly_names_the_standing(results, kind, standing) -> None:
    assert judge(source(kind=kind), failed(3, 10), runs(*results), NOW).standing is standing


def test_a_list_that_never_could_be_read_is_broken_and_not_degraded() -> None:
    never = replace(failed(3, 10), last_good=None, standing_since=NOW - 10 * HOUR)

    assert judge(source(kind="listing"), never, runs(*[Outcome.UNREADABLE] * 3), NOW).standing is Standing.BROKEN


def test_a_source_out_of_reach_is_no_fault_of_its_own() -> None:
    verdict = judge(source(), failed(1, 1), runs(Outcome.FAILED), NOW, out_of_reach=True)

    assert verdict.standing is Standing.OUT_OF_REACH
    assert not verdict.standing.is_trouble
    assert judge(source(), state(), runs(OK), NOW, out_of_reach=True).standing is Standing.OK


def test_one_good_run_makes_a_broken_source_well() -> None:
    well = state(standing=Standing.BROKEN, standing_reason="it was")

    assert judge(source(), well, runs(OK, Outcome.FAILED), NOW) == judge(source(), state(), runs(OK), NOW)


def test_what_the_operator_paused_stays_so_whatever_a_run_by_hand_brings() -> None:
    paused = state(standing=Standing.PAUSED, standing_reason="by the operator")

    assert judge(source(), paused, runs(OK), NOW).standing is Standing.PAUSED


def test_a_source_that_has_neither_answered_nor_failed_for_long_is_new() -> None:
    young = replace(failed(1, 0), last_good=None, standing=Standing.NEW, standing_since=NOW - HOUR)

    assert judge(source(), young, runs(Outcome.FAILED), NOW).standing is Standing.NEW


# Quiet


@pytest.mark.parametrize(("days", "standing"), [(0.9, Standing.OK), (1.2, Standing.QUIET)])
def test_a_busy_source_is_quiet_after_a_day_without_news(days, standing) -> None:
    moments = tuple(NOW - days * DAY - 6 * HOUR * number for number in range(30, -1, -1))

    verdict = judge(source(), state(rhythm=moments), runs(*[UNCHANGED] * 5), NOW)

    assert verdict.standing is standing


def test_a_silence_over_the_weekend_and_the_spring_festival_says_nothing() -> None:
    """Friday 5 February 2027 is the last day worked before the festival; news is due on the 15th."""
    last = datetime(2027, 2, 4, 10, 0, tzinfo=UTC)
    moments = tuple(last - 6 * HOUR * number for number in range(30, -1, -1))
    shop = source(language="zh")
    on_sunday = datetime(2027, 2, 14, 10, 0, tzinfo=UTC)

    assert judge(shop, state(rhythm=moments), runs(*[UNCHANGED] * 5), on_sunday).standing is Standing.OK
    assert judge(shop, state(rhythm=moments), runs(*[UNCHANGED] * 5), on_sunday + 3 * DAY).standing is Standing.QUIET


def test_a_source_that_posts_monthly_is_not_quiet_after_a_week() -> None:
    moments = tuple(NOW - 20 * DAY - 30 * DAY * number for number in range(10, -1, -1))

    assert judge(source(), state(rhythm=moments), runs(*[UNCHANGED] * 5), NOW).standing is Standing.OK


def test_a_silence_is_judged_by_several_runs() -> None:
    """After a long stop the first run may find a cached list."""
    moments = tuple(NOW - 9 * DAY - 6 * HOUR * number for number in range(30, -1, -1))

    assert judge(source(), state(rhythm=moments), runs(UNCHANGED, UNCHANGED, Outcome.FAILED), NOW).standing is Standing.OK


def test_the_dates_of_a_list_read_for_the_first_time_show_the_rhythm() -> None:
    dates = [NOW - 7 * DAY * week for week in range(12)]
    learnt = learn_rhythm(state(rhythm=()), READ, [*dates, NOW + DAY], NOW)

    assert learnt == tuple(sorted(dates))
    assert rhythm.longest_wait(learnt, source()) == 15 * DAY  # three times the five working days of a week


def test_without_dates_the_rhythm_begins_now() -> None:
    assert learn_rhythm(state(rhythm=()), READ, [], NOW) == (NOW,)
    assert learn_rhythm(state(rhythm=(NOW - DAY,), last_new=NOW - DAY), None, [], NOW) == (NOW - DAY,)


@settings(max_examples=60)
@given(st.lists(st.floats(0, 300), max_size=100))
def test_the_rhythm_is_bounded_in_order_and_ends_with_the_latest_news(hours: list[float]) -> None:
    moments = [NOW - hour * HOUR for hour in sorted(hours, reverse=True)]
    learnt: tuple[datetime, ...] = ()
    for at in moments:
        learnt = rhythm.with_news(learnt, at)

    assert list(learnt) == sorted(learnt)
    assert len(learnt) <= rhythm.REMEMBERED
    assert learnt[-1:] == tuple(moments[-1:])


@settings(max_examples=60)
@given(st.datetimes(datetime(2026, 1, 1), datetime(2034, 1, 1)), st.floats(0, 9000), st.floats(0, 9000))
def test_working_time_adds_up_and_is_no_longer_than_the_time(start: datetime, first: float, second: float) -> None:
    zone, begin = ZoneInfo("Asia/Shanghai"), start.replace(tzinfo=UTC)
    middle, end = begin + first / 2 * HOUR, begin + (first + second) / 2 * HOUR
    whole = rhythm.working_time(begin, end, zone)

    assert timedelta() <= whole <= end - begin
    assert abs(whole - rhythm.working_time(begin, middle, zone) - rhythm.working_time(middle, end, zone)) < timedelta(seconds=1)


# Degraded


def test_an_empty_list_where_there_was_one_is_told_after_a_rest_longer_than_any_before() -> None:
    rested = tuple(NOW - 2 * DAY - 7 * HOUR * number for number in range(30, -1, -1))
    emptied = (*state().yields, Yield(listed=0))
    ended = runs(UNCHANGED, UNCHANGED, OK)

    verdict = judge(source(), state(rhythm=rested, yields=emptied), ended, NOW)

    assert verdict.standing is Standing.DEGRADED
    assert "25 items" in verdict.reason
    assert judge(source(), state(yields=emptied), ended, NOW).standing is Standing.OK


@pytest.mark.parametrize(("decayed", "word"), [
    (Yield(listed=25, fresh=2, pages=2), "pages"),
    (Yield(listed=25, fresh=2, pages=2, read=2, headline=2, dated=2), "text"),
    (Yield(listed=25, fresh=2, pages=2, read=2, full=2), "date"),
])  # fmt: skip
def test_what_is_read_no_longer_is_told_after_a_few_articles(decayed: Yield, word: str) -> None:
    once, thrice = (*state().yields, decayed), (*state().yields, *[decayed] * 3)

    assert judge(source(), state(yields=once), runs(OK), NOW).standing is Standing.OK
    verdict = judge(source(), state(yields=thrice), runs(OK), NOW)
    assert verdict.standing is Standing.DEGRADED
    assert word in verdict.reason


@pytest.mark.parametrize("days_between", [3, 8])
def test_a_source_of_few_articles_is_told_of_by_few(days_between: int) -> None:
    """Six articles well, then four without a text: for a source that writes seldom that is enough, for a busy one it is not."""
    well = Yield(listed=25, fresh=1, pages=1, read=1, full=1, dated=1)
    ill = replace(well, full=0, headline=1)
    yields = (*[well] * 6, *[ill] * 4)
    seldom = tuple(NOW - days_between * DAY * number for number in range(9, -1, -1))
    often = tuple(NOW - 6 * HOUR * number for number in range(30, -1, -1))

    assert judge(source(), state(yields=yields, rhythm=seldom), runs(OK), NOW).standing is Standing.DEGRADED
    assert judge(source(), state(yields=yields, rhythm=often), runs(OK), NOW).standing is Standing.OK


def test_what_lies_before_the_fall_counts_however_little_it_is() -> None:
    """Fourteen articles in all, the last four unread: the ten before are what they are measured by."""
    well, ill = Yield(listed=25, fresh=1, pages=1, read=1, full=1, dated=1), Yield(listed=25, fresh=1, pages=1)

    verdict = judge(source(), state(yields=(*[well] * 10, *[ill] * 4)), runs(OK), NOW)

    assert verdict.standing is Standing.DEGRADED
    assert verdict.reason == "of its last 4 pages none could be read"


def test_a_paywalled_source_that_always_gave_headlines_is_well() -> None:
    headlines = Yield(listed=25, fresh=2, pages=0, headline=2, dated=2)

    assert judge(source(), state(yields=(headlines,) * 40), runs(OK), NOW).standing is Standing.OK


def test_a_decayed_source_stays_degraded_however_long_and_is_well_once_it_is_mended() -> None:
    decayed, told = Yield(listed=25, fresh=2, pages=2), state()
    for _ in range(200):
        told = _after(told, decayed)
    assert told.standing is Standing.DEGRADED
    for _ in range(12):
        told = _after(told, READ)
    assert told.standing is Standing.OK


def _after(before: SourceState, yields: Yield) -> SourceState:
    learnt = replace(before, yields=learn_yields(before, yields))
    assert len(learnt.yields) <= YIELDS_REMEMBERED
    verdict = judge(source(), learnt, runs(OK), NOW)
    return replace(learnt, standing=verdict.standing, standing_reason=verdict.reason)


def test_runs_that_read_nothing_new_do_not_push_out_what_is_remembered() -> None:
    assert learn_yields(state(), Yield(listed=25)) == state().yields
    assert learn_yields(state(), None) == state().yields
    assert learn_yields(state(), Yield(listed=0))[-1] == Yield(listed=0)


def test_simulated_sources_that_die_are_noticed_and_healthy_ones_seldom_slandered() -> None:
    """The small form of bench/standing.py, whose figures stand in docs/design/standing.md."""
    from bench.standing import Found, follow, histories

    chosen = histories(seed=5, days=92, sources=6, injected=3)
    for history in chosen:
        history.source = source(interval_minutes=240)
    found: Sequence[Found] = [follow(history, 92) for history in chosen]

    assert all(each.in_time for each in found if each.history.trouble)
    assert sum(each.false[Standing.QUIET] + each.false[Standing.DEGRADED] for each in found) <= 3


def test_news_of_a_run_that_died_before_its_end_belongs_to_the_rhythm() -> None:
    """The next run finds nothing fresh; that an article was kept is known."""
    before = (NOW - timedelta(days=2),)
    known = state(rhythm=before, last_new=NOW - timedelta(hours=7))

    assert learn_rhythm(known, Yield(listed=6), (), NOW) == (*before, NOW - timedelta(hours=7))
    assert learn_rhythm(replace(known, last_new=before[0]), Yield(listed=6), (), NOW) == before
