"""The made-up sites serve what they claim, and publish over the clock."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import aiohttp
import feedparser
import pytest
from lxml import etree, html

from tests.newsroom.lists import chinese_ago
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.outlets import load_outlets, offset
from tests.newsroom.proxy import playing
from tests.newsroom.site import newsroom_app

START = datetime(2026, 1, 20, 6, 30, tzinfo=UTC)
OUTLETS = {outlet.key: outlet for outlet in load_outlets()}


class HandClock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def turn(self, **span: float) -> None:
        self.moment += timedelta(**span)


class Web:
    """A client that goes through the newsroom's proxy."""

    def __init__(self, session: aiohttp.ClientSession, proxy: str) -> None:
        self.session = session
        self.proxy = proxy

    async def ask(self, url: str, method: str = "GET", **more) -> tuple[int, bytes, dict[str, str]]:
        async with self.session.request(method, url, proxy=self.proxy, **more) as answer:
            return answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()}


async def served(newsroom: Newsroom, play) -> None:
    async with playing(newsroom_app(newsroom)) as proxy, aiohttp.ClientSession() as session:
        await play(Web(session, proxy.url))


def home(key: str) -> str:
    return OUTLETS[key].url(OUTLETS[key].source["url"])


def test_there_is_enough_to_read() -> None:
    """At least forty stories of a readable length, from at least seven outlets, some old and some new at each."""
    stories = [story for outlet in OUTLETS.values() for story in outlet.stories]

    assert len(OUTLETS) >= 7
    assert len(stories) >= 40
    assert all({story.old for story in outlet.stories} == {True, False} for outlet in OUTLETS.values())
    for outlet in OUTLETS.values():
        for story in outlet.stories:
            length = len(story.text) if outlet.language.startswith("zh") else len(story.text.split()) * 2.5
            assert 250 <= length <= 900, (outlet.key, story.slug, length)


def test_addresses_are_unique() -> None:
    newsroom = Newsroom(HandClock(), day_begins=START - timedelta(hours=1))
    addresses = Counter(issue.url for outlet in newsroom.outlets for issue in newsroom.issued(outlet))

    assert set(addresses.values()) == {1}


async def test_feeds_parse_and_grow_with_time() -> None:
    """RSS and Atom parse without a fault, show old stories at first, and the day's once it has begun."""
    clock = HandClock()
    newsroom = Newsroom(clock)

    async def play(web: Web) -> None:
        for key in ("huadu-daily", "chipharbor", "meridian-post"):
            outlet = OUTLETS[key]
            _, before, headers = await web.ask(home(key))
            newsroom.begin_day()
            clock.turn(minutes=30)
            _, after, _ = await web.ask(home(key))
            newsroom.day_begins = None

            assert not feedparser.parse(before)["bozo"]
            assert len(feedparser.parse(before).entries) == sum(story.old for story in outlet.stories)
            assert len(feedparser.parse(after).entries) == len(outlet.stories)
            assert headers["content-type"].endswith("xml; charset=utf-8")

    await served(newsroom, play)


async def test_a_full_text_feed_holds_the_whole_article() -> None:
    async def play(web: Web) -> None:
        _, body, _ = await web.ask(home("huadu-daily"))
        entry = feedparser.parse(body).entries[0]
        held = html.fromstring(entry.content[0].value).text_content()

        assert held == "".join(newsroom.front(OUTLETS["huadu-daily"])[0].paragraphs)

    newsroom = Newsroom(HandClock())
    await served(newsroom, play)


async def test_json_feed_and_json_list_and_sitemap_name_every_story() -> None:
    newsroom = Newsroom(HandClock(), day_begins=START - timedelta(hours=1))

    async def play(web: Web) -> None:
        _, feed, _ = await web.ask(home("pearl-dispatch"))
        _, rows, _ = await web.ask(home("dongzhou-gxt"), "POST", data=b"{}")
        refused, _, _ = await web.ask(home("dongzhou-gxt"))
        _, sitemap, _ = await web.ask(home("haixia-tech"))
        gxt = newsroom.issued(OUTLETS["dongzhou-gxt"])

        assert [item["url"] for item in json.loads(feed)["items"]] == addresses(newsroom, "pearl-dispatch")
        assert [row["publishTime"] for row in json.loads(rows)["data"]["list"]] == [
            int(issue.at.timestamp() * 1000) for issue in gxt
        ]
        assert refused == 405
        assert etree.fromstring(sitemap).xpath("//*[local-name()='loc']/text()") == addresses(newsroom, "haixia-tech")

    await served(newsroom, play)


def addresses(newsroom: Newsroom, key: str) -> list[str]:
    return [issue.url for issue in newsroom.issued(OUTLETS[key])]


async def test_pages_that_say_gb2312_are_gb18030() -> None:
    """Every page of the evening paper decodes as GB18030; some could not have been written in the gb2312 they declare."""
    newsroom = Newsroom(HandClock())
    beyond = 0

    async def play(web: Web) -> None:
        nonlocal beyond
        for issue in newsroom.issued(OUTLETS["nanhu-evening"]):
            _, body, headers = await web.ask(issue.url)
            assert issue.story.title in body.decode("gb18030")
            assert headers["content-type"] == "text/html; charset=gb2312"
            try:
                body.decode("gb2312")
            except UnicodeDecodeError:
                beyond += 1

    await served(newsroom, play)
    assert beyond


async def test_what_has_not_changed_is_not_sent_again() -> None:
    """A list and a page answer 304 to their own validator, and 200 again once the list has grown."""
    clock = HandClock()
    newsroom = Newsroom(clock)

    async def play(web: Web) -> None:
        page = newsroom.issued(OUTLETS["chipharbor"])[0].url
        for url in (home("chipharbor"), page):
            _, body, headers = await web.ask(url)
            status, nothing, _ = await web.ask(url, headers={"If-None-Match": headers["etag"]})
            assert (status, nothing) == (304, b"")
            assert body
            assert headers["last-modified"]
        _, _, headers = await web.ask(home("chipharbor"))
        newsroom.begin_day()
        clock.turn(minutes=10)
        status, _, _ = await web.ask(home("chipharbor"), headers={"If-None-Match": headers["etag"]})
        assert status == 200

    await served(newsroom, play)


async def test_a_story_cannot_be_read_before_it_is_out() -> None:
    clock = HandClock()
    newsroom = Newsroom(clock, day_begins=START)
    later = START + timedelta(minutes=30)

    async def play(web: Web) -> None:
        page = Newsroom(lambda: later, day_begins=START).issued(OUTLETS["pearl-dispatch"])[0].url
        early, _, _ = await web.ask(page)
        clock.turn(minutes=30)
        in_time, _, _ = await web.ask(page)

        assert (early, in_time) == (404, 200)

    await served(newsroom, play)


async def test_every_page_holds_its_story() -> None:
    """Title and all paragraphs are on the page, whatever its template, script and encoding."""
    newsroom = Newsroom(HandClock(), day_begins=START - timedelta(hours=1))

    async def play(web: Web) -> None:
        for outlet in newsroom.outlets:
            for issue in newsroom.issued(outlet):
                status, body, _ = await web.ask(issue.url)
                shown = html.fromstring(body.decode(outlet.encoding)).text_content()
                assert status == 200
                assert all(paragraph in shown for paragraph in (issue.story.title, *issue.paragraphs))

    await served(newsroom, play)


async def test_robots_close_the_premium_section() -> None:
    async def play(web: Web) -> None:
        _, robots, _ = await web.ask(OUTLETS["meridian-post"].url("/robots.txt"))
        nowhere, _, _ = await web.ask("http://www.unknown-outlet.test/")

        assert b"Disallow: /premium/" in robots
        assert nowhere == 502

    await served(Newsroom(HandClock()), play)


async def test_a_dated_list_speaks_of_time_as_chinese_sites_do() -> None:
    """The stream's dates are relative to the clock: 1分钟前 for the newest, a clock time for yesterday."""
    clock = HandClock()
    newsroom = Newsroom(clock)

    async def play(web: Web) -> None:
        newsroom.begin_day()
        clock.turn(minutes=2)
        _, body, _ = await web.ask(home("zhijing-ai"))
        dates = html.fromstring(body.decode()).xpath("//span[@class='stream-time']/text()")

        assert dates[0] == "1分钟前"
        assert any(re.fullmatch(r"昨天 \d\d:\d\d", date) for date in dates)

    await served(newsroom, play)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        ("-0m", "刚刚"),
        ("-12m", "12分钟前"),
        ("-3h", "3小时前"),
        ("-20h", "昨天 18:30"),
        ("-2d", "前天 14:30"),
        ("-9d", "01月11日"),
    ],
)
def test_chinese_ago(ago: str, expected: str) -> None:
    at = (START + offset(ago)).astimezone(OUTLETS["zhijing-ai"].tz)

    assert chinese_ago(at, START) == expected


def test_the_wire_story_is_reprinted_by_three_with_small_edits() -> None:
    """Three outlets carry the agency's text: no two alike to the letter, each with most of its sentences."""
    reprints = [story for outlet in OUTLETS.values() for story in outlet.stories if story.credit == "华通社"]
    sentences = [set(re.split("[。\n]", story.text)) for story in reprints]

    assert len(reprints) == 3
    assert len({story.text for story in reprints}) == 3
    assert all(len(one & other) / len(one | other) > 0.5 for one in sentences for other in sentences)
