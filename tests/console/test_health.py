"""`jingbao health`, as scripts and containers ask it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from console.cli import run
from scheduler.heartbeat import Heartbeat, heartbeat_file
from scheduler.lag import Lag


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text("data_dir: here\nnonsense: 1\n", encoding="utf-8")
    monkeypatch.setenv("JINGBAO_CONFIG", str(path))
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def beat(folder: Path, **changes) -> None:
    at = "2026-03-03T09:00:00+00:00"
    ordinary = {
        "pid": os.getpid(), "started": at, "at": at, "monotonic": time.monotonic(), "phase": "watching", "last_tick": at,
        "collecting": ("daily",), "word": "3 sources on", "lag": Lag(p99=0.012),
    }  # fmt: skip
    Heartbeat(**ordinary | changes).write(heartbeat_file(folder))


def test_a_daemon_at_work_is_well_even_if_somebody_has_broken_its_configuration_meanwhile(folder: Path, capsys) -> None:
    beat(folder)

    assert run(["health"]) == 0
    assert capsys.readouterr().out == (
        f"process {os.getpid()} is watching: 3 sources on; collecting daily; loop lag p99 12 ms\n"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"monotonic": 0.0}, "no sign of life"), ({"lag": Lag(latest=9.0)}, "9.0 s late"), ({"pid": 2**22 + 1}, "gone")],
)
def test_what_is_wrong_is_told_in_one_line_with_exit_code_1(folder: Path, capsys, changes, told) -> None:
    beat(folder, **changes)

    assert run(["health"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert told in said.err


def test_no_daemon_is_told_with_the_file_that_is_missing(folder: Path, capsys) -> None:
    assert run(["health", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert str(heartbeat_file(folder)) in told["trouble"]
    assert told["heartbeat"] is None


def test_a_configuration_that_is_not_there_is_a_fault_of_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("JINGBAO_CONFIG", str(tmp_path / "absent.yaml"))

    assert run(["health"]) == 78


def test_asking_loads_neither_crawler_nor_archive() -> None:
    asked = "import sys, console.cli, console.commands.health; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    loaded = set(subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout.split())

    assert not loaded & {"scrapy", "twisted", "sqlalchemy", "pydantic", "numpy", "aiohttp", "asyncio", "rich", "apscheduler"}
