"""One HTTP exchange by aiohttp: a request goes out, a bounded answer comes back. No redirects, no manners, no judgement.

Direct connections go through the address guard; a configured proxy may stand anywhere, also at 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from core.document import DocumentKind, Request
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.address import web_address
from crawler.net.faults import WIRE_FAULTS, fetch_error
from crawler.net.guard import AddressGuard
from crawler.net.proxies import proxy_problem, socks_connector
from crawler.net.resolver import GuardedResolver

if TYPE_CHECKING:
    from yarl import URL

# aiohttp's 8,190 are too few for the content-security and cookie headers of large sites.
MAX_HEADER_BYTES = 64 * 1024
KEEPALIVE_SECONDS = 15.0
NAMES_KEPT_SECONDS = 10
"""A site that moves is found at its new address as soon as its name says so; an open connection is used while it works."""
_ACCEPT_PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
_ACCEPT = {
    DocumentKind.FEED: "application/rss+xml,application/atom+xml,application/feed+json,application/xml;q=0.9,*/*;q=0.8",
    DocumentKind.API: "application/json,*/*;q=0.8",
    DocumentKind.SITEMAP: "application/xml,text/xml;q=0.9,*/*;q=0.8",
    DocumentKind.ROBOTS: "text/plain,*/*;q=0.8",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` have lower-case names (repeated ones joined by commas), `body` is decompressed.

    The body of anything but 2xx is not read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Open connections, kept and shared; made in the event loop at first use, ended by `close`."""

    def __init__(self, guard: AddressGuard, tls: ssl.SSLContext, user_agent: str) -> None:
        self._guard = guard
        self._tls = tls
        self._user_agent = user_agent
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def exchange(self, request: Request, seconds: float, max_bytes: int, *, cut: bool = False) -> Answer:
        """Send `request` and read the answer within `seconds` and `max_bytes` (decompressed).

        `cut` keeps the first `max_bytes` of a larger answer. Raises FetchError: refused, failed, too slow, too big.
        """
        url = web_address(request.url)
        host = url.host or ""
        if request.proxy:
            self._check_proxy(request.proxy, url)
        try:
            async with (
                asyncio.timeout(seconds),
                self._session(request.proxy).request(
                    request.method,
                    url,
                    data=request.body or None,
                    headers=self._headers(request),
                    proxy=request.proxy if request.proxy.startswith("http") else None,
                    ssl=self._tls,
                    allow_redirects=False,
                ) as response,
            ):
                body = await _bounded_body(response, host, max_bytes, cut=cut) if 200 <= response.status < 300 else b""
                return Answer(response.status, _plain_headers(response.headers), body)
        except WIRE_FAULTS as error:
            raise fetch_error(error, host, request.proxy) from error

    async def close(self) -> None:
        """Close every connection; the next exchange opens anew."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _check_proxy(self, proxy: str, url: URL) -> None:
        problem = proxy_problem(proxy)
        if problem:
            raise FetchError(Outcome.FAILED, f"The proxy cannot be used: {problem}.")
        self._guard.check_proxied(url)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"user-agent": self._user_agent, "accept": _ACCEPT.get(request.kind, _ACCEPT_PAGE)}
        headers.update((name.lower(), value) for name, value in request.headers.items())
        validators = {"if-none-match": request.etag, "if-modified-since": request.last_modified}
        headers.update((name, value) for name, value in validators.items() if value and value.isprintable())
        return headers

    def _session(self, proxy: str) -> aiohttp.ClientSession:
        # All http proxies share one session (aiohttp keeps their connections apart); each SOCKS proxy has its own.
        key = "http" if proxy.startswith("http") else proxy
        if key not in self._sessions:
            self._sessions[key] = aiohttp.ClientSession(
                connector=self._connector(key),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # asyncio.timeout above is the one limit of time
                trust_env=False,
                max_line_size=MAX_HEADER_BYTES,
                max_field_size=MAX_HEADER_BYTES,
            )
        return self._sessions[key]

    def _connector(self, key: str) -> aiohttp.TCPConnector:
        if key == "http":
            return aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_SECONDS)
        if key:
            return socks_connector(key)
        return aiohttp.TCPConnector(
            resolver=GuardedResolver(self._guard),
            ttl_dns_cache=NAMES_KEPT_SECONDS,
            socket_factory=self._guard.open_socket,
            keepalive_timeout=KEEPALIVE_SECONDS,
        )


async def _bounded_body(response: aiohttp.ClientResponse, host: str, max_bytes: int, *, cut: bool) -> bytes:
    """The body, decompressed as it arrives, so that a small bomb never becomes a large one here."""
    if not cut and (response.content_length or 0) > max_bytes:
        raise _too_big(host, max_bytes)
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            if cut:
                break
            raise _too_big(host, max_bytes)
    return b"".join(parts)[:max_bytes]


def _too_big(host: str, max_bytes: int) -> FetchError:
    return FetchError(Outcome.TOO_BIG, f"The answer of {host} is larger than {max_bytes:,} bytes (network.max_bytes).")


def _plain_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers by lower-case names. Bytes that are no UTF-8 stay (as surrogates) in Location alone, which is an address."""
    plain: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower != "location":
            value = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        plain[lower] = f"{plain[lower]}, {value}" if lower in plain else value
    return plain
