"""An HTTP(S) proxy on loopback behind which every host name is played by one application.

The client keeps real host names and real TLS; only `network.proxy` and `network.ca_file` say that it is played. `CONNECT` is
answered with a certificate of an own authority for the name that was asked for (RFC 9110, 9.3.6).
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import trustme
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy: its address, and the certificate authority its hosts are signed by (PEM)."""

    url: str
    ca_pem: bytes


@asynccontextmanager
async def playing(app: web.Application, port: int = 0) -> AsyncIterator[Proxy]:
    """Serve `app` behind a proxy for as long as the context lasts; port 0 takes a free one."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    backend = web.TCPSite(runner, LOOPBACK, 0)
    await backend.start()
    authority = trustme.CA()
    tasks: set[asyncio.Task[None]] = set()
    serve = partial(_serve, backend_port=runner.addresses[0][1], contexts=_contexts(authority), tasks=tasks)
    server = await asyncio.start_server(serve, LOOPBACK, port)
    try:
        yield Proxy(f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}", authority.cert_pem.bytes())
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()


def _contexts(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    @cache
    def context(host: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(made)
        return made

    return context


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    backend_port: int,
    contexts: Callable[[str], ssl.SSLContext],
    tasks: set[asyncio.Task[None]],
) -> None:
    """One client connection, until either side closes it."""
    task = asyncio.current_task()
    assert task is not None
    tasks.add(task)
    try:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _relay(reader, writer, backend_port, contexts)
    finally:
        writer.close()
        tasks.discard(task)


async def _relay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, backend_port: int, contexts: Callable[[str], ssl.SSLContext]
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b" ", 2)
    if method == b"CONNECT":
        host = target.decode("ascii").rpartition(":")[0]
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.start_tls(contexts(host))
        head = b""
    answers, asks = await asyncio.open_connection(LOOPBACK, backend_port)
    asks.write(head)
    try:
        await asyncio.gather(_pipe(reader, asks), _pipe(answers, writer))
    finally:
        asks.close()


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK_BYTES):
        target.write(chunk)
        await target.drain()
    target.close()
