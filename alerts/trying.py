"""One real test mail by the configured way, with the talk written down."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING

from alerts.transport import Parcel
from alerts.transports.chosen import transport_of
from alerts.transports.folder import FolderTransport
from core.errors import SendError

if TYPE_CHECKING:
    from datetime import datetime

    from alerts.transports.talk import Hear, Said
    from core.config import Config

_TEXT = (
    "This is a test. If you can read it, jingbao's alerts will reach you.",
    "这是一封测试邮件。您能看到它，说明提醒邮件可以送达。",
)


@dataclass(frozen=True, slots=True)
class TestReport:
    """How a test mail fared: `way` is how it was sent, `talk` what was said, without secrets, `fault` what went wrong and what
    to do about it (empty if `ok`), `place` the file where a folder keeps it.
    """

    __test__ = False  # not one of pytest's

    ok: bool
    way: str
    recipient: str
    message_id: str
    talk: tuple[Said, ...]
    seconds: float
    fault: str = ""
    place: str = ""


async def try_sending(config: Config, recipient: str, now: datetime, hear: Hear | None = None) -> TestReport:
    """Send a test mail to an address; `hear` is told each line as it is said. Raises nothing a mail server can cause."""
    talk: list[Said] = []

    def listen(line: Said) -> None:
        talk.append(line)
        if hear is not None:
            hear(line)

    transport = transport_of(config, listen)
    message = test_message(config, recipient, now)
    parcel = Parcel(0, config.mail.sender, recipient, now, message.as_bytes())
    began = time.monotonic()
    fault = ""
    try:
        await transport.send(parcel)
    except SendError as error:
        fault = str(error)
    place = str(transport.file_of(parcel)) if isinstance(transport, FolderTransport) else ""
    identifier = str(message["Message-ID"])
    return TestReport(not fault, way_of(config), recipient, identifier, tuple(talk), time.monotonic() - began, fault, place)


def way_of(config: Config) -> str:
    """The configured way of sending, in words."""
    mail = config.mail
    if mail.smtp is not None:
        by = f", signed in as {mail.smtp.user} by {mail.smtp.auth}" if mail.smtp.user else ""
        return f"the mail server {mail.smtp.host}:{mail.smtp.port} ({mail.smtp.security}{by})"
    if mail.sendmail:
        return mail.sendmail
    if mail.api is not None:
        return f"the mail service whose address is in {mail.api.url_env}"
    return f"files in {config.data_dir / 'mail'} (no way of sending is set)"


def test_message(config: Config, recipient: str, now: datetime) -> EmailMessage:
    """The test mail: in both languages, text and HTML, so that what comes through can be seen."""
    domain = config.mail.sender.rpartition("@")[2]
    message = EmailMessage(policy=SMTP)
    message["From"] = f"{config.mail.sender_name} <{config.mail.sender}>"
    message["To"] = recipient
    message["Subject"] = "jingbao: a test mail / 测试邮件"
    message["Date"] = now
    message["Message-ID"] = f"<test.{now:%Y%m%dT%H%M%S%f}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_TEXT))
    message.add_alternative("".join(f"<p>{line}</p>" for line in _TEXT), subtype="html")
    return message


test_message.__test__ = False  # type: ignore[attr-defined]  # not one of pytest's
