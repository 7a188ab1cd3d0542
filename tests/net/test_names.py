"""Names that cannot be looked up, or only slowly, or that come to mean another address."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net import resolver, wire
from tests.net.address_forms import sealed_look_up
from tests.net.servers import LOOPBACK, behaving, reply, serving, wanted

HANGING = 20


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL])
async def test_a_name_that_no_server_knows_is_named_with_the_systems_reason(monkeypatch, number: int) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(number, "so it is")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with behaving() as manners:
        with pytest.raises(FetchError, match=r"The name gone\.test cannot be found: so it is\.") as error:
            await manners.client.fetch(wanted("http://gone.test/feed"))

    assert (error.value.outcome, error.value.status) == (Outcome.FAILED, 0)


async def test_names_that_hang_hold_up_no_others(monkeypatch) -> None:
    """Twenty look-ups hang, more than a common pool of threads has; a twenty-first name is found at once."""
    begun, go_on = threading.Semaphore(0), threading.Event()
    known = sealed_look_up({"well.test": LOOPBACK})

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if str(host).startswith("hangs-"):
            begun.release()
            go_on.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return known(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with serving({"*": reply(200, b"news")}) as server, behaving("127.0.0.0/8") as manners:
        ask = [manners.client.fetch(wanted(f"http://hangs-{number}.test/feed")) for number in range(HANGING)]
        waiting = asyncio.gather(*ask, return_exceptions=True)
        await asyncio.to_thread(lambda: [begun.acquire(timeout=30) for _ in range(HANGING)])
        document = await manners.client.fetch(wanted(f"http://well.test:{server.port}/feed"))
        held_up = not waiting.done()
        go_on.set()
        ends = await waiting

    assert (document.body, held_up) == (b"news", True)
    assert {str(end.outcome) for end in ends if isinstance(end, FetchError)} == {"failed"}
    assert len(ends) == HANGING


async def test_a_look_up_that_hangs_is_given_up_and_says_so(monkeypatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: go_on.wait(30))
    monkeypatch.setattr(resolver, "PATIENCE_SECONDS", 0.02)
    async with behaving() as manners:
        with pytest.raises(FetchError, match=r"The name slow\.test cannot be found: no name server answered within") as error:
            await manners.client.fetch(wanted("http://slow.test/feed"))
        go_on.set()

    assert error.value.outcome is Outcome.FAILED


async def test_a_site_that_moves_is_found_at_its_new_address(monkeypatch) -> None:
    address = ["127.0.0.2"]
    monkeypatch.setattr(socket, "getaddrinfo", sealed_look_up({"moves.test": lambda: address[0]}))
    monkeypatch.setattr(wire, "NAMES_KEPT_SECONDS", 0)
    async with (
        serving({"*": reply(200, b"old")}, "127.0.0.2") as old,
        serving({"*": reply(200, b"new")}, "127.0.0.3", port=old.port),
        behaving("127.0.0.0/8") as manners,
    ):
        url = f"http://moves.test:{old.port}/feed"
        before = await manners.client.fetch(wanted(url))
        address[0] = "127.0.0.3"
        after = await manners.client.fetch(wanted(url))

    assert (before.body, after.body) == (b"old", b"new")


def test_what_is_remembered_of_an_address_is_forgotten_within_five_minutes() -> None:
    assert wire.NAMES_KEPT_SECONDS + wire.KEEPALIVE_SECONDS <= 300
