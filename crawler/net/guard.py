"""The one guard against addresses inside the operator's network.

It judges the address connected to, not the name asked for: names can resolve to anything, and twice to different things.
Every direct connection of every road (feeds, pages, redirects, sitemaps, robots.txt) is made through its socket factory.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any

from core.errors import FetchError
from core.outcomes import Outcome

if TYPE_CHECKING:
    from yarl import URL

OPEN_PORTS = frozenset({80, 443, 8080, 8443})
"""Ports of public addresses that may be asked: a hostile link must not make jingbao talk to mail or database servers."""

# The ranges that carry an IPv4 address inside an IPv6 one, with how far to shift for it.
_TRANSLATED = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped, RFC 4291
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64, RFC 6052
    (IPv6Network("2002::/16"), 80),  # 6to4, RFC 3056
)
# Global unicast (RFC 4291): everything else in IPv6 is loopback, local, site-local, multicast or unassigned.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
# Not global though Python 3.11 says so: protocol assignments (RFC 6890) and documentation (RFC 9637).
_NOT_GLOBAL = (IPv4Network("192.0.0.0/24"), IPv6Network("3fff::/20"))
# RFC 2544's test range, from which Clash, sing-box and others answer every name ("fake-IP").
_FAKE_IP = IPv4Network("198.18.0.0/15")
# Names that only an operator's own resolver knows: RFC 6761, 6762, 8375, and ICANN's .internal.
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".lan")


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """An IP address as given, or the IPv4 one it carries (mapped, NAT64, 6to4). A scope (%eth0) is dropped.

    Raises ValueError if it is none.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        for network, shift in _TRANSLATED:
            if address in network:
                return IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return address


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is a globally routable unicast one."""
    if address.is_multicast or not address.is_global or any(address in network for network in _NOT_GLOBAL):
        return False
    return isinstance(address, IPv4Address) or address in _GLOBAL_IPV6


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Lets connections through to public addresses, and to the operator's `allow_networks` on any port."""

    allow_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def allowing(cls, networks: Iterable[str]) -> AddressGuard:
        """A guard with networks in CIDR notation, as in security.allow_networks."""
        return cls(tuple(ipaddress.ip_network(network, strict=False) for network in networks))

    def check(self, ip: str, port: int, name: str = "") -> None:
        """Do nothing if `ip` may be connected to on `port`; `name` is the host that was asked for.

        Raises FetchError (refused).
        """
        address = parse_address(ip)
        if any(address in network for network in self.allow_networks):
            return
        if not is_public(address):
            raise FetchError(Outcome.REFUSED, _inside(name or ip, address))
        if port not in OPEN_PORTS:
            hint = f"If that is meant, add {address} to security.allow_networks in config.yaml."
            raise FetchError(Outcome.REFUSED, f"{_closed_port(name or ip, port)} {hint}")

    def open_socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one getaddrinfo tuple (the socket_factory of aiohttp's TCPConnector).

        Raises FetchError (refused) before anything is sent.
        """
        family, kind, protocol, _, place = info
        self.check(place[0], place[1])
        return socket.socket(family=family, type=kind, proto=protocol)

    def check_proxied(self, url: URL) -> None:
        """Judge an address that a proxy will connect to, as far as it can be seen from here.

        Raises FetchError (refused) for IP addresses inside the network in any notation, and for names only the
        operator's own resolver knows. What a public name resolves to, the proxy alone sees.
        """
        host, port = (url.host or "").rstrip(".").lower(), url.port or 0
        literal = _literal(host)
        if literal:
            self.check(literal, port, host)
        elif "." not in host or host.endswith(_LOCAL_NAMES):
            raise FetchError(Outcome.REFUSED, f"{host} is a name of your own network, which is not asked for through a proxy.")
        elif port not in OPEN_PORTS:
            raise FetchError(Outcome.REFUSED, _closed_port(host, port))


def _literal(host: str) -> str:
    """The usual form of an IP literal, also of one in the old short, octal, hex and whole-number forms; else empty."""
    host = host.partition("%")[0]  # a zone, or what a proxy may decode to nothing
    with suppress(ValueError):
        return str(ipaddress.ip_address(host))
    with suppress(OSError):
        return socket.inet_ntoa(socket.inet_aton(host))
    return ""


def _inside(name: str, address: IPv4Address | IPv6Address) -> str:
    if address in _FAKE_IP:
        return (
            f"{name} names {address}, an address that proxy programs with fake-IP (Clash, sing-box) answer for every name. "
            "If you run one, add 198.18.0.0/15 to security.allow_networks in config.yaml."
        )
    return (
        f"{name} names an address inside your network ({address}). "
        "If that is meant, add it to security.allow_networks in config.yaml."
    )


def _closed_port(name: str, port: int) -> str:
    return f"{name} is asked for on port {port}; outside your network only 80, 443, 8080 and 8443 are fetched from."
