"""Markup becomes plain text, and text becomes harmless: no control or bidirectional marks, no lone surrogates, Unicode NFC."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

import lxml.etree
import lxml.html

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.html import HtmlElement

TITLE_CHARS = 500
SUMMARY_CHARS = 1000
NAME_CHARS = 100
URL_CHARS = 2000
_MARKUP_CHARS = 4_000_000  # an item's markup past this is cut before it is parsed
# Controls but tab and line feed; soft hyphen; zero-width space, word joiner, BOM; bidirectional marks (Unicode UAX 9).
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\u0085\x0b\x0c]")
_SPACES = re.compile(r"[^\S\n]+")
_WIDE = re.compile("[\u2e80-\U0010ffff]")
_VISIBLE = lxml.etree.XPath("//body//text()[normalize-space() and not(parent::script or parent::style or parent::noscript)]")
_TAG = re.compile(
    r"</?(?:a|abbr|acronym|b|big|blockquote|br|center|cite|code|del|div|dd|dl|dt|em|embed|font|form|h[1-6]|hr|i|iframe|img|input|ins|"
    r"li|math|meta|nobr|object|ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|svg|table|tbody|td|th|tr|tt|u|ul|"
    r"video|wbr)(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)
_SILENT_BLOCK = re.compile(r"<(script|style)\b[^>]*>[^<]*</\1>", re.IGNORECASE)
_LOOKS_LIKE_MARKUP = re.compile(r"<[a-z!/][^<]*>|&(?:[a-z]+\d*|#\d+|#x[0-9a-f]+);", re.IGNORECASE)
_SILENT = frozenset({"script", "style", "noscript", "template", "iframe", "object", "svg", "math", "head", "title", "select"})
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "center", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol",
    "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
})  # fmt: skip


def clean(text: str) -> str:
    """The same text in NFC without unseen characters; line ends become line feeds, lone surrogates U+FFFD."""
    text = _LINE_ENDS.sub("\n", text)
    text = _SURROGATE.sub("\ufffd", _UNSEEN.sub("", text))
    return unicodedata.normalize("NFC", text)


def one_line(text: str, limit: int = TITLE_CHARS) -> str:
    """Cleaned text on one line, runs of space made one space (U+3000 too), at most `limit` characters."""
    return " ".join(clean(text[: limit * 20]).split())[:limit].rstrip()


def paragraphs(text: str) -> str:
    """Cleaned text with one line feed between paragraphs, no empty lines, no space at their ends."""
    lines = (_SPACES.sub(" ", line).strip() for line in clean(text).split("\n"))
    return "\n".join(line for line in lines if line)


def title_text(markup: str) -> str:
    """A title as one line of plain text: tags out (`<em>` of search results, too), character references resolved.

    An angle bracket that opens no known tag stays: titles speak of `List<int>` and `a < b`.
    """
    text = html.unescape(_TAG.sub("", markup[: TITLE_CHARS * 40]))
    return one_line(_TAG.sub("", text))


def from_html(markup: str) -> str:
    """HTML (or plain text) as plain text, one line feed between paragraphs."""
    if not _LOOKS_LIKE_MARKUP.search(markup):
        return paragraphs(markup)
    markup = markup[:_MARKUP_CHARS]
    tree = parse_html(markup)
    text = "" if tree is None else from_tree(tree)
    # libxml2 drops what is nested deeper than 256 levels: then the tags alone are taken out.
    return text or paragraphs(html.unescape(_TAG.sub("\n", _SILENT_BLOCK.sub("", markup))))


def parse_html(text: str) -> HtmlElement | None:
    """An lxml tree of decoded HTML (libxml2's limits on depth and size stay on), or None where there is nothing in it."""
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=False)
    markup = _SURROGATE.sub("\ufffd", text).replace("\x00", "").encode()
    try:
        tree = lxml.html.document_fromstring(markup, parser=parser)
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError):
        return None
    return tree


def from_tree(tree: HtmlElement) -> str:
    """The text of a tree: one line per block element, silent elements (scripts, styles, frames) left out."""
    pieces: list[str] = []
    skipping = None
    for event, element in lxml.etree.iterwalk(tree, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else "script"
        if event == "start" and skipping is None:
            if name in _BLOCKS:
                pieces.append("\n")
            if name in _SILENT:
                skipping = element
            elif element.text:
                pieces.append(_SPACES.sub(" ", element.text.replace("\n", " ")))
        elif event == "end" and skipping in {None, element}:
            skipping = None
            if name in _BLOCKS:
                pieces.append("\n")
            if element.tail and element is not tree:
                pieces.append(_SPACES.sub(" ", element.tail.replace("\n", " ")))
    return paragraphs("".join(pieces))


def visible_text(tree: HtmlElement) -> str:
    """All words of a page, one line a text node: quick, for looking words up, not for reading."""
    return "\n".join(" ".join(text.split()) for text in _VISIBLE(tree))


def weight(text: str) -> int:
    """A text's length in weighted characters: one of Han, kana or hangul says as much as three Latin ones."""
    return len(text) + 2 * len(_WIDE.findall(text))


def names(values: Iterable[str]) -> tuple[str, ...]:
    """People's or outlets' names, each one line, without repeats, at most 20."""
    cleaned = (title_text(value)[:NAME_CHARS] for value in values)
    return tuple(dict.fromkeys(name for name in cleaned if name))[:20]


def http_url(link: str, base: str = "") -> str:
    """`link` made absolute against `base` if it is http(s), has a host and at most 2,000 characters; else empty.

    User names and passwords in it are dropped (`user:pw@`), spaces percent-encoded; the fragment stays.
    """
    link = _UNSEEN.sub("", _LINE_ENDS.sub("", link)).strip().replace(" ", "%20")
    if not link or len(link) > URL_CHARS:
        return ""
    try:
        parts = urlsplit(urljoin(base, link))
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not host.strip(".") or _SURROGATE.search(link):
        return ""
    host = f"[{host}]" if ":" in host else host
    url = urlunsplit(parts._replace(netloc=host + port))
    return url if len(url) <= URL_CHARS else ""
