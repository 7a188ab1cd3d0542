"""Intervals that outlive a change of the wall clock.

APScheduler keeps a job's next time as a moment on the wall clock (`BaseScheduler._process_jobs`). Put forward by a year,
its own interval trigger would count every interval in between; put back by a year, its jobs would wait for that year.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """A job's next time is one interval from now, however long ago the last was."""

    __slots__ = ("interval",)

    def __init__(self, interval: timedelta) -> None:
        self.interval = interval

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002  (its name there)
        """One interval after `now`, in the zone of `now`."""
        return now + self.interval


def bring_near(jobs: list[Any], now: datetime) -> None:
    """Let every job begin at once that is further away than its interval: the clock has been put back. For jobs with Every."""
    for job in jobs:
        if job.next_run_time - now > job.trigger.interval:
            job.modify(next_run_time=now)
