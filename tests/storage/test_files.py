"""What is missing or torn beside a database is told before SQLite would pass over it, and nothing is changed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import DamagedError, NoArchiveError
from storage import articles, files
from storage.archive import Archive
from tests.builders import NOW

ROOT = Path(__file__).resolve().parents[2]
_DIES = """
import os, sys
from storage.archive import Archive
from tests.builders import NOW, keep
with Archive.open(sys.argv[1], NOW) as archive:
    for number in range(5):
        with archive.write() as tx:
            keep(tx, f"kept {number}", "words " * 200)
    os.kill(os.getpid(), 9)
"""
_HOLDS = """
import sys
from storage.archive import Archive
from tests.builders import NOW
with Archive.open(sys.argv[1], NOW) as archive, archive.read() as tx:
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def died(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a process that was killed after it had kept five articles: all of them are in the log alone."""
    folder = tmp_path_factory.mktemp("died")
    subprocess.run([sys.executable, "-c", _DIES, f"sqlite:///{folder / 'jingbao.sqlite3'}"], cwd=ROOT, check=False)
    return folder


@pytest.fixture
def database(died: Path, tmp_path: Path) -> Path:
    shutil.copytree(died, tmp_path / "data")
    return tmp_path / "data" / "jingbao.sqlite3"


def _open(database: Path) -> Archive:
    return Archive.open(f"sqlite:///{database}", NOW)


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_killed_process_s_archive_opens_with_all_it_kept(database: Path) -> None:
    with _open(database) as archive, archive.read() as tx:
        assert articles.count(tx) == 5


def _cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _flip(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_cut, "cut short"),
        (_flip, "damaged"),
        (lambda data: b"garbage" * (len(data) // 7), "damaged"),
        (lambda data: b"\x00" + data[1:], "damaged"),
        (lambda data: data[:20], "damaged"),
        (lambda _: b"", "missing or empty"),
        (None, "missing or empty"),
    ],
    ids=["cut", "a bit", "garbage", "header", "a few bytes", "empty", "gone"],
)
def test_a_log_that_lacks_what_was_committed_is_refused_and_left(database: Path, change, told: str) -> None:
    """SQLite would open it as the archive of an earlier moment, and remove the log."""
    log = database.with_name(database.name + "-wal")
    if change is None:
        log.unlink()
    else:
        log.write_bytes(change(log.read_bytes()))
    before = _contents(database.parent)

    with pytest.raises(DamagedError, match=rf"{told}.*jingbao restore"):
        _open(database)
    assert _contents(database.parent) == before


def test_a_torn_end_that_nobody_committed_is_a_crash_and_no_damage(database: Path) -> None:
    log = database.with_name(database.name + "-wal")
    log.write_bytes(log.read_bytes() + log.read_bytes()[-1500:])

    with _open(database) as archive, archive.read() as tx:
        assert articles.count(tx) == 5


def test_a_log_whose_index_is_gone_or_half_written_is_read_by_sqlite_as_after_a_crash(database: Path) -> None:
    """Nothing says then how much of it was committed."""
    memory = database.with_name(database.name + "-shm")
    half = bytearray(memory.read_bytes())
    half[20] ^= 1
    memory.write_bytes(half)
    with _open(database) as archive, archive.read() as tx:
        assert articles.count(tx) == 5


def test_a_log_without_its_index_is_read_too(database: Path) -> None:
    database.with_name(database.name + "-shm").unlink()

    with _open(database) as archive, archive.read() as tx:
        assert articles.count(tx) == 5


def test_a_log_too_long_to_add_up_is_held_to_its_length(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_MOST_BYTES_ADDED_UP", 1000)
    log = database.with_name(database.name + "-wal")
    assert len(files._start(log)) < 1100 < log.stat().st_size  # nor is it read as a whole
    files.examine_log(database)
    log.write_bytes(_cut(log.read_bytes()))

    with pytest.raises(DamagedError, match="cut short"):
        files.examine_log(database)


def test_the_log_of_an_archive_that_another_process_has_open_is_left_to_it(database: Path) -> None:
    """It may be growing at that moment; who opened it has looked."""
    holding = [sys.executable, "-c", _HOLDS, f"sqlite:///{database}"]
    with subprocess.Popen(holding, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        with _open(database) as archive, archive.read() as tx:
            assert articles.count(tx) == 5
        child.communicate(b"\n")
    assert child.returncode == 0


def test_an_empty_file_is_never_taken_for_a_beginning(tmp_path: Path) -> None:
    database = tmp_path / "jingbao.sqlite3"
    database.touch()

    with pytest.raises(DamagedError, match="is empty"):
        _open(database)
    assert database.stat().st_size == 0


def test_a_database_gone_from_beside_its_log_is_not_made_anew(database: Path) -> None:
    database.unlink()

    with pytest.raises(DamagedError, match="is gone"):
        _open(database)
    assert not database.exists()


def test_where_nothing_was_nothing_is_made_unless_wanted(tmp_path: Path) -> None:
    database = tmp_path / "data" / "jingbao.sqlite3"

    with pytest.raises(NoArchiveError):
        Archive.open(f"sqlite:///{database}", NOW, make=False)
    assert not database.parent.exists()


def test_a_file_is_in_use_by_whichever_of_its_names(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked at from outside, its locks would be lost."""
    link = database.with_name("link.sqlite3")
    link.symlink_to(database)
    with _open(database):
        monkeypatch.setattr(files, "examine_log", lambda _: pytest.fail("opened and closed the files"))
        with _open(link) as archive, archive.read() as tx:
            assert articles.count(tx) == 5


def test_an_archive_in_use_may_be_opened_beside_it(database: Path) -> None:
    """Also while its log grows."""
    with _open(database) as first, first.write() as tx:
        articles.count(tx)
        with _open(database) as second, second.read() as other:
            assert articles.count(other) == 5
