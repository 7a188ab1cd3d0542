"""A loopback HTTP server by hand: it answers whatever bytes a test writes down, right or wrong, and counts who came."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from core.config import Config
from core.document import DocumentKind, Request
from crawler.net.manners import Manners
from crawler.net.pace import Pace

LOOPBACK = "127.0.0.1"
Behaviour = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
Pages = Mapping[str, Behaviour]


@dataclass
class Server:
    """Where it listens, how many connections it saw, and the heads of the requests it read."""

    host: str
    port: int = 0
    connections: int = 0
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.port}{path}"

    @property
    def asked(self) -> list[str]:
        """Paths asked for, in order."""
        return [head.split(" ")[1] for head in self.heads]


def reply(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A well-formed answer that ends its connection; given headers replace the usual ones."""
    lines = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body


@asynccontextmanager
async def serving(pages: Pages, host: str = LOOPBACK, ssl: Any = None, port: int = 0) -> AsyncIterator[Server]:
    """Serve `pages` by path ("*" for any other; without one, 404) for as long as the context lasts."""
    server = Server(host)
    busy: set[asyncio.Task[Any]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task
        busy.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            server.heads.append(head)
            server.bodies.append(await reader.readexactly(_length(head)))
            path = head.split(" ")[1]
            behaviour = pages.get(path, pages.get("*", reply(404)))
            if isinstance(behaviour, bytes):
                writer.write(behaviour)
                await writer.drain()
            else:
                await behaviour(writer)
        busy.discard(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            writer.close()
            await writer.wait_closed()

    listener = await asyncio.start_server(answer, host, port, ssl=ssl)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


def _length(head: str) -> int:
    lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
    return int(lengths[0]) if lengths else 0


@asynccontextmanager
async def behaving(*allow: str, **network: Any) -> AsyncIterator[Manners]:
    """Manners that may reach `allow` (networks), with short limits and without pauses between requests."""
    settings = {"timeout_seconds": 5, "max_bytes": 100_000, **network}
    config = Config.model_validate({"network": settings, "security": {"allow_networks": allow}})
    with patch.dict(os.environ, {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}):
        # Without the system's authorities, which take 20 ms to read and vouch for no server here.
        manners = Manners.from_config(config, "1.2", pace=Pace(jitter=lambda: 0.0))
    try:
        yield manners
    finally:
        await manners.close()


def wanted(url: str, kind: DocumentKind = DocumentKind.FEED, **more: Any) -> Request:
    """A request of a test source."""
    return Request(url=url, kind=kind, source="test", **more)
