"""Both roads are one: the same server ends in the same outcome, for the same reason, by the light client and by Scrapy."""

from __future__ import annotations

import pytest

from core.document import Document, Request
from core.errors import FetchError
from crawler.spiders.fetch_pages import fetch_with_scrapy
from tests.net.misbehaviour import MAX_BYTES, MISBEHAVIOUR
from tests.net.servers import behaving, reply, serving, wanted


@pytest.mark.parametrize("name", MISBEHAVIOUR)
async def test_misbehaviour_ends_alike_by_both_roads(name: str) -> None:
    behaviour, outcome = MISBEHAVIOUR[name]
    results: list[Document | FetchError] = []

    async def handle(result: Document | FetchError, _request: Request) -> list[Request]:
        results.append(result)
        return []

    async with (
        serving({"/page": behaviour}) as server,
        behaving("127.0.0.1/32", timeout_seconds=0.3, max_bytes=MAX_BYTES) as manners,
    ):
        request = wanted(server.url("/page"))
        report = await fetch_with_scrapy([request], handle, manners)
        asked_by_scrapy = list(server.asked)
        # A host that asked for a pause is not asked again: the light client then tells of the pause.
        if "Retry-After" not in str(behaviour):
            with pytest.raises(FetchError) as light:
                await manners.client.fetch(request)
            assert light.value.reason == results[0].reason
            assert server.asked == asked_by_scrapy * 2

    assert [result.outcome for result in results] == [outcome]
    assert report.failures == {outcome: 1}
    assert (report.documents, report.left, report.finish) == (0, (), "finished")


async def test_a_conditional_request_and_its_304_pass_through_scrapy_too() -> None:
    results: list[Document | FetchError] = []

    async def handle(result: Document | FetchError, _request: Request) -> list[Request]:
        results.append(result)
        return []

    async with (
        serving({"/page": b"HTTP/1.1 304 X\r\n\r\n", "*": reply(body=b"x")}) as server,
        behaving("127.0.0.1/32") as manners,
    ):
        await fetch_with_scrapy([wanted(server.url("/page"), etag='"a"')], handle, manners)

    assert [result.unchanged for result in results] == [True]
    assert 'if-none-match: "a"' in server.heads[0]
