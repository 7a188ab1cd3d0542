"""What the wire really says of a fault is sorted as a person would sort it, so that first light's advice fits."""

from __future__ import annotations

import asyncio
import socket
import ssl

import aiohttp
import pytest
import trustme

from core.errors import FetchError
from core.outcomes import Outcome
from core.trouble import Trouble, trouble_of
from crawler.net.faults import fetch_error
from crawler.reach import spoke
from tests.net.servers import LOOPBACK, behaving, reply, serving, wanted


async def failing(url: str, **more) -> FetchError:
    async with behaving("127.0.0.0/8", timeout_seconds=0.3) as manners:
        with pytest.raises(FetchError) as error:
            await manners.client.fetch(wanted(url, **more))
    return error.value


def sorted_as(error: FetchError) -> Trouble:
    return trouble_of(str(error.outcome), error.reason)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(403, Trouble.BLOCKED), (451, Trouble.BLOCKED), (404, Trouble.GONE), (410, Trouble.GONE), (429, Trouble.BUSY), (503, Trouble.BUSY)],
)
async def test_a_site_that_answers_with_a_refusal_was_heard(status: int, trouble: Trouble) -> None:
    async with serving({"*": reply(status)}) as server:
        error = await failing(server.url())

    assert sorted_as(error) is trouble
    assert spoke(error.reason)


async def test_a_test_for_people_is_a_refusal() -> None:
    async with serving({"*": reply(200, headers={"cf-mitigated": "challenge"})}) as server:
        error = await failing(server.url())

    assert (sorted_as(error), spoke(error.reason)) == (Trouble.BLOCKED, True)


async def test_nobody_there_and_a_broken_line_are_no_connection() -> None:
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with serving({"*": hang_up}) as server:
        broken = await failing(server.url())
        url = server.url()
    gone = await failing(url)

    assert [sorted_as(broken), sorted_as(gone)] == [Trouble.NO_CONNECTION] * 2
    assert [spoke(broken.reason), spoke(gone.reason)] == [False, False]


async def test_silence_is_too_slow() -> None:
    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving({"*": silence}) as server:
        error = await failing(server.url())

    assert (sorted_as(error), spoke(error.reason)) == (Trouble.TOO_SLOW, False)


async def test_a_certificate_of_nobodys_is_a_certificate() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(LOOPBACK).configure_cert(context)
    async with serving({"*": reply()}, ssl=context) as server:
        error = await failing(server.url().replace("http:", "https:"))

    assert (sorted_as(error), spoke(error.reason)) == (Trouble.CERTIFICATE, False)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5"])
async def test_a_proxy_that_is_away_is_the_proxys_trouble(scheme: str) -> None:
    async with serving({}) as server:
        port = server.port
    error = await failing("http://news.example/", proxy=f"{scheme}://{LOOPBACK}:{port}")

    assert sorted_as(error) is Trouble.PROXY


def test_a_name_nobody_knows_is_no_name() -> None:
    key = aiohttp.client_reqrep.ConnectionKey("x.example", 80, False, True, None, None, None)
    fault = aiohttp.ClientConnectorDNSError(key, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))

    assert sorted_as(fetch_error(fault, "x.example", "")) is Trouble.NO_NAME


def test_other_ends_of_a_run_have_their_kind() -> None:
    assert trouble_of("offline", "") is Trouble.OFFLINE
    assert trouble_of(Outcome.UNREADABLE, "no feed") is Trouble.UNREADABLE
    assert trouble_of(Outcome.REFUSED, "an address inside your network") is Trouble.KEPT_OUT


@pytest.mark.parametrize("status", [502, 504])
async def test_what_a_proxy_says_in_a_sites_place_is_no_trouble_of_the_site(status: int) -> None:
    async with serving({"*": reply(status)}) as server:
        error = await failing(server.url())

    assert trouble_of(str(error.outcome), error.reason, proxied=True) is Trouble.NO_CONNECTION
    assert trouble_of(str(error.outcome), error.reason) is Trouble.BUSY
