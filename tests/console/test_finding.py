"""Asked at once where the machine is, a dozen sites are asked for a head each, and who answers decides."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from console.finding import FOREIGN, NEAR, find_location, witnesses
from core.source import Reach
from crawler.catalogue import load_catalogue
from crawler.reach import Location
from tests.newsroom.proxy import playing

FAR = {each.url.split("/")[2] for each in load_catalogue().sources("all") if each.reach is Reach.NOT_FROM_MAINLAND}


def test_the_witnesses_are_feeds_of_different_hosts_on_both_sides() -> None:
    chosen = witnesses(load_catalogue().sources("all"))

    assert len({each.url.split("/")[2] for each in chosen}) == len(chosen) == FOREIGN + NEAR
    assert sum(each.reach is Reach.NOT_FROM_MAINLAND for each in chosen) == FOREIGN


@pytest.mark.parametrize(
    ("silent", "location", "counts"),
    [
        (set(), Location.OUTSIDE, {"far": 6, "far_asked": 6, "near": 6, "near_asked": 6}),
        (FAR, Location.MAINLAND, {"far": 0, "far_asked": 6, "near": 6, "near_asked": 6}),
    ],
)
async def test_who_answers_decides(silent: set[str], location: Location, counts: dict[str, int], tmp_path: Path) -> None:
    methods = set()

    async def answer(request: web.Request) -> web.Response:
        methods.add(request.method)
        if request.host.partition(":")[0] in silent:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="a feed")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    async with playing(app) as proxy:
        (tmp_path / "ca.pem").write_bytes(proxy.ca_pem)
        found = await find_location(proxy.url, str(tmp_path / "ca.pem"))

    assert (found.location, found.counts, methods) == (location, counts, {"HEAD"})
