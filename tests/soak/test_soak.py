"""The soak in small: the real daemon is measured through two calls in one folder, and the second goes on with the first."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.soak.figures import lives_of, samples_of
from bench.soak.invariants import broken
from bench.soak.journal import FIRST_DAY, Journal, Plan, lines
from bench.soak.report import report
from bench.soak.world import soak

pytestmark = pytest.mark.long


async def test_a_second_call_goes_on_with_the_archive_the_clock_and_the_plan_of_the_first(tmp_path: Path) -> None:
    plan = Plan(seed=3, sources=6, speed=3600)
    await soak(tmp_path, 1.0, plan, rests=0.5, every=0.5)
    journal = Journal(tmp_path)
    before, ended = samples_of(journal.samples), journal.resumes_at
    await soak(tmp_path, 1.0, Plan(seed=4, sources=1), rests=0.5, every=0.5)

    samples = samples_of(journal.samples)
    first, second = lives_of(samples)
    assert (first.number, second.number) == (1, 2)
    assert list(first.samples) == before
    assert second.samples[0].crawls >= first.samples[-1].crawls
    assert FIRST_DAY.isoformat() < before[0].at < ended.isoformat() <= second.samples[0].at
    assert all(sample.rss > 40 and sample.descriptors > 5 and sample.threads > 1 for sample in samples)
    assert journal.plan(Plan()) == plan
    assert broken(journal, plan) == []

    told = report(journal, plan)

    assert "2 crawls" in told.text or "crawls of 6 sources" in told.text
    assert ET.fromstring((tmp_path / "soak.svg").read_text(encoding="utf-8")).tag.endswith("svg")
    assert not [line for line in lines(journal.faults) if line["fault"].startswith("the daemon")]
