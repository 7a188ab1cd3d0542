"""What goes wrong at the edges is told in words and exit codes: never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli import run
from console.commands.options import LARGEST_ID
from storage.archive import Archive

CONFIG = """\
readers:
  - {key: ann, addresses: [ann@example.org]}
rules:
  - {name: export-controls, query: "@export-controls", when: now}
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("JINGBAO_CONFIG", str(path))
    monkeypatch.setenv("JINGBAO_CLOCK", "2026-01-20T10:00:00Z@0.000001")
    return path


def jingbao(*arguments: str, **more) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, with a real stdout."""
    command = [sys.executable, "-c", "from console.cli import main; main()", *arguments]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, timeout=60, **more)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["serch", "x"], 2, 'Did you mean "search"?'),
        (["--config", "", "status"], 2, "expected a file"),
        (["search", "华为", "芯片"], 2, "Put the whole query in quotes"),
        (["search", "-华为"], 2, "stands behind --"),
        (["export", "-华为"], 2, "stands behind --"),
        (["search", "x", "--after", "9" * 30], 2, "no cursor"),
        (["search", "x", "--after", "²"], 2, "no cursor"),
        (["show", "9" * 30], 2, "not in the range"),
        (["show", str(LARGEST_ID)], 3, "There is no archive"),
        (["explain", "9" * 30], 3, "There is no article"),
        (["explain", "²"], 2, "expected an article's number, or an address"),
        (["explain", "news.example/a"], 2, "starts with http:// or https://"),
        (["explain", "http://[::1"], 2, "address is broken"),
        (["status", "--since", "9" * 30 + "d"], 2, "as in 30d"),
        (["status", "--since", "9999999w"], 2, "a hundred years"),
        (["export", "x", "--out", "absent/x.csv"], 2, "a folder that is there"),
        (["export", "x", "--out", ""], 2, "a folder that is there"),
        (["alerts", "test", "export-controls", "--when", "now"], 2, "has its own schedule"),
        (["alerts", "test", "export-control"], 3, 'read as a query. Did you mean "export-controls"?'),
        (["collect", "qbita"], 3, 'Did you mean "qbitai"?'),
    ],
)
def test_wrong_use_is_told_what_would_be_right(arguments: list[str], code: int, told: str, capsys) -> None:
    assert run(arguments) == code
    assert told in capsys.readouterr().err


def test_alone_it_explains_itself(capsys) -> None:
    assert run([]) == 0
    assert "jingbao search" in capsys.readouterr().out


def test_json_may_be_asked_of_the_group_or_the_trial(config: Path, capsys) -> None:
    Archive.open(f"sqlite:///{config.parent / 'data' / 'jingbao.sqlite3'}", datetime(2026, 1, 20, tzinfo=UTC)).close()

    assert run(["alerts", "--json", "test", "@deepseek"]) == 3
    assert json.loads(capsys.readouterr().out)["mails"] == []


def test_rules_without_a_reader_are_noted_and_no_fault(config: Path, capsys) -> None:
    config.write_text(CONFIG.partition("rules:")[1] + CONFIG.partition("rules:")[2], encoding="utf-8")

    assert run(["config", "check", "--json"]) == 0
    assert "no reader" in json.loads(capsys.readouterr().out)["notes"][0]
    assert run(["doctor", "--json"]) == 0
    assert any("no reader" in each["what"] for each in json.loads(capsys.readouterr().out) if each["state"] == "note")


def test_doctor_makes_no_archive(config: Path, capsys) -> None:
    assert run(["doctor"]) == 0
    assert "is not there yet" in capsys.readouterr().out
    assert [path.name for path in config.parent.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("text", ["storage: {url: 'mysql://db/x'}", "data_dir: config.yaml"])
def test_an_archive_that_cannot_be_is_a_fault_of_the_configuration(config: Path, text: str, capsys) -> None:
    config.write_text(text, encoding="utf-8")

    assert run(["search", "x"]) == 78
    assert "expected" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["sources"], ["sources", "--json"]])
def test_a_pipe_that_closes_early_is_no_error(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = jingbao(*arguments, stdout=writing)
    finally:
        os.close(writing)

    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(config: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = jingbao("sources", "--json", stdout=full)

    assert ended.returncode == 1
    assert ended.stderr.strip().startswith(b"Writing failed: ")


def test_a_terminal_without_the_characters_gets_signs_in_their_place() -> None:
    ended = jingbao("doctor", stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})

    assert ended.returncode == 0
    assert b"? configuration" in ended.stdout


def test_a_server_that_is_not_there_is_worth_another_try(config: Path, capsys) -> None:
    config.write_text(f"storage: {{url: 'postgresql:///x?host={config.parent}'}}", encoding="utf-8")

    assert run(["search", "x"]) == 75
    assert "cannot be reached" in capsys.readouterr().err


def test_what_goes_to_a_file_is_not_wrapped() -> None:
    narrow, wide = (
        jingbao("sources", stdout=subprocess.PIPE, env=os.environ | {"COLUMNS": columns}).stdout for columns in ("30", "300")
    )

    assert len(narrow.splitlines()) > 79
    assert narrow == wide


def test_data_for_programs_is_utf_8_on_any_terminal() -> None:
    ended = jingbao("sources", "--json", stdout=subprocess.PIPE, env=os.environ | {"PYTHONIOENCODING": "ascii"})

    assert any(not source["name"].isascii() for source in json.loads(ended.stdout.decode("utf-8")))
