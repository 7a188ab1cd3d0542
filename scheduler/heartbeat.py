"""A daemon's heartbeat: a small file in the data folder, written every few seconds, by which others see how it is.

A file and not a row: it tells also when the database is locked, full or gone, and costs no write transaction.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from scheduler.lag import LONGEST_SECONDS, SLOW_SECONDS, Lag

FRESH_SECONDS = 60.0
ENOUGH = 600
"""Of so many lags, ten minutes' worth, one may think something: six of them have to be slow."""

STILL = 0.6
"""A loop that lags does so until its lag is under this share of the bound."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """How a daemon was at one moment. Moments are ISO 8601 in UTC.

    `monotonic` is the machine's monotonic clock (seconds, the same for all its processes): ages are told by it, since the wall
    clock may be set meanwhile. `phase` is starting, watching, reloading, lending or ending; `word` a line about how it stands.
    `tasks` are the event loop's that have not ended, `newest_lags` the loop's lags in seconds since about the heartbeat before.
    """

    pid: int
    started: str
    at: str
    monotonic: float
    phase: str
    last_tick: str
    collecting: tuple[str, ...]
    word: str
    lag: Lag
    tasks: int = 0
    newest_lags: tuple[float, ...] = ()

    @property
    def age_seconds(self) -> float:
        """How long ago it was written; infinite if before the machine was last started."""
        age = time.monotonic() - self.monotonic
        return age if age >= 0 else float("inf")

    @property
    def last_tick_seconds(self) -> float:
        """How long before this heartbeat the tick last came round, by the wall clock."""
        return (datetime.fromisoformat(self.at) - datetime.fromisoformat(self.last_tick or self.started)).total_seconds()

    @property
    def trouble(self) -> str:
        """What is wrong with the daemon that wrote it, in a few words; nothing if it works."""
        if not alive(self.pid):
            return f"the daemon is gone: process {self.pid} ended without a word after {self.at}"
        if self.age_seconds > FRESH_SECONDS:
            return f"process {self.pid} has given no sign of life since {self.at}: it hangs, or its disk is full"
        if self.phase in {"starting", "ending"}:
            return f"process {self.pid} is {self.phase}"
        if self.lag.latest >= LONGEST_SECONDS:
            return f"the event loop of process {self.pid} is {self.lag.latest:.1f} s late"
        return ""

    def write(self, file: Path) -> None:
        """Put it in the place of an earlier one, whole or not at all. Raises OSError."""
        half = file.with_name(file.name + ".new")
        half.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")
        half.replace(file)

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """The one in a file; None if there is none that can be read."""
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            told = {"newest_lags": (), **told}
            lists = {name: tuple(told[name]) for name in ("collecting", "newest_lags")}
            return cls(**{**told, **lists, "lag": Lag(**told["lag"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None


def heartbeat_file(data_folder: Path) -> Path:
    """Where the daemon of a data folder writes."""
    return data_folder / "heartbeat.json"


def lag_trouble(lag: Lag, *, lasting: bool = False) -> str:
    """What the operator should know of a loop that lags: nothing while it stays in bounds, or was measured too little.

    `lasting`: it was in trouble when last looked at, and ends only well within the bounds.
    """
    if lag.measured < ENOUGH or lag.p99 <= (SLOW_SECONDS * STILL if lasting else SLOW_SECONDS):
        return ""
    figures = f"99 in 100 waits under {lag.p99:.2f} s, the longest {lag.longest:.1f} s in the last hour"
    return f"the daemon's event loop lags ({figures}): the machine has too little to give, or something blocks it"


def alive(pid: int) -> bool:
    """Whether a process of this number runs on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # another user's
    return True
