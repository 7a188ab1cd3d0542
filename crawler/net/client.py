"""The light client: one document, fetched politely and safely. Feeds use it directly, Scrapy as its download handler."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.document import Document, DocumentKind, Request
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net import redirects
from crawler.net.address import host_of
from crawler.net.answers import judge_status
from crawler.net.pace import Pace
from crawler.net.robots import MAX_BYTES as ROBOTS_MAX_BYTES
from crawler.net.robots import Robots
from crawler.net.wire import Answer, Wire


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Bounds of one document: seconds of talking (waiting for one's turn not counted), decompressed bytes, redirects."""

    timeout_seconds: float = 20.0
    max_bytes: int = 8_000_000
    max_redirects: int = 5


class LightClient:
    """Fetches documents hop by hop; each hop passes robots.txt (but for feeds), the host's pace and the address guard."""

    def __init__(self, wire: Wire, pace: Pace, product: str, limits: FetchLimits, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._pace = pace
        self._limits = limits
        self._now = now
        self._robots = Robots(self.fetch, product)

    async def fetch(self, request: Request) -> Document:
        """The document `request` asks for, after at most max_redirects redirects.

        Raises FetchError with outcome refused, blocked, gone, failed, too big or too slow.
        """
        hop, moved, seconds = request, True, self._limits.timeout_seconds
        for turn in range(self._limits.max_redirects + 1):
            answer, took = await self._polite_exchange(hop, seconds)
            if answer.status not in redirects.STATUSES:
                return self._document(request, hop, answer, moved=moved and turn > 0)
            moved = moved and answer.status in redirects.PERMANENT
            hop = redirects.next_hop(hop, answer.status, answer.headers)
            seconds = max(seconds - took, 0.001)
        raise FetchError(Outcome.TOO_BIG, f"{request.url} was redirected more than {self._limits.max_redirects} times.")

    def forget_silence(self) -> None:
        """Hold it against no host that its robots.txt was not heard: the line may work again."""
        self._robots.forget_silence()

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()

    async def _polite_exchange(self, hop: Request, seconds: float) -> tuple[Answer, float]:
        host = host_of(hop.url)
        delay = hop.delay_seconds
        if hop.kind not in {DocumentKind.FEED, DocumentKind.ROBOTS}:
            delay = max(delay, await self._robots.delay(hop))
        async with self._pace.slot(host, delay):
            started = time.monotonic()
            answer = await self._timely(hop, seconds, host)
            self._judge(answer, host)
            _check_unchanged(answer, hop, host)
            return answer, time.monotonic() - started

    async def _timely(self, hop: Request, seconds: float, host: str) -> Answer:
        """The answer; whether it came in time is noted of its host."""
        try:
            answer = await self._exchange(hop, seconds)
        except FetchError as error:
            if error.outcome is Outcome.TOO_SLOW:
                self._pace.late(host)
            raise
        self._pace.answered(host)
        return answer

    async def _exchange(self, hop: Request, seconds: float) -> Answer:
        if hop.kind is DocumentKind.ROBOTS:
            return await self._wire.exchange(hop, seconds, ROBOTS_MAX_BYTES, cut=True)
        return await self._wire.exchange(hop, seconds, self._limits.max_bytes)

    def _judge(self, answer: Answer, host: str) -> None:
        if answer.status in redirects.STATUSES:
            return
        try:
            judge_status(answer.status, answer.headers, host, self._now())
        except FetchError as error:
            if error.retry_after_seconds:
                self._pace.pause(host, error.retry_after_seconds)
            raise

    def _document(self, request: Request, hop: Request, answer: Answer, *, moved: bool) -> Document:
        return Document(
            request=request,
            url=hop.url,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            fetched=self._now(),
            unchanged=answer.status == 304,
            moved=moved,
        )


def _check_unchanged(answer: Answer, hop: Request, host: str) -> None:
    """A 304 that nobody asked for gives nothing, now and at every other try. Raises FetchError (failed)."""
    if answer.status == 304 and not (hop.etag or hop.last_modified):
        reason = f"{host} answered 304 Not Modified, though it was not asked whether anything had changed."
        raise FetchError(Outcome.FAILED, reason, status=304)
