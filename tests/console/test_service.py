"""The systemd unit: of the running installation, for its configuration. What systemd thinks of it: tests/install."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest

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
