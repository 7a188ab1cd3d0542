"""Rounds of clerks (tests/faults/mother.py), and what must hold after one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import JingbaoError
from storage.archive import Archive
from tests.faults.dump import Dump, differences
from tests.faults.lives import ROOT
from tests.faults.rounds import Verdict
from tests.faults.stores import Place, Store
from tests.faults.world import FIRST, MORNING, archive_written_out, sent_mails
from tests.newsroom.mailbox import Mailbox, mailbox

if TYPE_CHECKING:
    from tests.newsroom.mailbox import Received


@dataclass
class Clerks:
    """A mother at work, her mail server, and what an undisturbed clerk leaves, after so many seconds of life.

    `template` is an archive that has its tables and nothing else.
    """

    store: Store
    folder: Path
    box: Mailbox
    mother: subprocess.Popen[bytes]
    oracle: Dump
    template: Place | None = None
    life_seconds: float = 1.0
    lives: int = 0

    def order(self, place: Place, **ends: Any) -> list[dict[str, Any]]:
        """Let clerks live on an archive; gives each one's number, exit code and seconds."""
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        order = {"url": place.url, "folder": str(place.folder), "life": self.lives, **ends}
        self.mother.stdin.write(json.dumps(order).encode() + b"\n")
        self.mother.stdin.flush()
        answer = self.mother.stdout.readline()
        lives: list[dict[str, Any]] = json.loads(answer)["lives"]
        self.lives += len(lives)
        return lives

    def round(self, name: str, **ends: Any) -> tuple[list[dict[str, Any]], Verdict]:
        """An archive on which clerks die as ordered until one comes to its end, and what came of it.

        It has its tables, unless the order is to begin with `nothing`.
        """
        where, nothing = self.folder / name, ends.pop("nothing", False)
        place = self.store.new(where) if nothing or self.template is None else self.store.copy(self.template, where)
        begun = len(self.box.received)
        try:
            lives = self.order(place, **ends)
            verdict = self._look(place, lives, self.box.received[begun:])
        finally:
            self.store.drop(place)
        return lives, verdict

    def _look(self, place: Place, lives: Sequence[dict[str, Any]], mails: Sequence[Received]) -> Verdict:
        verdict = Verdict()
        if lives[-1]["code"] != 0:
            verdict.faults.append(f"the last clerk did not come to its end: {lives[-1]}")
        verdict.faults += [f"a clerk ended by itself: {life}" for life in lives[:-1] if life["code"] != -9]
        try:
            differing = differences(self.oracle, archive_written_out(place, MORNING)) if self.oracle else []
            sent = sent_mails(place, MORNING)
        except JingbaoError as error:
            differing, sent = [f"the archive cannot be read: {error}"], {}
        verdict.differing = len(differing)
        verdict.faults += differing
        _hold_against(verdict, sent, mails)
        return verdict


def _hold_against(verdict: Verdict, sent: dict[tuple[str, str], bytes], mails: Sequence[Received]) -> None:
    """Hold what the mail server took against the outbox. A life's last mail is the one that may come again."""
    came: dict[tuple[str, str], list[Received]] = defaultdict(list)
    last = {mail.sender: mail for mail in mails}
    for mail in mails:
        came[mail.recipients[0], str(mail.message["Message-ID"])].append(mail)
    verdict.faults += [f"a mail came that the outbox has not as sent: {name}" for name in came.keys() - sent.keys()]
    for name, content in sent.items():
        copies = came.get(name, [])
        if not copies:
            verdict.lost += 1
            verdict.faults.append(f"lost: {name}")
        if any(copy.raw.strip() != content.strip() for copy in copies):
            verdict.faults.append(f"it came with another text: {name}")
        for copy in copies[:-1]:
            if last[copy.sender] is copy:
                verdict.doubled += 1
            else:
                verdict.outside += 1
                verdict.faults.append(f"it came twice, and its clerk lived on after the first time: {name}")


@contextmanager
def clerks(store: Store, folder: Path) -> Iterator[Clerks]:
    """A mother and her clerks for as long as the context lasts; the first of them is undisturbed."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        box, log = stack.enter_context(mailbox()), stack.enter_context((folder / "mother.log").open("ab"))
        # numpy's own threads would make forking unsafe
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        command = (sys.executable, "-m", "tests.faults.mother", box.host, str(box.port))
        pipe = subprocess.PIPE
        mother = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, cwd=ROOT, env=environment)
        stack.callback(_bury, mother)
        assert mother.stdout is not None
        assert json.loads(mother.stdout.readline()) == {"ready": True}
        made = Clerks(store, folder, box, mother, {})
        _undisturbed(made)
        if made.template:
            stack.callback(store.drop, made.template)
        yield made


def _bury(mother: subprocess.Popen[bytes]) -> None:
    assert mother.stdin is not None
    assert mother.stdout is not None
    mother.kill()
    mother.wait()
    mother.stdin.close()
    mother.stdout.close()


def _undisturbed(made: Clerks) -> None:
    made.template = made.store.new(made.folder / "template")
    Archive.open(made.template.url, FIRST.at).close()
    place = made.store.copy(made.template, made.folder / "undisturbed")
    try:
        lives = made.order(place)
        assert [life["code"] for life in lives] == [0], (made.folder / "mother.log").read_text(encoding="utf-8")
        made.oracle, made.life_seconds = archive_written_out(place, MORNING), lives[0]["seconds"]
    finally:
        made.store.drop(place)
