"""How jingbao behaves on the net, made from the configuration: the one object both roads share."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from core.clock import Clock, WallClock
from core.config import Config, NetworkConfig
from core.document import DocumentKind, Request
from core.errors import ConfigError
from core.source import Source, SourceKind
from crawler.net.client import FetchLimits, LightClient
from crawler.net.guard import AddressGuard
from crawler.net.pace import Pace
from crawler.net.wire import Wire

PRODUCT = "jingbao"
"""The name robots.txt files call jingbao by."""
DIRECT = "direct"
"""As a proxy: none, though there is one for all others."""
# Sites in two languages answer in the one asked for.
_ACCEPT_LANGUAGE = {"zh": "zh-CN,zh;q=0.9,en;q=0.5", "en": "en;q=0.9,zh-CN;q=0.5"}
# OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT (no name in ssl before Python 3.12): many older Chinese servers know no secure
# renegotiation; their certificates are still verified.
_LEGACY_SERVER_CONNECT = 0x4


@dataclass(frozen=True, slots=True)
class Manners:
    """The client (with its guard, pace and robots cache), and what requests look like. Close it when done."""

    client: LightClient
    pace: Pace
    guard: AddressGuard
    limits: FetchLimits
    user_agent: str
    proxy: str
    proxy_groups: Mapping[str, str]

    @classmethod
    def from_config(cls, config: Config, version: str, clock: Clock | None = None, pace: Pace | None = None) -> Manners:
        """Manners after network and security; `clock` gives documents their time (the wall's if None).

        Raises ConfigError if network.ca_file cannot be used.
        """
        network = config.network
        guard = AddressGuard.allowing(config.security.allow_networks)
        limits = FetchLimits(network.timeout_seconds, network.max_bytes, network.max_redirects)
        user_agent = _user_agent(version, network.contact)
        pace = pace or Pace()
        wire = Wire(guard, _tls(network), user_agent)
        client = LightClient(wire, pace, PRODUCT, limits, (clock or WallClock()).now)
        return cls(client, pace, guard, limits, user_agent, network.proxy, dict(network.proxy_groups))

    def proxy_for(self, source: Source) -> str:
        """The source's own proxy, else its group's, else the one for all; empty is a direct connection.

        `direct` means no proxy at either place. A group without a proxy of its own goes the way of all.
        """
        for proxy in (source.proxy, self.proxy_groups.get(source.proxy_group, "")):
            if proxy:
                return "" if proxy == DIRECT else proxy
        return "" if self.proxy == DIRECT else self.proxy

    def request_for(
        self, source: Source, url: str = "", kind: DocumentKind | None = None, *, etag: str = "", last_modified: str = ""
    ) -> Request:
        """A request to `source`: for its own list by default, for `url` (an article, a child sitemap) as a `kind`.

        The list of an api source goes out with its method and body; a validator makes the request conditional.
        """
        kind = kind or _LIST_KINDS[source.kind]
        headers = {"Accept-Language": _ACCEPT_LANGUAGE[source.language], **source.headers}
        if source.user_agent:
            headers["User-Agent"] = source.user_agent
        method, body = "GET", b""
        if kind is DocumentKind.API and source.api and source.api.method == "POST":
            method, body = "POST", source.api.body.encode()
            headers.setdefault("Content-Type", source.api.body_type)
        return Request(
            url=url or source.url,
            kind=kind,
            source=source.key,
            method=method,
            body=body,
            headers=headers,
            etag=etag,
            last_modified=last_modified,
            proxy=self.proxy_for(source),
            delay_seconds=source.delay_seconds,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.client.close()


_LIST_KINDS = {
    SourceKind.FEED: DocumentKind.FEED,
    SourceKind.LISTING: DocumentKind.LIST,
    SourceKind.API: DocumentKind.API,
    SourceKind.SITEMAP: DocumentKind.SITEMAP,
}


def _user_agent(version: str, contact: str) -> str:
    return f"{PRODUCT}/{version} (+{contact})" if contact else f"{PRODUCT}/{version}"


def _tls(network: NetworkConfig) -> ssl.SSLContext:
    """The system's authorities (or those SSL_CERT_FILE names), and network.ca_file besides."""
    context = ssl.create_default_context()
    context.options |= _LEGACY_SERVER_CONNECT
    if network.ca_file:
        try:
            context.load_verify_locations(cafile=network.ca_file)
        except (OSError, ssl.SSLError) as error:
            problem = f"network.ca_file: {network.ca_file} cannot be used: {error}; expected certificates in PEM form"
            raise ConfigError([problem]) from error
    return context
