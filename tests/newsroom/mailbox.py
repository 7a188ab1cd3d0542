"""A mail server on loopback that keeps what it is given."""

from __future__ import annotations

import logging
import threading
from asyncio import Server
from contextlib import contextmanager
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

if TYPE_CHECKING:
    from asyncio import AbstractServer
    from collections.abc import Iterator, Sequence
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import SMTP, Envelope, Session

LOOPBACK = "127.0.0.1"
logging.getLogger("mail.log").addFilter(lambda record: "login_data is deprecated" not in record.getMessage())  # its own use of it
_LARGEST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """One mail: who the envelope names, the bytes as they came, and the same parsed."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    message: EmailMessage

    @property
    def subject(self) -> str:
        """The subject, decoded."""
        return str(self.message["Subject"]).strip()

    def part(self, kind: str) -> str:
        """The `plain` or `html` part's text; empty if the mail has none."""
        body = self.message.get_body((kind,))
        return str(body.get_content()) if body else ""


def keep(mails: Sequence[Received], folder: Path) -> None:
    """Write mails into `folder`, each as .eml, .html and .txt, numbered as they came."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, mail in enumerate(mails, 1):
        (folder / f"{number:03}.eml").write_bytes(mail.raw)
        (folder / f"{number:03}.html").write_text(mail.part("html"), encoding="utf-8")
        (folder / f"{number:03}.txt").write_text(mail.part("plain"), encoding="utf-8")


class Mailbox:
    """What came so far, in order. `refuse`, if set, is the SMTP answer every mail gets instead of 250."""

    def __init__(self) -> None:
        self.refuse = ""
        self.host = ""
        self.port = 0
        self._received: list[Received] = []
        self._lock = threading.Lock()

    @property
    def received(self) -> tuple[Received, ...]:
        """All mails taken so far."""
        with self._lock:
            return tuple(self._received)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        """Take one mail (called by aiosmtpd)."""
        if self.refuse:
            return self.refuse
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        message = BytesParser(policy=policy.default).parsebytes(raw)
        mail = Received(str(envelope.mail_from), tuple(str(to) for to in envelope.rcpt_tos), raw, message)
        with self._lock:
            self._received.append(mail)
        return "250 taken"


class _AnyPort(Controller):
    """A controller that may be given port 0 and then knows which one it took."""

    async def _create_server(self) -> AbstractServer:
        server = await super()._create_server()
        assert isinstance(server, Server)
        self.port = server.sockets[0].getsockname()[1]
        return server


def let_talks_end() -> None:
    """Wait for who is still saying goodbye from this process: aiosmtpd leaves the sockets of such talks open when it stops."""
    for thread in threading.enumerate():
        if thread.name == "mail":
            thread.join(10)


def _let_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, _data: object) -> AuthResult:
    """Whoever signs in is let in."""
    return AuthResult(success=True)


@contextmanager
def mailbox(box: Mailbox | None = None) -> Iterator[Mailbox]:
    """A mailbox (`box`, if it is to be one of another kind) that answers at `host` and `port` for as long as the context lasts."""
    box = box or Mailbox()
    controller = _AnyPort(
        box,
        hostname=LOOPBACK,
        port=0,
        data_size_limit=_LARGEST_BYTES,
        ident="mailbox",
        authenticator=_let_in,
        auth_require_tls=False,
    )
    controller.start()
    try:
        box.host, box.port = LOOPBACK, controller.port
        yield box
    finally:
        let_talks_end()
        controller.stop()
