"""A service manager's ear: a real datagram socket that keeps what it is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Ear:
    """What was heard, message by message, each as its `NAME=value` pairs."""

    def __init__(self, listening: socket.socket, address: str) -> None:
        self.address = address
        self._listening = listening
        self._listening.setblocking(False)

    def heard(self) -> list[dict[str, str]]:
        """What has come by now and was not asked for before."""
        messages = []
        while True:
            try:
                messages.append(_pairs(self._listening.recv(4096)))
            except BlockingIOError:
                return messages

    async def next(self) -> dict[str, str]:
        """The next message."""
        return _pairs(await asyncio.get_running_loop().sock_recv(self._listening, 4096))

    async def until(self, name: str) -> dict[str, str]:
        """The first message to come that says something of `name`."""
        while True:
            message = await self.next()
            if name in message:
                return message


@contextmanager
def listening(address: str | Path) -> Iterator[Ear]:
    """An ear at a path, or at an abstract address (`@name`)."""
    name = str(address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name[1:] if name.startswith("@") else name)
        yield Ear(ear, name)


def _pairs(datagram: bytes) -> dict[str, str]:
    return dict(line.split("=", 1) for line in datagram.decode().splitlines())
