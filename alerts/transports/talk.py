"""A talk with a mail server: smtplib's, but it says where it is, can be listened to, and can be cut from another thread."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from alerts.transports.answers import Step
from core.secrets import HIDDEN, mask

_GOODBYE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a talk: `who` is C (we) or S (the server) or - (an event), `seconds` since the talk began. No secrets."""

    seconds: float
    who: str
    text: str


Hear = Callable[[Said], None]


def to_nobody(_line: Said) -> None:
    """The talk of a mail that nobody watches."""


class Talk(smtplib.SMTP):
    """One connection. `timeout` (seconds) bounds each wait for the server; `tls` encrypts from the start."""

    def __init__(self, timeout: float, tls: ssl.SSLContext | None, hear: Hear = to_nobody) -> None:
        super().__init__(local_hostname="localhost", timeout=timeout)
        self.step = Step.CONNECT
        self._tls = tls
        self._hear = hear
        self._began = time.monotonic()
        self._handle: socket.socket | None = None
        self._is_cut = False

    def note(self, text: str, who: str = "-") -> None:
        """Tell who listens."""
        self._hear(Said(time.monotonic() - self._began, who, mask(text)))

    def open(self, host: str, port: int) -> tuple[int, bytes]:
        """Connect and give the server's greeting. Raises OSError and SMTPServerDisconnected."""
        self._host = host  # smtplib keeps it there for STARTTLS, to compare it with the certificate
        self.note(f"connecting to {host}:{port}" + (", encrypted" if self._tls else ""))
        answer = self.connect(host, port)
        self.local_hostname = self._own_name()
        return answer

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        self._handle = plain.dup()  # wrapping in TLS takes the first one away
        if self._is_cut:
            plain.close()
            raise ConnectionAbortedError("given up")
        line = self._tls.wrap_socket(plain, server_hostname=host) if self._tls else plain
        self.step = Step.GREETING
        return line

    def _own_name(self) -> str:
        """How we introduce ourselves: the machine's full name, else its address (RFC 5321, 4.1.3)."""
        name = socket.getfqdn()
        if "." in name:
            return name
        address = self.sock.getsockname()[0] if self.sock else "127.0.0.1"
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def send(self, s: str | bytes) -> None:  # type: ignore[override]  # typeshed knows of buffers too
        """Say something to the server; what signs in is not told to who listens."""
        super().send(s)
        text = s.decode("utf-8", "replace") if isinstance(s, bytes) else s
        if self.step is Step.TEXT:
            text = f"[the mail, {len(s):,} bytes]"
        elif self.step is Step.SIGN_IN:
            words = text.split()
            text = " ".join((*words[:2], HIDDEN) if words[:1] == ["AUTH"] else (HIDDEN,))
        self.note(text.rstrip(), "C")

    def getreply(self) -> tuple[int, bytes]:
        """The server's next answer."""
        code, answer = super().getreply()
        for line in answer.splitlines() or [b""]:
            self.note(f"{code} {self._readable(code, line)}".rstrip(), "S")
        return code, answer

    def _readable(self, code: int, line: bytes) -> str:
        if code == 334:  # a challenge; the one of XOAUTH2 is an error in JSON
            with suppress(ValueError):
                line = b64decode(line, validate=True)
        return line.decode("utf-8", "replace")

    def cut(self) -> None:
        """Break the line, from any thread: whoever waits on it sees it closed at once."""
        self._is_cut = True
        if self._handle is not None:
            with suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Say goodbye, without waiting long for manners. What counts has been said: nobody who listens hears of it any more."""
        self._hear = to_nobody
        with suppress(OSError, smtplib.SMTPException):
            if self.sock is not None and not self._is_cut:
                self.sock.settimeout(_GOODBYE_SECONDS)
                self.step = Step.HELLO
                self.docmd("QUIT")
        self.close()
        if self._handle is not None:
            self._handle.close()
