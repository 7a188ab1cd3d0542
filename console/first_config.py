"""A first config.yaml: the shipped one with a person's answers in it, its comments kept.

The shipped file is the one at the repository's top; `console/data/config.yaml` links to it, and a built package holds its text.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from console.config_text import read_values, with_mail, with_value
from console.settings import load_settings
from core.errors import ConfigError, JingbaoError

PLACEHOLDER = "you@example.org"
"""The address in the shipped file; where none is given it stays, and nothing is sent to it while mails are kept in a folder."""
SECRETS = "secrets"
"""The folder beside config.yaml that holds a secret a file, named as it is looked up."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What `jingbao init` has found out.

    `addresses` are the first reader's. `mail` is that section of the file, empty where it stays as it is. `secrets` are values
    by the names they go by, `notes` what the person should know.
    """

    addresses: tuple[str, ...]
    language: str
    zone: str
    location: str
    contact: str
    mail: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """What answers are put into: a configuration's text and values. `own`: a person's file, whose values they may keep."""

    text: str
    own: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """All of it, empty where it is not a person's."""
        return read_values(self.text) if self.own else {}

    @property
    def reader(self) -> dict[str, Any]:
        """The first reader, empty if there is none or it is the shipped one's."""
        first: dict[str, Any] = next(iter(self.values.get("readers") or ()), {})
        return first if first.get("addresses") not in (None, [PLACEHOLDER]) else {}

    @property
    def address(self) -> str:
        """The first reader's first address; empty if there is none."""
        return next(iter(self.reader.get("addresses", ())), "")

    @property
    def location(self) -> str:
        """The configured location."""
        return str(self.values.get("location") or "auto")

    @property
    def network(self) -> dict[str, Any]:
        """The section `network`."""
        return self.values.get("network") or {}

    @property
    def contact(self) -> str:
        """The configured contact; empty if there is none."""
        return str(self.network.get("contact") or "")

    @property
    def mail(self) -> dict[str, Any]:
        """The section `mail`."""
        return self.values.get("mail") or {}

    @property
    def way(self) -> str:
        """How mails leave, as one answers to `init`: a preset, HOST:PORT, sendmail, api or folder."""
        smtp = self.mail.get("smtp")
        if smtp:
            return str(smtp.get("preset") or f"{smtp.get('host')}:{smtp.get('port', 587)}")
        return "sendmail" if self.mail.get("sendmail") else "api" if self.mail.get("api") is not None else "folder"


def shipped() -> str:
    """The text of the shipped config.yaml."""
    return files("console").joinpath("data/config.yaml").read_text(encoding="utf-8")


def what_is_there(path: Path) -> Before:
    """The file that is to be made anew, if there is one and jingbao takes it; else the shipped text."""
    try:
        load_settings(path)
        return Before(path.read_text(encoding="utf-8-sig"), own=True)
    except (ConfigError, OSError):
        return Before(shipped())


def rendered(answers: Answers, text: str) -> str:
    """`text`, a configuration, with the answers in it; all else stays as it stands, comments too."""
    changes = (
        ("location", "location", answers.location),
        ("network", "contact", answers.contact),
        ("readers", "addresses", list(answers.addresses)),
        ("readers", "language", answers.language),
        ("readers", "zone", answers.zone),
    )
    for section, key, value in changes:
        text = with_value(text, section, key, value)
    return with_mail(text, answers.mail)


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
        _write_secrets(path.parent / SECRETS, answers.secrets)
        kept = _kept(path) if path.exists() else None
        draft.replace(path)
    except OSError as error:
        raise JingbaoError(f"{path} cannot be written: {error.strerror}. Name another file: jingbao init FILE") from error
    finally:
        with suppress(OSError):  # where nothing could be written there is nothing to take away
            draft.unlink(missing_ok=True)
    return kept


def _write_secrets(folder: Path, secrets: Mapping[str, str]) -> None:
    if not secrets:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)  # one that was there may be open to others
    for name, secret in secrets.items():
        _write_private(folder / name, secret + "\n")


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _kept(path: Path) -> Path:
    """Keep the old file under the first name that is free: config.yaml.bak, config.yaml.bak2 … It stays where it is as well."""
    names = (f"{path.name}.bak{number if number > 1 else ''}" for number in range(1, 1000))
    kept = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    shutil.copy2(path, kept)
    return kept
