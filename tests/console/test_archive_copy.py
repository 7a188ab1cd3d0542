"""`jingbao archive copy`, and everything else with an archive in PostgreSQL."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli import run
from storage.archive import Archive
from storage.database import database_of
from storage.server_lock import ServerLock
from tests.builders import NOW, keep
from tests.databases import fresh_url, server

pytestmark = pytest.mark.long

SOURCE = "{key: x, name: X, kind: feed, language: en, url: 'http://127.0.0.1:9/feed'}"

@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"sources: {{catalogue: none, add: [{SOURCE}]}}\nlocation: outside\n")
    with Archive.open(f"sqlite:///{tmp_path / 'data' / 'jingbao.sqlite3'}", NOW) as archive, archive.write() as tx:
        keep(tx, "华为 chips")
    return path


@pytest.fixture
def empty(tmp_path: Path):
    with ExitStack() as stack:
        yield fresh_url("postgres", tmp_path, stack, made=False)


def test_an_archive_is_carried_over_and_used_there(config: Path, empty: str, monkeypatch, capsys) -> None:
    """By storage.url alone; the password is in no output."""
    secret = empty.replace("postgres@", "postgres:hunter2-secret@")
    monkeypatch.setenv("JINGBAO_COPY_TO", secret)
    assert run(["--config", str(config), "archive", "copy"]) == 0
    told = capsys.readouterr()
    monkeypatch.setenv("JINGBAO__STORAGE__URL", secret)
    assert run(["--config", str(config), "search", "华为", "--json"]) == 0
    found = capsys.readouterr()
    assert run(["--config", str(config), "status", "--json"]) == 0
    status = capsys.readouterr()
    run(["--config", str(config), "doctor"])
    doctor = capsys.readouterr()
    run(["--config", str(config), "config", "show"])
    shown = capsys.readouterr()

    assert "holds the same: 1 article" in " ".join(told.err.split())
    assert "华为 chips" in found.out
    assert json.loads(status.out)["articles"]["total"] == 1
    assert "whole, 1 article" in doctor.out
    assert "hunter2" not in "".join(each.out + each.err for each in (told, found, status, doctor, shown))


_DIES_COPYING = """
import os, signal, sys
from console import cli
from console.commands import archive
from storage import copying
copying._AT_ONCE = 3

def step(shown, name, done, total):
    if (name, done) == ("article", 6):
        os.kill(os.getpid(), signal.SIGKILL)

archive._Shown.step = step
cli.run(sys.argv[1:])
"""


def test_a_copy_killed_on_its_way_is_no_archive_and_the_same_command_goes_on(
    config: Path, database: str, monkeypatch, capsys
) -> None:
    """Killed by SIGKILL between two pieces of a table; what was kept by then is gone on with, and all of it is compared."""
    with Archive.open(f"sqlite:///{config.parent / 'data' / 'jingbao.sqlite3'}", NOW) as archive, archive.write() as tx:
        for number in range(9):
            keep(tx, f"华为 news {number}")
    with ExitStack() as stack:
        (config.parent / "elsewhere").mkdir()
        target = fresh_url(database, config.parent / "elsewhere", stack, made=False)
        copy = ["--config", str(config), "archive", "copy", "--to", target, "--json"]

        assert subprocess.run([sys.executable, "-c", _DIES_COPYING, *copy], check=False, timeout=60).returncode == -signal.SIGKILL
        monkeypatch.setenv("JINGBAO__STORAGE__URL", target)
        assert run(["--config", str(config), "search", "华为"]) == 1
        assert "unfinished copy" in " ".join(capsys.readouterr().err.split())
        monkeypatch.delenv("JINGBAO__STORAGE__URL")
        assert run(copy) == 0
        done = json.loads(capsys.readouterr().out)
        monkeypatch.setenv("JINGBAO__STORAGE__URL", target)
        assert run(["--config", str(config), "search", "华为", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)

    assert (done["resumed"], done["rows"]["article"], found["total"]) == (True, 10, 10)


def test_a_second_copy_into_the_same_database_is_refused(config: Path, empty: str, capsys) -> None:
    assert run(["--config", str(config), "archive", "copy", "--to", empty, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["article"] == 1
    assert run(["--config", str(config), "archive", "copy", "--to", empty]) == 1
    assert "holds another archive already" in " ".join(capsys.readouterr().err.split())


def test_a_copy_onto_itself_is_refused(config: Path, capsys) -> None:
    own = f"sqlite:///{config.parent / 'data' / 'jingbao.sqlite3'}"
    assert run(["--config", str(config), "archive", "copy", "--to", own]) == 1
    assert "is the archive itself" in " ".join(capsys.readouterr().err.split())


def test_a_server_that_is_not_there_is_told_as_something_that_may_pass(config: Path, capsys) -> None:
    assert run(["--config", str(config), "archive", "copy", "--to", "postgresql://u:p-secret@127.0.0.1:9/none"]) == 75
    told = " ".join(capsys.readouterr().err.split())
    assert "none on 127.0.0.1:9 cannot be reached" in told
    assert "p-secret" not in told


def test_a_database_that_is_not_there_is_told_with_what_to_do(config: Path, capsys) -> None:
    url = f"postgresql://postgres@/nowhere?host={server().socket}"
    assert run(["--config", str(config), "archive", "copy", "--to", url]) in {1, 75}
    assert "nowhere" in capsys.readouterr().err


def test_a_second_daemon_on_a_server_ends_with_the_first_ones_name(config: Path, empty: str, monkeypatch, capsys) -> None:
    monkeypatch.setenv("JINGBAO__STORAGE__URL", empty)
    Archive.open(empty, NOW).close()
    first = ServerLock(database_of(empty, NOW - NOW)).acquire(datetime(2026, 11, 24, 8, tzinfo=UTC))
    try:
        assert run(["--config", str(config), "run", "--plain"]) == 75
    finally:
        first.release()
    assert "started 2026-11-24 08:00:00 UTC" in " ".join(capsys.readouterr().err.split())
