"""The archive keeps how sources stand, what was learnt of them, what was told, and pauses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import NotFoundError
from core.outcomes import Outcome
from core.standing import Standing, Yield
from storage import sources, standings
from storage.archive import Archive
from tests.builders import NOW

HOUR = timedelta(hours=1)
KEYS = frozenset({"caixin", "36kr"})


@pytest.fixture
def known(archive: Archive) -> Archive:
    with archive.write() as tx:
        sources.ensure(tx, sorted(KEYS), NOW)
    return archive


def test_a_standing_dates_from_its_last_change_and_its_reason_from_the_last_verdict(known: Archive) -> None:
    with known.write() as tx:
        changes = [
            standings.set_standing(tx, "caixin", standing, reason, NOW + hours * HOUR)
            for standing, reason, hours in ((Standing.OK, "", 1), (Standing.OK, "", 2), (Standing.BROKEN, "404", 3), (Standing.BROKEN, "502", 4))
        ]  # fmt: skip
        state = sources.state(tx, "caixin")

    assert changes == [True, False, True, False]
    assert (state.standing, state.standing_reason, state.standing_since) == (Standing.BROKEN, "502", NOW + 3 * HOUR)


def test_a_new_source_stands_as_new_since_it_is_known(known: Archive) -> None:
    with known.read() as tx:
        state = sources.state(tx, "caixin")

    assert (state.standing, state.standing_since, state.rhythm, state.yields) == (Standing.NEW, NOW, (), ())


def test_what_was_learnt_and_told_comes_back(known: Archive) -> None:
    rhythm, yields = (NOW, NOW + HOUR), (Yield(listed=25, fresh=3, pages=2, read=1, full=1), Yield())
    with known.write() as tx:
        standings.learn(tx, "caixin", rhythm, yields)
        standings.mark_told(tx, {"caixin": Standing.QUIET})
        state = sources.state(tx, "caixin")

    assert (state.rhythm, state.yields, state.told_standing) == (rhythm, yields, Standing.QUIET)


def test_a_run_keeps_its_yields(known: Archive) -> None:
    with known.write() as tx:
        for yields in (None, Yield(listed=0), Yield(listed=3, fresh=1)):
            number = sources.begin_run(tx, "caixin", NOW)
            sources.finish_run(tx, number, NOW, result=sources.OK, next_due=NOW, yields=yields)
        assert [run.yields for run in sources.last_runs(tx, "caixin")] == [Yield(listed=3, fresh=1), Yield(listed=0), None]


def test_a_paused_source_is_not_due_till_its_day_and_then_is(known: Archive) -> None:
    with known.write() as tx:
        standings.pause(tx, "caixin", NOW, NOW + 240 * HOUR, "by the operator")
        sources.postpone(tx, "caixin", NOW)
        assert sources.due(tx, NOW + 239 * HOUR, 9, KEYS) == ["36kr"]
        assert "caixin" in sources.due(tx, NOW + 241 * HOUR, 9, KEYS)
        standings.wake(tx, "caixin", NOW + 241 * HOUR)
        assert sources.state(tx, "caixin").standing is Standing.NEW


def test_a_source_paused_without_end_waits_for_somebody_also_when_it_is_run_by_hand(known: Archive) -> None:
    with known.write() as tx:
        standings.pause(tx, "caixin", NOW, None, "by the operator")
        number = sources.begin_run(tx, "caixin", NOW)
        sources.finish_run(tx, number, NOW, result=sources.OK, next_due=NOW)
        assert sources.due(tx, NOW + 100_000 * HOUR, 9, KEYS) == ["36kr"]
        assert standings.resume(tx, "caixin", NOW)
        assert not standings.resume(tx, "caixin", NOW)
        assert sorted(sources.due(tx, NOW, 9, KEYS)) == ["36kr", "caixin"]


def test_nobody_unknown_can_be_paused(known: Archive) -> None:
    with known.write() as tx, pytest.raises(NotFoundError):
        standings.pause(tx, "nobody", NOW, None, "")


def test_a_run_while_offline_charges_nobody_and_a_charge_can_be_taken_back(known: Archive) -> None:
    with known.write() as tx:
        for key, result in (("caixin", Outcome.FAILED), ("36kr", sources.OFFLINE)):
            number = sources.begin_run(tx, key, NOW)
            sources.finish_run(tx, number, NOW, result=result, next_due=NOW + HOUR, detail="no answer")
        sources.forgive(tx, ["caixin", "36kr"], NOW)
        states = sources.states(tx)

    assert [(state.failures, state.last_error) for state in states.values()] == [(0, ""), (0, "")]
    assert states["caixin"].next_due == NOW


def test_what_waits_is_spread(known: Archive) -> None:
    with known.write() as tx:
        assert sources.spread(tx, KEYS, NOW + HOUR, timedelta(minutes=10)) == 2
        assert sorted(state.next_due - NOW - HOUR for state in sources.states(tx).values()) == [timedelta(), timedelta(minutes=5)]


def test_a_pause_of_a_paused_source_sets_its_new_end(known: Archive) -> None:
    with known.write() as tx:
        standings.pause(tx, "caixin", NOW, NOW + HOUR, "for an hour")
        standings.pause(tx, "caixin", NOW, NOW + 9 * HOUR, "for nine hours")
        longer = sources.state(tx, "caixin")
        standings.pause(tx, "caixin", NOW, None, "until it is resumed")
        endless = sources.state(tx, "caixin")

    assert (longer.next_due, longer.standing_reason) == (NOW + 9 * HOUR, "for nine hours")
    assert endless.next_due == sources.FOR_EVER


def test_forgiving_a_source_ends_no_pause(known: Archive) -> None:
    with known.write() as tx:
        run = sources.begin_run(tx, "caixin", NOW)
        sources.finish_run(tx, run, NOW, result=str(Outcome.FAILED), next_due=NOW + HOUR)
        standings.pause(tx, "caixin", NOW, None, "by the operator")
        sources.forgive(tx, KEYS, NOW)
        state = sources.state(tx, "caixin")

    assert (state.failures, state.next_due, state.standing) == (0, sources.FOR_EVER, Standing.PAUSED)
