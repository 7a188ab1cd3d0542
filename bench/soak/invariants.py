"""What must hold of a soak whatever befell it: looked for in the archive, in what the mail server took, and in the logs."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta

from bench.soak.journal import Journal, Plan, lines
from bench.soak.measuring import database
from core.errors import JingbaoError
from storage.archive import Archive

LONGEST_UNMATCHED_SECONDS = 60.0
"""Of real time; an article waits for the next tick alone."""
_BUG = re.compile(r"met a bug|Traceback \(most recent|Task exception was never|was never awaited|ResourceWarning")


def broken(journal: Journal, plan: Plan) -> list[str]:
    """What does not hold, in words; nothing if all does."""
    return [*_stored(journal, plan), *_logs(journal), *_deaths(journal)]


def _stored(journal: Journal, plan: Plan) -> list[str]:
    file, now = database(journal.folder / "data"), journal.resumes_at
    try:
        with Archive.open(f"sqlite:///{file}", now, make=False, migrate=False) as archive:
            archive.check()
    except JingbaoError as error:
        return [f"the archive: {error}"]
    longest = timedelta(seconds=LONGEST_UNMATCHED_SECONDS * plan.speed)
    with closing(sqlite3.connect(file)) as rows:
        return [*_runs(rows), *_unmatched(rows, now - longest), *_mails(rows, journal)]


def _unmatched(rows: sqlite3.Connection, before: datetime) -> list[str]:
    waiting = "SELECT count(*) FROM article WHERE NOT matched AND discovered < ?"
    count = rows.execute(waiting, [f"{before:%Y-%m-%d %H:%M:%S}"]).fetchone()[0]
    return [f"{count} articles have not met the rules in a minute"] if count else []


def _runs(rows: sqlite3.Connection) -> list[str]:
    faults = []
    unfinished = rows.execute("SELECT count(*) FROM run WHERE finished IS NULL").fetchone()[0]
    if unfinished:
        faults.append(f"{unfinished} runs have no end")
    uneven = "SELECT count(*) FROM run WHERE seen <> (SELECT coalesce(sum(value), 0) FROM json_each(run.counts))"
    if wrong := rows.execute(uneven).fetchone()[0]:
        faults.append(f"{wrong} runs do not add up")
    return faults


def _mails(rows: sqlite3.Connection, journal: Journal) -> list[str]:
    """A mail comes again only if it was not answered or its daemon was killed; none that counts as sent is missing."""
    came = list(lines(journal.mails))
    answered = Counter(mail["message_id"] for mail in came if mail["answered"])
    again = sum(count - 1 for count in answered.values())
    kills = sum("kill" in line["fault"] for line in lines(journal.faults))
    sent = {row[0] for row in rows.execute("SELECT message_id FROM message WHERE state = 'sent'")}
    lost = sent - {mail["message_id"] for mail in came}
    faults = [f"{again} mails came again after they were answered; {kills} kills account for as many"] if again > kills else []
    return [*faults, *(f"a mail counts as sent and never came: {name}" for name in sorted(lost))]


def _logs(journal: Journal) -> list[str]:
    found = Counter[str]()
    for log in sorted(journal.logs.glob("life-*.log")):
        with log.open(encoding="utf-8", errors="replace") as text:
            found.update(line.strip()[:160] for line in text if _BUG.search(line))
    return [f"in the logs, {count} times: {line}" for line, count in found.most_common(5)]


def _deaths(journal: Journal) -> list[str]:
    return [line["fault"][:300] for line in lines(journal.faults) if line["fault"].startswith("the daemon")]
