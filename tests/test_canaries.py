"""The watch over secrets sees what it is there to see."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.canaries import CANARIES, Watch, files_with_canaries, seen_in

LEAK = CANARIES["JINGBAO_OAUTH_CLIENT_SECRET"]


@settings(max_examples=50)
@given(st.binary(max_size=20), st.binary(max_size=20))
def test_a_canary_is_seen_also_in_base64(before: bytes, behind: bytes) -> None:
    assert seen_in(base64.b64encode(before + LEAK.encode() + behind).decode())


def test_what_a_command_says_is_searched(pytestconfig: pytest.Config) -> None:
    """The command here prints a harmless word; a watch that knew it as a canary would find it."""
    watch = Watch(pytestconfig)
    watch.look((b"nothing", None))
    assert watch.finds == []
    watch.look((f"password={LEAK}".encode(), b""))
    assert len(watch.finds) == 1


def test_commands_that_tests_start_are_listened_to(pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]) -> None:
    watch = pytestconfig.pluginmanager.get_plugin("canaries")
    before = watch.texts
    subprocess.run([sys.executable, "-c", "print('hello')"], check=True, stdout=subprocess.PIPE)
    capsys.readouterr()

    assert watch.texts >= before + 4


def test_what_a_test_prints_and_logs_is_searched(pytestconfig: pytest.Config) -> None:
    watch = Watch(pytestconfig)
    reporting = watch.pytest_runtest_makereport(SimpleNamespace(nodeid="a test"))
    next(reporting)
    with pytest.raises(StopIteration):
        reporting.send(SimpleNamespace(sections=[("Captured log call", f"refused: {LEAK}"), ("Captured stdout call", "fine")]))

    assert len(watch.finds) == 1


def test_files_are_searched_but_for_those_a_secret_belongs_in(tmp_path: Path) -> None:
    for name in ("log.txt.log", "config.yaml", "smtp.secret"):
        (tmp_path / name).write_text(LEAK)
    found = [path.name for path in files_with_canaries(tmp_path)]
    (tmp_path / "log.txt.log").unlink()  # or the watch over this run would find it

    assert found == ["log.txt.log"]


def test_what_other_test_processes_found_fails_the_run(pytestconfig: pytest.Config) -> None:
    """Those of pytest-xdist: each hands over what it found when it ends; one that died hands over nothing."""
    worker, here = Watch(SimpleNamespace(workeroutput={}, pluginmanager=pytestconfig.pluginmanager)), Watch(pytestconfig)
    worker.look((LEAK.encode(), b""))
    worker.pytest_sessionfinish(SimpleNamespace(exitstatus=0))
    here.pytest_testnodedown(worker.config)
    here.pytest_testnodedown(SimpleNamespace())

    assert len(here.finds) == 1
