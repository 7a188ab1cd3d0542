"""Reading a web address before anything is sent to it."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from yarl import URL

from core.errors import FetchError
from core.outcomes import Outcome

MAX_CHARACTERS = 2000
"""Longer addresses are traps (session loops, generated links), never articles; common servers and caches stop here too."""

# A host after IDNA: letters, digits, hyphens (and the underscores of some real names), or an IPv6 address.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f.]*:[0-9a-f:.]*(%[a-z0-9._-]+)?", re.IGNORECASE | re.ASCII)


def web_address(text: str) -> URL:
    """`text` as an http or https address with a host, its fragment dropped.

    Raises FetchError (refused) for anything else: other schemes, no host, a port that is none, over 2,000 characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise FetchError(Outcome.REFUSED, f"The address is {len(text):,} characters long; the limit is {MAX_CHARACTERS:,}.")
    try:
        url = URL(text.strip())
        host = _HOST.fullmatch(url.raw_host or "") and url.host  # asking for both finds broken IDNA
        usable = url.scheme in {"http", "https"} and bool(host) and url.port is not None
        f"{url.user}:{url.password}".encode("latin-1")  # all that Basic sign-in can carry
    except (ValueError, IndexError) as error:  # IndexError: yarl, on some texts with brackets
        raise FetchError(Outcome.REFUSED, f"{text!r} is not a web address: {error}.") from error
    if not usable:
        raise FetchError(Outcome.REFUSED, f"{text!r} is not fetched: only http:// and https:// addresses are.")
    return url.with_fragment(None)


def host_of(text: str) -> str:
    """The host of a web address in lower case, without port. Raises FetchError as web_address does."""
    host = web_address(text).host
    assert host is not None
    return host.rstrip(".").lower()


def joined(base: str, location: str) -> str:
    """The absolute address a Location header means (RFC 9110, 10.2.2).

    Raw bytes outside ASCII, which arrive as surrogates or characters, are percent-encoded as they came. Raises FetchError
    (refused) for one that is no address.
    """
    raw = location.strip().encode("utf-8", "surrogateescape")
    text = "".join(chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}" for byte in raw)
    try:
        return urljoin(base, text)
    except ValueError as error:
        raise FetchError(Outcome.REFUSED, f"{base} leads to {text!r}, which is not a web address: {error}.") from error
