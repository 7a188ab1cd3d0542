"""JSON Feed 1.0 and 1.1 (jsonfeed.org)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.article import DateOrigin, Entry
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading import dates, plain
from crawler.reading.feed_entries import GUID_CHARS, split_text, without_outlet

if TYPE_CHECKING:
    from crawler.reading.feed_entries import Context


def load(text: str) -> dict[str, Any]:
    """The feed as JSON. Raises ReadingError: UNREADABLE if it is broken or no JSON Feed, TOO_BIG if nested too deeply."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ReadingError(Outcome.TOO_BIG, "the JSON is nested too deeply") from error
    except ValueError as error:
        raise ReadingError(Outcome.UNREADABLE, f"the answer is broken JSON ({error})"[:200]) from error
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        raise ReadingError(Outcome.UNREADABLE, "the answer is JSON but no JSON Feed: it has no list called `items`")
    return value


def items(feed: dict[str, Any]) -> list[dict[str, Any]]:
    """The feed's items, in its order."""
    return [item for item in feed["items"] if isinstance(item, dict)]


def title(feed: dict[str, Any]) -> str:
    """The feed's own title, one line."""
    return plain.title_text(_text(feed, "title"))


def canonical(item: dict[str, Any]) -> str:
    """The item as text for hashing, whatever the order of its keys."""
    return json.dumps(item, sort_keys=True, ensure_ascii=False)


def entry(item: dict[str, Any], context: Context) -> Entry | None:
    """An entry, its fingerprint not yet set; None if the item has no http(s) link."""
    candidates = (_text(item, "url"), _text(item, "external_url"), _text(item, "id"))
    url = next(filter(None, (plain.http_url(link, context.url) for link in candidates[:2])), "")
    if not url and candidates[2].startswith(("http://", "https://")):
        url = plain.http_url(candidates[2])
    if not url:
        return None
    content = plain.from_html(_text(item, "content_html")) or plain.paragraphs(_text(item, "content_text"))
    summary, content = split_text(plain.from_html(_text(item, "summary")), content)
    outlet = plain.title_text(_author_names(item)[0]) if context.source.aggregator and _author_names(item) else ""
    published = dates.parse_date(_text(item, "date_published") or _text(item, "date_modified"), context.zone, context.now)
    updated = dates.parse_date(_text(item, "date_modified"), context.zone, context.now)
    return Entry(
        url=url,
        title=without_outlet(plain.title_text(_text(item, "title")), outlet),
        summary=summary,
        content=content,
        guid=plain.one_line(_text(item, "id"), GUID_CHARS),
        published=published.published(DateOrigin.FEED) if published else None,
        updated=updated.at if updated else None,
        authors=plain.names(_author_names(item)),
        outlet=outlet,
    )


def _author_names(item: dict[str, Any]) -> list[str]:
    """Version 1.1 has `authors`, 1.0 one `author`."""
    authors = item.get("authors")
    people = authors if isinstance(authors, list) else [item.get("author")]
    return [name for person in people if isinstance(person, dict) and (name := _text(person, "name"))]


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else str(value) if isinstance(value, int) and key == "id" else ""
