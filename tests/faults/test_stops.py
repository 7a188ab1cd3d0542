"""SIGTERM ends the real daemon cleanly whatever holds it up; all phases by the hundred: bench/stopping.py."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.stops import SCENES, Scene, stop_in
from tests.faults.stores import SqliteStore
from tests.faults.telling import LOOK_UP
from tests.faults.world import FIRST

pytestmark = pytest.mark.long

NO_NAMES = Scene("looking names up", (LOOK_UP,), 0, FIRST, names_hang=True)
TOO_MUCH = Scene("reading", ("within extraction",), 0.2, FIRST, pages="huge")


@pytest.mark.parametrize("scene", [NO_NAMES, TOO_MUCH], ids=lambda scene: scene.phase)
async def test_a_daemon_that_is_held_up_ends_cleanly_and_leaves_nothing_running(tmp_path: Path, scene: Scene) -> None:
    """A resolver that never answers, pages past a document's CPU time: neither is waited for past the end's patience (else code 70)."""
    stop = await stop_in(scene, SqliteStore(), tmp_path / "world", None, random.Random(1))

    assert stop.reached
    assert (stop.code, stop.left) == (0, ())


def test_the_scenes_come_past_each_step_of_a_mail_and_each_way_of_being_slow() -> None:
    """So that the campaign leaves none out."""
    steps = {step for scene in SCENES for step in scene.mail}
    ways = {way for scene in SCENES for way in (scene.lists, scene.pages) if way}

    assert steps == {"GREETING", "HELLO", "SIGN_IN", "MAIL", "RCPT", "DATA", "TEXT"}
    assert ways == {"silent", "drip", "big", "huge"}
