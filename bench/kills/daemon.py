"""The real daemon: killed once at each named point, and at random times."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import count

from bench.kills.journal import Cases, Entry, Ground
from tests.faults.lives import Death, Life, live
from tests.faults.points import POINTS, named
from tests.faults.rounds import Oracle, look, one_moment, undisturbed
from tests.faults.world import MOMENTS, moment_named, world

KILLS_A_MOMENT = {"first": 3, "day": 5, "morning": 2}
BEFORE_READY = 0.25
"""The share of random kills that come before the daemon is ready, most of it spent on loading itself."""
LATEST_SECONDS = 2.0


async def points(ground: Ground) -> Cases:
    """Each point once, each statement of the migrations, then points and turns at random for ever."""
    oracle, reached = await _counted(ground)
    for name, nth in _turns(reached, random.Random(ground.seed)):
        yield f"{name} {nth}", partial(_at_point, ground, oracle, name, nth)


async def _counted(ground: Ground) -> tuple[Oracle, dict[str, Counter[str]]]:
    """What undisturbed runs leave, and how often a life at each moment comes past each point."""
    store, folder = ground.store, ground.folder
    oracle = await undisturbed(store, folder)
    reached = {}
    for moment in MOMENTS:
        file = folder / f"reached-{moment.name}"
        file.unlink(missing_ok=True)
        async with world(store, folder / "counted", moment, oracle.start_of(moment)) as made:
            await live(made, Death(), command=[sys.executable, "-m", "tests.faults.dying", "--count", str(file), "--"])
        reached[moment.name] = Counter(file.read_text(encoding="utf-8").splitlines())
    return oracle, reached


def _turns(reached: dict[str, Counter[str]], rng: random.Random) -> Iterator[tuple[str, int]]:
    yield from ((point.name, 1) for point in POINTS)
    yield from (("migration statement", nth) for nth in range(2, reached["first"]["migration statement"] + 1))
    while True:
        point = rng.choice([point for point in POINTS if point.name != "migration statement"])
        often = reached[point.moment][point.name]
        # What comes round with every tick is not met a hundred times where less is to do.
        yield point.name, rng.randint(1, max(1, min(often, 6)))


async def _at_point(ground: Ground, oracle: Oracle, name: str, nth: int) -> Entry:
    moment = moment_named(named(name).moment)
    entry = Entry(f"{name} {nth}")
    lives, verdict = await one_moment(
        ground.store, ground.folder / f"at-{_slug(name)}-{nth}", oracle, moment, [Death(name, nth)]
    )
    if verdict.doubled and not named(name).window:
        verdict.outside += verdict.doubled
        verdict.faults.append(f"a mail came twice, though death at {name!r} gives no reason for it")
    entry.add(lives, verdict)
    return entry


def _slug(name: str) -> str:
    return "".join(char if char.isalnum() else "-" for char in name)


async def times(ground: Ground) -> Cases:
    """Worlds from an empty archive to the morning, killed at random times all the way, for ever."""
    oracle = await undisturbed(ground.store, ground.folder)
    for number in count():
        yield f"round {number}", partial(_round, ground, oracle, number, random.Random(f"{ground.seed} {number}"))


async def _round(ground: Ground, oracle: Oracle, number: int, rng: random.Random) -> Entry:
    entry = Entry(f"round {number}")
    async with world(ground.store, ground.folder / f"round-{number}") as made:
        for moment in MOMENTS:
            made.advance(moment)
            lives: list[Life] = []
            for _ in range(KILLS_A_MOMENT[moment.name]):
                lives.append(await live(made, _some_time(rng)))
            lives.append(await live(made, Death()))
            entry.add(lives, await look(made, oracle, lives))
    return entry


def _some_time(rng: random.Random) -> Death:
    if rng.random() < BEFORE_READY:
        return Death(seconds=rng.uniform(0.05, 3.0))
    return Death(seconds=rng.uniform(0.0, LATEST_SECONDS), ready=True)
