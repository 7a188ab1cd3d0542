"""Another process holds the database: a write waits for its turn, or is given up with its name; the event loop never waits."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import make_url

from alerts.outbox import send_due
from core.errors import StorageError
from scheduler.lag import LagMeter
from storage import outbox, settings
from storage.archive import Archive
from storage.outbox import NewMessage
from tests.builders import NOW
from tests.databases import server
from tests.faults.road import Postbox

pytestmark = pytest.mark.long

SQLITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
POSTGRES = """
import psycopg, sys
connection = psycopg.connect(sys.argv[1])
connection.execute("LOCK TABLE setting, message IN ACCESS EXCLUSIVE MODE") if sys.argv[2] == "table" else None
connection.execute("SELECT pg_advisory_xact_lock(1785294439, 1)")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(url: str, how: str = "writing") -> Iterator[subprocess.Popen[str]]:
    """Another process holds the archive until its stdin is closed, or the context ends."""
    program, where = (SQLITE, str(make_url(url).database)) if url.startswith("sqlite") else (POSTGRES, url)
    holder = subprocess.Popen([sys.executable, "-c", program, where, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        yield holder
    finally:
        holder.communicate("")


async def test_a_write_waits_for_another_process_while_the_loop_goes_on(database_url: str) -> None:
    with Archive.open(database_url, NOW) as archive, held(database_url) as holder:
        meter = LagMeter()
        writing = asyncio.create_task(archive.writing(lambda tx: settings.put(tx, "a", 1)))
        for _ in range(10):
            meter.expect(0.01)
            await asyncio.sleep(0.01)
            meter.happened()
        assert not writing.done()
        holder.communicate("")
        await writing

        assert meter.figures().p50 < 0.25
        assert await archive.reading(lambda tx: settings.get(tx, "a")) == 1


async def test_a_write_that_waited_too_long_is_given_up_whole_and_the_next_is_as_before(database_url: str) -> None:
    with Archive.open(database_url, NOW, patience=timedelta(milliseconds=50)) as archive:
        with held(database_url), pytest.raises(StorageError, match="Another program"):
            await archive.writing(lambda tx: settings.put(tx, "a", 1))

        assert await archive.reading(lambda tx: settings.get(tx, "a")) is None
        await archive.writing(lambda tx: settings.put(tx, "a", 2))
        assert await archive.reading(lambda tx: settings.get(tx, "a")) == 2


async def test_a_mail_taken_while_another_holds_the_database_for_longer_than_a_write_waits_goes_out_once(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.outbox.WRITE_PAUSES", (timedelta(),))
    with Archive.open(database_url, NOW, patience=timedelta(milliseconds=50)) as archive:
        with archive.write() as tx:
            outbox.put(tx, NewMessage("ann", "ann@example.org", "now", "k", "<a@x>", "news", b"news\r\n"), NOW)
        box = Postbox()
        tries: list[object] = []

        with held(database_url) as holder:
            writing = archive.writing

            async def count(work: object) -> object:
                tries.append(work)
                if len(tries) == 4:
                    holder.communicate("")
                return await writing(work)  # type: ignore[arg-type]

            monkeypatch.setattr(archive, "writing", count)
            done = await send_due(archive, box, "j@example.org", NOW)

        assert (done.sent, len(box.taken), len(tries)) == (1, 1, 4)
        assert await archive.reading(outbox.message_counts) == {"sent": 1}


async def test_a_line_that_is_cut_costs_the_write_under_way_and_no_other() -> None:
    """The server ends our connections while a transaction is open, as it does when it is restarted."""
    name = server().create()
    try:
        with Archive.open(server().url(name), NOW) as archive:

            def cut_off(tx: object) -> None:
                settings.put(tx, "a", 1)  # type: ignore[arg-type]
                server().run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

            with pytest.raises(StorageError, match="went away"):
                await archive.writing(cut_off)
            assert await archive.reading(lambda tx: settings.get(tx, "a")) is None
            await archive.writing(lambda tx: settings.put(tx, "a", 2))
            assert await archive.reading(lambda tx: settings.get(tx, "a")) == 2
    finally:
        server().drop(name)
