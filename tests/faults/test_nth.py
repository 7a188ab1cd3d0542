"""Every so often an operation of the road fails, on both databases; all of them in turn: python -m bench.db_faults."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.databases import KINDS as DATABASES
from tests.faults.failing import KINDS
from tests.faults.nth import Case, Loop, loop
from tests.faults.stores import store
from tests.faults.world import DAY, FIRST

pytestmark = pytest.mark.long

TRIED = 4
"""Of all operations, kinds, once and for ever: others in each run of the tests."""


@pytest.fixture(scope="module", params=DATABASES)
def roads(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """Undisturbed roads, to hold others against."""
    with store(request.param) as databases, loop(databases, tmp_path_factory.mktemp(request.param), (FIRST, DAY)) as made:
        yield made


def test_whatever_operation_fails_the_archive_becomes_the_undisturbed_one(roads: Loop) -> None:
    """Nothing is lost or doubled, each mail goes out once, no source is blamed, no run stays open, no bug is met."""
    cases = [case for kind in KINDS for for_ever in (False, True) for case in roads.cases(kind, for_ever=for_ever)]

    wrong = {str(case): roads.faults(case) for case in random.sample(cases, TRIED)}

    assert {case: told for case, told in wrong.items() if told} == {}


def test_after_a_mail_was_taken_it_is_not_sent_again_however_long_its_mark_is_refused(roads: Loop) -> None:
    """The operation that marks the first mail as sent fails, and all after it."""
    operations = roads.oracle.operations["day"]
    marks = [number for number, what in enumerate(operations, 1) if what.startswith("UPDATE message SET")]

    assert marks
    assert roads.faults(Case("day", "locked", marks[0], for_ever=True)) == []
