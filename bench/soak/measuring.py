"""What is measured every few seconds: memory, descriptors, threads by the system; tasks and lag by the daemon's heartbeat."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from scheduler.heartbeat import Heartbeat, heartbeat_file

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment. Memory in MB (10^6 bytes); `crawls` are runs begun since the archive's beginning; `at` is the set clock's.

    `life` counts the daemon's processes; `workers` are its reading workers, `helpers` its other children. `lags` (seconds)
    are those that came since the sample before.
    """

    at: str
    seconds: float
    life: int
    crawls: int
    rss: float
    pss: float
    uss: float
    workers: int
    workers_uss: float
    helpers: int
    descriptors: int
    threads: int
    archive_mb: float
    raw_mb: float
    tasks: int | None = None
    lags: list[float] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As a JSON line."""
        return asdict(self)


class Gauge:
    """Measures one daemon. `data` is its data folder."""

    def __init__(self, pid: int, life: int, data: Path) -> None:
        self._daemon = psutil.Process(pid)
        self._life = life
        self._data = data
        self._heartbeat = 0.0

    def read(self, at: str, seconds: float) -> Sample | None:
        """The present moment; None if the daemon is gone, or not at work yet."""
        try:
            return self._read(at, seconds)
        except (psutil.Error, sqlite3.Error, OSError):
            return None

    def _read(self, at: str, seconds: float) -> Sample | None:
        beat = Heartbeat.read(heartbeat_file(self._data))
        if beat is None or beat.pid != self._daemon.pid or beat.phase == "starting":
            return None
        memory, children = self._daemon.memory_full_info(), self._daemon.children(recursive=True)
        workers = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        tasks, lags = self._news(beat)
        return Sample(
            at=at,
            seconds=round(seconds, 1),
            life=self._life,
            crawls=crawls(database(self._data)),
            rss=memory.rss / MB,
            pss=memory.pss / MB,
            uss=memory.uss / MB,
            workers=len(workers),
            workers_uss=sum(_uss(worker) for worker in workers),
            helpers=len(children) - len(workers),
            descriptors=self._daemon.num_fds(),
            threads=self._daemon.num_threads(),
            archive_mb=_size(self._data, "jingbao.sqlite3*"),
            raw_mb=_size(self._data / "raw", "*"),
            tasks=tasks,
            lags=lags,
        )

    def _news(self, beat: Heartbeat) -> tuple[int | None, list[float]]:
        """Tasks and lags of a heartbeat, if it was not seen yet."""
        if beat.monotonic == self._heartbeat:
            return None, []
        new = int(beat.monotonic - self._heartbeat) + 1 if self._heartbeat else len(beat.newest_lags)
        self._heartbeat = beat.monotonic
        return beat.tasks, [round(lag, 4) for lag in beat.newest_lags[-new:]]


def database(data: Path) -> Path:
    """The archive in a data folder."""
    return data / "jingbao.sqlite3"


def crawls(file: Path) -> int:
    """How many runs have begun in an archive. Run records go after a time, their numbers rise. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as archive:
        return int(archive.execute("SELECT coalesce(max(id), 0) FROM run").fetchone()[0])


def _uss(worker: psutil.Process) -> float:
    try:
        return float(worker.memory_full_info().uss) / MB
    except psutil.Error:
        return 0.0


def _size(folder: Path, pattern: str) -> float:
    return sum(file.stat().st_size for file in folder.glob(pattern) if file.is_file()) / MB
