"""What must hold of a soak whatever befell it: looked for in the archive, in what the mail server took, and in the logs."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from bench.soak.journal import Journal, Plan, lines
from bench.soak.measuring import database
from core.errors import JingbaoError
from storage.archive import Archive

LONGEST_UNMATCHED_SECONDS = 60.0
"""Of real time; an article waits for the next tick alone."""
_BUG = re.compile(r"met a bug|Traceback \(most recent|Task exception was never|was never awaited|ResourceWarning")


def broken(journal: Journal, plan: Plan) -> list[str]:
    """What does not hold, in words; nothing if all does."""
    data = journal.folder / "data"
    return [*_archive(data, journal.resumes_at, plan), *_mails(journal, data), *_logs(journal), *_deaths(journal)]


def _archive(data: Path, now: datetime, plan: Plan) -> list[str]:
    url = f"sqlite:///{database(data)}"
    try:
        with Archive.open(url, now, make=False, migrate=False) as archive:
            archive.check()
    except JingbaoError as error:
        return [f"the archive: {error}"]
    with closing(sqlite3.connect(database(data))) as rows:
        faults = _runs(rows)
        oldest = rows.execute("SELECT min(discovered) FROM article WHERE NOT matched").fetchone()[0]
    if oldest and _utc(oldest) < now - timedelta(seconds=LONGEST_UNMATCHED_SECONDS * plan.speed):
        faults.append(f"an article of {oldest} met no rules")
    return faults


def _runs(rows: sqlite3.Connection) -> list[str]:
    faults = []
    unfinished = rows.execute("SELECT count(*) FROM run WHERE finished IS NULL").fetchone()[0]
    if unfinished:
        faults.append(f"{unfinished} runs have no end")
    uneven = "SELECT count(*) FROM run WHERE seen <> (SELECT coalesce(sum(value), 0) FROM json_each(run.counts))"
    if wrong := rows.execute(uneven).fetchone()[0]:
        faults.append(f"{wrong} runs do not add up")
    return faults


def _mails(journal: Journal, data: Path) -> list[str]:
    """A mail comes again only if it was not answered or its daemon was killed; none that counts as sent is missing."""
    answered = Counter(mail["message_id"] for mail in lines(journal.mails) if mail["answered"])
    came = defaultdict(int, answered)
    for mail in lines(journal.mails):
        came[mail["message_id"]] += not mail["answered"]
    faults = []
    twice, kills = sum(count - 1 for count in answered.values()), sum("kill" in line["fault"] for line in lines(journal.faults))
    if twice > kills:
        faults.append(f"{twice} mails came again after they were answered; {kills} kills account for as many at most")
    with closing(sqlite3.connect(database(data))) as rows:
        sent = [row[0] for row in rows.execute("SELECT message_id FROM message WHERE state = 'sent'")]
    if lost := [name for name in sent if not came[name]]:
        faults.append(f"{len(lost)} mails count as sent and never came, as {lost[0]}")
    return faults


def _logs(journal: Journal) -> list[str]:
    found = Counter[str]()
    for log in sorted(journal.logs.glob("life-*.log")):
        with log.open(encoding="utf-8", errors="replace") as text:
            found.update(line.strip()[:160] for line in text if _BUG.search(line))
    return [f"in the logs, {count} times: {line}" for line, count in found.most_common(5)]


def _deaths(journal: Journal) -> list[str]:
    return [line["fault"][:300] for line in lines(journal.faults) if line["fault"].startswith("the daemon")]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")
