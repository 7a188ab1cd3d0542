"""The demonstration's own arithmetic; the demonstration itself is `make demo`."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from core.clock import WallClock
from tests.newsroom import demo
from tests.newsroom.mailbox import Received


def a_mail(*, lines: int) -> Received:
    mail = EmailMessage()
    mail["Subject"] = f"{lines} lines"
    mail.set_content("word\n" * lines)
    return Received("from@example.org", ("to@example.org",), mail.as_bytes(), mail)


def test_the_morning_is_the_last_one_whose_digest_is_past() -> None:
    """Its digest is the earliest daily rule's, in the reader's zone, between two and twenty-six hours ago."""
    rules = [{"when": "now"}, {"when": "daily 09:30"}, {"when": "daily 07:45"}, {"when": "weekly mon 06:00"}]

    at = demo.morning(rules)

    assert (at.hour, at.minute, at.tzinfo) == (7, 45, demo.ZONE)
    assert timedelta(hours=1) < WallClock().now() - at < timedelta(hours=27)


def test_the_longest_mail_that_fits_is_shown() -> None:
    mails = [a_mail(lines=10), a_mail(lines=60), a_mail(lines=400)]

    assert demo._worth_showing(mails).subject == "60 lines"
    assert demo._worth_showing(mails[2:]).subject == "400 lines"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, monkeypatch) -> None:
    """Only the demonstration's own default folder is cleared."""
    monkeypatch.chdir(tmp_path)
    mine = Path("mine")
    for folder in (mine, demo.DEFAULT_FOLDER):
        folder.mkdir(parents=True)
        (folder / "precious").touch()

    with pytest.raises(SystemExit, match="not empty"):
        demo.fresh(mine)

    assert (mine / "precious").exists()
    assert list(demo.fresh(demo.DEFAULT_FOLDER).iterdir()) == []
