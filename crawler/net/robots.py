"""robots.txt (RFC 9309): one cache for all roads, read by protego.

A file that is not there (4xx) forbids nothing; a server that cannot answer (5xx, no connection, too slow) forbids
everything until it can (RFC 9309, 2.3.1.4), asked again after an hour.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from protego import Protego

from core.document import Document, DocumentKind, Request
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.address import web_address

GOOD_FOR_SECONDS = 24 * 3600.0
ASK_AGAIN_SECONDS = 3600.0
NO_ANSWER_SECONDS = 300.0
"""With no answer at all the fault may be on this side (a laptop that wakes up): asked again sooner."""
MAX_BYTES = 500 * 1024
"""RFC 9309, 2.5: at least 500 KiB are to be read; the rest is cut off."""
LONGEST_DELAY_SECONDS = 60.0
MANY_ORIGINS = 2000


@dataclass(slots=True)
class _Entry:
    """What is known of one origin: its rules, or why there are none; until when this holds."""

    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Protego | None = None
    trouble: str = ""
    silent: bool = False
    until: float = float("-inf")


class Robots:
    """The rules of all origins. `fetch` gets the files, with redirects but without asking robots.txt again."""

    def __init__(
        self, fetch: Callable[[Request], Awaitable[Document]], product: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._product = product
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    async def delay(self, request: Request) -> float:
        """The Crawl-delay (seconds, at most 60; 0 if none) under which `request` is allowed.

        Raises FetchError: blocked if robots.txt forbids it, failed while robots.txt cannot be had, refused where
        the address guard forbids asking.
        """
        entry = await self._entry(request)
        if entry.trouble:
            rest = None if entry.silent else max(entry.until - self._clock(), 0.0)
            raise FetchError(Outcome.FAILED, entry.trouble, retry_after_seconds=rest)
        if entry.rules is None:
            return 0.0
        if not entry.rules.can_fetch(request.url, self._product):
            raise FetchError(Outcome.BLOCKED, f"robots.txt of {web_address(request.url).host} forbids {request.url}.")
        return min(entry.rules.crawl_delay(self._product) or 0.0, LONGEST_DELAY_SECONDS)

    def forget_silence(self) -> None:
        """Ask again those origins that were not heard at all: it was our own line, or that is to be found out."""
        for entry in self._entries.values():
            if entry.silent:
                entry.until = float("-inf")

    async def _entry(self, request: Request) -> _Entry:
        origin = str(web_address(request.url).origin())
        if origin not in self._entries and len(self._entries) >= MANY_ORIGINS:
            self._forget_stale()
        entry = self._entries.setdefault(origin, _Entry())
        async with entry.asking:
            if entry.until <= self._clock():
                await self._ask(entry, origin, request)
        return entry

    async def _ask(self, entry: _Entry, origin: str, request: Request) -> None:
        rules, trouble, silent, good_for = None, "", False, GOOD_FOR_SECONDS
        try:
            document = await self._fetch(_robots_request(origin, request))
            rules = Protego.parse(document.body.decode("utf-8-sig", "replace"))
        except FetchError as error:
            if error.outcome is Outcome.REFUSED:
                raise
            if not _means_no_rules(error):
                trouble = f"robots.txt of {origin} cannot be had, so nothing is fetched there for now. {error.reason}"
                silent = not error.status
                good_for = NO_ANSWER_SECONDS if silent else ASK_AGAIN_SECONDS
        entry.rules, entry.trouble, entry.silent, entry.until = rules, trouble, silent, self._clock() + good_for

    def _forget_stale(self) -> None:
        now = self._clock()
        for origin in [o for o, entry in self._entries.items() if entry.until < now and not entry.asking.locked()]:
            del self._entries[origin]


def _robots_request(origin: str, request: Request) -> Request:
    """The request for an origin's robots.txt, on the road of the request that wants to know."""
    return replace(
        request,
        url=f"{origin}/robots.txt",
        kind=DocumentKind.ROBOTS,
        method="GET",
        body=b"",
        headers={},
        etag="",
        last_modified="",
    )


def _means_no_rules(error: FetchError) -> bool:
    # 4xx is "unavailable": no rules (RFC 9309, 2.3.1.3), save 429, which is a passing one. So are endless redirects.
    return error.outcome is Outcome.TOO_BIG or (400 <= error.status < 500 and error.status not in {408, 425, 429})
