"""Every way to write an address inside, by every road an address comes in by: nothing is connected to.

Connections are counted at the listeners, not in jingbao's code. Nothing is sent but on loopback: names are answered here, and a
connection to any other address is noted and refused by the test.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core.document import DocumentKind
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.guard import OPEN_PORTS, AddressGuard
from crawler.net.manners import Manners
from crawler.net.robots import Robots
from crawler.spiders.fetch_pages import fetch_with_scrapy
from tests.net.address_forms import TURNED_NAMES, forms, sealed_connect, sealed_look_up
from tests.net.servers import LOOPBACK, Server, behaving, reply, serving, wanted

OUTER = "127.0.0.2"  # a server that may be reached, and leads inside


@pytest.fixture
def names() -> dict[str, object]:
    """What the names of a test resolve to."""
    return dict(TURNED_NAMES)


@pytest.fixture(autouse=True)
def strangers(monkeypatch: pytest.MonkeyPatch, names: dict) -> list[str]:
    """Addresses off loopback that something tried to connect to: noted and refused, nothing is sent."""
    tried: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", sealed_look_up(names))
    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", sealed_connect(tried))
    return tried


@asynccontextmanager
async def listeners() -> AsyncIterator[tuple[Server, Server]]:
    """One on every IPv4 address of this machine, one on every IPv6 one, on the same port."""
    async with serving({"*": reply(body=b"inside")}, "0.0.0.0") as four, serving({"*": reply(body=b"inside")}, "::", port=four.port) as six:
        yield four, six


async def outcome_of(attempt) -> Outcome | str:
    try:
        await attempt
    except FetchError as error:
        return error.outcome
    return "fetched"


def test_there_are_five_hundred_forms_and_none_twice() -> None:
    assert len(set(forms())) == len(forms()) >= 500


@pytest.mark.parametrize("kind", [DocumentKind.FEED, DocumentKind.SITEMAP, DocumentKind.ROBOTS])
async def test_a_feed_a_sitemap_or_a_robots_txt_at_no_form_is_connected_to(kind: DocumentKind, strangers: list[str]) -> None:
    async with listeners() as (four, six), behaving() as manners:
        urls = [form.format(four.port) for form in forms()]
        outcomes = {url: await outcome_of(manners.client.fetch(wanted(url, kind))) for url in urls}

    assert (four.connections, six.connections, strangers) == (0, 0, [])
    # What the C library cannot resolve fails before the guard is asked.
    assert set(outcomes.values()) == {Outcome.REFUSED, Outcome.FAILED}


async def test_an_entrys_link_in_no_form_is_connected_to(strangers: list[str]) -> None:
    async with listeners() as (four, six), behaving() as manners:
        requests = [wanted(form.format(four.port), DocumentKind.PAGE) for form in forms()]
        results: list[object] = []

        async def handle(result: object, _request: object) -> list:
            results.append(result)
            return []

        await fetch_with_scrapy(requests, handle, manners)

    assert (four.connections, six.connections, strangers) == (0, 0, [])
    assert len(results) == len(forms())
    assert {result.outcome for result in results} == {Outcome.REFUSED, Outcome.FAILED}


@pytest.mark.parametrize("kind", [DocumentKind.FEED, DocumentKind.ROBOTS])
async def test_a_redirect_to_no_form_is_followed(kind: DocumentKind, strangers: list[str]) -> None:
    """Also that of a robots.txt."""
    async with listeners() as (four, six):
        targets = [form.format(four.port).strip() for form in forms()]
        pages = {
            f"/{number}": reply(302, headers={"Location": target.replace("\n", "").replace("\t", "")})
            for number, target in enumerate(targets)
        }
        async with serving(pages, OUTER) as outer, behaving(f"{OUTER}/32") as manners:
            outcomes = [await outcome_of(manners.client.fetch(wanted(outer.url(path), kind))) for path in pages]

    assert (four.connections, six.connections, strangers) == (0, 0, [])
    assert outer.connections >= len(pages)
    # A few forms are relative to the server that redirects: it has no such page.
    assert set(outcomes) <= {Outcome.REFUSED, Outcome.FAILED, Outcome.GONE, "fetched"}
    assert outcomes.count(Outcome.REFUSED) > 450


async def test_robots_txt_is_not_asked_for_at_any_form(strangers: list[str]) -> None:
    async with listeners() as (four, six), behaving() as manners:
        robots = Robots(manners.client.fetch, "jingbao")
        outcomes = {await outcome_of(robots.delay(wanted(form.format(four.port), DocumentKind.PAGE))) for form in forms()}

    assert (four.connections, six.connections, strangers) == (0, 0, [])
    assert outcomes == {Outcome.REFUSED, Outcome.FAILED}


async def test_no_form_is_handed_to_a_proxy(strangers: list[str]) -> None:
    """But for names of public look: what they resolve to, the proxy alone sees."""
    inside = [form for form in forms() if ".test" not in form]
    async with listeners() as (four, six), serving({"*": reply(body=b"by proxy")}) as proxy, behaving() as manners:
        way = f"http://{LOOPBACK}:{proxy.port}"
        outcomes = {await outcome_of(manners.client.fetch(wanted(form.format(80), proxy=way))) for form in inside}

    assert (proxy.connections, four.connections, six.connections, strangers) == (0, 0, 0, [])
    assert outcomes == {Outcome.REFUSED}


async def test_the_forms_do_lead_to_the_listeners_where_loopback_is_allowed() -> None:
    """The tests above can fail: most of the forms of loopback reach a listener once the guard lets them."""
    inside = ("127.0.0.0/8", "::1/128", "0.0.0.0/32", "::/128")
    async with listeners() as (four, six), behaving(*inside) as manners:
        for form in forms():
            if not form.startswith("https"):  # the listeners speak no TLS, and each would be waited for
                await outcome_of(manners.client.fetch(wanted(form.format(four.port))))

    assert four.connections > 150
    assert six.connections > 5


@pytest.mark.parametrize("kind", [DocumentKind.FEED, DocumentKind.PAGE])
@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1"])
async def test_a_name_that_turns_from_public_to_private_is_not_followed(kind, inside, names, strangers: list[str]) -> None:
    """Each look-up of the name has the other answer: whatever was judged is what is connected to."""
    answers = ["8.8.8.8", inside] * 20
    names["turning.test"] = lambda: answers.pop(0)
    async with listeners() as (four, six), behaving() as manners:
        # The web's own port, at which a public address may be asked.
        outcomes = [await outcome_of(manners.client.fetch(wanted("http://turning.test/feed", kind))) for _ in range(10)]
        names["turning.test"] = inside
        outcomes.append(await outcome_of(manners.client.fetch(wanted(f"http://turning.test:{four.port}/feed", kind))))

    assert (four.connections, six.connections) == (0, 0)
    assert set(strangers) == {"8.8.8.8"}
    assert set(outcomes) == {Outcome.REFUSED, Outcome.FAILED}


def public_addresses(count: int) -> list[str]:
    """Addresses of blocks that IANA has given to the regional registries whole, with no special-purpose block inside."""
    chance = random.Random(20261124)
    special = {0, 10, 100, 127, 169, 172, 192, 198, 203}
    firsts = [first for first in range(1, 224) if first not in special]
    four = [f"{chance.choice(firsts)}.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(1, 255)}" for _ in range(count)]
    blocks = [0x24000000, 0x26000000, 0x28000000, 0x2A000000, 0x2C000000]
    six = [str(ipaddress.IPv6Address((chance.choice(blocks) + chance.randrange(1 << 20) << 96) | chance.getrandbits(96))) for _ in range(count)]
    return four[: count * 3 // 4] + six[: count - count * 3 // 4]


def test_of_a_thousand_public_addresses_none_is_refused() -> None:
    guard = AddressGuard()
    for address in public_addresses(1000):
        for port in OPEN_PORTS:
            guard.check(address, port)


async def test_public_addresses_are_tried_by_the_roads_themselves(strangers: list[str]) -> None:
    addresses = public_addresses(200)
    async with behaving() as manners:
        for address in addresses:
            host = f"[{address}]" if ":" in address else address
            assert await outcome_of(manners.client.fetch(wanted(f"http://{host}/feed"))) is Outcome.FAILED

    assert strangers == [str(ipaddress.ip_address(address)) for address in addresses]
    assert isinstance(manners, Manners)
