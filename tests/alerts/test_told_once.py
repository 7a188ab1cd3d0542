"""Told once, played at random over a real database: copies, crashes, restarts, rules that come and go, mail down and up."""

from __future__ import annotations

import asyncio
import email
import re
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from alerts.desk import Desk
from alerts.digests import make_mails
from alerts.matching import match_pending
from alerts.outbox import send_due
from alerts.transport import Parcel
from core.config import Config
from core.errors import TryLaterError
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist
from storage import articles, outbox
from storage.archive import Archive
from storage.outbox import MatchState
from tests.builders import keep
from tests.databases import fresh_url

WATCHLIST = load_watchlist()
FINDER = MentionFinder(WATCHLIST)
RULES = [
    {"name": "chips", "query": "chip", "when": "now"},
    {"name": "robots", "query": "robot", "when": "now"},
    {"name": "day", "query": "chip OR robot", "when": "daily 08:00"},
]
DESKS = [
    Desk.of(
        Config.model_validate(
            {"readers": [{"key": "ann", "addresses": ["ann@example.org"], "mails_per_day": 4}], "rules": rules}
        ),
        WATCHLIST,
        FINDER,
    )
    for rules in (RULES, RULES[:1], RULES[1:])
]


class Crash(Exception):  # noqa: N818  (it stands for a killed process)
    """Death in the middle of a transaction."""


class Mailbox:
    """A mail server that can be down; what it took is the history that is checked."""

    def __init__(self) -> None:
        self.up = True
        self.mails: list[bytes] = []

    async def send(self, parcel: Parcel) -> None:
        if not self.up:
            raise TryLaterError("451 down")
        self.mails.append(parcel.content)

    def told(self) -> Counter[str]:
        """How often each story was told: the mails whose text shows it."""
        texts = (email.message_from_bytes(mail, policy=default).get_body(("plain",)).get_content() for mail in self.mails)
        return Counter(story for text in texts for story in re.findall(r"story(\d+)x", text))


class Newsroom(RuleBasedStateMachine):
    """Stories are published and copied; everything else happens at random."""

    database = "sqlite"

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="told-once-"))
        self.now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
        self.stack = ExitStack()
        self.url = fresh_url(self.database, self.folder, self.stack)
        self.archive = Archive.open(self.url, self.now)
        self.mailbox = Mailbox()
        self.desk = DESKS[0]
        self.stories: list[int] = []
        self.count = 0

    @rule(subject=st.sampled_from(["chip", "robot"]), baseline=st.booleans())
    def publish(self, subject: str, baseline: bool) -> None:
        with self.archive.write() as tx:
            number = self._keep(tx, subject, baseline=baseline)
            self.stories.append(articles.get(tx, number).story_id)

    @precondition(lambda self: self.stories)
    @rule(subject=st.sampled_from(["chip", "robot"]), which=st.integers(0, 99))
    def reprint(self, subject: str, which: int) -> None:
        with self.archive.write() as tx:
            self._keep(tx, subject, story_id=self.stories[which % len(self.stories)])

    def _keep(self, tx, subject: str, *, story_id: int | None = None, baseline: bool = False) -> int:
        self.count += 1
        number = self.stories.index(story_id) + 1 if story_id else len(self.stories) + 1
        text = f"The {subject} of story{number}x."
        return keep(tx, f"{subject} news {self.count}", text, at=self.now, outlet=f"Outlet {self.count}", story_id=story_id, baseline=baseline)

    @rule(minutes=st.integers(1, 900))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(which=st.integers(0, 2))
    def reload(self, which: int) -> None:
        self.desk = DESKS[which]

    @rule(up=st.booleans())
    def mail_server(self, up: bool) -> None:
        self.mailbox.up = up

    @rule(crash=st.booleans())
    def match(self, crash: bool) -> None:
        with suppress(Crash), self.archive.write() as tx:
            match_pending(tx, self.desk, self.now)
            if crash:
                raise Crash

    @rule(crash=st.booleans())
    def make(self, crash: bool) -> None:
        with suppress(Crash), self.archive.write() as tx:
            make_mails(tx, self.desk, "ann", self.now)
            if crash:
                raise Crash

    @rule()
    def send(self) -> None:
        asyncio.run(send_due(self.archive, self.mailbox, "jingbao@example.org", self.now))

    @rule()
    def restart(self) -> None:
        self.archive.close()
        self.archive = Archive.open(self.url, self.now)

    @invariant()
    def no_story_is_told_twice(self) -> None:
        assert max(self.mailbox.told().values(), default=0) <= 1

    def teardown(self) -> None:
        """With mail up again and time passing, what is marked as mailed was mailed, and nothing is left waiting."""
        if not hasattr(self, "archive"):
            return
        self.mailbox.up, self.desk = True, DESKS[0]
        for _ in range(24):
            self.now += timedelta(hours=4)
            self.match(crash=False)
            self.make(crash=False)
            self.send()
        with self.archive.read() as tx:
            matches = [each for number in range(1, self.count + 1) for each in outbox.matches_of(tx, number)]
        mailed = {str(self.stories.index(each.story_id) + 1) for each in matches if each.state is MatchState.MAILED}
        assert self.mailbox.told() == Counter(mailed)
        assert not [each for each in matches if each.state in outbox.OPEN_MATCHES]
        self.archive.close()
        self.stack.close()
        shutil.rmtree(self.folder)


Newsroom.TestCase.settings = settings(max_examples=7, stateful_step_count=20, deadline=None)
TestToldOnce = Newsroom.TestCase


class _OnPostgres(Newsroom):
    """The same on the other database."""

    database = "postgres"


_OnPostgres.TestCase.settings = settings(max_examples=2, stateful_step_count=20, deadline=None)
TestToldOnceOnPostgres = _OnPostgres.TestCase
