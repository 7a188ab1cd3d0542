"""Text that came from the net, made safe for a header, a line of text or a link. Never raises, whatever comes."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lexicon.snippet import columns

_ELLIPSIS = "…"
# What no line of a mail may hold: controls and line ends (also U+2028/2029 and NEL), lone surrogates, and the invisible
# marks that reorder or hide text (Unicode TR 9 bidi controls, zero-width characters, the byte-order mark).
_UNWANTED = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff]"
)
_WORD_END = re.compile(r"(?<=\s)[!-~]{1,20}$")  # the beginning of a word that a cut has broken
_LINK = re.compile(r"https?://[^\s<>\"'`\\^{}|\u0000-\u0020\u007f-\u009f]{1,2000}", re.IGNORECASE)


def clean(text: str) -> str:
    """`text` with every unwanted character replaced by one space: the length is kept, so that marks stay true."""
    return _UNWANTED.sub(" ", text)


def one_line(text: str, limit: int = 0) -> str:
    """`text` as one clean line, cut to `limit` columns if that is not 0."""
    line = " ".join(clean(text).split())
    return cut(line, limit) if limit else line


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` columns (a Han character takes two); what is cut ends in an ellipsis, after a whole word."""
    if columns(text) <= limit:
        return text
    kept, used = "", 1
    for char in text:
        used += columns(char)
        if used > limit:
            break
        kept += char
    inside = _WORD_END.search(kept) if text[len(kept)].isascii() and not text[len(kept)].isspace() else None
    return (kept[: inside.start()] if inside else kept).rstrip(" ,;:、，；：") + _ELLIPSIS


def safe_link(url: str) -> str:
    """`url` if a mail may link to it, else empty: http(s), a host, no sign-in part, no character that could end it."""
    url = url.strip()
    if not _LINK.fullmatch(url) or _UNWANTED.search(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.hostname and "@" not in parts.netloc else ""
