"""What a source's list holds now: its document is fetched if it changed, and read in a worker, whatever its kind."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from core.article import Entry
from core.document import Document, DocumentKind, Request
from core.errors import FetchError, ReadingError
from core.log import values
from core.outcomes import Outcome
from core.source import Source, SourceKind
from crawler.net.manners import Manners
from crawler.reading.api import read_api
from crawler.reading.feeds import read_feed
from crawler.reading.listing import read_listing
from crawler.reading.sitemaps import read_sitemap
from crawler.reading.workers import ReadingPool
from crawler.spiders.fetch_pages import fetch_with_scrapy
from storage.sources import Validators

log = logging.getLogger("jingbao.crawler")

BELIEVED_FOR = timedelta(days=1)
"""A list that was only ever "not modified" for so long is asked for whole: some servers say so for ever."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """A list's entries that may be new, in its order.

    `known_count` items were known by their hash and not read again; `unread` counts items that ended without an address.
    `unchanged`: the whole list is as it was. `validators` and `item_hashes` are to be kept once the entries are safe.
    `moved_to` is where the list was found if that is where it is redirected for good (301, 308).
    """

    entries: tuple[Entry, ...] = ()
    known_count: int = 0
    unread: Mapping[Outcome, int] = field(default_factory=dict)
    item_hashes: frozenset[bytes] = frozenset()
    validators: Validators = Validators()
    unchanged: bool = False
    moved_to: str = ""

    @property
    def whole(self) -> bool:
        """Whether every part of the list came and could be read."""
        return not any(outcome.passing or outcome is Outcome.UNREADABLE for outcome in self.unread)


class List(Protocol):
    """What a reader of lists gives: entries, and items without an address by outcome."""

    @property
    def entries(self) -> tuple[Entry, ...]: ...  # noqa: D102
    @property
    def unread(self) -> Mapping[Outcome, int]: ...  # noqa: D102


Reader = Callable[[Document, Source, datetime, int], List]


class Discoverer:
    """Fetches and reads lists. `max_items` bounds one list."""

    def __init__(self, manners: Manners, pool: ReadingPool, max_items: int) -> None:
        self._manners = manners
        self._pool = pool
        self._max_items = max_items

    async def discover(self, source: Source, held: Validators, known: frozenset[bytes], now: datetime) -> Discovery:
        """What `source` lists now (aware UTC), beside what was held of it. Raises FetchError or ReadingError."""
        held = Validators() if _has_parts(source) else held
        document = await self._fetch(self._conditional(source, held))
        believed, moved_to = document.unchanged, document.url if document.moved else ""
        if believed and _is_fresh(held, now):
            return Discovery(validators=held, unchanged=True, moved_to=moved_to)
        if believed:
            document = await self._fetch(self._manners.request_for(source))
        digest, headers = hashlib.blake2b(document.body, digest_size=16).digest(), document.headers
        validators = Validators(headers.get("etag", ""), headers.get("last-modified", ""), digest, now, held.lying)
        if digest == held.body_hash:
            return Discovery(validators=validators, unchanged=True, moved_to=moved_to)
        read = await self._read(document, source, known, now)
        lies = believed and bool(read.entries)
        if lies:
            log.warning("a changed list was called unchanged: it is asked whole from now on", extra=values(source=source.key))
        return replace(read, validators=replace(validators, lying=held.lying or lies), moved_to=moved_to)

    def _conditional(self, source: Source, held: Validators) -> Request:
        if held.lying:
            return self._manners.request_for(source)
        return self._manners.request_for(source, etag=held.etag, last_modified=held.last_modified)

    async def _read(self, document: Document, source: Source, known: frozenset[bytes], now: datetime) -> Discovery:
        match source.kind:
            case SourceKind.FEED:
                feed = await self._pool.run(read_feed, document, source, known, now, self._max_items)
                return Discovery(feed.entries, feed.known_count, feed.unread, feed.item_hashes)
            case SourceKind.API:
                pages = source.api.pages if source.api else ()
                return await self._read_pages(document, source, now, read_api, pages)
            case SourceKind.LISTING:
                return await self._read_pages(document, source, now, read_listing, source.listing.pages)
            case SourceKind.SITEMAP:
                return await self._read_sitemaps(document, source, now)

    async def _read_sitemaps(self, document: Document, source: Source, now: datetime) -> Discovery:
        """A sitemap, or the newest children of an index."""
        first = await self._pool.run(read_sitemap, document, source, now, self._max_items)
        children = [self._manners.request_for(source, url, DocumentKind.SITEMAP) for url in first.children]
        found = [Discovery(first.entries, unread=first.unread)]
        for request in children:
            found.append(await self._read_further(request, source, now, read_sitemap))
        return _joined(found, self._max_items)

    async def _read_pages(
        self, document: Document, source: Source, now: datetime, read: Reader, pages: Sequence[str]
    ) -> Discovery:
        """A list's first document, and its further pages."""
        first = await self._pool.run(read, document, source, now, self._max_items)
        found = [Discovery(first.entries, unread=first.unread)]
        for url in pages:
            request = replace(document.request, url=url, etag="", last_modified="")
            found.append(await self._read_further(request, source, now, read))
        return _joined(found, self._max_items)

    async def _read_further(self, request: Request, source: Source, now: datetime, read: Reader) -> Discovery:
        """A further document of a list; one that fails is counted, and left for the next time."""
        try:
            further = await self._pool.run(read, await self._fetch(request), source, now, self._max_items)
        except (FetchError, ReadingError) as error:
            return Discovery(unread={error.outcome: 1})
        return Discovery(further.entries, unread=further.unread)

    async def _fetch(self, request: Request) -> Document:
        """Lists of HTML rows go by Scrapy, all else by the light client; manners and limits are the same."""
        if request.kind is not DocumentKind.LIST:
            return await self._manners.client.fetch(request)
        results: list[Document | FetchError] = []

        async def keep(result: Document | FetchError, _: Request) -> Sequence[Request]:
            results.append(result)
            return ()

        await fetch_with_scrapy([request], keep, self._manners)
        result = results[0] if results else FetchError(Outcome.FAILED, f"{request.url} was not fetched before the end")
        if isinstance(result, FetchError):
            raise result
        return result


def _is_fresh(held: Validators, now: datetime) -> bool:
    """Whether the list itself came not long ago, so that a 304 may be believed (a clock put back makes it no fresher)."""
    return held.whole is not None and abs(now - held.whole) < BELIEVED_FOR


def _has_parts(source: Source) -> bool:
    """Whether a list has further documents: those may change, or come at last, while the first stays as it was."""
    pages = source.listing.pages or (source.api.pages if source.api else ())
    return source.kind is SourceKind.SITEMAP or bool(pages)


def _joined(found: Sequence[Discovery], max_items: int) -> Discovery:
    entries = [entry for each in found for entry in each.entries]
    unread = sum((Counter(each.unread) for each in found), Counter[Outcome]())
    unread[Outcome.TOO_BIG] += max(0, len(entries) - max_items)
    return Discovery(tuple(entries[:max_items]), unread=dict(+unread))
