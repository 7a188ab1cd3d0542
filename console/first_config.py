"""A first config.yaml: the shipped one with a person's answers in it, its comments kept.

The shipped file is the one at the repository's top; `console/data/config.yaml` links to it, and a built package holds its text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from console.settings import load_settings
from core.errors import JingbaoError

SECRETS = "secrets"
"""The folder beside config.yaml that holds a secret a file, named as it is looked up."""
_MAIL_NOTE = "# How mails leave: docs/guides/alerts-and-mail.md. To try it: `jingbao test-email`."
_FOLDER_NOTE = "# Mails are kept as .eml and .html files in data/mail until a way of sending is named here."


@dataclass(frozen=True, slots=True)
class Answers:
    """What `jingbao init` has found out. `mail` is that section of the file, `secrets` are values by the names they go by."""

    address: str
    language: str
    zone: str
    location: str
    contact: str
    mail: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def shipped() -> str:
    """The text of the shipped config.yaml."""
    return files("console").joinpath("data/config.yaml").read_text(encoding="utf-8")


def rendered(answers: Answers, text: str) -> str:
    """`text`, a configuration like the shipped one, with the answers in it; all else stays as it stands."""
    lines = _with(text.splitlines(), "location", "location", answers.location)
    lines = _with(lines, "network", "contact", answers.contact)
    for key, value in (("addresses", [answers.address]), ("language", answers.language), ("zone", answers.zone)):
        lines = _with(lines, "readers", key, value)
    return "\n".join(_with_mail(lines, answers.mail)) + "\n"


def write(path: Path, answers: Answers, text: str, *, force: bool) -> Path | None:
    """Write the configuration whole, readable by its owner alone, and the secrets beside it; gives where an old one was kept.

    It is checked as the daemon would check it, before anything is in its place. Raises JingbaoError if there is a file and not
    `force`, or if the folder cannot be written; ConfigError if the result is faulty.
    """
    if path.exists() and not force:
        advice = f"`jingbao init --force` makes it anew, and keeps this one as {path.name}.bak."
        raise JingbaoError(f"{path} is there already. {advice}")
    draft = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_private(draft, rendered(answers, text))
        load_settings(draft)
        for name, secret in answers.secrets.items():
            folder = path.parent / SECRETS
            folder.mkdir(mode=0o700, exist_ok=True)
            _write_private(folder / name, secret + "\n")
        kept = _set_aside(path) if path.exists() else None
        draft.replace(path)
    except OSError as error:
        raise JingbaoError(f"{path} cannot be written: {error.strerror}. Name another file: jingbao init FILE") from error
    finally:
        draft.unlink(missing_ok=True)
    return kept


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _set_aside(path: Path) -> Path:
    """Keep the old file under the first name that is free: config.yaml.bak, config.yaml.bak2 …"""
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in range(1, 1000))
    kept = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    path.rename(kept)
    return kept


def _span(lines: list[str], section: str) -> tuple[int, int]:
    """Where a top-level section begins and ends; both are the file's end if it has none."""
    start = next((number for number, line in enumerate(lines) if line.startswith(f"{section}:")), len(lines))
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end][0] in " -"):
        end += 1
    return start, min(end, len(lines))


def _with(lines: list[str], section: str, key: str, value: Any) -> list[str]:
    """The lines with one value changed: the first `key` of a section, its comment staying where it stood."""
    start, end = _span(lines, section)
    shape = re.compile(rf"(\s*(?:- )?{key}:\s*)(.*?)(\s+#.*)?$")
    for number in range(start, end):
        if found := shape.fullmatch(lines[number]):
            if yaml.safe_load(found[2]) == value:
                return lines
            changed = f"{found[1]}{_scalar(value)}"
            comment = (found[3] or "").strip()
            width = len(lines[number]) - len(comment)
            lines[number] = f"{changed:<{width}}{'' if len(changed) < width else '  '}{comment}".rstrip()
            return lines
    head = f"{key}: {_scalar(value)}"
    if section == key:
        return [*lines[:1], head, *lines[1:]] if start == len(lines) else lines
    if start == len(lines):
        return [*lines, f"{section}:", f"  {head}"]
    first = re.match(r"(\s*)- ", lines[start + 1]) if start + 1 < end else None
    place, indent = (start + 2, first[1] + "  ") if first else (start + 1, "  ")
    return [*lines[:place], indent + head, *lines[place:]]


def _with_mail(lines: list[str], mail: Mapping[str, Any]) -> list[str]:
    """The lines with the section of mail replaced, and the comments right above it."""
    if not mail:
        return lines
    start, end = _span(lines, "mail")
    while start and lines[start - 1].startswith("#"):
        start -= 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    note = _FOLDER_NOTE if set(mail) <= {"sender"} else _MAIL_NOTE
    block = yaml.safe_dump({"mail": dict(mail)}, allow_unicode=True, sort_keys=False, width=120).splitlines()
    return [*lines[:start], note, *block, *lines[end:]]


def _scalar(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if value == "":
        return '""'
    written = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return written.removesuffix("\n").removesuffix("\n...")
