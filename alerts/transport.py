"""The ways a finished message leaves: to a mail server, or into a folder.

SmtpTransport speaks the steps of RFC 5321 one by one, because what a failure means depends on the step:

    connect, greeting    nobody there, 421 and other 4xx: OutOfReachError; 5xx: ChannelError
    STARTTLS, sign-in    not offered, a bad certificate, 5xx: ChannelError; 4xx (454 is a passing fault): OutOfReachError
    MAIL                 5xx: ChannelError (the sender is refused, so is every mail), but 552 (size): RefusedError
    RCPT, DATA           5xx: RefusedError for this address; 4xx or a broken line: TryLaterError
    after the text       no answer: UncertainError, it may have arrived; 4xx: TryLaterError; 5xx: RefusedError
"""

from __future__ import annotations

import asyncio
import os
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Protocol

from core.config import SmtpConfig
from core.errors import ChannelError, RefusedError, SendError, TryLaterError, UncertainError

_SIGN_IN_WANTED = {530, 534, 535, 538}
_TOO_BIG = 552


class OutOfReachError(TryLaterError):
    """The mail server is not there or asks to come back later, whatever the mail: the next would fare no better now."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message ready to leave: `number` is its row in the outbox, `content` the whole of it with CRLF line ends."""

    number: int
    sender: str
    recipient: str
    created: datetime
    content: bytes


class Transport(Protocol):
    """A way out. `send` returns once the message is taken, or raises one of the SendError family."""

    async def send(self, parcel: Parcel) -> None:
        """Hand one message over."""
        ...


@dataclass(frozen=True, slots=True)
class FolderTransport:
    """Keeps messages as `<time>-<number>.eml`, with the HTML part beside it for a browser.

    Names come from time and number alone, never from titles. A message sent twice overwrites itself.
    """

    folder: Path

    async def send(self, parcel: Parcel) -> None:
        """Write both files, each whole or not at all. Raises TryLaterError if the folder cannot be written."""
        try:
            await asyncio.to_thread(self._write, parcel)
        except OSError as error:
            raise TryLaterError(f"the mail folder {self.folder} cannot be written: {error.strerror or error}") from error

    def _write(self, parcel: Parcel) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{parcel.created.astimezone(UTC):%Y%m%dT%H%M%SZ}-{parcel.number:06}"
        html = message_from_bytes(parcel.content, policy=policy.default).get_body(("html",))
        if html is not None:
            _write_whole(self.folder / f"{stem}.html", html.get_content().encode())
        _write_whole(self.folder / f"{stem}.eml", parcel.content)


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".part")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """Sends through the configured mail server, one connection a message, certificates always verified.

    `trust` replaces the system's certificate authorities where it is given.
    """

    config: SmtpConfig
    trust: ssl.SSLContext | None = None

    async def send(self, parcel: Parcel) -> None:
        """Deliver one message, in a thread. Raises what the module's table says."""
        await asyncio.to_thread(self._deliver, parcel)

    def greet(self) -> None:
        """Connect, secure, sign in and leave; no mail is offered. Blocks. Raises what the module's table says of that."""
        with self._signed_in():
            return

    def _deliver(self, parcel: Parcel) -> None:
        with self._signed_in() as server:
            try:
                _envelope(server, parcel)
                _hand_over(server, parcel.content)
            except UnicodeError as error:
                raise RefusedError(f"{parcel.recipient} has characters this way of sending cannot carry: {error}") from error

    @contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        password = self._password()
        server = self._connect()
        try:
            self._secure(server)
            self._sign_in(server, password)
            yield server
        except smtplib.SMTPServerDisconnected as error:
            raise TryLaterError(f"{self._name} closed the line: {error}") from error
        except OSError as error:
            raise TryLaterError(f"{self._name} went silent: {error}") from error
        finally:
            _leave(server)

    @property
    def _name(self) -> str:
        return f"the mail server {self.config.host}:{self.config.port}"

    def _password(self) -> str:
        name = self.config.password_env
        password = os.environ.get(name, "")
        if self.config.user and not password:
            raise ChannelError(f"no password for {self.config.user}: set the environment variable {name}, then restart")
        return password

    def _connect(self) -> smtplib.SMTP:
        host, port, timeout = self.config.host, self.config.port, self.config.timeout_seconds
        try:
            if self.config.security == "tls":
                return smtplib.SMTP_SSL(host, port, timeout=timeout, context=self._context())
            return smtplib.SMTP(host, port, timeout=timeout)
        except smtplib.SMTPConnectError as error:
            raise self._setup_refusal("does not greet", error.smtp_code, error.smtp_error) from error
        except ssl.SSLCertVerificationError as error:
            raise ChannelError(f"{self._name} shows a certificate that is not trusted: {error.verify_message}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise OutOfReachError(f"{self._name} cannot be reached: {error}") from error

    def _context(self) -> ssl.SSLContext:
        return self.trust or ssl.create_default_context()

    def _secure(self, server: smtplib.SMTP) -> None:
        self._expect_hello(server)
        if self.config.security != "starttls":
            return
        if not server.has_extn("starttls"):
            raise ChannelError(f"{self._name} offers no STARTTLS; nothing was sent in the clear. Try security: tls, port 465")
        try:
            server.starttls(context=self._context())
        except ssl.SSLCertVerificationError as error:
            raise ChannelError(f"{self._name} shows a certificate that is not trusted: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise ChannelError(f"{self._name} cannot agree on encryption: {error.reason}") from error
        except smtplib.SMTPResponseException as error:
            raise self._setup_refusal("refuses STARTTLS", error.smtp_code, error.smtp_error) from error
        self._expect_hello(server)

    def _expect_hello(self, server: smtplib.SMTP) -> None:
        code, answer = server.ehlo()
        if code >= 400:
            code, answer = server.helo()
        if code >= 400:
            raise self._setup_refusal("refuses the greeting", code, answer)

    def _sign_in(self, server: smtplib.SMTP, password: str) -> None:
        if not self.config.user:
            return
        try:
            server.login(self.config.user, password)
        except smtplib.SMTPAuthenticationError as error:
            what = f"refuses the sign-in of {self.config.user}"
            raise self._setup_refusal(what, error.smtp_code, error.smtp_error) from error
        except UnicodeError:  # its text would show the password
            raise ChannelError(f"the password in {self.config.password_env} has characters outside ASCII") from None
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:
            raise ChannelError(f"{self._name} offers no sign-in by user and password: {error}") from error

    def _setup_refusal(self, what: str, code: int, answer: bytes | str) -> SendError:
        message = f"{self._name} {what}: {_words(code, answer)}"
        return OutOfReachError(message) if 400 <= code < 500 else ChannelError(message)


def _envelope(server: smtplib.SMTP, parcel: Parcel) -> None:
    size = [f"size={len(parcel.content)}"] if server.has_extn("size") else []
    code, answer = server.mail(parcel.sender, size)
    if code >= 500 and code != _TOO_BIG:
        raise ChannelError(f"the sender {parcel.sender} is refused: {_words(code, answer)}")
    _expect(code, answer, parcel.recipient)
    code, answer = server.rcpt(parcel.recipient)
    _expect(code, answer, parcel.recipient)


def _hand_over(server: smtplib.SMTP, content: bytes) -> None:
    code, answer = server.docmd("DATA")
    if code != 354:
        _expect(code, answer, "the message")
        raise TryLaterError(f"unexpected answer to DATA: {_words(code, answer)}")
    stuffed = re.sub(rb"(?m)^\.", b"..", content)  # RFC 5321, 4.5.2
    try:
        server.send(stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n")
        code, answer = server.getreply()
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise UncertainError(f"the line broke before the server confirmed: {error}") from error
    _expect(code, answer, "the message")


def _expect(code: int, answer: bytes, what: str) -> None:
    if code in _SIGN_IN_WANTED:
        raise ChannelError(f"the mail server wants a sign-in: {_words(code, answer)}")
    if code >= 500:
        raise RefusedError(f"{what} refused: {_words(code, answer)}")
    if not 200 <= code < 300:
        raise TryLaterError(f"{what} put off: {_words(code, answer)}")


def _words(code: int, answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())[:300]}".strip()


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye without waiting for manners: what counts has been said."""
    with suppress(OSError, smtplib.SMTPException):
        server.docmd("QUIT")
    server.close()
