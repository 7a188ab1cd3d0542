"""robots.txt: what it forbids, how long an answer holds, and what silence means (RFC 9309)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from core.clock import WallClock
from core.document import Document, DocumentKind, Request
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.robots import Robots
from tests.net.servers import behaving, reply, serving, wanted

PAGE = "http://news.example/a/1.html"


@dataclass
class Net:
    """Answers for robots.txt, each a body or an error, the last one for ever; and a clock set by hand."""

    answers: list[str | FetchError]
    now: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def fetch(self, request: Request) -> Document:
        assert request.kind is DocumentKind.ROBOTS
        self.asked.append(request.url)
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, FetchError):
            raise answer
        return Document(request, request.url, 200, {}, answer.encode(), WallClock().now())

    def robots(self) -> Robots:
        return Robots(self.fetch, "jingbao", lambda: self.now)


def failing(status: int = 0, outcome: Outcome = Outcome.FAILED) -> FetchError:
    return FetchError(outcome, "It answered so.", status=status)


def page(url: str = PAGE) -> Request:
    return wanted(url, DocumentKind.PAGE)


async def outcome_of(robots: Robots, url: str = PAGE) -> Outcome | None:
    try:
        await robots.delay(page(url))
    except FetchError as error:
        return error.outcome
    return None


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("", None),
        ("User-agent: *\nDisallow: /", Outcome.BLOCKED),
        ("User-agent: *\nDisallow: /b/", None),
        ("User-agent: *\nDisallow: /a/", Outcome.BLOCKED),
        ("User-agent: *\nDisallow: /a/\nAllow: /a/1.html", None),
        ("User-agent: *\nDisallow: /*.html$", Outcome.BLOCKED),
        ("User-agent: jingbao\nDisallow: /\n\nUser-agent: *\nDisallow:", Outcome.BLOCKED),
        ("User-agent: other\nDisallow: /", None),
        ("User-agent: *\nDisallow: /\n\nUser-agent: jingbao\nDisallow:", None),
        ("\ufeffUser-agent: *\nDisallow: /", Outcome.BLOCKED),
        ("User-agent: *\r\nDisallow: /\r\n", Outcome.BLOCKED),
        ("<!DOCTYPE html><title>首页</title><p>not a robots file: at all", None),
        ("User-agent: *\nDisallow: /" + "*a" * 5000 + "$", None),
    ],
)
async def test_the_rules_are_obeyed(text: str, outcome: Outcome | None) -> None:
    assert await outcome_of(Net([text]).robots()) is outcome


async def test_the_crawl_delay_is_told_and_capped_at_a_minute() -> None:
    assert await Net(["User-agent: *\nCrawl-delay: 7"]).robots().delay(page()) == 7
    assert await Net(["User-agent: *\nCrawl-delay: 86400"]).robots().delay(page()) == 60
    assert await Net(["User-agent: *\nCrawl-delay: soon"]).robots().delay(page()) == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_file_that_is_not_there_forbids_nothing(status: int) -> None:
    assert await outcome_of(Net([failing(status, Outcome.BLOCKED)]).robots()) is None


async def test_endless_redirects_are_a_file_that_is_not_there() -> None:
    assert await outcome_of(Net([failing(outcome=Outcome.TOO_BIG)]).robots()) is None


@pytest.mark.parametrize(("status", "later"), [(429, 3600), (500, 3600), (503, 3600)])
async def test_a_server_that_cannot_answer_forbids_all_for_a_while(status: int, later: float) -> None:
    net = Net([failing(status), ""])
    robots = net.robots()

    with pytest.raises(FetchError, match=r"robots\.txt of http://news\.example cannot be had.*It answered so\.") as error:
        await robots.delay(page())
    assert error.value.outcome is Outcome.FAILED
    assert error.value.retry_after_seconds == later
    net.now = later - 1
    assert await outcome_of(robots) is Outcome.FAILED
    assert len(net.asked) == 1
    net.now = later
    assert await outcome_of(robots) is None


async def test_silence_is_trouble_too_for_five_minutes_and_asks_for_no_pause() -> None:
    net = Net([failing(outcome=Outcome.TOO_SLOW), ""])
    robots = net.robots()

    with pytest.raises(FetchError, match="cannot be had") as error:
        await robots.delay(page())
    assert (error.value.outcome, error.value.status, error.value.retry_after_seconds) == (Outcome.FAILED, 0, None)
    net.now = 299
    assert await outcome_of(robots) is Outcome.FAILED
    net.now = 300
    assert await outcome_of(robots) is None


async def test_silence_is_forgotten_when_the_line_may_work_again_and_an_answer_is_not() -> None:
    silent, busy = Net([failing(), ""]), Net([failing(503), ""])
    after = []
    for net in (silent, busy):
        robots = net.robots()
        await outcome_of(robots)
        robots.forget_silence()
        after.append(await outcome_of(robots))

    assert after == [None, Outcome.FAILED]


async def test_a_refused_address_is_refused_and_not_remembered() -> None:
    net = Net([failing(outcome=Outcome.REFUSED), ""])
    robots = net.robots()

    assert await outcome_of(robots) is Outcome.REFUSED
    assert await outcome_of(robots) is None


async def test_good_answers_hold_for_a_day_per_origin() -> None:
    net = Net(["User-agent: *\nDisallow: /a/", ""])
    robots = net.robots()

    assert await outcome_of(robots) is Outcome.BLOCKED
    net.now = 24 * 3600 - 1
    assert await outcome_of(robots) is Outcome.BLOCKED
    net.now = 24 * 3600
    assert await outcome_of(robots) is None
    assert await outcome_of(robots, "https://news.example/a/1.html") is None
    assert net.asked == ["http://news.example/robots.txt"] * 2 + ["https://news.example/robots.txt"]


async def test_many_who_ask_at_once_cause_one_fetch() -> None:
    net = Net([""])
    robots = net.robots()

    await asyncio.gather(*(robots.delay(page(f"http://news.example/{n}")) for n in range(20)))

    assert len(net.asked) == 1


async def test_the_client_asks_for_pages_and_lists_but_not_for_feeds() -> None:
    pages = {"/robots.txt": reply(body=b"User-agent: *\nDisallow: /"), "*": reply(body=b"x")}
    async with serving(pages) as server, behaving("127.0.0.0/8") as manners:
        document = await manners.client.fetch(wanted(server.url("/feed")))
        assert document.body == b"x"
        for kind in (DocumentKind.PAGE, DocumentKind.LIST, DocumentKind.API, DocumentKind.SITEMAP):
            with pytest.raises(FetchError, match="forbids") as error:
                await manners.client.fetch(wanted(server.url("/list"), kind))
            assert error.value.outcome is Outcome.BLOCKED

    assert server.asked == ["/feed", "/robots.txt"]


async def test_only_the_first_500_kib_of_a_file_are_read() -> None:
    body = b"User-agent: *\nDisallow: /early\n" + b"# much to say\n" * 40_000 + b"Disallow: /late\n"
    pages = {"/robots.txt": reply(body=body), "*": reply(body=b"x")}
    async with serving(pages) as server, behaving("127.0.0.0/8", max_bytes=10_000) as manners:
        with pytest.raises(FetchError, match="forbids"):
            await manners.client.fetch(wanted(server.url("/early"), DocumentKind.PAGE))
        document = await manners.client.fetch(wanted(server.url("/late"), DocumentKind.PAGE))

    assert document.body == b"x"
