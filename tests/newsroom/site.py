"""The newsroom's web server: one aiohttp application in which each outlet is a virtual host."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from tests.newsroom.lists import article_page, front_page

if TYPE_CHECKING:
    from tests.newsroom.newsroom import Newsroom
    from tests.newsroom.outlets import Outlet


def newsroom_app(newsroom: Newsroom) -> web.Application:
    """All outlets of a newsroom, told apart by host name."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", partial(_answer, newsroom))
    return app


async def _answer(newsroom: Newsroom, request: web.Request) -> web.Response:
    outlet = newsroom.at_host(request.url.host or "")
    if outlet is None:
        return _plain("There is no such site in this newsroom.\n", HTTPStatus.BAD_GATEWAY)
    if request.path == "/robots.txt":
        return _plain(robots(outlet), HTTPStatus.OK)
    if request.path == urlsplit(outlet.source["url"]).path:
        return _front(newsroom, outlet, request)
    issue = newsroom.article(outlet, request.path)
    if issue is None:
        return _plain("404\n", HTTPStatus.NOT_FOUND)
    media_type, text = article_page(issue)
    return conditional(request, _encoded(outlet, text), f"{media_type}; charset={outlet.declared}", issue.at)


def robots(outlet: Outlet) -> str:
    """The outlet's robots.txt."""
    return "\n".join(["User-agent: *", *(f"Disallow: {path}" for path in ("/search", *outlet.disallow))]) + "\n"


def _front(newsroom: Newsroom, outlet: Outlet, request: web.Request) -> web.Response:
    """The list; a JSON list is only given to those who ask by POST, as such lists often are."""
    expected = "POST" if outlet.shape == "json-list" else "GET"
    if request.method not in {expected, "HEAD"}:
        return _plain(f"Ask by {expected}.\n", HTTPStatus.METHOD_NOT_ALLOWED)
    newsroom.visited(outlet)
    issues = newsroom.front(outlet)
    media_type, text = front_page(outlet, issues, newsroom.now())
    changed = issues[0].at if issues else newsroom.started
    return conditional(request, _encoded(outlet, text), f"{media_type}; charset={outlet.declared}", changed)


def _encoded(outlet: Outlet, text: str) -> bytes:
    return text.encode(outlet.encoding)


def conditional(request: web.Request, body: bytes, content_type: str, changed: datetime | None = None) -> web.Response:
    """`body` with its validators, or 304 where the client holds it already (RFC 9110, 13.1.2)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Content-Type": content_type}
    if changed:
        headers["Last-Modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": etag})
    return web.Response(body=body, headers=headers)


def _plain(text: str, status: HTTPStatus) -> web.Response:
    return web.Response(text=text, status=status)
