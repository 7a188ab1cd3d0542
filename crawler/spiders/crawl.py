"""One crawl's bookkeeping, apart from Scrapy: every request is handled exactly once or left in `waiting`, never lost."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from core.document import Document, Request
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.client import LightClient

Handle = Callable[[Document | FetchError, Request], Awaitable[Sequence[Request]]]
"""What is done with one document, or with why it did not come; returns what to ask for next in the same crawl."""


class StoppedError(Exception):
    """The crawl ends: this request was not fetched, which says nothing about its address."""


class Crawl:
    """Requests under numbers, the fetches under way, and what became of them.

    `waiting` are the requests not handled yet, `documents` and `failures` count the handled ones, `fault` is the first
    exception that is a bug (of `handle` or below).
    """

    def __init__(self, handle: Handle, client: LightClient, max_documents: int) -> None:
        self.waiting: dict[int, Request] = {}
        self.documents = 0
        self.failures: Counter[Outcome] = Counter()
        self.fault: BaseException | None = None
        self.stopped = False
        self._handle = handle
        self._client = client
        self._numbers = itertools.count()
        self._max_documents = max_documents
        self._running: set[asyncio.Task[Document]] = set()

    def note(self, requests: Sequence[Request]) -> list[int]:
        """Take requests in; returns the numbers of those to ask for now (those over max_documents only wait)."""
        numbers = [next(self._numbers) for _ in requests]
        self.waiting.update(zip(numbers, requests, strict=True))
        return [number for number in numbers if number < self._max_documents]

    async def fetch(self, number: int) -> Document:
        """The document asked for under `number`, as LightClient.fetch. Raises StoppedError once the crawl is stopped."""
        if self.stopped:
            raise StoppedError
        task = asyncio.ensure_future(self._client.fetch(self.waiting[number]))
        self._running.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if task.cancelled() and self.stopped:
                raise StoppedError from None
            raise
        finally:
            self._running.discard(task)

    async def hand_over(self, number: int, result: Document | FetchError) -> list[int]:
        """Let `result` be handled; returns the numbers to ask for next. Raises StoppedError after a bug, kept as `fault`."""
        request = self.waiting[number]
        try:
            further = await self._handle(result, request)
        except (Exception, asyncio.CancelledError) as error:
            # A cancelled handler, too: nobody cancels it from here, and Scrapy would wait for ever for it.
            self.fail(error)
            raise StoppedError from error
        del self.waiting[number]
        if isinstance(result, FetchError):
            self.failures[result.outcome] += 1
        else:
            self.documents += 1
        return self.note(further)

    def fail(self, error: BaseException) -> None:
        """End the crawl for a bug, which is raised where the crawl was asked for."""
        self.fault = self.fault or error
        self.abort()

    def stop(self) -> None:
        """Begin no more fetches; those under way go on."""
        self.stopped = True

    def abort(self) -> None:
        """Begin no more fetches, and close the connections of those under way."""
        self.stopped = True
        for task in self._running:
            task.cancel()
