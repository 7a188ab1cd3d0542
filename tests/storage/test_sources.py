"""The archive knows which source is due, what it read there last, and how each run ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import NotFoundError
from core.outcomes import Outcome
from core.standing import Standing
from storage import sources, standings
from storage.archive import Archive
from storage.sources import Validators
from tests.builders import NOW
from tests.databases import only

HOUR = timedelta(hours=1)


KEYS = frozenset({"caixin", "36kr"})


def _run(archive: Archive, key: str, **ending: object) -> int:
    with archive.write() as tx:
        number = sources.begin_run(tx, key, NOW)
        sources.finish_run(tx, number, NOW, **({"result": sources.OK, "next_due": NOW + HOUR} | ending))
    return number


@pytest.fixture
def known(archive: Archive) -> Archive:
    with archive.write() as tx:
        sources.ensure(tx, ["caixin", "36kr"], NOW)
    return archive


def test_new_sources_are_due_at_once(known: Archive) -> None:
    with known.read() as tx:
        assert sorted(sources.due(tx, NOW, 10, KEYS)) == ["36kr", "caixin"]
        assert sources.due(tx, NOW - HOUR, 10, KEYS) == []


def test_the_longest_overdue_comes_first_and_no_more_than_asked(known: Archive) -> None:
    with known.write() as tx:
        sources.postpone(tx, "36kr", NOW - HOUR)
        assert sources.due(tx, NOW, 1, KEYS) == ["36kr"]


def test_sources_of_another_configuration_do_not_stand_in_the_way(known: Archive) -> None:
    with known.write() as tx:
        sources.ensure(tx, ["ghost-1", "ghost-2", "ghost-3"], NOW - HOUR)
        assert sorted(sources.due(tx, NOW, 2, KEYS)) == ["36kr", "caixin"]


def test_a_source_due_in_a_future_that_a_clock_put_back_has_left_is_due_now(known: Archive) -> None:
    with known.write() as tx:
        sources.postpone(tx, "36kr", NOW + 24 * 365 * HOUR)
        sources.postpone(tx, "caixin", NOW + 24 * 7 * HOUR)
        assert sources.due(tx, NOW, 10, KEYS) == ["36kr"]


@only("sqlite")
def test_due_is_answered_by_an_index(known: Archive) -> None:
    """No table scan and no sort, however many sources there are."""
    with known.read() as tx:
        plan = tx.connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT key FROM source WHERE next_due <= '2026' ORDER BY next_due"
        ).all()

    assert [line[3] for line in plan] == ["SEARCH source USING INDEX source_due (next_due<?)"]


def test_a_source_taken_out_of_the_configuration_is_never_due_until_it_returns(known: Archive) -> None:
    """Its state is kept for the day it returns."""
    _run(known, "36kr", next_due=NOW)
    with known.write() as tx:
        assert sources.due(tx, NOW, 10, ["caixin"]) == ["caixin"]
        assert "36kr" in sources.due(tx, NOW, 10, KEYS)
        assert sources.state(tx, "36kr").baseline_ended


def test_a_good_run_ends_the_baseline_and_the_row_of_failures(known: Archive) -> None:
    _run(known, "caixin", result=Outcome.FAILED, detail="no answer")
    _run(known, "caixin", result=Outcome.BLOCKED)
    with known.read() as tx:
        bad = sources.state(tx, "caixin")
    _run(known, "caixin", seen=2, counts={Outcome.NEW: 1, Outcome.OFF_TOPIC: 1})
    with known.read() as tx:
        good = sources.state(tx, "caixin")

    assert (bad.failures, bad.last_error, bad.baseline_ended, bad.last_good) == (2, "blocked", None, None)
    assert (good.failures, good.last_error, good.baseline_ended, good.last_good) == (0, "", NOW, NOW)
    assert good.last_new is None  # said by what keeps an article (note_news), not by counts
    assert good.next_due == NOW + HOUR


def test_a_run_without_news_does_not_count_as_news(known: Archive) -> None:
    _run(known, "caixin", seen=1, counts={Outcome.UNCHANGED: 1})
    with known.read() as tx:
        assert sources.state(tx, "caixin").last_new is None


def test_validators_are_kept_until_others_are_given(known: Archive) -> None:
    given = Validators('"abc"', "Tue, 24 Nov 2026 08:00:00 GMT", b"\x01\x02")
    _run(known, "caixin", validators=given)
    _run(known, "caixin", result=Outcome.FAILED)
    with known.read() as tx:
        assert sources.state(tx, "caixin").validators == given
        assert sources.state(tx, "36kr").validators == Validators()


def test_runs_come_back_newest_first_with_their_counts(known: Archive) -> None:
    first = _run(known, "caixin", seen=3, counts={Outcome.NEW: 1, Outcome.COPY: 2, Outcome.GONE: 0}, detail="fine")
    second = _run(known, "caixin", seen=3, counts={Outcome.NEW: 2})
    with known.read() as tx:
        runs = sources.last_runs(tx, "caixin")

    assert [run.id for run in runs] == [second, first]
    assert runs[1].counts == {Outcome.NEW: 1, Outcome.COPY: 2}
    assert (runs[1].adds_up, runs[0].adds_up) == (True, False)


def test_runs_a_dead_process_left_open_are_marked(known: Archive) -> None:
    with known.write() as tx:
        sources.begin_run(tx, "caixin", NOW)
    _run(known, "36kr")
    with known.write() as tx:
        assert sources.interrupt_runs(tx, NOW + HOUR) == 1
        (left,) = sources.last_runs(tx, "caixin")
        assert (left.result, left.finished) == (sources.INTERRUPTED, NOW + HOUR)
        assert [run.result for run in sources.runs_since(tx, NOW)] == [sources.INTERRUPTED, sources.OK]


def test_items_are_known_until_no_source_has_carried_them_for_long(known: Archive) -> None:
    with known.write() as tx:
        sources.remember_items(tx, "caixin", [b"1", b"2", b"2"], NOW)
        sources.remember_items(tx, "caixin", [b"2", b"3"], NOW + 48 * HOUR)
        assert sources.known_items(tx, "caixin") == {b"1", b"2", b"3"}
        assert sources.known_items(tx, "36kr") == frozenset()
        assert sources.forget_items(tx, NOW + 24 * HOUR) == 1
        assert sources.known_items(tx, "caixin") == {b"2", b"3"}


def test_a_feed_of_thousands_of_items_is_remembered(known: Archive) -> None:
    """Past the number of values one statement takes."""
    hashes = [number.to_bytes(4, "big") for number in range(40_000)]
    with known.write() as tx:
        sources.remember_items(tx, "caixin", hashes, NOW)
        assert len(sources.known_items(tx, "caixin")) == 40_000


def test_what_was_never_begun_cannot_be_asked_for(known: Archive) -> None:
    with known.write() as tx:
        with pytest.raises(NotFoundError, match="nobody"):
            sources.state(tx, "nobody")
        with pytest.raises(NotFoundError, match="77"):
            sources.finish_run(tx, 77, NOW, result=sources.OK, next_due=NOW)


def test_a_tally_adds_up_finished_runs_since_a_moment(known: Archive) -> None:
    _run(known, "caixin", seen=3, counts={Outcome.NEW: 1, Outcome.COPY: 2})
    _run(known, "36kr", seen=2, counts={Outcome.NEW: 2})
    with known.write() as tx:
        sources.begin_run(tx, "caixin", NOW)
        tally = sources.tally(tx, NOW)
        later = sources.tally(tx, NOW + 1000 * HOUR)

    assert (tally.runs, tally.seen, tally.adds_up) == (2, 5, True)
    assert tally.counts == {Outcome.NEW: 3, Outcome.COPY: 2}
    assert (later.runs, later.seen) == (0, 0)


def test_a_run_we_ended_ourselves_is_no_fault_of_its_source(known: Archive) -> None:
    _run(known, "caixin", result=Outcome.FAILED)
    _run(known, "caixin", result=sources.INTERRUPTED)
    with known.read() as tx:
        state = sources.state(tx, "caixin")

    assert (state.failures, state.baseline_ended) == (1, None)


def test_a_clock_put_back_by_a_day_delays_no_source_but_those_the_operator_paused(known: Archive) -> None:
    """Both ran just now, by a clock that was a day ahead; put right by a minute or two, nothing is asked again."""
    _run(known, "caixin")
    _run(known, "36kr")
    with known.write() as tx:
        standings.set_standing(tx, "36kr", Standing.PAUSED, "by hand", NOW)

    with known.read() as tx:
        assert sources.due(tx, NOW - timedelta(days=1), 10, KEYS) == ["caixin"]
        assert sources.due(tx, NOW - timedelta(minutes=2), 10, KEYS) == []


def test_news_are_dated_with_the_article_and_survive_a_run_without_an_end(known: Archive) -> None:
    with known.write() as tx:
        sources.begin_run(tx, "caixin", NOW)
        sources.note_news(tx, "caixin", NOW)
        sources.interrupt_runs(tx, NOW + HOUR)
        assert sources.state(tx, "caixin").last_new == NOW
