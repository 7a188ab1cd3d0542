"""How outlets list what they have: RSS, Atom, JSON Feed, HTML lists, a JSON list, a news sitemap."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.newsroom.outlets import Issued, Outlet

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def chinese_ago(at: datetime, now: datetime) -> str:
    """How a Chinese site dates an item: 刚刚, 12分钟前, 3小时前, 昨天 15:58, 前天 08:10, else 01月18日 (`at` in the site's zone)."""
    age = now - at
    days = (now.astimezone(at.tzinfo).date() - at.date()).days
    if age < timedelta(minutes=1):
        return "刚刚"
    if age < timedelta(hours=1):
        return f"{age // timedelta(minutes=1)}分钟前"
    if days == 0:
        return f"{age // timedelta(hours=1)}小时前"
    if days <= 2:
        return f"{'昨天' if days == 1 else '前天'} {at:%H:%M}"
    return f"{at:%m月%d日}"


_TEMPLATES.filters |= {"ago": chinese_ago, "mail_date": format_datetime, "iso": datetime.isoformat}


def html_body(issue: Issued) -> str:
    """The article's text as HTML paragraphs."""
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in issue.paragraphs)


def article_page(issue: Issued) -> tuple[str, str]:
    """The article's own page: media type and text."""
    others = [story for story in issue.outlet.stories if story.old and story is not issue.story][:4]
    page = _TEMPLATES.get_template(issue.outlet.page)
    return "text/html", page.render(issue=issue, outlet=issue.outlet, story=issue.story, others=others)


def front_page(outlet: Outlet, issues: Sequence[Issued], now: datetime) -> tuple[str, str]:
    """The list in the outlet's own shape: media type and text."""
    return _SHAPES[outlet.shape](outlet, issues, now)


def _from_template(media_type: str, name: str) -> Callable[[Outlet, Sequence[Issued], datetime], tuple[str, str]]:
    def render(outlet: Outlet, issues: Sequence[Issued], now: datetime) -> tuple[str, str]:
        page = _TEMPLATES.get_template(name)
        return media_type, page.render(outlet=outlet, issues=issues, now=now, html_body=html_body)

    return render


def _json_feed(outlet: Outlet, issues: Sequence[Issued], now: datetime) -> tuple[str, str]:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": outlet.name,
        "home_page_url": outlet.url("/"),
        "items": [_json_item(issue) for issue in issues],
    }
    return "application/feed+json", json.dumps(feed, ensure_ascii=False, indent=1)


def _json_item(issue: Issued) -> dict[str, Any]:
    return {
        "id": issue.url,
        "url": issue.url,
        "title": issue.story.title,
        "content_html": html_body(issue),
        "date_published": issue.at.isoformat(timespec="seconds"),
        "authors": [{"name": issue.story.author}] if issue.story.author else [],
    }


def _json_list(outlet: Outlet, issues: Sequence[Issued], now: datetime) -> tuple[str, str]:
    rows = [
        {
            "docId": issue.story.slug,
            "title": issue.story.title,
            "memo": issue.summary,
            "publishTime": int(issue.at.timestamp() * 1000),
        }
        for issue in issues
    ]
    answer = {"code": 0, "message": "ok", "data": {"total": len(rows), "list": rows}}
    return "application/json", json.dumps(answer, ensure_ascii=False)


_SHAPES: dict[str, Callable[[Outlet, Sequence[Issued], datetime], tuple[str, str]]] = {
    "rss-full": _from_template("application/rss+xml", "rss_full.xml"),
    "rss-summary": _from_template("application/rss+xml", "rss_summary.xml"),
    "atom": _from_template("application/atom+xml", "atom.xml"),
    "json-feed": _json_feed,
    "list-dated": _from_template("text/html", "list_dated.html"),
    "list-plain": _from_template("text/html", "list_plain.html"),
    "json-list": _json_list,
    "news-sitemap": _from_template("application/xml", "news_sitemap.xml"),
}
