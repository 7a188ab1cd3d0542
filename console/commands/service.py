"""`jingbao service`: the systemd unit, printed or installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from console.account import account_named
from console.place import config_file
from console.settings import load_settings
from console.terminal import plain, talk
from console.unit import NAME, Unit, unit_for
from core.config import Config
from core.errors import JingbaoError
from core.redaction import inline_secrets, secret_files

HELP = """\
Print the systemd unit for this installation and its configuration, or install it. Installing writes the unit, lets systemd
read it, and starts jingbao now and at every boot (--system, as root) or sign-in (--user); uninstalling stops it and takes
the unit away. The archive stays.

\b
Examples:
  jingbao service
  sudo .venv/bin/jingbao service --system --install
  jingbao service --user --install --dry-run
  jingbao service --user --uninstall
"""


@click.command(help=HELP)
@click.option("--user/--system", "user", default=False, help="The user's own service manager, or the machine's (as usual).")
@click.option("--print", "what", flag_value="print", default=True, help="Show the unit (as usual).")
@click.option("--install", "what", flag_value="install", help="Write, enable and start it.")
@click.option("--uninstall", "what", flag_value="uninstall", help="Stop it and take it away.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
@click.pass_obj
def command(config_path: Path | None, user: bool, what: str, dry_run: bool) -> None:
    """Print, install or uninstall the unit."""
    settings = load_settings(config_path)
    file, config = config_file(config_path), settings.config
    unit = unit_for(file, config.data_dir, secret_files(config), system=not user)
    if what == "print":
        click.echo(unit.text(), nl=False)
        for problem in _problems(unit, config):
            talk.print(plain(f"Mind: {problem}", "yellow"), soft_wrap=True)
        return
    if what == "install" and (found := list(_problems(unit, config))):
        raise JingbaoError("The service could not start like this. " + " ".join(found))
    if not dry_run and shutil.which("systemctl") is None:
        message = "There is no systemctl here. `jingbao service` prints the unit; any other supervisor: docs/guides/running.md."
        raise JingbaoError(message)
    for told, step in _install(unit) if what == "install" else _uninstall(unit):
        talk.print(told, markup=False, soft_wrap=True)
        if not dry_run:
            step()
    if what == "install":
        _say_what_is_left(unit, settings.config.data_dir)


def _problems(unit: Unit, config: Config) -> Iterator[str]:
    """What the service's account could not read, each with what to do."""
    if not unit.system:
        return
    try:
        account = account_named(unit.account)
        for path in (unit.command, Path(sys.base_prefix), unit.config):
            if (place := account.lacks(path)) is not None:
                yield _advice(unit, config, path, place)
    except (OSError, KeyError) as error:
        yield f"What the account {unit.account or 'that systemd makes'} may read cannot be told: {error}."


def _advice(unit: Unit, config: Config, path: Path, place: Path) -> str:
    who = f"The account {unit.account}" if unit.account else "The account that systemd makes"
    what = f"{who} may not {'enter' if place.is_dir() else 'read'} {place}"
    if path != unit.config:
        return f"{what}, where the program is: install jingbao where all may read it, as in /opt/jingbao."
    if place == path and not unit.account and not any(inline_secrets(config)):
        return f"{what}. It holds no secrets: chmod 644 {path}."
    own = f"useradd --system --shell /usr/sbin/nologin jingbao; chown -R jingbao {path.parent}"
    return f"{what}. Give it an account of its own, which the unit then takes: {own}."


Step = tuple[str, Callable[[], None]]
"""What is said before something is done, and the doing."""


def _install(unit: Unit) -> Iterator[Step]:
    yield f"Writing {unit.file}", lambda: _write(unit)
    if unit.system and not unit.in_state_folder:
        yield f"Making {unit.data_folder}, if it is not there", lambda: _make_data_folder(unit)
    yield from _systemctl(unit, "daemon-reload")
    yield from _systemctl(unit, "enable", "--now", NAME)


def _uninstall(unit: Unit) -> Iterator[Step]:
    yield from _systemctl(unit, "disable", "--now", NAME)
    yield f"Taking away {unit.file}", lambda: unit.file.unlink(missing_ok=True)
    yield from _systemctl(unit, "daemon-reload")


def _systemctl(unit: Unit, *arguments: str) -> Iterator[Step]:
    order = ["systemctl", *([] if unit.system else ["--user"]), *arguments]

    def tell() -> None:
        done = subprocess.run(order, capture_output=True, text=True, check=False)  # noqa: S603  (the words are ours)
        if done.returncode:
            raise JingbaoError(f"`{' '.join(order)}` failed: {done.stderr.strip() or done.returncode}")

    yield f"Running {' '.join(order)}", tell


def _write(unit: Unit) -> None:
    try:
        unit.file.parent.mkdir(parents=True, exist_ok=True)
        unit.file.write_text(unit.text(), encoding="utf-8")
    except OSError as error:
        hint = " Start it with sudo, or use --user." if unit.system else ""
        raise JingbaoError(f"{unit.file} cannot be written ({error.strerror}).{hint}") from error


def _make_data_folder(unit: Unit) -> None:
    """ReadWritePaths wants it there before the daemon could make it; it belongs to the daemon's account."""
    try:
        unit.data_folder.mkdir(parents=True, exist_ok=True)
        if unit.account:
            shutil.chown(unit.data_folder, unit.account)
    except (OSError, LookupError) as error:
        raise JingbaoError(f"{unit.data_folder} cannot be made for {unit.account or 'it'} ({error}).") from error


def _say_what_is_left(unit: Unit, data_dir: Path) -> None:
    manager = "" if unit.system else " --user"
    left = [f"See how it is: systemctl{manager} status jingbao, journalctl{manager} -u jingbao, jingbao health"]
    if unit.in_state_folder and data_dir != unit.data_folder:
        left.append(f"Set `data_dir: {unit.data_folder}` in {unit.config}, so that commands find what the daemon keeps")
        if any(data_dir.glob("*")):
            move = f"systemctl stop jingbao; cp -a {data_dir}/. {unit.data_folder}/; systemctl start jingbao"
            left.append(f"What is in {data_dir} stays there and is not used any more. To take it along: {move}")
    if unit.credentials:
        names = ", ".join(unit.credentials)
        left.append(f"Secrets are handed over by systemd ({names}); after a change: systemctl restart jingbao")
    if not unit.system:
        left.append("To have it run while you are not signed in: loginctl enable-linger")
    for line in left:
        talk.print(line, markup=False, soft_wrap=True)
