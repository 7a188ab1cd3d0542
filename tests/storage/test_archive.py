"""The archive keeps transactions whole, lets processes work side by side, and refuses what it cannot trust."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.errors import StorageError
from lexicon.query import parse
from lexicon.watchlist import load_watchlist
from storage import addresses, articles, sources
from storage.archive import Archive
from storage.schema import metadata
from storage.search import search
from tests.builders import NOW, keep
from tests.databases import only

ROOT = Path(__file__).resolve().parents[2]
SOON = timedelta(milliseconds=1)


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_an_empty_folder_becomes_an_archive_with_every_table(archive: Archive) -> None:
    """The migrations make exactly the tables that schema.py describes."""
    with archive.read() as tx:
        context = MigrationContext.configure(
            tx.connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or not name.startswith("article_index")},
        )

        assert compare_metadata(context, metadata) == []


def test_an_archive_is_the_same_after_closing_and_opening(url: str) -> None:
    """Opening an archive of this version changes nothing."""
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        kept = keep(tx, "Huawei")
    with Archive.open(url, NOW + timedelta(days=1)) as archive, archive.read() as tx:
        assert articles.get(tx, kept).title == "Huawei"


def test_a_transaction_that_raises_leaves_nothing(archive: Archive) -> None:
    """Article, mentions, bands, index, story and address go together or not at all."""

    def interrupted() -> None:
        with archive.write() as tx:
            keep(tx, "Huawei", mentions=["huawei"], bands=(1, 2))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        interrupted()

    with archive.read() as tx:
        for table in (*metadata.tables, "article_index" if tx.connection.dialect.name == "postgresql" else "article_index_docsize"):
            if table != "setting":
                assert tx.connection.scalar(text(f'SELECT count(*) FROM "{table}"')) == 0, table


_DIES_WRITING = """
import os, sys
from storage.archive import Archive
from tests.builders import NOW, keep
with Archive.open(sys.argv[1], NOW) as archive:
    with archive.write() as tx:
        keep(tx, "kept", bands=(1,))
    with archive.write() as tx:
        for number in range(300):
            keep(tx, f"lost {number}", "words " * 2000, bands=(number,))
        os.kill(os.getpid(), 9)
"""


def test_a_process_killed_while_writing_leaves_what_it_had_committed(url: str) -> None:
    """However much of the rest had reached the disk."""
    died = subprocess.run([sys.executable, "-c", _DIES_WRITING, url], cwd=ROOT, check=False)
    assert died.returncode == -9

    with Archive.open(url, NOW) as archive, archive.read() as tx:
        archive.check()
        assert [each.title for each in articles.newest(tx, 10)] == ["kept"]
        assert [each.title for each in search(tx, parse("lost OR kept", load_watchlist()), NOW).articles] == ["kept"]


@only("sqlite")
def test_a_full_disk_is_told_and_nothing_half_written_is_kept(archive: Archive) -> None:
    """What was kept before can be read, and writing goes on once there is room."""
    with archive.write() as tx:
        keep(tx, "before")
        pages = tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(StorageError, match="no room left on the disk"), archive.write() as tx:
        keep(tx, "too big", "".join(map(chr, range(0x4E00, 0x9000))))
    with archive.write() as tx:
        assert [each.title for each in articles.newest(tx, 10)] == ["before"]
        tx.connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        keep(tx, "after")


def test_a_read_sees_one_moment_and_waits_for_nobody(archive: Archive) -> None:
    """What is committed while a read goes on is seen by the next read."""
    with archive.read() as before:
        assert articles.count(before) == 0
        with archive.write() as tx:
            keep(tx, "Huawei")
        assert articles.count(before) == 0
    with archive.read() as after:
        assert articles.count(after) == 1


def _log_bytes(url: str) -> int:
    return Path(f"{_file(url)}-wal").stat().st_size


@only("sqlite")
async def test_a_checkpoint_empties_the_write_ahead_log_and_loses_nothing(url: str, archive: Archive) -> None:
    with archive.write() as tx:
        keep(tx, "one", "word " * 1000)
    before = _log_bytes(url)
    await archive.upkeep()
    after = _log_bytes(url)

    assert (before > 0, after) == (True, 0)
    with archive.read() as tx:
        assert articles.count(tx) == 1


@only("sqlite")
async def test_a_checkpoint_beside_a_reader_and_a_writer_waits_for_nobody(url: str, archive: Archive) -> None:
    with archive.read() as reading:
        articles.count(reading)
        with archive.write() as tx:
            keep(tx, "one")
            await archive.upkeep()
        await archive.upkeep()
        assert _log_bytes(url) > 0
        assert articles.count(reading) == 0
    await archive.upkeep()

    assert _log_bytes(url) == 0


def test_a_read_transaction_cannot_write(archive: Archive) -> None:
    """The reading engine refuses."""
    with pytest.raises(StorageError, match="may not be written"), archive.read() as tx:
        keep(tx, "Huawei")


def test_a_statement_with_an_error_stays_a_bug(archive: Archive) -> None:
    """Only what a person can do something about becomes a StorageError."""
    with pytest.raises((OperationalError, ProgrammingError)), archive.read() as tx:
        tx.connection.execute(text("SELECT nothing FROM nowhere"))


@only("sqlite")
def test_a_lock_held_too_long_is_told_with_its_file(url: str, archive: Archive) -> None:
    """The advice names the database."""
    other = sqlite3.connect(_file(url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        Archive.open(url, NOW, patience=SOON) as hasty,
        pytest.raises(StorageError, match=r"writing to .*jingbao\.sqlite3"),
        hasty.write(),
    ):
        pass
    other.close()


@only("sqlite")
def test_a_command_opens_and_reads_while_another_program_writes(url: str, archive: Archive) -> None:
    """Opening an archive of this version takes no write lock."""
    other = sqlite3.connect(_file(url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Archive.open(url, NOW, patience=SOON) as command, command.read() as tx:
        assert articles.count(tx) == 0
    other.close()


def test_several_writers_lose_nothing(archive: Archive) -> None:
    """Threads that read and then write in one transaction wait for each other instead of failing."""

    def work(name: str) -> None:
        for number in range(10):
            with archive.write() as tx:
                articles.count(tx)
                keep(tx, f"{name} {number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with archive.read() as tx:
        assert articles.count(tx) == 40


_OTHER_PROCESS = """
import sys
from storage.archive import Archive
from tests.builders import NOW, keep
with Archive.open(sys.argv[1], NOW) as archive:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(30):
        with archive.write() as tx:
            keep(tx, f"theirs {number}")
"""


async def test_another_process_writes_beside_the_writer_thread(url: str, archive: Archive) -> None:
    """Both finish, every article is there, and the loop goes on meanwhile."""
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OTHER_PROCESS, url, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    await other.stdout.readline()
    other.stdin.write(b"go\n")
    await asyncio.gather(*(archive.writing(lambda tx, n=number: keep(tx, f"ours {n}")) for number in range(30)))

    assert await other.wait() == 0
    assert await archive.reading(articles.count) == 60


async def test_writing_from_the_loop_happens_on_one_thread_in_order(archive: Archive) -> None:
    """Calls are done one at a time, first come first served."""
    done: list[tuple[int, int]] = []
    await asyncio.gather(*(archive.writing(lambda _, n=n: done.append((n, threading.get_ident()))) for n in range(20)))

    assert [number for number, _ in done] == list(range(20))
    assert len({thread for _, thread in done}) == 1
    assert done[0][1] != threading.get_ident()


async def test_an_error_on_the_writer_thread_reaches_its_caller(archive: Archive) -> None:
    """And what was written before it is undone."""

    def fail(tx: object) -> None:
        sources.ensure(tx, ["a"], NOW)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await archive.writing(fail)
    assert await archive.reading(sources.states) == {}


@only("sqlite")
@pytest.mark.parametrize("contents", [b"\x7fELF" + bytes(range(256)) * 40, b"SQLite format 3\x00" + bytes(5000)])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(url: str, contents: bytes) -> None:
    """Nothing is ever recreated over a file."""
    _file(url).write_bytes(contents)

    with pytest.raises(StorageError, match="backup"):
        Archive.open(url, NOW)
    assert _file(url).read_bytes() == contents


@only("sqlite")
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_archive_is_refused_and_left_as_it_is(url: str, damage: str) -> None:
    """Half of the file missing, or pages of it overwritten."""
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        for number in range(200):
            keep(tx, f"Huawei {number}", "many words " * 50)
    whole = _file(url).read_bytes()
    half = len(whole) // 2
    _file(url).write_bytes(whole[:half] if damage == "cut" else whole[:half] + b"\xa5" * (len(whole) - half))
    damaged = _file(url).read_bytes()

    with pytest.raises(StorageError, match=r"damaged.*backup"):
        Archive.open(url, NOW)
    assert _file(url).read_bytes() == damaged


def test_a_newer_archive_is_refused(url: str) -> None:
    """A version that never heard of the tables does not touch them."""
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StorageError, match="newer jingbao"):
        Archive.open(url, NOW)


@only("sqlite")
@pytest.mark.parametrize("alembic", [False, True])
def test_another_programs_database_is_refused(url: str, alembic: bool) -> None:
    """Also where that program uses Alembic too."""
    other = sqlite3.connect(_file(url))
    other.execute("CREATE TABLE recipe (name)")
    if alembic:
        other.execute("CREATE TABLE alembic_version (version_num)")
        other.execute("INSERT INTO alembic_version VALUES ('0001')")
    other.commit()
    other.close()

    with pytest.raises(StorageError, match="another program"):
        Archive.open(url, NOW)


@pytest.mark.parametrize("bad", ["sqlite://", "sqlite:///:memory:", "oracle://x/y", "data.sqlite3"])
def test_an_address_no_archive_can_be_at_is_refused(bad: str) -> None:
    """The message says what is expected."""
    with pytest.raises(StorageError, match="sqlite:///"):
        Archive.open(bad, NOW)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "data").write_text("a file")

    with pytest.raises(StorageError, match="cannot be made"):
        Archive.open(f"sqlite:///{tmp_path / 'data' / 'jingbao.sqlite3'}", NOW)


def test_two_first_openings_at_once_make_one_archive(url: str) -> None:
    """The second waits for the first's migration and finds it done."""
    failures: list[BaseException] = []

    def first() -> None:
        try:
            Archive.open(url, NOW).close()
        except BaseException as error:  # noqa: BLE001  (told to the test's thread)
            failures.append(error)

    threads = [threading.Thread(target=first) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_the_ledger_and_the_articles_refer_to_what_exists(archive: Archive) -> None:
    """Foreign keys are on: an address cannot lead to an article that is not there."""
    ending = addresses.Ending(addresses.Outcome.NEW, article_id=12)

    with pytest.raises(Exception, match=r"(?i)foreign key"), archive.write() as tx:
        addresses.record(tx, "https://a.test/1", ending, url="https://a.test/1", source="a", now=NOW)
