"""Behind the proxy every host name is played, with TLS that a client can verify."""

from __future__ import annotations

import ssl

import aiohttp
import pytest
from aiohttp import web

from tests.newsroom.proxy import playing


def echo() -> web.Application:
    """An application that answers with the host and path it was asked for."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        return web.Response(text=f"{request.method} {request.url.host}{request.path_qs} {len(body)}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


async def test_plain_http_reaches_the_application_under_its_own_name() -> None:
    async with (
        playing(echo()) as proxy,
        aiohttp.ClientSession() as session,
        session.get("http://news.example.test/a?b=1", proxy=proxy.url) as answer,
    ):
        assert await answer.text() == "GET news.example.test/a?b=1 0"


async def test_https_is_verified_against_the_proxys_own_authority() -> None:
    """Two hosts, one authority; the connection is real TLS for the name that was asked for, both ways, with a large body."""
    async with playing(echo()) as proxy, aiohttp.ClientSession() as session:
        trusted = ssl.create_default_context(cadata=proxy.ca_pem.decode())
        for host in ("a.example.test", "b.example.test"):
            async with session.post(f"https://{host}/x", data=b"." * 300_000, proxy=proxy.url, ssl=trusted) as answer:
                assert await answer.text() == f"POST {host}/x 300000"


async def test_without_the_authority_https_is_not_believed() -> None:
    async with playing(echo()) as proxy, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get("https://a.example.test/", proxy=proxy.url)
