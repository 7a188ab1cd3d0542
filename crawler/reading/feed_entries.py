"""One item as feedparser gives it becomes an entry: link, plain text, dates, names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.article import DateOrigin, Entry, Precision, Published
from crawler.reading import dates, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from core.source import Source

FULL_TEXT_CHARS = 800  # a description longer than this is the article, not its summary
GUID_CHARS = 500
_ZONE_WRITTEN = re.compile(r"(?:[+-]\d\d:?\d\d|\d ?z|gmt|utc?|[ecmp][sd]t)\)?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Context:
    """What an item is read against: its source, the present moment (aware UTC) and the document's address."""

    source: Source
    now: datetime
    url: str

    @property
    def zone(self) -> ZoneInfo:
        """The zone a date without one is read in."""
        return self.source.tz


def entry(item: Any, context: Context) -> Entry | None:
    """An entry, its fingerprint not yet set; None if the item has no http(s) link of any kind."""
    url = next(_links(item, context.url), "")
    if not url:
        return None
    outlet = plain.title_text(_text(item.get("source"), "title")) if context.source.aggregator else ""
    summary, content = _texts(item)
    return Entry(
        url=url,
        title=without_outlet(plain.title_text(_text(item, "title")), outlet),
        summary=summary,
        content=content,
        guid=plain.one_line(_text(item, "id"), GUID_CHARS),
        published=_date(item, ("published", "created", "updated"), context),
        updated=_updated(item, context),
        authors=plain.names(_text(author, "name") for author in _list(item, "authors")),
        outlet=outlet[: plain.NAME_CHARS],
    )


def feed_title(feed: Any) -> str:
    """The feed's own title, one line."""
    return plain.title_text(_text(feed, "title"))


def canonical(item: Any) -> str:
    """The item as text for hashing: equal for equal items, whatever the order of their fields."""
    return repr([(key, repr(dict.get(item, key))) for key in sorted(item)])


def without_outlet(title: str, outlet: str) -> str:
    """A title without the outlet an aggregator appends (`… - 机器之心`)."""
    bare = re.sub(rf"\s+[-–—|]\s+{re.escape(outlet)}$", "", title) if outlet else title
    return bare or title


def split_text(summary: str, content: str) -> tuple[str, str]:
    """Plain summary and full text: a description as long as an article is taken for its text."""
    if not content and len(summary) > FULL_TEXT_CHARS:
        content = summary
    if summary == content:
        summary = ""
    return summary[: plain.SUMMARY_CHARS], content


def _text(item: Any, key: str) -> str:
    # dict.get: feedparser's own get guesses at missing keys.
    value = dict.get(item, key) if isinstance(item, dict) else None
    return value if isinstance(value, str) else ""


def _list(item: Any, key: str) -> list[Any]:
    value = dict.get(item, key)
    return value if isinstance(value, list) else []


def _links(item: Any, base: str) -> Iterator[str]:
    """Usable addresses, best first: the link, an alternate, a GUID that is an address, an enclosure."""
    alternates = [link for link in _list(item, "links") if _text(link, "rel") in {"alternate", ""}]
    enclosures = [link for link in _list(item, "links") if _text(link, "rel") == "enclosure"]
    guid = _text(item, "id")
    raw = [_text(item, "link"), *(_text(link, "href") for link in alternates)]
    raw += [guid] if guid.startswith(("http://", "https://")) else []
    raw += [_text(link, "href") for link in enclosures]
    return filter(None, (plain.http_url(link, base) for link in raw))


def _texts(item: Any) -> tuple[str, str]:
    contents = [_text(content, "value") for content in _list(item, "content") if _readable(content)]
    content = plain.from_html(max(contents, key=len, default=""))
    return split_text(plain.from_html(_text(item, "summary")), content)


def _readable(content: Any) -> bool:
    return _text(content, "type") in {"", "text/html", "text/plain", "application/xhtml+xml"}


def _date(item: Any, keys: tuple[str, ...], context: Context) -> Published | None:
    for key in keys:
        raw = _text(item, key)
        moment = dates.parse_date(raw, context.zone, context.now) if raw else None
        moment = moment or _by_feedparser(dict.get(item, f"{key}_parsed"), raw, context.zone)
        if moment:
            return moment.published(DateOrigin.FEED)
    return None


def _by_feedparser(parsed: Any, raw: str, zone: ZoneInfo) -> dates.Moment | None:
    """Rarer shapes are known to feedparser, but it takes a date without a zone for UTC: that one is the source's."""
    if not parsed:
        return None
    stated = bool(_ZONE_WRITTEN.search(raw))
    try:
        at = datetime(*parsed[:6]).replace(tzinfo=UTC if stated else zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if not dates.EARLIEST_YEAR <= at.year <= dates.LATEST_YEAR:
        return None
    return dates.Moment(at, Precision.SECOND, "+00:00" if stated else str(zone), zone_stated=stated)


def _updated(item: Any, context: Context) -> datetime | None:
    published = _date(item, ("updated",), context)
    return published.at if published else None
