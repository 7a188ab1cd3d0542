"""The systemd unit: of the running installation, for its configuration. What systemd thinks of it: tests/install."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from console.account import Account, account_named
from console.cli import run
from console.unit import STATE_FOLDER, Unit, unit_for

CONFIG = """\
data_dir: here
sources:
  catalogue: none
  add: [{key: daily, name: Daily, kind: feed, language: en, url: "http://127.0.0.1:9/feed"}]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("JINGBAO_CONFIG", str(path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    return path


@pytest.fixture
def orders(tmp_path: Path, monkeypatch) -> Path:
    """A `systemctl` that writes down what it is told, in the file given; told to disable, it fails."""
    told = tmp_path / "orders"
    order = tmp_path / "bin" / "systemctl"
    order.parent.mkdir()
    order.write_text(f'#!/bin/sh\necho "$@" >> {told}\ncase "$*" in *disable*) echo "no such unit" >&2; exit 5;; esac\n')
    order.chmod(0o755)
    monkeypatch.setenv("PATH", str(order.parent), prepend=os.pathsep)
    return told


def unit(**changes) -> Unit:
    here = Unit(True, Path("/opt/jingbao/.venv/bin/jingbao"), Path("/etc/jingbao/config.yaml"), STATE_FOLDER)
    return dataclasses.replace(here, **changes)


def lines(unit: Unit) -> set[str]:
    return set(unit.text().splitlines())


def test_the_unit_names_the_running_program_and_the_configuration_in_use(config: Path, capsys) -> None:
    assert run(["service"]) == 0
    told = capsys.readouterr().out.splitlines()

    assert f"ExecStart={Path(sys.prefix) / 'bin' / 'jingbao'} --config {config} run --plain" in told
    assert {"Type=notify", "WatchdogSec=60", "TimeoutStopSec=40", "RestartPreventExitStatus=1 78"} <= set(told)


def test_under_an_account_of_ones_own_it_may_write_its_data_alone() -> None:
    own = lines(unit(account="ann", data_folder=Path("/home/ann/jingbao/data")))

    assert {"User=ann", "ReadWritePaths=/home/ann/jingbao/data", "ProtectHome=read-only", "ProtectSystem=strict"} <= own
    assert not own & {"DynamicUser=yes", "StateDirectory=jingbao"}


def test_without_an_account_systemd_makes_one_and_a_place_for_the_data() -> None:
    made = lines(unit())

    assert {"DynamicUser=yes", "StateDirectory=jingbao", f"Environment=JINGBAO__DATA_DIR={STATE_FOLDER}"} <= made
    assert not any(line.startswith(("User=", "ReadWritePaths=")) for line in made)


def test_a_users_own_unit_asks_for_nothing_that_only_root_may_grant() -> None:
    own = lines(unit(system=False, data_folder=Path("/home/ann/data")))

    assert "WantedBy=default.target" in own
    assert not any(line.startswith(("Protect", "Private", "Capability", "User=", "DynamicUser", "State")) for line in own)


def test_paths_with_blanks_and_percent_signs_stay_what_they_are() -> None:
    odd = unit(config=Path('/srv/my "news" 100%/config.yaml'))

    assert '--config "/srv/my \\"news\\" 100%%/config.yaml" run' in odd.text()


def test_whose_configuration_it_is_decides_the_account(config: Path) -> None:
    os.chown(config, 65534, -1) if os.geteuid() == 0 else None
    here = unit_for(config, config.parent / "here", system=True)
    owner = config.owner()

    assert here.account == ("" if owner == "root" else owner)
    assert here.data_folder == (STATE_FOLDER if owner == "root" else config.parent / "here")


def test_installing_writes_the_unit_and_has_systemd_start_it(config: Path, orders: Path, capsys) -> None:
    assert run(["service", "--user", "--install"]) == 0
    written = config.parent / "xdg" / "systemd" / "user" / "jingbao.service"

    assert written.read_text(encoding="utf-8") == unit_for(config, config.parent / "here", system=False).text()
    assert orders.read_text(encoding="utf-8").splitlines() == ["--user daemon-reload", "--user enable --now jingbao.service"]
    assert "enable-linger" in capsys.readouterr().err


def test_a_dry_run_tells_all_and_does_nothing(config: Path, orders: Path, capsys) -> None:
    assert run(["service", "--user", "--install", "--dry-run"]) == 0

    assert "systemctl --user enable --now jingbao.service" in capsys.readouterr().err
    assert not orders.exists()
    assert not (config.parent / "xdg").exists()


def test_what_systemd_refuses_is_told_in_its_own_words(config: Path, orders: Path, capsys) -> None:
    assert run(["service", "--user", "--uninstall"]) == 1

    assert "no such unit" in capsys.readouterr().err


def test_a_machine_without_systemd_is_told_what_to_do(config: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("PATH", str(config.parent))

    assert run(["service", "--user", "--install"]) == 1
    assert "There is no systemctl here" in capsys.readouterr().err


NOBODY = Account()
"""Whoever systemd makes."""


def test_what_an_account_may_not_read_is_found_on_the_whole_way(tmp_path: Path) -> None:
    file = tmp_path / "closed" / "config.yaml"
    file.parent.mkdir(mode=0o755)
    file.write_text("")
    file.chmod(0o600)
    me = Account(file.stat().st_uid, frozenset())
    mates = Account(12345, frozenset({file.stat().st_gid}))

    def lacks(account: Account) -> Path | None:  # the folders above are the test run's, and shut
        return next((place for place in (file.parent, file) if not account.may(place)), None)

    assert NOBODY.lacks(file) is not None
    assert (lacks(NOBODY), lacks(me), lacks(mates)) == (file, None, file)
    file.chmod(0o640)
    assert lacks(mates) is None
    file.parent.chmod(0o700)
    assert lacks(mates) == file.parent
    assert account_named(str(os.geteuid())).user == os.geteuid()


@pytest.fixture
def roots(config: Path, monkeypatch) -> Path:
    """The configuration is root's, who is the owner of all that is not named otherwise."""
    monkeypatch.setattr("console.unit._name_of", lambda _: "root")
    monkeypatch.setattr(Account, "lacks", lambda _, path: path if path == config and not config.stat().st_mode & 0o004 else None)
    return config


def test_roots_own_files_are_handed_over_and_what_the_account_cannot_read_is_told(roots: Path, monkeypatch, capsys) -> None:
    (roots.parent / "secrets").mkdir()
    secret = roots.parent / "secrets" / "JINGBAO_SMTP_PASSWORD"
    secret.write_text("swordfish-7396")
    monkeypatch.delenv("JINGBAO_SMTP_PASSWORD", raising=False)
    roots.write_text(CONFIG + "mail: {smtp: {preset: gmail, user: ann@example.org}}\n", encoding="utf-8")
    roots.chmod(0o600)
    assert run(["service"]) == 0
    told = capsys.readouterr()
    assert f"LoadCredential=JINGBAO_SMTP_PASSWORD:{secret}" in told.out
    assert f"chmod 644 {roots}" in told.err

    roots.chmod(0o644)
    assert run(["service"]) == 0
    assert "chmod" not in capsys.readouterr().err


def test_nothing_is_installed_that_could_not_start(roots: Path, orders: Path, capsys) -> None:
    roots.write_text(CONFIG + "network: {proxy: 'http://me:canary-inline@127.0.0.1:1'}\n", encoding="utf-8")
    roots.chmod(0o600)
    assert run(["service", "--install"]) == 1

    told = capsys.readouterr().err
    assert "useradd --system" in told
    assert "chmod" not in told
    assert not orders.exists()


def test_what_was_kept_elsewhere_is_told_with_how_to_take_it_along(roots: Path, orders: Path, capsys) -> None:
    roots.chmod(0o644)
    (roots.parent / "here").mkdir()
    (roots.parent / "here" / "jingbao.sqlite3").touch()
    assert run(["service", "--install", "--dry-run"]) == 0

    assert f"cp -a {roots.parent / 'here'}/. {STATE_FOLDER}/" in capsys.readouterr().err
