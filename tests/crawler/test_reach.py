"""Where the machine is follows from who answers; what is out of reach is asked once a week and blamed for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.source import Reach, Source
from core.standing import Standing
from crawler.catalogue import load_catalogue
from crawler.reach import PROBE_EVERY, Answer, Location, goes_by_proxy, out_of_reach, unreachable, where
from crawler.standpoint import CHANGES_AFTER, keep, standpoint, survey
from storage import sources
from storage.archive import Archive, Transaction
from tests.builders import NOW


def answers(reach: Reach, *answered: bool, host: str = "") -> list[Answer]:
    return [Answer(reach, host or f"{reach}-{number}.example", each) for number, each in enumerate(answered)]


FOREIGN, NEAR = Reach.NOT_FROM_MAINLAND, Reach.UNKNOWN


@pytest.mark.parametrize("configured", ["mainland", "outside"])
def test_what_is_configured_is_not_questioned(configured: str) -> None:
    assert where(configured, answers(FOREIGN, True, True, True)) == configured


def test_two_hosts_that_do_not_answer_from_the_mainland_prove_the_outside() -> None:
    assert where("auto", answers(FOREIGN, True, True, False)) is Location.OUTSIDE
    assert where("auto", answers(FOREIGN, True, False)) is Location.UNKNOWN


def test_silence_of_foreign_hosts_alone_proves_the_mainland() -> None:
    silent = answers(FOREIGN, False, False, False, False)

    assert where("auto", silent + answers(NEAR, True, True, True, False)) is Location.MAINLAND
    assert where("auto", silent[:3] + answers(NEAR, True, True, True)) is Location.UNKNOWN


def test_a_network_that_is_away_proves_nothing() -> None:
    assert where("auto", answers(FOREIGN, *[False] * 8) + answers(NEAR, *[False] * 8)) is Location.UNKNOWN
    assert where("auto", []) is Location.UNKNOWN


def test_many_searches_of_one_service_are_one_witness() -> None:
    one_host = answers(FOREIGN, True, True, True, True, host="news.example")

    assert where("auto", one_host) is Location.UNKNOWN


def source(key: str, reach: str = "unknown", **more: str) -> Source:
    return Source.model_validate(
        {"key": key, "name": key, "kind": "feed", "url": f"https://{key}.example/f", "language": "en", "reach": reach, **more}
    )


@pytest.mark.parametrize(
    ("reach", "location", "hidden"),
    [
        ("not-from-mainland", "mainland", True),
        ("not-from-mainland", "outside", False),
        ("not-from-mainland", "unknown", False),
        ("not-from-outside", "outside", True),
        ("not-from-outside", "mainland", False),
        ("everywhere", "mainland", False),
        ("unknown", "mainland", False),
        ("unknown", "outside", False),
    ],
)
def test_the_catalogue_and_the_location_say_what_is_out_of_reach(reach: str, location: str, hidden: bool) -> None:
    asked = source("a", reach)

    assert out_of_reach(asked, Location(location), proxied=False) is hidden
    assert not out_of_reach(asked, Location(location), proxied=True)


def test_the_nearest_proxy_counts() -> None:
    groups = {"abroad": "socks5://p.example:1", "home": "direct"}

    assert goes_by_proxy(source("a"), "http://p.example:1", groups)
    assert goes_by_proxy(source("a", proxy_group="abroad"), "", groups)
    assert not goes_by_proxy(source("a", proxy_group="home"), "http://p.example:1", groups)
    assert not goes_by_proxy(source("a", proxy="direct"), "http://p.example:1", groups)
    assert not goes_by_proxy(source("a"), "", groups)


ON = (
    *(source(f"foreign{number}", "not-from-mainland") for number in range(5)),
    *(source(f"near{number}") for number in range(5)),
    source("walled", "not-from-outside"),
)


@pytest.fixture
def tx(database_url: str) -> Iterator[Transaction]:
    with Archive.open(database_url, NOW) as archive, archive.write() as opened:
        sources.ensure(opened, [each.key for each in ON], NOW)
        yield opened


def ran(tx: Transaction, name: str, at=NOW, *, answered: bool, detail: str = "x.example cannot be reached: timed out.") -> None:
    for key in [each.key for each in ON if each.key.startswith(name)]:
        result, why = ("ok", "") if answered else ("failed", detail)
        number = sources.begin_run(tx, key, at)
        sources.finish_run(tx, number, at, result=result, detail=why, next_due=at + timedelta(minutes=30))


def look(tx: Transaction, at=NOW, configured: str = "auto", proxied: frozenset[str] = frozenset()) -> Location:
    if found := survey(tx, configured, ON, proxied, at):
        keep(tx, found, at)
    return standpoint(tx).location


def due(tx: Transaction, at) -> set[str]:
    return set(sources.due(tx, at, 100, {each.key for each in ON}))


def test_in_the_mainland_foreign_sources_are_put_off_to_some_day_of_the_week_and_stand_as_out_of_reach(tx) -> None:
    ran(tx, "foreign", answered=False)
    ran(tx, "near", answered=True)

    assert look(tx) is Location.MAINLAND
    assert standpoint(tx).unreachable == {f"foreign{number}" for number in range(5)}
    states = sources.states(tx)
    assert {states[key].standing for key in standpoint(tx).unreachable} == {Standing.OUT_OF_REACH}
    assert not due(tx, NOW + timedelta(hours=23)) & standpoint(tx).unreachable
    assert due(tx, NOW + PROBE_EVERY) >= standpoint(tx).unreachable
    assert len({states[key].next_due for key in standpoint(tx).unreachable}) > 1


def test_a_probe_that_fails_puts_the_next_off_by_a_week(tx) -> None:
    look(tx, configured="mainland")
    probed = sources.state(tx, "foreign0").next_due
    look(tx, at=probed, configured="mainland")
    assert "foreign0" in due(tx, probed)

    ran(tx, "foreign0", probed, answered=False)
    look(tx, at=probed + timedelta(minutes=1), configured="mainland")

    assert sources.state(tx, "foreign0").next_due == probed + PROBE_EVERY


def test_a_probe_that_is_answered_brings_its_source_back(tx) -> None:
    look(tx, configured="mainland")
    ran(tx, "foreign0", NOW + timedelta(days=1), answered=True)
    look(tx, at=NOW + timedelta(days=1), configured="mainland")

    assert "foreign0" not in standpoint(tx).unreachable
    assert sources.state(tx, "foreign0").next_due == NOW + timedelta(days=1, minutes=30)


def test_outside_foreign_sources_are_in_reach_and_walled_ones_are_not(tx) -> None:
    ran(tx, "foreign", answered=True)
    ran(tx, "near", answered=True)
    ran(tx, "walled", answered=False)

    assert look(tx) is Location.OUTSIDE
    assert standpoint(tx).unreachable == {"walled"}


@pytest.mark.parametrize("ours", [sources.OFFLINE, sources.INTERRUPTED])
def test_a_run_charged_to_nobody_takes_no_source_out_of_reach(tx, ours: str) -> None:
    walled = Source.model_validate(
        {"key": "w", "name": "W", "kind": "feed", "language": "en", "url": "http://w.example/", "reach": "not-from-mainland"}
    )
    sources.ensure(tx, ["w"], NOW)
    for result, minutes in (("ok", 0), (ours, 5)):
        at = NOW + timedelta(minutes=minutes)
        sources.finish_run(tx, sources.begin_run(tx, "w", at), at, result=result, next_due=at)

    assert unreachable([walled], Location.MAINLAND, sources.states(tx), frozenset()) == frozenset()


def test_a_refusal_is_an_answer(tx) -> None:
    ran(tx, "foreign", answered=False, detail="foreign.example answered 403 Forbidden.")
    ran(tx, "near", answered=True)

    assert look(tx) is Location.OUTSIDE


def test_runs_through_a_proxy_say_nothing_and_their_sources_are_in_reach(tx) -> None:
    ran(tx, "foreign", answered=True)
    ran(tx, "near", answered=True)
    behind = frozenset(f"foreign{number}" for number in range(5))

    assert look(tx, proxied=behind) is Location.UNKNOWN
    assert look(tx, configured="mainland", proxied=behind) is Location.MAINLAND
    assert not standpoint(tx).unreachable


def test_a_line_that_is_down_for_an_hour_moves_nobody_and_one_that_stays_down_does(tx) -> None:
    ran(tx, "foreign", answered=True)
    ran(tx, "near", answered=True)
    assert look(tx) is Location.OUTSIDE

    later = NOW + timedelta(hours=1)
    ran(tx, "foreign", later, answered=False)
    assert look(tx, at=later) is Location.OUTSIDE
    assert standpoint(tx).doubted == later
    assert look(tx, at=later + CHANGES_AFTER) is Location.MAINLAND


def test_doubt_ends_with_the_evidence_for_it(tx) -> None:
    for hours, answered in ((0, True), (1, False), (2, True)):
        at = NOW + timedelta(hours=hours)
        ran(tx, "foreign", at, answered=answered)
        ran(tx, "near", at, answered=True)
        assert look(tx, at=at) is Location.OUTSIDE

    assert standpoint(tx).doubted is None


def test_a_machine_that_has_moved_has_everything_due_again(tx) -> None:
    look(tx, configured="mainland")
    look(tx, at=NOW + timedelta(hours=1), configured="outside")

    assert standpoint(tx).unreachable == {"walled"}
    assert {f"foreign{number}" for number in range(5)} <= due(tx, NOW + timedelta(hours=1))
    assert sources.state(tx, "foreign0").standing is Standing.NEW


def test_nothing_is_written_while_nothing_changes(tx) -> None:
    ran(tx, "foreign", answered=False)
    ran(tx, "near", answered=True)
    look(tx)

    assert survey(tx, "auto", ON, frozenset(), NOW + timedelta(minutes=1)) is None


def test_of_the_shipped_catalogue_both_sides_can_be_told_and_most_stays_in_reach_of_each() -> None:
    default = load_catalogue().sources("default")
    hidden = {place: unreachable(default, place, {}, frozenset()) for place in Location}

    assert {name for name in hidden[Location.MAINLAND] if name.endswith("-gnews")} == {
        each.key for each in default if each.url.startswith("https://news.google.com/")
    } - {"gnews-zh-ai"}
    assert len(hidden[Location.MAINLAND]) < len(default) / 2
    assert len(hidden[Location.OUTSIDE]) < len(default) / 10
    assert not hidden[Location.UNKNOWN]
