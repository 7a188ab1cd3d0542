"""Real mail servers on loopback that answer as a test tells them to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.newsroom.mailbox import let_talks_end

PASSWORD = "correct horse"


@dataclass
class MailServer:
    """What a server answers by step (`MAIL`, `RCPT`, `RCPT name@host`, `DATA`), and what it took.

    `drop` among the answers closes the line there; for DATA, `drop after` takes the message first.
    """

    answers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    sessions: int = 0
    port: int = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        return self._answer(server, "MAIL") or _note(envelope, "mail_from", address)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self._answer(server, f"RCPT {address}") or self._answer(server, "RCPT")
        if not answer:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self.answers.get("DATA", "")
        if answer in {"", "drop after"}:
            self.taken += [(address, envelope.original_content) for address in envelope.rcpt_tos]
        if answer.startswith("drop"):
            server.transport.close()
        return answer if answer[:1].isdigit() else "250 taken"

    def _answer(self, server: Any, step: str) -> str:
        answer = self.answers.get(step, "")
        if answer == "drop":
            server.transport.close()
            return "250 gone"
        return answer


def _note(envelope: Any, name: str, value: str) -> str:
    setattr(envelope, name, value)
    return "250 OK"


class _AnyPort(Controller):
    """A controller on whatever port was free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _authenticate(server, session, envelope, mechanism, data) -> AuthResult:
    right = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=right, handled=False)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of the tests' own."""
    return trustme.CA()


@pytest.fixture
def mail_server(authority: trustme.CA) -> Iterator[Callable[..., MailServer]]:
    """Starts servers: `mail_server(answers, security="starttls", signs_in=True)`."""
    with ExitStack() as stack:

        def start(answers: dict[str, str] | None = None, *, security: str = "none", signs_in: bool = False) -> MailServer:
            server = MailServer(dict(answers or {}))
            options: dict[str, Any] = {}
            if security != "none":
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                authority.issue_cert("127.0.0.1").configure_cert(context)
                whole = {"ssl_context": context}
                options |= whole if security == "tls" else {"tls_context": context, "require_starttls": True}
            if signs_in:
                options |= {"authenticator": _authenticate, "auth_require_tls": False}
            controller = _AnyPort(server, hostname="127.0.0.1", port=0, **options)
            controller.start()
            stack.callback(controller.stop)
            stack.callback(let_talks_end)
            server.port = controller.port
            return server

        yield start


@contextmanager
def _saying(lines: list[bytes]) -> Iterator[int]:
    """A server that says one line to each thing it hears, beginning with its greeting, and then closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                for said in lines:
                    line.sendall(said + b"\r\n")
                    if not line.recv(4096):
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.fixture
def saying() -> Callable[[list[bytes]], Any]:
    """A context manager: a server that says these lines one by one."""
    return _saying
