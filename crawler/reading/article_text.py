"""The article's text on a page: trafilatura's, checked against the densest block of the page.

The two err differently: trafilatura keeps too much of some Chinese pages and misses the body of others, the block misses
captions and far-off paragraphs. Lines both have are kept where that leaves enough; where a Chinese page's block is longer than
what trafilatura found and mostly other text, the block is the article (figures: docs/design/reading.md).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from crawler.reading import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_SKIPPED = frozenset({"script", "style", "noscript", "nav", "footer", "aside", "form", "select", "button", "header", "iframe"})
_INLINE = frozenset({"a", "span", "b", "strong", "em", "i", "font", "u", "sub", "sup", "br", "small", "mark", "code", "ins"})
_PARAGRAPHS = frozenset({"p", "h2", "h3", "li", "pre", "blockquote"})
_STOPS = re.compile(r"[。！？；，、,.!?;:：]")
_SENTENCE = re.compile(r"[。！？；]|[.!?](?:\s|$)")
_SENTENCE_WEIGHT = 40
_SPACE = re.compile(r"\s+")
_LEAST_CHARS = 10  # of a paragraph; shorter ones are labels and buttons
_CLIMB = 1.25  # an ancestor takes over if it holds so many times the block's dense text
_PURE = 0.8  # and so much of its own text is dense
_AGREED_HAN_CHARS = 100
_AGREED_SHARE = 0.5


def article_text(tree: HtmlElement, *, chinese: bool) -> str:
    """The text, one line a paragraph; empty if nothing on the page runs on as sentences do. The tree is not changed."""
    text = _chosen_text(tree, chinese=chinese)
    return text if any(_SENTENCE.search(line) and plain.weight(line) >= _SENTENCE_WEIGHT for line in text.split("\n")) else ""


def _chosen_text(tree: HtmlElement, *, chinese: bool) -> str:
    lines = _by_trafilatura(tree)
    block = densest_block(tree)
    block_lines = plain.from_tree(block).split("\n") if block is not None else []
    found, dense = _bare("".join(lines)), _bare("".join(block_lines))
    agreed = [line for line in lines if _bare(line.lstrip("-| ")) in dense]
    agreed_chars = len(_bare("".join(agreed)))
    shared = sum(len(_bare(line)) for line in block_lines if _bare(line) in found)
    if chinese and len(dense) > len(found) and shared < len(dense) / 2:
        return "\n".join(block_lines)
    if agreed_chars >= (min(_AGREED_HAN_CHARS, len(found)) if chinese else len(found) * _AGREED_SHARE):
        return plain.paragraphs("\n".join(agreed))
    return plain.paragraphs("\n".join(lines))


def _by_trafilatura(tree: HtmlElement) -> list[str]:
    import trafilatura  # noqa: PLC0415  (as in page_dates.py)

    try:
        text = trafilatura.extract(tree, fast=True, include_comments=False)
    except (ValueError, TypeError, AttributeError, IndexError, KeyError):
        return []  # what its own heuristics stumble over; the block alone must do
    return text.split("\n") if text else []


def _bare(text: str) -> str:
    return _SPACE.sub("", text)


def densest_block(tree: HtmlElement) -> HtmlElement | None:
    """The element that holds the most running text directly or in its paragraphs, in the manner of Arc90's Readability."""
    scores: Counter[HtmlElement] = Counter()
    dense: Counter[HtmlElement] = Counter()
    total: Counter[HtmlElement] = Counter()
    for element, chars, stops, linked in _holders(tree):
        running = chars >= _LEAST_CHARS and linked * 2 < chars and (stops > 0 or chars > 60)
        for ancestor in (element, *element.iterancestors()):
            total[ancestor] += chars
            dense[ancestor] += chars if running else 0
        if running:
            home = element.getparent() if element.tag in _PARAGRAPHS else element
            for weight, holder in zip((1.0, 0.5), _upwards(home), strict=False):
                scores[holder] += int((chars + 10 * stops) * weight)
    return _climbed(max(scores, key=scores.__getitem__), dense, total) if scores else None


def _upwards(element: HtmlElement | None) -> Iterator[HtmlElement]:
    while element is not None:
        yield element
        element = element.getparent()


def _climbed(best: HtmlElement, dense: Counter[HtmlElement], total: Counter[HtmlElement]) -> HtmlElement:
    """The outermost ancestor that adds a good deal of running text and little else: sections of one article."""
    for ancestor in list(best.iterancestors()):
        if ancestor.tag in {"body", "html"}:
            break
        if dense[ancestor] >= _CLIMB * dense[best] and dense[ancestor] >= _PURE * total[ancestor]:
            best = ancestor
    return best


def _holders(tree: HtmlElement) -> Iterator[tuple[HtmlElement, int, int, int]]:
    """Block elements with text of their own: its characters, its punctuation marks, and how many characters are links."""
    counts: dict[HtmlElement, list[int]] = {}
    stack: list[tuple[HtmlElement, HtmlElement | None, bool]] = [(tree, None, False)]
    while stack:
        element, holder, linked = stack.pop()
        if not isinstance(element.tag, str) or element.tag in _SKIPPED:
            continue
        holder = holder if holder is not None and element.tag in _INLINE else element
        linked = linked or element.tag == "a"
        texts = [text for text in (element.text, *(child.tail for child in element)) if text and not text.isspace()]
        if texts:
            count = counts.setdefault(holder, [0, 0, 0])
            chars = sum(len(text.strip()) for text in texts)
            count[0] += chars
            count[1] += sum(len(_STOPS.findall(text)) for text in texts)
            count[2] += chars if linked else 0
        stack.extend((child, holder, linked) for child in element)
    return ((element, *count) for element, count in counts.items())
