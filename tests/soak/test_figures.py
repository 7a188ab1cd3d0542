"""A soak's figures and picture: slopes that a few wild points do not move, a warm-up that is cut, four panels."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.soak.figures import WARM_UP, Lags, Life, lives_of
from bench.soak.measuring import Sample
from bench.soak.plotting import plot
from bench.soak.slopes import slope

SAMPLE = Sample("", 0.0, 1, 0, 100.0, 90.0, 80.0, 1, 40.0, 1, 30, 12, 1.0, 0.0, 20, [0.01, 0.02])


def life(rss, crawls=range(0, 3001, 20), number: int = 1) -> Life:
    return Life(number, [replace(SAMPLE, life=number, crawls=done, rss=rss(done)) for done in crawls])


@settings(max_examples=20, deadline=None)
@given(st.floats(-10, 10), st.floats(-100, 100), st.integers(2, 80), st.randoms())
def test_the_slope_of_a_line_is_its_own_whatever_a_few_points_say(rise, start, count, chance) -> None:
    ys = [start + rise * x for x in range(count)]
    for wild in chance.sample(range(count), count // 8):
        ys[wild] += chance.uniform(-1e6, 1e6)

    assert slope(range(count), ys) == pytest.approx(rise, abs=1e-6)


def test_points_at_one_place_have_no_slope() -> None:
    with pytest.raises(ValueError, match="no two points"):
        slope([1, 1, 1], [1, 2, 3])


def test_growth_in_the_warm_up_is_none_and_growth_after_it_is_told_per_thousand_crawls() -> None:
    assert life(lambda done: min(done, WARM_UP)).slope("rss") == 0
    assert life(lambda done: done / 500).slope("rss") == pytest.approx(2)


def test_a_life_that_ends_with_its_warm_up_tells_no_slope() -> None:
    assert life(float, crawls=range(0, WARM_UP + 100, 20)).slope("rss") is None


def test_lives_are_told_apart_by_process() -> None:
    samples = [*life(float).samples, *life(float, number=2).samples]

    assert [(each.number, len(each.samples)) for each in lives_of(samples)] == [(1, 151), (2, 151)]


def test_the_worst_minute_is_found_among_good_ones() -> None:
    lags = Lags.of([0.01] * 600 + [0.5] * 3 + [0.01] * 3000)

    assert (lags.p99, lags.worst_minute, lags.slow) == (0.01, 0.5, 3)
    assert Lags.of([]).measured == 0


def test_the_picture_has_four_panels_and_a_line_for_each_life_in_each_series() -> None:
    drawn = ET.fromstring(plot([life(float), life(float, range(3000, 5000, 20), 2)], "<a soak>"))
    lines = [each for each in drawn.iter() if each.tag.endswith("polyline")]
    texts = [each.text for each in drawn.iter() if each.tag.endswith("text")]

    assert len([text for text in texts if text and text.startswith(("Memory", "File", "asyncio", "Lag"))]) == 4
    assert len([line for line in lines if "stroke-dasharray" not in line.attrib]) == 2 * 8
    assert "<a soak>" in texts
