"""A feed's raw text: made safe for feedparser, and split into its items without parsing it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import ReadingError
from core.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

HUGE_ITEM_CHARS = 2_000_000
_ENTITY_CHARS = 200  # of one declared entity's text
_EXPANSION_CHARS = 1_000_000  # of all its uses together
_DECLARATION = re.compile(r"^\s*<\?xml\s[^>]*\?>")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # not characters of XML 1.0, section 2.2
_REFERENCE = re.compile(r"&#(x[0-9a-f]+|[0-9]+)(;?)", re.IGNORECASE)
_FIRST_ELEMENT = re.compile(r"<[a-z_:]", re.IGNORECASE)
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[(?P<subset>.*)\]\s*)?>", re.IGNORECASE | re.DOTALL)
_HARMLESS = re.compile(
    rf"""\s*<!ENTITY\s+(\w+)\s+(?:"([^"&%<]{{0,{_ENTITY_CHARS}}}|&\#\w+;)"|'([^'&%<]{{0,{_ENTITY_CHARS}}}|&\#\w+;)')\s*>"""
)
# The HTML entity sets of W3C, which RSS 1.0 feeds include by custom; feedparser knows these entities by itself.
_W3C_SET = re.compile(r"""\s*<!ENTITY\s+%\s+(\w+)\s+PUBLIC\s+["']-//W3C//ENTITIES [^"'<>]*["']\s+["'][^"'<>]*["']\s*>\s*%\1;""")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MARK = re.compile(r"<(?:(!\[CDATA\[)|(!--)|(/?)((?:[\w.-]+:)?(?:item|entry))(?=[\s/>]))", re.IGNORECASE)
_ROOT_END = re.compile(r"</(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>\s*(?:<!--.*-->)?\s*$", re.IGNORECASE | re.DOTALL)


def digest(text: str) -> bytes:
    """The 16-byte BLAKE2b hash of a text."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class RawItem:
    """One `<item>` or `<entry>`: where its text lies, and that text's hash."""

    start: int
    end: int
    digest: bytes

    @property
    def huge(self) -> bool:
        """Whether the item alone is past what is read."""
        return self.end - self.start > HUGE_ITEM_CHARS


@dataclass(frozen=True, slots=True)
class RawFeed:
    """A feed's text and its items, in order; no items if they cannot be told apart.

    `cut_off`: the feed breaks off within an item; that item is no longer in the text.
    """

    text: str
    items: tuple[RawItem, ...] = ()
    cut_off: bool = False

    def with_only(self, wanted: Collection[RawItem]) -> str:
        """The text with all items but `wanted` cut out."""
        keep = {item.start for item in wanted}
        pieces, position = [], 0
        for item in self.items:
            pieces.append(self.text[position : item.end if item.start in keep else item.start])
            position = item.end
        return "".join(pieces) + self.text[position:]


def safe(text: str) -> str:
    """Text that feedparser reads without raising: no XML declaration, no character or reference that XML 1.0 forbids.

    Raises ReadingError (UNREADABLE) if the DOCTYPE declares more than a few short plain entities, as in "billion laughs".
    """
    text = _without_subset(_DECLARATION.sub("", text, count=1).lstrip())
    return _REFERENCE.sub(_legal_reference, _ILLEGAL.sub("\ufffd", text))


def _legal_reference(match: re.Match[str]) -> str:
    digits = match[1].lstrip("xX0") or "0"
    code = int(digits, 16 if match[1][0] in "xX" else 10) if len(digits) <= 8 else 0
    legal = code in {9, 10, 13} or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return match[0] if legal else "\ufffd"


def _without_subset(text: str) -> str:
    """The text with the few entities its DOCTYPE declares put in, and the declarations taken out.

    Old feeds declare some (`<!ENTITY co "Acme">`) or include W3C's sets: those may. Whatever can grow or reach out may not.
    """
    first = _FIRST_ELEMENT.search(text)
    prolog = text[: first.start() if first else len(text)]
    rest = text[len(prolog) :]
    doctype = _DOCTYPE.search(_COMMENT.sub("", prolog))
    if not doctype or (not doctype["subset"] and "<!ENTITY" not in prolog.upper()):
        return text
    declared = _W3C_SET.sub("", doctype["subset"] or "<!ENTITY")
    entities = [(name, double or single) for name, double, single in _HARMLESS.findall(declared)]
    grown = sum(rest.count(f"&{name};") * len(value) for name, value in entities)
    if _HARMLESS.sub("", declared).strip() or grown > _EXPANSION_CHARS:
        raise ReadingError(Outcome.UNREADABLE, "the feed's DOCTYPE declares entities that could grow or reach outside")
    for name, value in entities:
        rest = rest.replace(f"&{name};", value)
    return rest


def split(text: str) -> RawFeed:
    """Find the items; those in comments and CDATA sections are none. Gives none where they nest or the ends do not match."""
    items: list[RawItem] = []
    position, start = 0, -1
    while match := _MARK.search(text, position):
        cdata, comment, closing, _ = match.groups()
        end = text.find("]]>" if cdata else "-->" if comment else ">", match.end())
        if end < 0:
            break
        position = end + (3 if cdata or comment else 1)
        if cdata or comment:
            continue
        empty = text[end - 1] == "/"
        if bool(closing) == (start < 0) or (empty and start >= 0):
            return RawFeed(text)
        start = match.start() if start < 0 else start
        if closing or empty:
            items.append(RawItem(start, position, digest(text[start:position])))
            start = -1
    if start < 0:
        return RawFeed(text, tuple(items))
    ends = _ROOT_END.search(text, max(0, len(text) - 500))
    return RawFeed(text) if ends else RawFeed(text[:start], tuple(items), cut_off=True)
