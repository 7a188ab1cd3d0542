"""The service manager's ear: short messages to the datagram socket that $NOTIFY_SOCKET names (systemd's sd_notify(3)).

The protocol is a few lines of text in one datagram; Podman and others speak it too. Nobody there, nobody listening, a full
socket: all of it is no reason to stop working, so nothing here raises.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import timedelta
from typing import Self

PATIENCE_SECONDS = 1.0
"""How long a message that must not be lost waits for room in the manager's socket."""
_SOCKET, _WATCHDOG, _WATCHED = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"


class ServiceManager:
    """Whoever started us and wants to hear how we are; silent without `address`.

    `watchdog` is how long it waits for a sign of life before it ends us; None if it does not wait.
    """

    def __init__(self, address: str = "", watchdog: timedelta | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address  # Linux's abstract sockets
        self.watchdog = watchdog if address else None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Self:
        """The one the environment names. Its variables are taken out, so that no child of ours speaks in our name."""
        address, span, watched = (environment.pop(name, "") for name in (_SOCKET, _WATCHDOG, _WATCHED))
        meant = span.isdigit() and int(span) > 0 and watched in {"", str(os.getpid())}
        return cls(address if address[:1] in {"/", "@"} else "", timedelta(microseconds=int(span)) if meant else None)

    def ready(self, status: str) -> None:
        """The start, or a reload, is through."""
        self._tell("READY=1", _status(status), patience=PATIENCE_SECONDS)

    def reloading(self) -> None:
        """The configuration is being read again; `ready` follows. The moment lets systemd match it with its order."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", patience=PATIENCE_SECONDS)

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1", "STATUS=ending: finishing what is under way", patience=PATIENCE_SECONDS)

    def alive(self) -> bool:
        """A sign of life; gives whether it went out."""
        return self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line about how it stands, for `systemctl status`."""
        self._tell(_status(text))

    def wait_longer(self, span: timedelta) -> None:
        """The start goes on; do not lose patience for another `span`."""
        self._tell(f"EXTEND_TIMEOUT_USEC={span // timedelta(microseconds=1)}")

    def _tell(self, *lines: str, patience: float = 0.0) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ear:
            ear.settimeout(patience)
            return bool(self._address) and ear.sendto("\n".join(lines).encode(), self._address) > 0
        return False


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())
