"""Servers that misbehave, each with the outcome it ends in; played to the light client and to Scrapy's crawls alike."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import zlib
from typing import TYPE_CHECKING

import brotli
from backports import zstd

from core.outcomes import Outcome
from tests.net.servers import Behaviour, reply

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 100_000
BOMB = gzip.compress(bytes(50_000_000), 1)


async def reset(writer: asyncio.StreamWriter) -> None:
    """Break off with a TCP reset."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Promise much and send a byte now and then, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_head(writer: asyncio.StreamWriter) -> None:
    """Never end the head."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-A: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(_writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await asyncio.sleep(60)


async def endless_chunks(writer: asyncio.StreamWriter) -> None:
    """Chunk after chunk, as fast as they are taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()


async def endless_body(writer: asyncio.StreamWriter) -> None:
    """A body without a length, as fast as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()


def packed(body: bytes, encoding: str) -> bytes:
    """An answer whose body is said to be packed."""
    return reply(200, body, {"Content-Encoding": encoding})


MISBEHAVIOUR: Mapping[str, tuple[Behaviour, Outcome]] = {
    "reset": (reset, Outcome.FAILED),
    "closes without a word": (b"", Outcome.FAILED),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Outcome.FAILED),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Ty", Outcome.FAILED),
    "half a body": (reply(200, b"half", {"Content-Length": "8"}), Outcome.FAILED),
    "a length that is none": (reply(200, b"x", {"Content-Length": "many"}), Outcome.FAILED),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", Outcome.FAILED),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nhalf", Outcome.FAILED),
    "no chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n", Outcome.FAILED),
    "gzip that is none": (packed(b"plain text", "gzip"), Outcome.FAILED),
    "zstd that is none": (packed(b"plain text", "zstd"), Outcome.FAILED),
    "deflate cut short": (packed(zlib.compress(bytes(range(256)) * 40)[:200], "deflate"), Outcome.FAILED),
    "drip": (drip, Outcome.TOO_SLOW),
    "drip in the head": (drip_head, Outcome.TOO_SLOW),
    "silence": (silence, Outcome.TOO_SLOW),
    "endless chunks": (endless_chunks, Outcome.TOO_BIG),
    "endless body": (endless_body, Outcome.TOO_BIG),
    "a large body": (reply(200, b"x" * (MAX_BYTES + 1)), Outcome.TOO_BIG),
    "a large promise": (reply(200, b"x", {"Content-Length": str(10**15)}), Outcome.TOO_BIG),
    "gzip bomb": (packed(BOMB, "gzip"), Outcome.TOO_BIG),
    "br bomb": (packed(brotli.compress(bytes(50_000_000), quality=1), "br"), Outcome.TOO_BIG),
    "zstd bomb": (packed(zstd.compress(bytes(50_000_000), 1), "zstd"), Outcome.TOO_BIG),
    "a redirect loop": (reply(302, headers={"Location": "/page"}), Outcome.TOO_BIG),
    "a redirect nowhere": (reply(302), Outcome.FAILED),
    "a redirect to a file": (reply(302, headers={"Location": "file:///etc/passwd"}), Outcome.REFUSED),
    "a redirect to a script": (reply(301, headers={"Location": "javascript:alert(1)"}), Outcome.REFUSED),
    "a redirect inside": (reply(307, headers={"Location": "http://127.0.0.9/"}), Outcome.REFUSED),
    "a redirect too long": (reply(302, headers={"Location": "/" + "a" * 3000}), Outcome.REFUSED),
    "404": (reply(404), Outcome.GONE),
    "403": (reply(403), Outcome.BLOCKED),
    "challenge": (reply(200, b"prove it", {"CF-Mitigated": "challenge"}), Outcome.BLOCKED),
    "429": (reply(429, headers={"Retry-After": "600"}), Outcome.FAILED),
    "503 with a page": (reply(503, b"<h1>busy</h1>"), Outcome.FAILED),
    "999": (reply(999), Outcome.FAILED),
}
