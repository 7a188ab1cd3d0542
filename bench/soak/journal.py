"""What a soak writes down as it goes: a folder with its settings, and JSON lines by which the next call goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday, so that no holiday comes in the first weeks
_AFTER_A_PAUSE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a soak is made of; kept in its folder, so that a later call goes on with the same. `crawls_a_second` is the aim."""

    seed: int = 1
    sources: int = 120
    speed: float = 720.0
    crawls_a_second: float = 6.0

    @property
    def interval_minutes(self) -> float:
        """Each source's interval, on the set clock."""
        return self.sources / self.crawls_a_second * self.speed / 60


class Journal:
    """The folder of one soak."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.samples = folder / "samples.jsonl"
        self.faults = folder / "faults.jsonl"
        self.mails = folder / "mails.jsonl"
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)

    def plan(self, wanted: Plan) -> Plan:
        """The plan in the folder, else the wanted one, which is kept there."""
        file = self.folder / "plan.json"
        if file.exists():
            return Plan(**json.loads(file.read_text(encoding="utf-8")))
        file.write_text(json.dumps(asdict(wanted)), encoding="utf-8")
        return wanted

    @property
    def resumes_at(self) -> datetime:
        """Where the set clock goes on: after the last thing that was written down."""
        told = [datetime.fromisoformat(line["at"]) for file in (self.samples, self.mails, self.faults) for line in lines(file)]
        return max(told) + _AFTER_A_PAUSE if told else FIRST_DAY

    @property
    def lives(self) -> int:
        """How many lives the daemon has begun so far."""
        return sum(1 for _ in self.logs.glob("life-*.log"))

    def log_of(self, life: int) -> Path:
        """Where a life's log goes."""
        return self.logs / f"life-{life:03}.log"


def lines(file: Path) -> Iterator[dict[str, Any]]:
    """A file's JSON lines; one torn by the writer's end is left out."""
    if not file.exists():
        return
    with file.open(encoding="utf-8") as text:
        for line in text:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def add(file: Path, what: dict[str, Any]) -> None:
    """Write a line."""
    with file.open("a", encoding="utf-8") as text:
        text.write(json.dumps(what, ensure_ascii=False) + "\n")
