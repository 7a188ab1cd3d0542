"""The systemd unit for an installation: where it is, which configuration it uses, whose account it runs under.

Its sandbox (docs/design/daemon.md) scores 1.3 to 1.6 in `systemd-analyze security`, of 10; what is left is what a daemon that
talks to the web, reads resource limits and keeps an archive cannot do without.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

NAME = "jingbao.service"
STATE_FOLDER = Path("/var/lib/jingbao")
"""What systemd makes for StateDirectory=jingbao."""
_LINES: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. `account` is empty for a user's own unit, and for one that systemd makes an account for (DynamicUser).

    `system`: the machine's own manager starts it at boot, else the user's manager at sign-in. `credentials` are files of
    secrets by their names, which systemd reads as root and hands to the account.
    """

    system: bool
    command: Path
    config: Path
    data_folder: Path
    account: str = ""
    credentials: Mapping[str, Path] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where systemd looks for it."""
        if self.system:
            return Path("/etc/systemd/system") / NAME
        return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user" / NAME

    @property
    def in_state_folder(self) -> bool:
        """Whether systemd makes and owns the data folder."""
        return self.data_folder == STATE_FOLDER

    @property
    def in_a_home(self) -> bool:
        """Whether the program, its configuration or its data lie in somebody's home."""
        places = (self.command, self.config, self.data_folder, Path(sys.base_prefix))
        return any(place.is_relative_to(home) for place in places for home in _HOMES)

    def text(self) -> str:
        """The unit file."""
        loader = PackageLoader("console")
        templates = Environment(loader=loader, undefined=StrictUndefined, **_LINES)  # noqa: S701  (no HTML: a unit file)
        quoted = {name: _quoted(getattr(self, name)) for name in ("command", "config", "data_folder")}
        handed = {name: _quoted(path) for name, path in self.credentials.items()}
        return templates.get_template("jingbao.service.j2").render(unit=self, handed=handed, **quoted)


def unit_for(config: Path, data_folder: Path, secrets: Mapping[str, Path] | None = None, *, system: bool) -> Unit:
    """The unit of the jingbao that runs now.

    At the machine's manager it runs under the account of the configuration's owner; where that is root, under one that
    systemd makes for it, which then keeps everything in /var/lib/jingbao, and is handed the files of `secrets`.
    """
    owner = _name_of(config.stat().st_uid)
    account = "" if owner == "root" else owner
    data = STATE_FOLDER if system and not account else data_folder
    handed = {name: path.resolve() for name, path in (secrets or {}).items()} if system and not account else {}
    return Unit(system, Path(sys.prefix) / "bin" / "jingbao", config.resolve(), data, account if system else "", handed)


def _name_of(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _quoted(path: Path) -> str:
    """A path as a word of a unit file: quoted, with systemd's own signs doubled (systemd.syntax(7), systemd.unit(5))."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"' if any(sign in text for sign in " \t'\"\\;") else text
