"""Intake and outbox, killed at every point they come past and at random times, on both databases. Campaigns: bench/kills."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import KINDS
from tests.faults.clerks import Clerks, clerks
from tests.faults.points import POINTS, Point
from tests.faults.rounds import Verdict
from tests.faults.stores import store

pytestmark = pytest.mark.long

ROAD = [point for point in POINTS if not point.daemon_alone]
KILLS_AT_RANDOM = 10


@pytest.fixture(scope="module", params=KINDS)
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerks]:
    """A mother of clerks, on each database."""
    with store(request.param) as databases, clerks(databases, tmp_path_factory.mktemp(request.param)) as made:
        yield made


def in_order(points: list[Point]) -> list[tuple[str, int]]:
    """Each point once, those of the morning last."""
    return [(point.name, 1) for moment in ("day", "morning") for point in points if point.moment == moment]


def holds(round_: tuple[list[dict[str, Any]], Verdict]) -> bool:
    """Whether no row differs, no mail is lost, and none came twice outside the moment between 250 and the mark."""
    _, verdict = round_
    assert verdict.faults == []
    return (verdict.lost, verdict.outside, verdict.differing) == (0, 0, 0)


def deaths(round_: tuple[list[dict[str, Any]], Verdict]) -> int:
    """How many were killed."""
    return sum(life["code"] == -9 for life in round_[0])


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)  # the road is the same on both
def test_no_point_of_the_clerks_road_is_dead(office: Clerks, tmp_path: Path) -> None:
    """An undisturbed clerk who begins with nothing comes past every point that is not the daemon's alone."""
    reached = tmp_path / "reached"

    assert holds(office.round("counted", count=str(reached), nothing=True))

    often = Counter(reached.read_text(encoding="utf-8").splitlines())
    assert {point.name for point in POINTS if often[point.name]} == {point.name for point in ROAD}


def test_an_archive_whose_making_was_killed_is_the_undisturbed_one(office: Clerks) -> None:
    """Tables are made whole or not at all."""
    ends = [("migration statement", 1), ("migration statement", 30), *((f"{side} the commit of the tables", 1) for side in ("before", "after"))]

    ended = office.round("opening", at=ends, nothing=True)

    assert holds(ended)
    assert deaths(ended) == len(ends)


def test_an_archive_is_the_undisturbed_one_wherever_its_clerks_were_killed(office: Clerks) -> None:
    """A clerk dies at each point in turn; of the deaths between 250 and the mark, each sends one mail again, and no other does."""
    near_the_database = [point for point in ROAD if "commit" in point.name or point.window]
    ends = in_order(ROAD if office.store.kind == "sqlite" else near_the_database)

    ended = office.round("road", at=ends)

    assert holds(ended)
    assert deaths(ended) == len(ends)
    assert ended[1].doubled == sum(point.window for point in ROAD)


def test_an_archive_is_the_undisturbed_one_whenever_its_clerks_were_killed(office: Clerks) -> None:
    """At random times, that is."""
    rng = random.Random(20260311)
    longest = office.life_seconds / 6

    assert holds(office.round("times", delays=[rng.uniform(0, longest) for _ in range(KILLS_AT_RANDOM)]))


def test_there_are_at_least_25_points_and_each_has_a_name_of_its_own() -> None:
    """The table is complete and without doubles."""
    assert len(POINTS) >= 25
    assert len({point.name for point in POINTS}) == len(POINTS)
