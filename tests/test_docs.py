"""The documentation names every command, key and outcome, and nothing it names is missing."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from console.cli import COMMANDS
from core.config import Config
from core.outcomes import Outcome
from core.source import Source

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key of the configuration as the reference writes it: `readers[].zone`."""
    found = []
    for name, field in model.model_fields.items():
        inner, many = model_in(field.annotation)
        path = f"{prefix}{name}"
        if inner is None or inner is Source:
            found.append(path)
        else:
            found += keys(inner, f"{path}[]." if many else f"{path}.")
    return found


def model_in(annotation) -> tuple[type[BaseModel] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for inner in typing.get_args(annotation):
        found, _ = model_in(inner)
        if found:
            return found, typing.get_origin(annotation) is tuple
    return None, False


@pytest.mark.parametrize("key", keys(Config))
def test_every_configuration_key_is_explained(key: str) -> None:
    assert f"`{key}`" in read("reference/configuration.md")


def test_no_key_is_explained_that_does_not_exist() -> None:
    named = re.findall(r"^\| (`[^|]+) \|", read("reference/configuration.md"), re.MULTILINE)
    told = {key for cell in named for key in re.findall(r"`([^`]+)`", cell)}

    assert told - set(keys(Config)) == {"mail.smtp"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"jingbao {command}" in read("reference/commands.md")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_documented(outcome: Outcome) -> None:
    assert f"`{outcome}`" in read("reference/commands.md")


def pages() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_commands_named_anywhere_exist(page: Path) -> None:
    for command in re.findall(r"(?:^|`|\s)(?:\.venv/bin/)?jingbao ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.MULTILINE):
        if f"`jingbao {command}" in page.read_text(encoding="utf-8"):
            assert command in COMMANDS, f"{page.name} names jingbao {command}"


def test_make_targets_named_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for target in re.findall(r"make ([a-z-]+)\b", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
