"""An article's page becomes a draft: decoded once, parsed once, then asked for its parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.article import Draft, Entry, TextExtent
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading import article_text, charset, gates, language, page_dates, page_facts, plain
from crawler.reading.credits import Credited, source_named_in, take_credits

if TYPE_CHECKING:
    from datetime import datetime

    from lxml.html import HtmlElement

    from core.document import Document
    from core.source import PageRules, Source
    from crawler.reading.page_facts import PageFacts

MAX_TEXT_CHARS = 500_000
SUMMARY_WEIGHT = 400  # a feed's text up to this weight is a summary
_LEAST_WEIGHT = 60  # of a page's text; below it nothing was read
_FILES = {
    b"%PDF": "a PDF file", b"\x89PNG": "an image", b"\xff\xd8\xff": "an image", b"GIF8": "an image", b"RIFF": "a media file",
    b"\x00\x00\x00": "a media file", b"PK\x03\x04": "a ZIP or Office file", b"\xd0\xcf\x11\xe0": "an Office file",
    b"\x1f\x8b": "a packed file",
}  # fmt: skip
_HEAD_CHARS = 3000  # of a page's words: where its information bar is
_SAMPLE_CHARS = 20_000
_UNPRINTABLE = re.compile("[\x01-\x08\x0e-\x1f\x7f\ufffd]")
_TEXT_TYPES = ("text/", "application/xhtml", "application/xml", "application/json", "application/octet-stream")
_CUT_OFF = re.compile(
    r"(?:\[(?:…|\.\.\.|\+\d+ chars)\]|…|\.\.\.)\s*(?:read more|continue reading|阅读全文|查看全文|展开全文)?\s*$", re.IGNORECASE
)
_PAYWALL = re.compile(
    r"subscribe (?:now )?to (?:continue|read|unlock)|subscribers? only|to continue reading|already a subscriber|"
    r"this (?:article|content|story) is (?:for|reserved for)|unlock (?:this|the) (?:article|story)|"
    r"(?:付费|订阅|会员)(?:后|用户)?(?:可|才能)?(?:阅读|查看|解锁)(?:全文|更多)?|剩余\d+%|"
    r"本文为付费|购买后阅读|成为会员.{0,8}(?:阅读|查看)|登录后阅读全文|开通会员",
    re.IGNORECASE,
)


def read_page(document: Document, entry: Entry, source: Source, now: datetime) -> Draft:
    """The article a page holds; what the page does not say is taken from `entry`, which may be `Entry(url)` alone.

    Raises ReadingError: BLOCKED for a challenge or log-in wall, GONE for a "not found" page, UNREADABLE if there is no article
    (a file that is no HTML, a gate page, a nearly empty one), each with a reason for people.
    """
    _refuse_files(document)
    markup = charset.decode(document.body, document.content_type, source.encoding).text
    if len(_UNPRINTABLE.findall(markup[:_SAMPLE_CHARS])) > len(markup[:_SAMPLE_CHARS]) / 50:
        raise ReadingError(Outcome.UNREADABLE, "the answer is not text in any encoding that is known")
    tree = plain.parse_html(markup)
    if tree is None:
        raise ReadingError(Outcome.UNREADABLE, "the page is empty")
    facts = page_facts.read_facts(tree)
    url = plain.http_url(document.url) or entry.url
    title = _selected(tree, source.page.title) or page_facts.title(facts) or entry.title
    visible = plain.visible_text(tree)
    credited = _text(tree, title, visible, source)
    gates.refuse_gate(markup, title, credited.text, visible)
    text, extent, reason = _extent(credited.text, visible, entry, facts)
    published = page_dates.published(facts, title, url, source.page, source.tz, now, entry.published)
    return Draft(
        url=url,
        title=_better_title(title, entry),
        text=text[:MAX_TEXT_CHARS],
        summary=entry.summary or facts.first("og:description", "description")[: plain.SUMMARY_CHARS],
        language=language.detect(f"{title}\n{text}"),
        extent=extent,
        extent_reason=reason,
        published=published,
        authors=_authors(facts, source.page) or entry.authors,
        credit=credited.credit[: plain.NAME_CHARS],
        outlet=entry.outlet,
        canonical_link=page_facts.canonical_link(facts, url),
    )


def draft_from_entry(entry: Entry, source: Source, now: datetime) -> Draft:
    """A draft from the entry alone: for full text in the feed, for headline-only sources, and where the page was not read.

    Raises ReadingError (UNREADABLE) if the entry has neither title nor text.
    """
    del now
    held = entry.content if source.text == "feed" or plain.weight(entry.content) > SUMMARY_WEIGHT else ""
    credited = take_credits(held)
    text, summary = credited.text[:MAX_TEXT_CHARS], entry.summary or ("" if held else entry.content[: plain.SUMMARY_CHARS])
    title = entry.title or plain.one_line((text or summary).partition("\n")[0], 80)
    if not title:
        raise ReadingError(Outcome.UNREADABLE, "the entry has neither a title nor a text")
    if text and source.text != "none" and _CUT_OFF.search(text):
        extent, reason = TextExtent.PARTIAL, "the feed's text breaks off"
    elif text and source.text != "none":
        extent, reason = TextExtent.FULL, "the feed carries the text"
    elif text or summary:
        extent, reason = TextExtent.SUMMARY, "the feed carries a summary"
        text, summary = "", summary or text[: plain.SUMMARY_CHARS]
    else:
        extent, reason = TextExtent.HEADLINE, "the feed carries headlines"
    return Draft(
        url=entry.url,
        title=title,
        text=text,
        summary=summary,
        language=language.detect(f"{title}\n{text or summary}"),
        extent=extent,
        extent_reason=reason,
        published=entry.published,
        authors=entry.authors,
        credit=credited.credit[: plain.NAME_CHARS],
        outlet=entry.outlet,
    )


def _refuse_files(document: Document) -> None:
    kind = document.content_type.partition(";")[0].strip().lower()
    file = next((name for magic, name in _FILES.items() if document.body.startswith(magic)), "")
    if file or (kind and not kind.startswith(_TEXT_TYPES)):
        raise ReadingError(Outcome.UNREADABLE, f"the address leads to {file or f'a file ({kind[:60]})'}, not a page")


def _text(tree: HtmlElement, title: str, visible: str, source: Source) -> Credited:
    """The article's text without its title repeated above it, and without its credits."""
    rules = source.page
    if rules.remove:
        for element in tree.cssselect(rules.remove):
            element.drop_tree()
    chosen = tree.cssselect(rules.text) if rules.text else []
    text = "\n".join(plain.from_tree(element) for element in chosen)
    if not text.strip():
        text = article_text.article_text(tree, chinese=language.detect(visible).chinese)
    stated = _selected(tree, rules.credit) or source_named_in(visible[:_HEAD_CHARS])
    first, _, rest = text.partition("\n")
    return take_credits(rest if title and first.strip() == title else text, source_named_in(stated) or stated)


def _selected(tree: HtmlElement, selector: str) -> str:
    found = tree.cssselect(selector)[:1] if selector else []
    return plain.title_text(page_facts.text_of_element(found[0])) if found else ""


def _authors(facts: PageFacts, rules: PageRules) -> tuple[str, ...]:
    return plain.names([_selected(facts.tree, rules.author)]) or page_facts.authors(facts)


def _better_title(title: str, entry: Entry) -> str:
    """The page's title, unless the feed's is the same with more to it (pages cut titles short)."""
    bare = title.rstrip(" .…")
    return entry.title if entry.title.startswith(bare) and len(bare) >= 8 and title != bare else title


def _extent(text: str, visible: str, entry: Entry, facts: PageFacts) -> tuple[str, TextExtent, str]:
    """The text to keep, how much of the article it is, and why."""
    if plain.weight(entry.content) > max(plain.weight(text) * 1.2, SUMMARY_WEIGHT):
        return take_credits(entry.content).text, TextExtent.FULL, "the feed carries more text than the page"
    held = plain.weight(text)
    if held < _LEAST_WEIGHT:
        if entry.summary or entry.content:
            return "", TextExtent.SUMMARY, "no text on the page; the feed's summary is kept"
        raise ReadingError(Outcome.UNREADABLE, "no article text on the page")
    if str(facts.article.get("isAccessibleForFree")).lower() == "false" and held < 3000:
        return text, TextExtent.PARTIAL, "the page says that it is behind a paywall"
    if held < 3000 and _PAYWALL.search(visible[-6000:]):
        return text, TextExtent.PARTIAL, "the page asks for a subscription"
    if _CUT_OFF.search(text[-40:]):
        return text, TextExtent.PARTIAL, "the text breaks off"
    if entry.summary and held < plain.weight(entry.summary):
        return text, TextExtent.PARTIAL, "the text is shorter than the feed's summary"
    return text, TextExtent.FULL, "read from the page"
