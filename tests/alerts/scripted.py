"""A mail server on loopback that misbehaves at one step of its talk, as told."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ANSWERS = {
    "GREETING": "220 ready",
    "HELLO": "250-me\r\n250-SIZE\r\n250 AUTH PLAIN",
    "SIGN_IN": "235 welcome",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "TEXT": "250 taken",
}
STEPS = tuple(ANSWERS)
_VERBS = {b"EHLO": "HELLO", b"HELO": "HELLO", b"AUTH": "SIGN_IN", b"MAIL": "MAIL", b"RCPT": "RCPT", b"DATA": "DATA"}


@dataclass
class ScriptedServer:
    """`faults` says by step what is answered instead: a line; `hang` (nothing ever), `drop` (the line is closed), `garbage`.

    With `only` set, the faults of RCPT, DATA and TEXT meet that recipient's mails alone. `taken` holds each recipient and
    Message-ID of what was answered with 250, or handed over before a fault.
    """

    faults: dict[str, str] = field(default_factory=dict)
    only: str = ""
    taken: list[tuple[str, str]] = field(default_factory=list)
    handed_over: list[tuple[str, str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    sessions: int = 0
    port: int = 0
    hanging: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self, line: socket.socket) -> None:
        """One talk, to its end."""
        self.sessions += 1
        reader, recipient = line.makefile("rb"), ""
        if not self._say(line, "GREETING", ""):
            return
        while heard := reader.readline():
            self.heard.append(heard.decode().strip())
            step = _VERBS.get(heard[:4].upper(), "")
            if step == "RCPT":
                recipient = heard.decode().partition("<")[2].partition(">")[0]
            if not step:
                line.sendall(b"221 bye\r\n")
                return
            if not self._say(line, step, recipient):
                return
            if step == "DATA" and self._answer(step, recipient).startswith("354"):
                self._take(reader.readline, recipient)
                if not self._say(line, "TEXT", recipient):
                    return
                if self._answer("TEXT", recipient).startswith("250"):
                    self.taken.append(self.handed_over[-1])

    def _take(self, readline, recipient: str) -> None:
        text = b""
        while (line := readline()) not in {b".\r\n", b""}:
            text += line
        identifier = next((each for each in text.decode().splitlines() if each.startswith("Message-ID:")), "")
        self.handed_over.append((recipient, identifier))

    def _answer(self, step: str, recipient: str) -> str:
        spared = self.only and step in {"RCPT", "DATA", "TEXT"} and recipient != self.only
        return ANSWERS[step] if spared else self.faults.get(step, ANSWERS[step])

    def _say(self, line: socket.socket, step: str, recipient: str) -> bool:
        answer = self._answer(step, recipient)
        if answer == "hang":
            self.hanging.set()
            self.over.wait(30)
        if answer in {"hang", "drop"}:
            return False
        line.sendall(b"what is this?\r\n" if answer == "garbage" else answer.encode() + b"\r\n")
        return not answer.startswith("421")


@contextmanager
def scripted(faults: dict[str, str] | None = None, *, only: str = "", port: int = 0) -> Iterator[ScriptedServer]:
    """The server, for as long as the context lasts."""
    server = ScriptedServer(dict(faults or {}), only)
    listener = socket.create_server(("127.0.0.1", port))
    server.port = listener.getsockname()[1]
    threads = []

    def talk(line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            server.serve(line)

    def listen() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=talk, args=(line,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=listen, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)
