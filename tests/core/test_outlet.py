"""Nobody who reads the log slowly, or no longer, holds up or ends the daemon."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import LogConfig
from core.errors import ConfigError
from core.log import log_to, values
from core.outlet import Outlet

log = logging.getLogger("jingbao.test")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The log of the whole process is put back."""
    root, jingbao, raising = logging.getLogger(), logging.getLogger("jingbao"), logging.raiseExceptions
    kept = (root.handlers[:], root.level, jingbao.level)
    yield
    for handler in root.handlers:
        if handler not in kept[0]:
            handler.close()
    root.handlers[:], root.level, jingbao.level = kept[0], kept[1], kept[2]
    logging.raiseExceptions = raising


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """The end that is read, and the one that is written as stderr is."""
    reading, writing = os.pipe()
    with io.TextIOWrapper(io.FileIO(writing, "w"), encoding="utf-8", write_through=True) as stream:
        yield reading, stream


def test_lines_go_through_a_pipe_whole(pipe) -> None:
    reading, stream = pipe
    log_to(stream)
    log.info("collected", extra=values(source="量子位", new=3))

    assert os.read(reading, 1000).decode().endswith("INFO collected source=量子位 new=3\n")


def test_a_pipe_that_nobody_reads_holds_nothing_up_and_says_later_what_was_lost(pipe) -> None:
    reading, stream = pipe
    log_to(stream)
    for number in range(5000):
        log.info("stored", extra=values(title="x" * 100, number=number))
    os.read(reading, 1 << 20)
    log.info("stored", extra=values(number=5000))
    told = os.read(reading, 1 << 20).decode()

    lost, last = told.splitlines()
    assert lost.startswith("(")
    assert lost.endswith("log lines were lost: nobody read them)")
    assert last.endswith("number=5000")


def test_a_closed_pipe_ends_nothing(pipe) -> None:
    reading, stream = pipe
    log_to(stream)
    os.close(reading)
    for _ in range(3):
        log.info("stored")


def test_a_full_disk_under_stderr_ends_nothing() -> None:
    with Path("/dev/full").open("w") as stream:
        log_to(stream)
        for _ in range(3):
            log.warning("stored")


def test_a_long_traceback_goes_through_in_pieces(pipe) -> None:
    reading, stream = pipe
    outlet = Outlet(stream)
    outlet.write("é" * 10_000)

    assert os.read(reading, 1 << 20).decode() == "é" * 10_000


def test_a_file_begins_anew_when_it_is_full_and_old_ones_are_few(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "jingbao.log"
    log_to(config=LogConfig(file=str(file), max_mb=0.01, files=2))
    for number in range(1000):
        log.info("stored", extra=values(title="x" * 60, number=number))

    found = sorted(path.name for path in file.parent.iterdir())
    assert found == ["jingbao.log", "jingbao.log.1", "jingbao.log.2"]
    assert all(path.stat().st_size <= 10_000 for path in file.parent.iterdir())
    assert "number=999" in file.read_text()


def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()

    with pytest.raises(ConfigError, match=r"log\.file"):
        log_to(config=LogConfig(file=str(tmp_path / "taken")))


def test_a_file_that_has_become_unwritable_ends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "jingbao.log"
    log_to(config=LogConfig(file=str(file), max_mb=0.001, files=1))
    (tmp_path / "jingbao.log.1").mkdir()
    for number in range(100):
        log.info("stored", extra=values(title="x" * 60, number=number))


def test_the_journal_gets_levels_and_no_times(pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line of a traceback has its level; the variable must name this very stream (systemd.exec(5))."""
    reading, stream = pipe
    status = os.fstat(stream.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
    log_to(stream)
    log.info("collected", extra=values(new=3))
    try:
        raise ValueError("a bug")
    except ValueError:
        log.exception("met a bug")
    lines = os.read(reading, 1 << 20).decode().splitlines()

    assert lines[0] == "<6>collected new=3"
    assert lines[1] == "<3>met a bug"
    assert all(line.startswith("<3>") for line in lines[1:])
    assert lines[-1] == "<3>ValueError: a bug"


def test_another_stream_than_the_journals_gets_times(pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, stream = pipe
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    log_to(stream)
    log.info("collected")

    assert os.read(reading, 1000).decode().endswith("Z INFO collected\n")


def test_repeats_are_limited_in_what_is_written() -> None:
    stream = io.StringIO()
    log_to(stream)
    for _ in range(5):
        log.warning("upkeep failed", extra=values(reason="the disk is full"))
    logging.getLogger().handlers[0].close()

    first, count = stream.getvalue().splitlines()
    assert first.endswith('WARNING upkeep failed reason="the disk is full"')
    assert count.endswith('WARNING upkeep failed reason="the disk is full" repeated_times=4')
