"""Captured feeds and pages are played at their own addresses and dates."""

from __future__ import annotations

import csv
import gzip
import json
import ssl
from datetime import UTC, datetime, timedelta

import aiohttp
import feedparser
import pytest
from lxml import etree, html
from yarl import URL

from tests.newsroom.captured import SITEMAP, Captured, captured_app, captured_folder
from tests.newsroom.proxy import playing

FEED_COLUMNS = ("file", "format", "url", "chinese")
PAGE_COLUMNS = ("file", "url", "charset", "chinese")


def a_feed(*titles: str) -> bytes:
    items = "".join(f"<item><title>{title}</title><link>http://paper.test/{title}</link></item>" for title in titles)
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()


@pytest.fixture
def folder(tmp_path):
    """A small folder in the shape of the captured data: a feed captured three times, a JSON Feed, two pages."""
    feeds, pages = tmp_path / "feeds", tmp_path / "pages"
    (feeds / "us__press").mkdir(parents=True)
    (pages / "us__pages").mkdir(parents=True)
    (feeds / "us__press" / "paper@2026-04-02-abc1.xml").write_bytes(a_feed("one"))
    (feeds / "us__press" / "paper@2026-04-09-abc2.xml").write_bytes(a_feed("one", "two"))
    (feeds / "us__press" / "paper.xml").write_bytes(a_feed("undated"))
    (feeds / "us__press" / "daily.json").write_text(
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "items": [
                    {"id": "1", "date_published": "2026-04-01T00:00:00Z"},
                    {"id": "2", "date_published": "2026-04-05T00:00:00Z"},
                    {"id": "3"},
                ],
            }
        )
    )
    page = "<title>页</title><p>漢字</p>"
    (pages / "us__pages" / "a.html.gz").write_bytes(gzip.compress(page.encode("gbk")))
    (pages / "us__pages" / "b.html.gz").write_bytes(gzip.compress(page.encode()))
    with gzip.open(pages / "truth.jsonl.gz", "wt") as truth:
        truth.write(json.dumps({"file": "us__pages/a.html.gz", "title": "A & B", "date": "2024-05-10"}) + "\n")
    write_index(
        feeds,
        FEED_COLUMNS,
        ("us__press/paper@2026-04-02-abc1.xml", "rss", "", "0"),
        ("us__press/paper@2026-04-09-abc2.xml", "rss", "", "0"),
        ("us__press/paper.xml", "rss", "", "0"),
        ("us__press/daily.json", "json", "https://daily.test/feed?all=1", "0"),
    )
    write_index(
        pages,
        PAGE_COLUMNS,
        ("us__pages/a.html.gz", "https://paper.test/a?x=1&y=2", "gbk", "1"),
        ("us__pages/b.html.gz", "", "", "1"),
    )
    return tmp_path


def write_index(folder, columns, *rows) -> None:
    with (folder / "index.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


class Turned:
    """A clock set by hand."""

    def __init__(self, day: str) -> None:
        self.day = day

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self.day).replace(tzinfo=UTC) + timedelta(hours=12)


async def ask(captured: Captured, *urls: str) -> list[tuple[int, bytes, str]]:
    async with playing(captured_app(captured)) as proxy, aiohttp.ClientSession() as session:
        trusted = ssl.create_default_context(cadata=proxy.ca_pem.decode())
        answers = []
        for url in urls:
            async with session.get(URL(url, encoded=True), proxy=proxy.url, ssl=trusted) as answer:
                answers.append((answer.status, await answer.read(), answer.headers.get("Content-Type", "")))
        return answers


async def test_captures_of_one_feed_follow_the_clock(folder) -> None:
    """Nothing before the first capture, then each in its time; the undated file is not played."""
    clock = Turned("2026-04-01")
    captured = Captured(clock, folder)
    url = "http://us-press.test/paper.xml"
    seen = []
    for day in ("2026-04-01", "2026-04-03", "2026-05-01"):
        clock.day = day
        ((status, body, _),) = await ask(captured, url)
        seen.append([entry.title for entry in feedparser.parse(body).entries] if status == 200 else status)

    assert seen == [404, ["one"], ["one", "two"]]


async def test_a_json_feed_grows_item_by_item_at_its_own_address(folder) -> None:
    """Items come out at their own dates; one without a date is there from the start."""
    clock = Turned("2026-04-03")
    captured = Captured(clock, folder)
    url = "https://daily.test/feed?all=1"
    ((_, early, media_type),) = await ask(captured, url)
    clock.day = "2026-04-06"
    ((_, late, _),) = await ask(captured, url)

    assert media_type == "application/feed+json"
    assert [item["id"] for item in json.loads(early)["items"]] == ["1", "3"]
    assert [item["id"] for item in json.loads(late)["items"]] == ["1", "2", "3"]


async def test_pages_are_served_as_captured_and_linked_from_a_list_and_the_sitemap(folder) -> None:
    captured = Captured(Turned("2026-04-01"), folder)
    page = "https://paper.test/a?x=1&y=2"
    answers = await ask(captured, page, "http://us-pages.test/b.html", "http://us-pages.test/list.html", SITEMAP)
    (_, body, media_type), (_, other, bare), (_, listed, _), (_, mapped, _) = answers

    assert "漢字" in body.decode("gbk")
    assert "漢字" in other.decode()
    assert (media_type, bare) == ("text/html; charset=gbk", "text/html")
    assert html.fromstring(listed).xpath("//a/@href") == [page, "http://us-pages.test/b.html"]
    assert etree.fromstring(mapped).xpath("//*[local-name()='loc']/text()") == [page, "http://us-pages.test/b.html"]


async def test_what_was_not_captured_is_not_there(folder) -> None:
    ((status, _, _),) = await ask(Captured(Turned("2026-04-01"), folder), "https://elsewhere.test/")

    assert status == 404


@pytest.mark.real
async def test_every_captured_feed_and_page_answers(shared_data) -> None:
    """A sample of what is really there: each set's first page, and feeds under their own addresses, over TLS too."""
    captured = Captured(Turned("2026-12-01"), captured_folder())
    pages = [pages[0].url for pages in captured.lists.values()]
    feeds = [url for url in captured.feeds if url.startswith("https://")][:20]
    answers = await ask(captured, *captured.lists, *pages, *feeds, SITEMAP)

    assert {status for status, _, _ in answers} == {200}
    assert len(captured.lists) >= 5
    assert feeds
