"""Articles for programs: the one shape that `--json`, exports and (later) the API share. Times are RFC 3339 in UTC."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum
from typing import Any, TextIO

from core.article import Article

FIELDS = (
    "id", "story_id", "title", "url", "outlet", "source", "language", "published", "published_precision", "discovered",
    "updated", "authors", "credit", "extent", "extent_reason", "copy_of", "mentions", "reasons", "summary", "text",
)  # fmt: skip
# A spreadsheet runs a cell that starts with one of these as a formula (OWASP, CSV Injection), full-width ones too.
_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")


def article_record(article: Article) -> dict[str, Any]:
    """An article as plain values; `published` is null where unknown, and never more exact than known."""
    published = article.published
    return {
        "id": article.id,
        "story_id": article.story_id,
        "title": article.title,
        "url": article.url,
        "outlet": article.outlet,
        "source": article.source,
        "language": str(article.language),
        "published": moment(published.at) if published else None,
        "published_precision": str(published.precision) if published else None,
        "discovered": moment(article.discovered),
        "updated": moment(article.updated) if article.updated else None,
        "authors": list(article.authors),
        "credit": article.credit,
        "extent": str(article.extent),
        "extent_reason": article.extent_reason,
        "copy_of": article.copy_of,
        "mentions": sorted(article.mentions),
        "reasons": list(article.reasons),
        "summary": article.summary,
        "text": article.text,
    }


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON as people and programs read it: characters as themselves, times as RFC 3339."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def write_jsonl(articles: Iterable[Article], out: TextIO) -> int:
    """One JSON object a line, exactly as held; returns how many."""
    count = 0
    for article in articles:
        out.write(to_json(article_record(article), indent=None) + "\n")
        count += 1
    return count


def write_csv(articles: Iterable[Article], out: TextIO) -> int:
    """CSV with a header line, every cell quoted; cells that a spreadsheet would run as formulas get a leading `'`."""
    writer = csv.DictWriter(out, FIELDS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    count = 0
    for article in articles:
        writer.writerow({name: _cell(value) for name, value in article_record(article).items()})
        count += 1
    return count


def _cell(value: Any) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
