"""Proxies: how they are written, and the way through those that speak SOCKS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp_socks import ProxyConnector
from yarl import URL

if TYPE_CHECKING:
    import aiohttp

_SCHEMES = ("http", "https", "socks4", "socks5", "socks5h")


def proxy_problem(proxy: str) -> str:
    """What is wrong with a proxy's address, for the person who wrote it; empty if nothing is."""
    try:
        url = URL(proxy)
        usable = url.scheme in _SCHEMES and bool(url.host) and (url.port or 0) > 0
    except ValueError:
        usable = False
    return "" if usable else f"expected a proxy as in http://127.0.0.1:7890 or socks5://user:password@host:1080, not {proxy!r}"


def proxy_name(proxy: str) -> str:
    """A proxy's host and port, without its password."""
    url = URL(proxy)
    return f"{url.host}:{url.port}"


def socks_connector(proxy: str) -> aiohttp.TCPConnector:
    """A connector through a SOCKS proxy, which resolves the names (what other programs write as socks5h)."""
    connector: aiohttp.TCPConnector = ProxyConnector.from_url(proxy.replace("socks5h://", "socks5://"), rdns=True)
    return connector
