"""The clock can be set, and only with a moment that names its zone."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from core.clock import VARIABLE, Clock, WallClock, clock_from_environment
from core.errors import ConfigError


def test_without_the_variable_it_is_the_wall_clock(monkeypatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    clock = clock_from_environment()

    assert isinstance(clock, WallClock)
    assert clock.now().tzinfo is UTC


def test_a_set_clock_starts_where_it_is_told_and_runs_faster() -> None:
    start = datetime(2026, 1, 20, 8, 0, tzinfo=UTC)
    clock = Clock(start, 60.0, time.monotonic() - 10)

    assert clock.now() >= start + timedelta(minutes=10)
    assert clock.real_seconds(timedelta(minutes=1)) == 1


def test_the_variable_reads_other_zones_into_utc(monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, "2026-01-20T08:00:00+08:00@2")

    assert clock_from_environment().start == datetime(2026, 1, 20, 0, 0, tzinfo=UTC)


def test_processes_share_a_clock_by_the_real_moment_of_its_start(monkeypatch) -> None:
    """A clock made from another's description shows the same time, though it was started later."""
    first = Clock(datetime(2026, 1, 20, 8, 0, tzinfo=UTC), 60.0, time.monotonic() - 100)
    monkeypatch.setenv(VARIABLE, first.shared())

    second = clock_from_environment()

    assert second.now() >= first.start + timedelta(minutes=100)
    assert abs(second.started_monotonic - first.started_monotonic) < 5


@pytest.mark.parametrize(
    "text",
    ["soon", "2026-01-20T08:00:00Z@1@then", "2026-01-20T08:00:00", "2026-01-20T08:00:00Z@0", "2026-01-20T08:00:00Z@fast"],
)
def test_a_clock_that_cannot_be_read_is_a_configuration_error(monkeypatch, text) -> None:
    monkeypatch.setenv(VARIABLE, text)

    with pytest.raises(ConfigError, match="2026-01-20T08:00:00Z@60"):
        clock_from_environment()
