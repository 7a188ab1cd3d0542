"""Documents and sources for the reading tests, built by hand."""

from datetime import UTC, datetime

from core.document import Document, DocumentKind, Request
from core.source import Source

NOW = datetime(2026, 11, 24, 5, 20, tzinfo=UTC)  # 13:20 in Shanghai
URL = "https://news.example.com/list/"


def source(**changes):
    fields = {"key": "example", "name": "Example", "kind": "feed", "url": URL, "language": "zh"} | changes
    return Source(**fields)


def document(body, url=URL, content_type="", kind=DocumentKind.FEED):
    data = body if isinstance(body, bytes) else body.encode()
    headers = {"content-type": content_type} if content_type else {}
    return Document(Request(url, kind, "example"), url, 200, headers, data, NOW)
