"""Addresses inside the operator's network are refused, in every form and by every road; what is meant can be opened."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.document import DocumentKind
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.guard import AddressGuard, is_public, parse_address
from crawler.net.resolver import GuardedResolver
from crawler.spiders.fetch_pages import fetch_with_scrapy
from tests.net.servers import LOOPBACK, behaving, reply, serving, wanted

INSIDE = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.8", "192.0.0.9", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1",
    "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::",
    "2002:c0a8:101::1", "2001::1", "2001:db8::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    "100::1", "3fff::1", "5f00::1", "4000::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.0.0.1", "172.32.0.1", "192.0.1.1", "223.5.5.5", "2400:3200::1", "2606:4700::1111",
          "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]  # fmt: skip

# How loopback can be written in an address (`{}` is the port). The resolver of the C library reads the old notations.
LOOPBACK_FORMS = [
    "http://127.0.0.1:{}/", "http://127.1:{}/", "http://127.0.1:{}/", "http://2130706433:{}/", "http://0x7f000001:{}/",
    "http://0x7f.0.0.1:{}/", "http://0177.0.0.1:{}/", "http://0177.1:{}/", "http://017700000001:{}/", "http://0:{}/",
    "http://0.0.0.0:{}/", "http://①②⑦.⓪.⓪.①:{}/", "http://１２７.０.０.１:{}/", "http://127。0。0。1:{}/",
    "http://localhost:{}/", "http://LOCALHOST:{}/", "http://localhost.:{}/", "http://127.0.0.1.:{}/",
    "http://[::1]:{}/", "http://[::]:{}/", "http://[::ffff:127.0.0.1]:{}/", "http://[::ffff:7f00:1]:{}/",
    "http://[::127.0.0.1]:{}/", "http://[64:ff9b::7f00:1]:{}/", "http://[2002:7f00:1::]:{}/", "http://[fe80::1]:{}/",
    "http://user:pw@127.0.0.1:{}/", "http://news.example@127.0.0.1:{}/", "http://127.0.0.1:{}\\@news.example/",
    "http://%31%32%37.0.0.1:{}/", "http:127.0.0.1:{}/", "http:///127.0.0.1:{}/", "//127.0.0.1:{}/", "http://127.0.0.2:{}/",
]  # fmt: skip


@pytest.mark.parametrize("ip", INSIDE)
def test_what_is_not_globally_routable_is_refused(ip: str) -> None:
    with pytest.raises(FetchError, match=r"security\.allow_networks") as refusal:
        AddressGuard().check(ip, 80)

    assert refusal.value.outcome is Outcome.REFUSED


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_pass_on_the_ports_of_the_web_alone(ip: str) -> None:
    guard = AddressGuard()

    for port in (80, 443, 8080, 8443):
        guard.check(ip, port)
    for port in (22, 25, 6379, 9200):
        with pytest.raises(FetchError, match=f"port {port}"):
            guard.check(ip, port)


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_an_ipv4_address_is_judged_alike_in_whatever_it_is_wrapped(address: IPv4Address) -> None:
    number = int(address)
    wrapped = [
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address(int(IPv6Address("64:ff9b::")) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
    ]

    assert [parse_address(str(outer)) for outer in wrapped] == [address] * 3


@settings(max_examples=200)
@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_no_ipv6_address_outside_global_unicast_is_public(address: IPv6Address) -> None:
    assert is_public(address) <= (address in ipaddress.ip_network("2000::/3"))


def test_an_allowed_network_is_open_on_any_port_and_in_any_wrapping() -> None:
    guard = AddressGuard.allowing(["10.0.0.0/8", "fd00::/8"])

    guard.check("10.1.2.3", 1200)
    guard.check("::ffff:10.1.2.3", 1200)
    guard.check("fd00::5", 22)
    with pytest.raises(FetchError):
        guard.check("127.0.0.1", 80)


def test_fake_ip_answers_are_explained_by_name() -> None:
    with pytest.raises(FetchError, match=r"news\.example names 198\.18\.0\.7.*Clash.*add 198\.18\.0\.0/15"):
        AddressGuard().check("198.18.0.7", 443, "news.example")

    AddressGuard.allowing(["198.18.0.0/15"]).check("198.18.0.7", 443, "news.example")


async def test_of_a_names_addresses_those_outside_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["127.0.0.1", "8.8.8.8"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", (ip, 80)) for ip in answers])
    resolver = GuardedResolver(AddressGuard())

    assert [found["host"] for found in await resolver.resolve("mixed.example", 80)] == ["8.8.8.8"]

    answers.remove("8.8.8.8")
    with pytest.raises(FetchError, match=r"mixed\.example names an address inside your network \(127\.0\.0\.1\)"):
        await resolver.resolve("mixed.example", 80)


@pytest.mark.parametrize("form", LOOPBACK_FORMS)
async def test_no_form_of_loopback_is_connected_to(form: str) -> None:
    async with serving({"*": reply()}, "0.0.0.0") as listener, behaving() as manners:
        url = form.format(listener.port)
        outcomes = []
        for kind in (DocumentKind.FEED, DocumentKind.PAGE, DocumentKind.SITEMAP):
            with pytest.raises(FetchError) as refusal:
                await manners.client.fetch(wanted(url, kind))
            outcomes.append(refusal.value.outcome)

        async def handle(result: object, _request: object) -> list:
            assert isinstance(result, FetchError)
            outcomes.append(result.outcome)
            return []

        await fetch_with_scrapy([wanted(url, DocumentKind.PAGE)], handle, manners)

    assert listener.connections == 0
    # Names the C library cannot resolve fail before the guard is asked.
    assert set(outcomes) <= {Outcome.REFUSED, Outcome.FAILED}
    assert len(outcomes) == 4


async def test_the_same_forms_do_reach_loopback_where_it_is_allowed() -> None:
    """The test above can fail: these forms lead to the listener when the guard lets them."""
    forms = ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://①②⑦.⓪.⓪.①:{}/", "http://１２７.０.０.１:{}/",
             "http://127。0。0。1:{}/", "http://[::ffff:127.0.0.1]:{}/", "http://user:pw@127.0.0.1:{}/"]  # fmt: skip
    async with serving({"*": reply(body=b"in")}, "0.0.0.0") as listener, behaving("127.0.0.0/8") as manners:
        bodies = [(await manners.client.fetch(wanted(form.format(listener.port)))).body for form in forms]

    assert bodies == [b"in"] * len(forms)
    assert listener.connections == len(forms)


@pytest.mark.parametrize("by_scrapy", [False, True])
@pytest.mark.parametrize("kind", [DocumentKind.FEED, DocumentKind.PAGE, DocumentKind.SITEMAP])
@pytest.mark.parametrize("path", ["/page", "/robots.txt"])
async def test_a_redirect_does_not_lead_inside(path: str, kind: DocumentKind, *, by_scrapy: bool) -> None:
    """One server may be reached and redirects, as page or as robots.txt, to another that may not."""
    async with serving({"*": reply()}, "127.0.0.2") as inner:
        pages = {"/page": reply(), path: reply(302, headers={"Location": inner.url("/secret")})}
        async with serving(pages) as outer, behaving("127.0.0.1/32") as manners:
            result = await _result(manners, wanted(outer.url("/page"), kind), by_scrapy=by_scrapy)

    assert inner.connections == 0
    if path == "/page" or kind is not DocumentKind.FEED:
        assert isinstance(result, FetchError)
        assert result.outcome is Outcome.REFUSED
        assert "127.0.0.2" in result.reason


async def test_a_proxy_may_stand_on_loopback_but_leads_nowhere_inside() -> None:
    inside = ["http://127.0.0.1/", "http://10.0.0.1/", "http://0x7f.1/", "http://2130706433/", "http://localhost/", "http://router/",
              "http://[::1]/", "http://nas.local/", "http://①②⑦.⓪.⓪.①/", "http://news.example:25/", "http://[fe80::1]/"]  # fmt: skip
    async with serving({"*": reply(body=b"by proxy")}) as proxy, behaving() as manners:
        way = f"http://{LOOPBACK}:{proxy.port}"
        document = await manners.client.fetch(wanted("http://news.example/feed", proxy=way))
        assert document.body == b"by proxy"
        assert proxy.asked == ["http://news.example/feed"]
        for url in inside:
            with pytest.raises(FetchError) as refusal:
                await manners.client.fetch(wanted(url, proxy=way))
            assert refusal.value.outcome is Outcome.REFUSED, url

    assert proxy.connections == 1


async def _result(manners, request, *, by_scrapy: bool) -> object:
    if not by_scrapy:
        try:
            return await manners.client.fetch(request)
        except FetchError as error:
            return error
    results: asyncio.Queue[object] = asyncio.Queue()

    async def handle(result: object, _request: object) -> list:
        results.put_nowait(result)
        return []

    await fetch_with_scrapy([request], handle, manners)
    return results.get_nowait()
