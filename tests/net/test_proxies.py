"""The way through http and SOCKS proxies: names are resolved there, certificates verified here, passwords never told."""

from __future__ import annotations

import asyncio
import re
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from core.document import DocumentKind
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.proxies import proxy_problem
from tests.net.servers import LOOPBACK, behaving, reply, serving, wanted


@asynccontextmanager
async def way(handshake, target_port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[str]]]:
    """A proxy that greets by `handshake` (returns the name asked for) and then connects to loopback, whatever the name."""
    asked: list[str] = []
    lines: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines.add(task)
        writers = [writer]
        try:
            with suppress(asyncio.CancelledError):  # of the context's end
                asked.append(await handshake(reader, writer))
                inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, target_port)
                writers.append(inner_writer)
                await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        finally:
            for each in writers:
                each.transport.abort()

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], asked
        for task in lines:
            task.cancel()
        await asyncio.gather(*lines)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """HTTP CONNECT (RFC 9110, 9.3.6)."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    return head.split(b" ")[1].decode()


async def socks5(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """SOCKS 5 without sign-in, for names (RFC 1928)."""
    _, methods = await reader.readexactly(2)
    await reader.readexactly(methods)
    writer.write(b"\x05\x00")
    *_, kind, length = await reader.readexactly(5)
    assert kind == 3
    name = await reader.readexactly(length)
    port = int.from_bytes(await reader.readexactly(2))
    writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    return f"{name.decode()}:{port}"


@pytest.mark.parametrize(("handshake", "scheme"), [(connect, "http"), (socks5, "socks5"), (socks5, "socks5h")])
async def test_a_page_comes_securely_through_a_proxy_that_resolves_its_name(handshake, scheme: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("news.example").configure_cert(context)
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    async with (
        serving({"*": reply(body=b"page")}, ssl=context) as site,
        way(handshake, site.port) as (port, asked),
        behaving(ca_file=str(tmp_path / "ca.pem")) as manners,
    ):
        proxy = f"{scheme}://{LOOPBACK}:{port}"
        document = await manners.client.fetch(wanted("https://news.example/a", DocumentKind.PAGE, proxy=proxy))
        with pytest.raises(FetchError, match=r"The certificate of other\.example cannot be trusted: .*mismatch"):
            await manners.client.fetch(wanted("https://other.example/", proxy=proxy))

    assert document.body == b"page"
    assert set(asked) == {"news.example:443", "other.example:443"}
    assert site.asked == ["/robots.txt", "/a"]


async def connect_signed_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """HTTP CONNECT with a name and password (RFC 7617)."""
    head = await reader.readuntil(b"\r\n\r\n")
    sign_in = re.search(rb"Proxy-Authorization: Basic (\S+)", head)
    assert sign_in
    assert b64decode(sign_in[1]) == b"reader:hidden"
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    return head.split(b" ")[1].decode()


async def socks5_signed_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """SOCKS 5 with a name and password (RFC 1929)."""
    _, methods = await reader.readexactly(2)
    assert 2 in await reader.readexactly(methods)
    writer.write(b"\x05\x02")
    _, length = await reader.readexactly(2)
    name = await reader.readexactly(length)
    password = await reader.readexactly((await reader.readexactly(1))[0])
    assert (name, password) == (b"reader", b"hidden")
    writer.write(b"\x01\x00")
    *_, length = await reader.readexactly(5)
    host = await reader.readexactly(length)
    port = int.from_bytes(await reader.readexactly(2))
    writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    return f"{host.decode()}:{port}"


@pytest.mark.parametrize(
    ("handshake", "scheme"), [(connect_signed_in, "http"), (connect_signed_in, "https"), (socks5_signed_in, "socks5")]
)
async def test_a_secure_page_comes_through_a_proxy_that_wants_a_password(handshake, scheme: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    page, gate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("news.example").configure_cert(page)
    authority.issue_cert(LOOPBACK).configure_cert(gate)
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    async with (
        serving({"*": reply(body=b"page")}, ssl=page) as site,
        way(handshake, site.port, gate if scheme == "https" else None) as (port, asked),
        behaving(ca_file=str(tmp_path / "ca.pem")) as manners,
    ):
        proxy = f"{scheme}://reader:hidden@{LOOPBACK}:{port}"
        document = await manners.client.fetch(wanted("https://news.example/a", DocumentKind.PAGE, proxy=proxy))

    assert document.body == b"page"
    assert set(asked) == {"news.example:443"}


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
async def test_a_proxy_that_is_not_there_is_named_without_its_password(scheme: str) -> None:
    async with serving({}) as gone:
        port = gone.port
    async with behaving() as manners:
        with pytest.raises(FetchError) as error:
            await manners.client.fetch(wanted("http://news.example/", proxy=f"{scheme}://reader:hidden@{LOOPBACK}:{port}"))

    assert error.value.outcome is Outcome.FAILED
    assert error.value.reason.startswith(f"The proxy {LOOPBACK}:{port} cannot be reached: ")
    assert "hidden" not in error.value.reason


@pytest.mark.parametrize(("status", "said"), [(407, "wants a user name and password"), (502, "did not open the way: 502")])
async def test_a_proxy_that_refuses_is_told_from_a_site_that_does(status: int, said: str) -> None:
    async with serving({"*": reply(status)}) as proxy, behaving() as manners:
        with pytest.raises(FetchError, match=said) as error:
            await manners.client.fetch(wanted("https://news.example/", proxy=f"http://{LOOPBACK}:{proxy.port}"))

    assert error.value.outcome is Outcome.FAILED


async def test_a_proxy_that_only_listens_is_too_slow() -> None:
    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving({"*": silence}) as proxy, behaving(timeout_seconds=0.2) as manners:
        for scheme in ("http", "socks5"):
            with pytest.raises(FetchError) as error:
                await manners.client.fetch(wanted("https://news.example/", proxy=f"{scheme}://{LOOPBACK}:{proxy.port}"))
            assert error.value.outcome is Outcome.TOO_SLOW


@pytest.mark.parametrize(
    "proxy", ["127.0.0.1:7890", "proxy.example", "ftp://a:1", "http://", "socks5://a", "http://a:99999", "http://[::1"]
)
async def test_what_is_no_proxy_is_said_and_never_goes_out_directly(proxy: str) -> None:
    async with serving({"*": reply()}) as server, behaving("127.0.0.0/8") as manners:
        with pytest.raises(FetchError, match="expected a proxy as in http://127") as error:
            await manners.client.fetch(wanted(server.url(), proxy=proxy))

    assert error.value.outcome is Outcome.FAILED
    assert proxy_problem(proxy)
    assert server.connections == 0
