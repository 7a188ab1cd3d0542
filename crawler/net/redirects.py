"""Following a redirect: what is asked next, and what of the first request may travel along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.document import Request
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.address import joined, web_address

STATUSES = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
# What describes jingbao and not the reader of one site: cookies, keys and the like stay with the host they were given for.
_TRAVELLING = frozenset({"user-agent", "accept", "accept-language"})


def next_hop(request: Request, status: int, headers: Mapping[str, str]) -> Request:
    """The request a redirect asks for; `headers` have lower-case names.

    301, 302 and 303 turn a POST into a GET (RFC 9110, 15.4). Another host gets neither the source's own headers nor
    a body. Raises FetchError: refused if it leads to no web address, failed if it leads nowhere.
    """
    location = headers.get("location", "")
    if not location.strip():
        raise FetchError(Outcome.FAILED, f"{request.url} answered {status} without saying where to.", status=status)
    here, there = web_address(request.url), web_address(joined(request.url, location)).with_user(None)
    same_host = here.host == there.host
    keeps_method = status in {307, 308} and same_host
    return replace(
        request,
        url=str(there),
        method=request.method if keeps_method else "GET",
        body=request.body if keeps_method else b"",
        headers={
            name: value
            for name, value in request.headers.items()
            if (same_host or name.lower() in _TRAVELLING) and (keeps_method or name.lower() != "content-type")
        },
    )
