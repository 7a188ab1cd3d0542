"""When a page's article was published: every place that says so is asked, and the most trusted decides the day.

Among the places that agree on the day the most exact one is taken: a page's JSON-LD may know the second where its address knows
the day. A date of the future (more than a day ahead) is not this article's.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from core.article import DateOrigin, Precision, Published
from crawler.reading import dates
from crawler.reading.page_facts import PageFacts, text_of, text_of_element

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from core.source import PageRules

_META_NAMES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "pubdate", "publishdate",
    "publish-date", "publish_date", "publication_date", "og:release_date", "article:create_at", "apub:time", "parsely-pub-date",
    "sailthru.date", "dc.date.issued", "dcterms.created", "dcterms.date", "dc.date", "dc.date.created", "date", "created",
    "firstpublishedtime", "weibo:article:create_at", "bt:pubdate", "citation_publication_date", "cxenseparse:recs:publishtime",
    "originalpublicationdate", "rnews:datepublished", "timestamp", "_pubtime", "pubtime", "release_date",
)  # fmt: skip
_EXACTNESS = {Precision.SECOND: 3, Precision.MINUTE: 2, Precision.DAY: 1, Precision.MONTH: 0}
_DATE_LIKE = re.compile(
    r"(?:19|20)\d\d|\d\s?[月/:]|前|昨|今天|刚|\bago\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_LABEL = re.compile(
    r"(?:发[布表]|发稿|刊发|更新|publi|posted|date)[^\d]{0,12}(?:时间|日期|于|shed|on)?\s*[:：]?\s*$|(?:时间|日期)\s*[:：]\s*$",
    re.IGNORECASE,
)
_NAMED = re.compile(r"date|time|pub|post|meta|info|byline|source|article-?head|shijian|riqi", re.IGNORECASE)
_TIME_ELEMENTS = "//time[@datetime][ancestor::article or @pubdate or @itemprop='datePublished']"
_NEAR_CHUNKS = 40
_SCAN_CHUNKS = 1000


def published(
    facts: PageFacts, heading: str, url: str, rules: PageRules, zone: ZoneInfo, now: datetime, feed: Published | None
) -> Published | None:
    """The article's date, or None where nothing tells it; `feed` is what the feed or list said."""
    found: list[Published] = []
    for date in _stated(facts, heading, url, rules, zone, now, feed):
        if date.at <= now + timedelta(days=1):
            found.append(date)
            if _EXACTNESS[found[0].precision] >= _EXACTNESS[Precision.MINUTE]:
                break  # the most trusted is exact: the less trusted need not be looked for
    found = found or ([feed] if feed else [])
    if not found:
        return _by_htmldate(facts, zone, now)
    agreeing = [date for date in found if abs(date.at - found[0].at) < _slack(date, found[0])]
    return max(agreeing, key=lambda date: _EXACTNESS[date.precision])


def _slack(one: Published, other: Published) -> timedelta:
    """How far apart two dates may be and still mean the same day, or month: zones may differ."""
    months = Precision.MONTH in {one.precision, other.precision}
    return timedelta(days=32) if months else timedelta(hours=26)


def _stated(
    facts: PageFacts, heading: str, url: str, rules: PageRules, zone: ZoneInfo, now: datetime, feed: Published | None
) -> Iterator[Published]:
    """Every date that is told, most trusted first."""
    places = (
        (DateOrigin.PAGE, _selected(facts, rules)),
        (DateOrigin.JSON_LD, [text_of(facts.article.get("datePublished")), text_of(facts.article.get("dateCreated"))]),
        (DateOrigin.META, [facts.meta[name] for name in _META_NAMES if name in facts.meta]),
    )
    for origin, texts in places:
        moments = (dates.parse_date(text, zone, now) for text in texts if text)
        yield from (moment.published(origin) for moment in moments if moment)
    if feed and feed.origin is DateOrigin.FEED:
        yield feed
    chunks = list(_chunks(facts))
    start = next((place for place, (text, _) in enumerate(chunks) if heading and _same(text, heading)), 0)
    near = chunks[start + 1 : start + 1 + _NEAR_CHUNKS]
    if moment := _in_text(facts, chunks, near, zone, now):
        yield moment.published(DateOrigin.PAGE)
    if moment := dates.date_in_url(url, zone, now):
        yield moment.published(DateOrigin.URL)
    if moment := _first(_loose(near), zone, now):
        yield moment.published(DateOrigin.PAGE)
    if feed:
        yield feed


def _selected(facts: PageFacts, rules: PageRules) -> list[str]:
    if not rules.date:
        return []
    elements = facts.tree.cssselect(rules.date)[:3]
    if rules.date_attribute:
        return [element.get(rules.date_attribute) or "" for element in elements]
    return [text_of_element(element) for element in elements]


def _by_htmldate(facts: PageFacts, zone: ZoneInfo, now: datetime) -> Published | None:
    """What htmldate finds where nothing else was found: a day, without a zone."""
    import htmldate  # noqa: PLC0415  (0.3 s of the daemon's start, which reads nothing itself; workers load it before)

    try:
        day = htmldate.find_date(facts.tree, extensive_search=False, original_date=True, max_date=now.date().isoformat())
    except (ValueError, TypeError, AttributeError):
        return None
    moment = dates.parse_date(day or "", zone, now)
    return moment.published(DateOrigin.PAGE) if moment else None


def _in_text(
    facts: PageFacts, chunks: list[tuple[str, bool]], near: list[tuple[str, bool]], zone: ZoneInfo, now: datetime
) -> dates.Moment | None:
    """A full date in the page's own text: in a time element, after a label, or in the lines after the heading."""
    elements = facts.tree.xpath(_TIME_ELEMENTS)[:3]
    stated = [element.get("datetime") or "" for element in elements]
    return _first([*stated, *_labelled(chunks, near), *_with_year(near)], zone, now)


def _first(texts: Iterable[str], zone: ZoneInfo, now: datetime) -> dates.Moment | None:
    for text in texts:
        moment = dates.parse_date(text, zone, now)
        if moment and moment.at <= now + timedelta(days=1):
            return moment
    return None


def _chunks(facts: PageFacts) -> Iterator[tuple[str, bool]]:
    """Short texts of the page in order, and whether their element is named like a place for dates."""
    count = 0
    for element in facts.tree.iter():
        if not isinstance(element.tag, str) or element.tag in {"script", "style", "option", "title", "noscript"}:
            continue
        named = bool(_NAMED.search(f"{element.get('class') or ''} {element.get('id') or ''}"))
        for text in (element.text, element.tail):
            text = " ".join((text or "").split())
            if text:
                yield text, named or element.tag == "time"
                count += 1
        if count > _SCAN_CHUNKS:
            return


def _same(text: str, heading: str) -> bool:
    return len(text) > 3 and (heading.startswith(text) or text.startswith(heading))


def _labelled(chunks: list[tuple[str, bool]], near: list[tuple[str, bool]]) -> Iterator[str]:
    """What follows a label such as 发布时间： near the heading, then anywhere."""
    for group in (near, chunks):
        for (text, _), (following, _) in pairwise([*group, ("", False)]):
            label, _, rest = text.partition("：") if "：" in text else text.partition(":")
            if len(text) < 80 and _LABEL.search(label + ":") and _DATE_LIKE.search(rest):
                yield rest
            elif len(text) < 20 and _LABEL.search(text) and _DATE_LIKE.search(following):
                yield following[:60]


def _with_year(chunks: list[tuple[str, bool]]) -> Iterator[str]:
    for text, named in chunks:
        if len(text) <= (120 if named else 60) and _YEAR.search(text):
            yield text


def _loose(chunks: list[tuple[str, bool]]) -> Iterator[str]:
    """Dates without a year, relative ones: only where the element is named for it and says little else."""
    for text, named in chunks:
        if named and len(text) <= 30 and _DATE_LIKE.search(text):
            yield text
