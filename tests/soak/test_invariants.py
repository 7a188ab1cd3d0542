"""What a soak may not leave behind is found if it does: each kind is put into the traces of a small one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bench.soak.invariants import broken
from bench.soak.journal import FIRST_DAY, Journal, Plan, add
from bench.soak.measuring import database
from storage import sources
from storage.archive import Archive

PLAN = Plan()
NOW = FIRST_DAY + timedelta(days=3)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """The traces of a daemon that collected once and sent a mail."""
    made = Journal(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    with Archive.open(f"sqlite:///{database(data)}", FIRST_DAY) as archive, archive.write() as tx:
        sources.ensure(tx, ["daily"], FIRST_DAY)
        run = sources.begin_run(tx, "daily", FIRST_DAY)
        sources.finish_run(tx, run, FIRST_DAY, result="ok", next_due=NOW)
    add(made.samples, {"at": NOW.isoformat()})
    came(made)
    put(made, SENT, "<one@soak.test>")
    return made


SENT = (
    "INSERT INTO message (reader, address, kind, period_key, message_id, subject, content, created, state, attempts, next_try,"
    " last_error) VALUES ('ada', 'ada@soak.test', 'now', 'k', ?, '', '', '2026-03-02', 'sent', 1, '2026-03-02', '')"
)


def came(journal: Journal, *, answered: bool = True) -> None:
    add(journal.mails, {"at": NOW.isoformat(), "message_id": "<one@soak.test>", "answered": answered})


def put(journal: Journal, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(database(journal.folder / "data"), isolation_level=None)) as rows:
        rows.execute(statement, values)


def test_a_sound_soak_breaks_nothing(journal) -> None:
    assert broken(journal, PLAN) == []


def test_a_mail_that_came_again_is_found_unless_it_was_not_answered_or_the_daemon_was_killed(journal) -> None:
    came(journal, answered=False)
    assert broken(journal, PLAN) == []
    came(journal)
    assert "came again" in broken(journal, PLAN)[0]
    add(journal.faults, {"at": NOW.isoformat(), "fault": "kill -9"})
    assert broken(journal, PLAN) == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE message SET message_id = '<two@soak.test>'", "never came"),
        ("UPDATE run SET finished = NULL", "have no end"),
        ("UPDATE run SET seen = 3", "do not add up"),
    ],
)
def test_what_an_archive_should_not_hold_is_found(journal, statement, told) -> None:
    put(journal, statement)

    faults = broken(journal, PLAN)

    assert told in "".join(faults)
    assert len(faults) == 1


def test_an_archive_that_is_damaged_is_found(journal) -> None:
    file = database(journal.folder / "data")
    pages = bytearray(file.read_bytes())
    pages[4096 * 3 :] = bytes(len(pages) - 4096 * 3)
    file.write_bytes(pages)

    assert any(fault.startswith("the archive") for fault in broken(journal, PLAN))


def test_bugs_in_the_logs_and_daemons_that_ended_are_found(journal) -> None:
    journal.log_of(1).write_text("INFO all is well\nERROR collect met a bug; please report the lines below\n", encoding="utf-8")
    add(journal.faults, {"at": NOW.isoformat(), "fault": "the daemon ended by itself with 70"})

    assert len(broken(journal, PLAN)) == 2
