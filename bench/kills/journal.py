"""What a campaign has done so far, a JSON line a case, so that a rerun goes on where the last one ended."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults.lives import Life
from tests.faults.rounds import Verdict
from tests.faults.stores import Store


@dataclass
class Entry:
    """One case: its name, the kills it held (by what they were aimed at), and what came of it."""

    case: str
    kills: list[str] = field(default_factory=list)
    rounds: int = 1
    doubled: int = 0
    outside: int = 0
    lost: int = 0
    differing: int = 0
    faults: list[str] = field(default_factory=list)
    recovery_seconds: list[float] = field(default_factory=list)
    recovery_cpu: list[float] = field(default_factory=list)

    def add(self, lives: list[Life], verdict: Verdict) -> None:
        """Count lives, and what was found after them."""
        self.kills += [str(life.death) for life in lives if not life.settled]
        self.count(verdict)
        self.recovery_seconds += [round(life.ready_seconds, 3) for life in lives[1:] if life.ready_seconds]
        self.recovery_cpu += [round(life.ready_cpu, 3) for life in lives[1:] if life.ready_cpu]

    def count(self, verdict: Verdict) -> None:
        """Count what was found."""
        for name in ("doubled", "outside", "lost", "differing"):
            setattr(self, name, getattr(self, name) + getattr(verdict, name))
        self.faults += verdict.faults


@dataclass(frozen=True, slots=True)
class Ground:
    """What a campaign has to do with: databases, a folder for its worlds, the seed of its chances, and how much at once."""

    store: Store
    folder: Path
    seed: int
    at_once: int


Case = Callable[[], Awaitable[Entry]]
"""Does one case."""
Cases = AsyncGenerator[tuple[str, Case], None]
"""A campaign's cases in their order, each with its name."""


class Journal:
    """The file `NAME.jsonl` in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.jsonl"

    def __iter__(self) -> Iterator[Entry]:
        """What was done, in its order; a line torn by the campaign's own death is left out."""
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                yield Entry(**json.loads(line))
            except ValueError:
                continue

    @property
    def done(self) -> set[str]:
        """The names of the cases that were done."""
        return {entry.case for entry in self}

    def add(self, entry: Entry) -> None:
        """Keep an entry."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")
