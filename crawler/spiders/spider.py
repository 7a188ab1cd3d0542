"""Scrapy's side, thin: a spider that asks for what it is given and what that leads to, and a handler that fetches it.

Scrapy keeps the queues, the concurrency per host and the back-pressure; the light client makes the connections, so that
there is one guarded way out (docs/design/net.md says why).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import scrapy
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Response

from core.document import Document
from core.errors import FetchError
from crawler.net.address import web_address
from crawler.spiders.crawl import Crawl, StoppedError

if TYPE_CHECKING:
    from twisted.python.failure import Failure


class DocumentSpider(scrapy.Spider):
    """Knows no site: which lists lead to which pages, the crawl's `handle` decides."""

    name = "documents"

    def __init__(self, crawl: Crawl, numbers: Sequence[int]) -> None:
        super().__init__()
        self.crawl = crawl
        self._numbers = numbers

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """What the crawl begins with."""
        for request in self._asked(self._numbers):
            yield request

    async def arrived(self, response: Response) -> list[scrapy.Request]:
        """A document came."""
        return await self._handed_over(response.meta["number"], response.meta["document"])

    async def failed(self, number: int, failure: Failure) -> list[scrapy.Request]:
        """No document came. Anything but a FetchError is a bug, or the end of the crawl."""
        error = failure.value
        if isinstance(error, FetchError):
            return await self._handed_over(number, error)
        if error and not isinstance(error, IgnoreRequest):
            self.crawl.fail(error)
        raise CloseSpider("stopped")

    async def _handed_over(self, number: int, result: Document | FetchError) -> list[scrapy.Request]:
        try:
            return self._asked(await self.crawl.hand_over(number, result))
        except StoppedError:
            raise CloseSpider("stopped") from None

    def _asked(self, numbers: Sequence[int]) -> list[scrapy.Request]:
        return [
            scrapy.Request(
                _queue_address(self.crawl.waiting[number].url),
                callback=self.arrived,
                errback=partial(self.failed, number),
                meta={"number": number},
                dont_filter=True,  # what was asked for before, the archive's ledger knows
            )
            for number in numbers
        ]


def _queue_address(url: str) -> str:
    """The address Scrapy queues by. What is no address goes to the client all the same, which refuses it with the reason."""
    try:
        return str(web_address(url))
    except FetchError:
        return "http://no-web-address.invalid/"


class LightDownloadHandler(BaseDownloadHandler):
    """Answers Scrapy's requests by the light client; the document rides in `meta`, its body counts for the back-pressure."""

    async def download_request(self, request: scrapy.Request) -> Response:
        """Fetch the request noted under `meta["number"]`.

        Raises FetchError, which reaches the errback as it is, and IgnoreRequest (of which Scrapy logs nothing) at the end.
        """
        spider = self.crawler.spider
        assert isinstance(spider, DocumentSpider)
        try:
            document = await spider.crawl.fetch(request.meta["number"])
        except StoppedError as stopped:
            raise IgnoreRequest from stopped
        request.meta["document"] = document
        return Response(request.url, status=document.status, body=document.body, request=request)
