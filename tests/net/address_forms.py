"""Five hundred ways to write an address inside one's own network; look-ups and connections that send nothing off loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

PORT = "{}"
"""Stands for the listener's port."""

_DECIMAL, _OCTAL, _HEX = "{:d}".format, "0{:o}".format, "0x{:x}".format
_PADDED_OCTAL, _UPPER_HEX, _PADDED_HEX = "000{:o}".format, "0X{:X}".format, "0x{:08x}".format
_NOTATIONS = (_DECIMAL, _OCTAL, _HEX, _PADDED_OCTAL, _UPPER_HEX, _PADDED_HEX)
# Digits that Unicode's compatibility mapping (UTS 46) turns into 0 to 9.
_DIGITS = ("０１２３４５６７８９", "⓪①②③④⑤⑥⑦⑧⑨", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡", "𝟬𝟭𝟮𝟯𝟰𝟱𝟲𝟳𝟴𝟵", "𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿")
_DOTS = "。．｡"
_IPV4 = ("127.0.0.1", "127.0.0.53", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1")
_LOOPBACK = "127.0.0.1"
_IPV6 = (
    "::1", "::", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::0001", "::127.0.0.1", "::7f00:1",
    "::ffff:127.0.0.1", "::FFFF:127.0.0.1", "::ffff:7f00:1", "::ffff:7f00:0001", "0:0:0:0:0:ffff:127.0.0.1",
    "0000:0000:0000:0000:0000:ffff:7f00:0001", "::ffff:0:127.0.0.1", "::ffff:10.0.0.1", "::ffff:192.168.0.1", "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::127.0.0.1", "2002:7f00:1::", "2002:7f00:0001::1",
    "2002:a00:1::", "2002:c0a8:1::", "2001:0:7f00:1::", "2001::ffff:7f00:1", "fe80::1", "fe80::1%25eth0", "fe80::1%25lo", "fe80::5efe:127.0.0.1",
    "fec0::1", "fc00::1", "fd00::1", "fd12:3456:789a::1", "ff02::1", "ff01::1", "100::1", "2001:db8::1", "3fff::1", "::1%25lo", "::1%251",
)  # fmt: skip
LOCAL_NAMES = ("localhost", "LOCALHOST", "LocalHost", "localhost.", "ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "localhost。", "loc\u00adalhost")
TURNED_NAMES = {
    "127.0.0.1.nip.test": "127.0.0.1",
    "inside.test": "127.0.0.1",
    "xn--insde-wra.test": "127.0.0.1",
    "router.test": "192.168.0.1",
    "metadata.test": "169.254.169.254",
    "six.test": "::1",
    "mapped.test": "::ffff:127.0.0.1",
    "nat64.test": "64:ff9b::7f00:1",
    "everywhere.test": "0.0.0.0",
}
"""Names of public look, and what they resolve to inside."""


def forms() -> list[str]:
    """Addresses that mean something inside the network, each with PORT where its port belongs; none twice."""
    hosts = [*_old_notations(), *_unicode_digits(), *(f"[{address}]" for address in _IPV6), *LOCAL_NAMES, *TURNED_NAMES]
    plain = [f"http://{host}:{PORT}/x" for host in hosts]
    dressed = [_dress(host) for host in (_LOOPBACK, "127.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "inside.test")]
    return list(dict.fromkeys([*plain, *(form for dress in dressed for form in dress)]))


def _old_notations() -> Iterator[str]:
    """RFC 6943, 3.1.1: one to four numbers, each decimal, octal or hexadecimal; the last one fills the rest."""
    for address in _IPV4:
        parts = [int(part) for part in address.split(".")]
        yield address
        for write in _NOTATIONS:
            yield ".".join(map(write, parts))
            yield write(int(ipaddress.IPv4Address(address)))
            yield f"{write(parts[0])}.{write((parts[1] << 16) | (parts[2] << 8) | parts[3])}"
            yield f"{write(parts[0])}.{write(parts[1])}.{write((parts[2] << 8) | parts[3])}"
    parts = [127, 0, 0, 1]
    for first in _NOTATIONS:
        for second in _NOTATIONS:
            yield ".".join(write(part) for write, part in zip((first, second, first, second), parts, strict=True))
            yield f"{first(127)}.{second(1)}"


def _unicode_digits() -> Iterator[str]:
    for digits in _DIGITS:
        for address in (_LOOPBACK, "127.1", "2130706433"):
            yield "".join(digits[int(char)] if char.isdigit() else char for char in address)
    for dot in _DOTS:
        yield _LOOPBACK.replace(".", dot)
        yield "127.1".replace(".", dot)
    yield "1２7。0．0｡1"


def _dress(host: str) -> Iterator[str]:
    """The same host with what parsers disagree on around it."""
    yield from (
        f"http://user@{host}:{PORT}/", f"http://user:pw@{host}:{PORT}/", f"http://news.example@{host}:{PORT}/",
        f"http://news.example:80@{host}:{PORT}/", f"http://a%40b@{host}:{PORT}/", f"http://@{host}:{PORT}/",
        f"http://news.example%00@{host}:{PORT}/", f"http://{host}.:{PORT}/", f"http://{host}..:{PORT}/",
        f"HTTP://{host}:{PORT}/", f" http://{host}:{PORT}/ ", f"http://{host}:{PORT}\\@news.example/", f"http://{host}:{PORT}#@news.example/",
        f"http://{host}:{PORT}?@news.example/", f"http:/{host}:{PORT}/", f"http:{host}:{PORT}/", f"http:///{host}:{PORT}/",
        f"http:////{host}:{PORT}/", f"http:\\\\{host}:{PORT}\\", f"http://{host}:{PORT}", f"http://{host}\t:{PORT}/", f"http://\n{host}:{PORT}/",
        f"https://{host}:{PORT}/", f"http://{host}:0{PORT}/", f"http://{host}:{PORT}/%2e%2e/x", f"http://[{host}]:{PORT}/", f"http://{host}%20:{PORT}/",
        f"//{host}:{PORT}/", f"ftp://{host}:{PORT}/", f"gopher://{host}:{PORT}/", f"file://{host}:{PORT}/", f"http://{host}\u200b:{PORT}/",
    )  # fmt: skip


def sealed_look_up(names: Mapping[str, str | Callable[[], str]], known: Callable[..., Any] = socket.getaddrinfo) -> Callable[..., Any]:
    """A getaddrinfo that asks no server: numbers and localhost as the C library has them, `names` as told, others unknown."""

    def look_up(host: Any, port: Any = None, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002
        name = (host.decode() if isinstance(host, bytes) else str(host)).rstrip(".").lower()
        if name in names:
            answer = names[name]
            return known(answer if isinstance(answer, str) else answer(), port, 0, type, proto, socket.AI_NUMERICHOST)
        if name == "localhost":
            return known(_LOOPBACK, port, 0, type, proto, socket.AI_NUMERICHOST) + known("::1", port, 0, type, proto, socket.AI_NUMERICHOST)
        return known(host, port, family, type, proto, socket.AI_NUMERICHOST)

    return look_up


def sealed_connect(strangers: list[str]) -> Callable[..., Any]:
    """An event loop's sock_connect that refuses what is not loopback, and notes it in `strangers`."""
    honest = asyncio.selector_events.BaseSelectorEventLoop.sock_connect

    async def connect(loop: Any, sock: socket.socket, place: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(place[0]):
            strangers.append(place[0])
            raise ConnectionRefusedError
        await honest(loop, sock, place)

    return connect


def _is_loopback(ip: str) -> bool:
    address = ipaddress.ip_address(ip.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or not int(address)


_INSIDE = [ipaddress.IPv4Network(net) for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "0.0.0.0/32")]


def random_form(chance: random.Random) -> str:
    """A way to write some address inside that is made up of everything above."""
    network = chance.choice(_INSIDE)
    address = network[chance.randrange(network.num_addresses)]
    number = int(address)
    wrapped = [number, (0xFFFF << 32) | number, (0x64FF9B << 96) | number, (0x2002 << 112) | (number << 80)]
    if chance.random() < 0.25:
        host = f"[{ipaddress.IPv6Address(chance.choice(wrapped))}]"
    else:
        host = _random_notation(chance, address.packed)
        if chance.random() < 0.3:
            digits = chance.choice(_DIGITS)
            host = "".join(digits[int(char)] if char.isdigit() and chance.random() < 0.7 else char for char in host)
        if chance.random() < 0.2:
            host = host.replace(".", chance.choice(_DOTS))
    return chance.choice([f"http://{host}:{PORT}/", *_dress(host)])


def _random_notation(chance: random.Random, parts: bytes) -> str:
    kept = chance.randrange(4)
    rest = int.from_bytes(parts[kept:])
    return ".".join(chance.choice(_NOTATIONS)(part) for part in [*parts[:kept], rest])
