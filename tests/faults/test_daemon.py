"""The real daemon in the small world: undisturbed it comes past every point, and killed it goes on. Campaigns: bench/kills."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.lives import Death
from tests.faults.points import POINTS
from tests.faults.rounds import Oracle, Verdict, one_moment, undisturbed
from tests.faults.stores import Store, store
from tests.faults.world import DAY, FIRST

pytestmark = pytest.mark.long

LATER = {point.name for point in POINTS if point.moment == "morning"}
DEATHS = [Death("within extraction")]


@dataclass(frozen=True, slots=True)
class Ground:
    """A place for worlds, what an undisturbed daemon leaves there, and how often it came past each point."""

    store: Store
    folder: Path
    oracle: Oracle
    often: Counter[str]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """An undisturbed day, on SQLite."""
    folder = tmp_path_factory.mktemp("worlds")
    reached = folder / "reached"
    counting = [sys.executable, "-m", "tests.faults.dying", "--count", str(reached), "--"]
    with store("sqlite") as databases:
        oracle = asyncio.run(undisturbed(databases, folder, (FIRST, DAY), counting))
        yield Ground(databases, folder, oracle, Counter(reached.read_text(encoding="utf-8").splitlines()))


def test_no_point_of_the_daemons_road_is_dead(ground: Ground) -> None:
    """A day of the real daemon leads past every point but those of the next morning."""
    assert {point.name for point in POINTS if not ground.often[point.name]} == LATER


def test_a_daemon_that_was_killed_leaves_what_an_undisturbed_one_leaves(ground: Ground) -> None:
    """No row differs, nothing is lost, nothing comes twice, and no reading worker outlives it."""
    lives, verdict = asyncio.run(one_moment(ground.store, ground.folder / "killed", ground.oracle, DAY, DEATHS))

    assert verdict == Verdict()
    assert [life.returncode for life in lives] == [-signal.SIGKILL] * (len(DEATHS) + 1)
