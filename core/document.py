"""A document on its way through the net: what is asked for and what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class DocumentKind(StrEnum):
    """What a request is for; robots.txt governs all but feeds (a feed the operator named is a subscription)."""

    FEED = "feed"
    LIST = "list"
    API = "api"
    SITEMAP = "sitemap"
    PAGE = "page"
    ROBOTS = "robots"


@dataclass(frozen=True, slots=True)
class Request:
    """One document to fetch for `source` (its key).

    `etag` and `last_modified` make it a conditional GET (RFC 9110). `headers` come after the common ones.
    `proxy` is a URL or empty for a direct connection; `delay_seconds` the least pause between two requests to the host.
    """

    url: str
    kind: DocumentKind
    source: str
    method: str = "GET"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    last_modified: str = ""
    proxy: str = ""
    delay_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Document:
    """What came: `body` is decompressed bytes; `url` the address after redirects; `headers` have lower-case names.

    `unchanged` is True for 304 (then `body` is empty). `moved` is True if the way led over permanent redirects alone
    (301, 308): `url` is then the address to ask from now on.
    """

    request: Request
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched: datetime
    unchanged: bool = False
    moved: bool = False

    @property
    def content_type(self) -> str:
        """The Content-Type header as it came, or empty."""
        return self.headers.get("content-type", "")
