"""The mailbox takes mails over SMTP and keeps them parsed."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest

from tests.newsroom.mailbox import keep, mailbox


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "jingbao@newsroom.test"
    mail["To"] = "ada@reader.test"
    mail["Subject"] = "出口管制 and chips"
    mail.set_content("plain 文字")
    mail.add_alternative("<p>html 文字</p>", subtype="html")
    return mail


def test_a_mail_is_kept_as_sent_and_read_in_parts() -> None:
    with mailbox() as box:
        with smtplib.SMTP(box.host, box.port) as smtp:
            smtp.send_message(a_mail())
        (received,) = box.received

    assert received.recipients == ("ada@reader.test",)
    assert received.subject == "出口管制 and chips"
    assert received.part("plain").strip() == "plain 文字"
    assert received.part("html").strip() == "<p>html 文字</p>"


def test_a_mailbox_can_refuse() -> None:
    with mailbox() as box:
        box.refuse = "452 full"
        with smtplib.SMTP(box.host, box.port) as smtp, pytest.raises(smtplib.SMTPDataError):
            smtp.send_message(a_mail())

        assert box.received == ()


def test_mails_are_kept_to_be_looked_at(tmp_path) -> None:
    """Each as it came, and its two parts by themselves, in the order they came."""
    with mailbox() as box:
        for _ in range(2):
            with smtplib.SMTP(box.host, box.port) as smtp:
                smtp.send_message(a_mail())
        keep(box.received, tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == [
        f"00{number}.{ending}" for number in (1, 2) for ending in ("eml", "html", "txt")
    ]
    assert (tmp_path / "001.html").read_text(encoding="utf-8").strip() == "<p>html 文字</p>"
