"""The canonical form of an address: the key by which an article is known again. Rules and reasons: docs/design/identity.md.

The form is a key, never an address to fetch. The rules are conservative: each removes a difference that does not tell two
articles apart on any known site. What one site alone does (a mobile host, two names for one paper) is configuration:
`url_rewrites` of its source. A change of the rules raises VERSION, because stored keys are compared with new ones.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from core.errors import ReadingError
from core.outcomes import Outcome

if TYPE_CHECKING:
    from core.source import Source

VERSION = 1
MAX_LENGTH = 2000
"""Characters; the longest address that all common servers and caches take (RFC 9110, 4.1 asks for 8,000 of servers)."""

# Parameters that name a campaign, a click or a reader, never a text: names from the tracking-query-params-registry
# (mpchadwick, Unlicense) and AdGuard's list of generally removable ones, and the sharing marks of Alibaba and WeChat.
# Left out although common, because sites use them for content too: from, source, src, ref, id, cid, f, p, t, scene, share.
_TRACKING_PREFIXES = ("utm_", "hsa_", "mtm_", "piwik_", "itm_", "bsft_", "fb_action_", "__hs", "at_medium", "at_campaign")
_TRACKING = frozenset({
    "fbclid", "fb_ref", "fb_source", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "twclid", "yclid", "ysclid",
    "ttclid", "igshid", "igsh", "epik", "_ga", "_gl", "usqp", "guccounter", "guce_referrer", "guce_referrer_sig",
    "mc_cid", "mc_eid", "mkt_tok", "_hsenc", "_hsmi", "hsctatracking", "_ke", "_kx", "dm_i", "vero_id", "vero_conv",
    "ml_subscriber", "ml_subscriber_hash", "oly_anon_id", "oly_enc_id", "wickedid", "_bta_tid", "_bta_c", "s_kwcid", "ef_id",
    "s_cid", "cmpid", "xtor", "wt_mc", "_openstat", "irclickid", "irgwc", "cx_click", "ref_src", "trk_contact", "trk_msg",
    "pk_campaign", "pk_kwd", "pk_keyword", "pk_source", "pk_medium", "pk_content", "pk_vid",
    "spm", "scm", "isappinstalled", "nsukey", "mpshare", "sharer_shareid", "sharer_sharetime",
})  # fmt: skip
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")  # RFC 3986, 2.3
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|[^A-Za-z0-9._~!$&'()*+,;=:@/?-]")
_SESSION = re.compile(r";jsessionid=[^/;]*", re.IGNORECASE)  # Jakarta Servlet, 7.1.3
_ROUTE = re.compile(r"[!/].")  # a page chosen by script, not a place in a page: https://example.com/#/article/7
_AMPERSAND = re.compile(r"^(?:amp;)+")  # left by addresses escaped twice
_EDGES = "".join(map(chr, range(0x21))) + "\u00a0\u3000\ufeff"
_PLAIN_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def canonical_url(url: str) -> str:
    """The canonical form of an absolute http(s) address; it is its own canonical form.

    Raises ReadingError (refused) for another scheme, no host, a host that cannot be, or more than MAX_LENGTH characters.
    """
    parts = _split(url)
    path = _dots_resolved(_SESSION.sub("", _escaped(parts.path)))
    query = _query(parts.query)
    fragment = _escaped(parts.fragment) if _ROUTE.match(parts.fragment) else ""
    canonical = "".join((
        "https://", _host(parts), path.rstrip("/") or "/", query and "?" + query, fragment and "#" + fragment
    ))  # fmt: skip
    if len(canonical) > MAX_LENGTH:
        raise _refused(f"the address has more than {MAX_LENGTH} characters", url)
    return canonical


def rewritten(url: str, source: Source) -> str:
    """The address after the source's `url_rewrites`, each applied once, in order."""
    for rewrite in source.url_rewrites:
        url = re.sub(rewrite.pattern, rewrite.replacement, url)
    return url


def _split(url: str) -> SplitResult:
    """The parts, read as a browser reads them: edges trimmed, line breaks out, backslashes as slashes (WHATWG URL, 4.4)."""
    trimmed = re.sub(r"[\t\r\n]", "", url.strip(_EDGES))
    if len(trimmed) > MAX_LENGTH:
        raise _refused(f"the address has more than {MAX_LENGTH} characters", url)
    head, mark, tail = re.match(r"([^?#]*)([?#]?)(.*)", trimmed, re.DOTALL).groups()  # type: ignore[union-attr]  # always matches
    try:
        parts = urlsplit(head.replace("\\", "/") + mark + tail)
    except ValueError as error:
        raise _refused(f"the address is broken ({error})", url) from error
    if parts.scheme not in {"http", "https"}:
        raise _refused("the address is not http or https", url)
    return parts


def _host(parts: SplitResult) -> str:
    """Host in lower-case ASCII without user, final dot and default port (either scheme's, since schemes are folded)."""
    try:
        port, name = parts.port, unquote(parts.hostname or "", errors="strict").rstrip(".")
        host = f"[{IPv6Address(name.partition('%')[0])}]" if ":" in name else _ascii(name)
    except ValueError as error:  # UnicodeError and AddressValueError among them
        raise _refused(f"the address has no possible host ({error})", parts.geturl()) from error
    return host if port in {None, 80, 443} else f"{host}:{port}"


def _ascii(name: str) -> str:
    host = name.lower() if name.isascii() else name.encode("idna").decode().lower()  # IDNA 2003: enough for a key
    if len(host) > 253 or not _PLAIN_HOST.fullmatch(host):
        raise ValueError("empty, too long, or with characters no host has")
    return host


def _query(query: str) -> str:
    """The parameters without tracking ones, sorted by name; those of one name keep their order, which may mean something."""
    kept: list[tuple[str, str]] = []
    for field in query.split("&"):
        escaped = _escaped(_AMPERSAND.sub("", field))
        name = escaped.partition("=")[0]
        if escaped and not _is_tracking(name.lower()):
            kept.append((name, escaped))
    return "&".join(field for _, field in sorted(kept, key=lambda pair: pair[0]))


def _is_tracking(name: str) -> bool:
    return name in _TRACKING or name.startswith(_TRACKING_PREFIXES)


def _escaped(text: str) -> str:
    """Percent-encoding in its normal form: unreserved characters bare, else upper-case escapes of UTF-8 (RFC 3986, 6.2.2)."""
    return _ESCAPE.sub(_normal_escape, text)


def _normal_escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else match[0].upper()


def _dots_resolved(path: str) -> str:
    """The path with `.` and `..` segments removed (RFC 3986, 5.2.4); empty segments stay."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return "/" + "/".join(kept)


def _refused(reason: str, url: str) -> ReadingError:
    return ReadingError(Outcome.REFUSED, f"{reason}: {url[:120]!r}")
