"""Crawls: nothing is lost, bugs surface, an end is an end, and Scrapy's defaults stay out."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import WallClock
from core.document import Document, DocumentKind, Request
from core.errors import FetchError
from core.outcomes import Outcome
from crawler.spiders import fetch_pages
from crawler.spiders.fetch_pages import CrawlLimits, CrawlReport, fetch_with_scrapy, stop_crawls
from tests.net.servers import behaving, reply, serving, wanted

OWN = "127.0.0.0/8"
Results = list[tuple[str, Document | FetchError]]


def pages(server, *paths: str) -> list[Request]:
    return [wanted(server.url(path), DocumentKind.PAGE, delay_seconds=0) for path in paths]


async def silence(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(20)


async def ignore(_result: Document | FetchError, _request: Request) -> list[Request]:
    return []


async def test_a_crawl_fetches_what_it_is_given_and_what_that_leads_to() -> None:
    seen: Results = []
    async with serving({"/list": reply(body=b"list"), "/a": reply(body=b"a"), "/robots.txt": reply(404)}) as server:

        async def handle(result: Document | FetchError, request: Request) -> list[Request]:
            seen.append((request.url, result))
            return pages(server, "/a", "/b") if request.url.endswith("/list") else []

        async with behaving(OWN) as manners:
            report = await fetch_with_scrapy(pages(server, "/list"), handle, manners)

    bodies = {url.rpartition("/")[2]: getattr(result, "body", result) for url, result in seen}
    assert (bodies["list"], bodies["a"]) == (b"list", b"a")
    assert bodies["b"].outcome is Outcome.GONE
    assert (report.documents, report.failures, report.left, report.finish) == (2, {Outcome.GONE: 1}, (), "finished")
    assert Counter(server.asked) == Counter(["/robots.txt", "/list", "/a", "/b"])


async def test_the_same_address_asked_for_twice_is_handled_twice() -> None:
    async with serving({"*": reply()}) as server, behaving(OWN) as manners:
        report = await fetch_with_scrapy(pages(server, "/a", "/a"), ignore, manners)

    assert report.documents == 2


async def test_nothing_to_fetch_is_a_crawl_too() -> None:
    async with behaving() as manners:
        assert (await fetch_with_scrapy([], ignore, manners)).documents == 0


async def test_what_is_no_address_is_handled_with_the_reason() -> None:
    odd = ["javascript:alert(1)", "file:///etc/passwd", "ftp://a.example/", "", "http://", "新闻", "http://[::1", "data:,x"]
    seen: Results = []

    async def handle(result: Document | FetchError, request: Request) -> list[Request]:
        seen.append((request.url, result))
        return []

    async with behaving() as manners:
        report = await fetch_with_scrapy([wanted(url, DocumentKind.PAGE) for url in odd], handle, manners)

    assert sorted(url for url, _ in seen) == sorted(odd)
    assert report.failures == {Outcome.REFUSED: len(odd)}


class Net:
    """A client without a net: every address answers or fails as its first letter says."""

    async def fetch(self, request: Request) -> Document:
        await asyncio.sleep(0)
        if "/f" in request.url:
            raise FetchError(Outcome.FAILED, "It was so planned.")
        return Document(request, request.url, 200, {}, b"", WallClock().now())


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(st.integers(0, 30), st.lists(st.integers(0, 30), max_size=4), max_size=12),
    st.lists(st.integers(0, 30), max_size=6),
    st.integers(1, 40),
)
def test_everything_asked_for_is_handled_once_or_left(links: dict[int, list[int]], start: list[int], most: int) -> None:
    def request(n: int) -> Request:
        return wanted(f"http://host{n % 3}.example/{'f' if n % 4 == 0 else 'd'}{n}", DocumentKind.PAGE)

    asked = Counter(request(n).url for n in start)
    handled: Counter[str] = Counter()

    async def handle(_result: Document | FetchError, done: Request) -> list[Request]:
        handled[done.url] += 1
        number = int(done.url.rpartition("/")[2][1:])
        further = [request(n) for n in links.get(number, [])] if handled[done.url] == 1 else []
        asked.update(r.url for r in further)
        return further

    class Manners:
        client = Net()

    crawling = fetch_with_scrapy([request(n) for n in start], handle, Manners(), CrawlLimits(max_documents=most))  # type: ignore[arg-type]
    report = asyncio.run(crawling)

    assert handled + Counter(left.url for left in report.left) == asked
    assert report.documents + sum(report.failures.values()) == handled.total() == min(most, asked.total())


async def test_an_exception_of_the_handler_is_raised_where_the_crawl_was_asked_for() -> None:
    async def handle(_result: Document | FetchError, _request: Request) -> list[Request]:
        raise OSError("disk full")

    async with serving({"*": reply()}) as server, behaving(OWN) as manners:
        with pytest.raises(OSError, match="disk full"):
            await fetch_with_scrapy(pages(server, *(f"/{n}" for n in range(50))), handle, manners)

    assert len(server.asked) < 10


async def test_a_bug_below_is_raised_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_self: object, _request: Request) -> Document:
        raise ZeroDivisionError

    async with behaving(OWN) as manners:
        monkeypatch.setattr(type(manners.client), "fetch", broken)
        with pytest.raises(ZeroDivisionError):
            await fetch_with_scrapy([wanted("http://a.example/")], ignore, manners)


async def test_a_cancelled_handler_ends_the_crawl_and_does_not_hang_it() -> None:
    async def handle(_result: Document | FetchError, _request: Request) -> list[Request]:
        raise asyncio.CancelledError

    async with serving({"*": reply()}) as server, behaving(OWN) as manners:
        with pytest.raises(asyncio.CancelledError):
            await fetch_with_scrapy(pages(server, "/a", "/b"), handle, manners)


async def _begun(server, count: int = 1) -> None:
    while len(server.asked) < count:  # noqa: ASYNC110  (the server is another task of this loop)
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("patience", [0.0, 0.1])
async def test_stopping_does_not_wait_for_an_answer_of_twenty_seconds(patience: float) -> None:
    async with serving({"*": silence}) as server, behaving(OWN, timeout_seconds=30) as manners:
        requests = [wanted(server.url(path)) for path in ("/a", "/b", "/c")]
        crawling = asyncio.ensure_future(fetch_with_scrapy(requests, ignore, manners))
        await _begun(server)
        await asyncio.wait_for(stop_crawls(patience), 5)
        report = await crawling

    assert report == CrawlReport(0, {}, tuple(requests), "stopped", report.seconds)
    assert server.asked == ["/a"]


async def test_what_ends_within_the_patience_is_still_handled() -> None:
    async def shortly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(reply(body=b"in time"))

    async with serving({"*": shortly}) as server, behaving(OWN) as manners:
        crawling = asyncio.ensure_future(
            fetch_with_scrapy([wanted(server.url("/a")), wanted(server.url("/b"))], ignore, manners)
        )
        await _begun(server)
        await asyncio.wait_for(stop_crawls(5), 5)
        report = await crawling

    assert (report.documents, len(report.left), report.finish) == (1, 1, "stopped")


async def test_cancelling_the_call_ends_the_crawl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_pages, "PATIENCE_SECONDS", 0.05)
    before = asyncio.all_tasks()
    async with serving({"*": silence}) as server, behaving(OWN) as manners:
        crawling = asyncio.ensure_future(fetch_with_scrapy([wanted(server.url())], ignore, manners))
        await _begun(server)
        crawling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await crawling

    assert asyncio.all_tasks() <= before
    assert not fetch_pages._crawls


async def test_a_crawl_over_its_time_ends_and_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_pages, "PATIENCE_SECONDS", 0.05)
    async with serving({"/a": reply(), "*": silence}) as server, behaving(OWN) as manners:
        requests = [wanted(server.url(path)) for path in ("/a", "/b", "/c")]
        report = await fetch_with_scrapy(requests, ignore, manners, CrawlLimits(seconds=0.3))

    assert (report.documents, report.left, report.finish) == (1, tuple(requests[1:]), "out of time")


async def test_a_host_is_asked_one_thing_at_a_time_and_hosts_side_by_side() -> None:
    open_now, most = Counter[str](), Counter[str]()

    def held(host: str):
        async def hold(writer: asyncio.StreamWriter) -> None:
            open_now.update([host, "all"])
            most[host], most["all"] = max(most[host], open_now[host]), max(most["all"], open_now["all"])
            await asyncio.sleep(0.02)
            open_now.subtract([host, "all"])
            writer.write(reply())

        return hold

    async with (
        serving({"*": held("one")}, "127.0.0.1") as one,
        serving({"*": held("two")}, "127.0.0.2") as two,
        behaving(OWN) as manners,
    ):
        requests = [wanted(server.url(f"/{n}"), delay_seconds=0) for n in range(5) for server in (one, two)]
        report = await fetch_with_scrapy(requests, ignore, manners)

    assert report.documents == 10
    assert most == {"one": 1, "two": 1, "all": 2}


async def test_crawls_leave_nothing_behind_and_say_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No task, no log line, no root handler: neither of crawls that end well nor of those that are stopped."""
    handlers = list(logging.getLogger().handlers)
    async with serving({"*": reply(body=b"x")}) as server, behaving(OWN) as manners:
        await fetch_with_scrapy(pages(server, "/warm-up"), ignore, manners)
        tasks = asyncio.all_tasks()
        with caplog.at_level(logging.DEBUG):
            for n in range(10):
                crawling = asyncio.ensure_future(
                    fetch_with_scrapy(pages(server, *(f"/{i}" for i in range(8))), ignore, manners)
                )
                await _begun(server, len(server.asked) + 1)
                if n % 2:
                    await stop_crawls(0)
                await crawling
        await asyncio.sleep(0.05)  # the server's own side of the connections
        assert {task for task in asyncio.all_tasks() - tasks if "serving" not in repr(task)} == set()

    assert [
        record.getMessage() for record in caplog.records if record.name.startswith(("scrapy", "twisted", "documents"))
    ] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert logging.getLogger().handlers == handlers


def test_neither_importing_nor_crawling_installs_a_reactor_or_listens() -> None:
    """In a process of its own: modules that install a reactor on import would do it for the whole daemon."""
    program = """
import asyncio, pkgutil, socket, sys, importlib, crawler.net, crawler.spiders
for package in (crawler.net, crawler.spiders):
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
listened = []
listen = socket.socket.listen
socket.socket.listen = lambda self, *a: (listened.append(self.getsockname()), listen(self, *a))[1]
from core.config import Config
from core.document import DocumentKind, Request
from crawler.net.manners import Manners
from crawler.spiders.fetch_pages import fetch_with_scrapy
async def ignore(result, request): return []
async def main():
    manners = Manners.from_config(Config(), "1")
    report = await fetch_with_scrapy([Request("http://127.0.0.1/", DocumentKind.PAGE, "s")], ignore, manners)
    await manners.close()
    print(report.failures, listened, "twisted.internet.reactor" in sys.modules)
asyncio.run(main())
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip() == "{<Outcome.REFUSED: 'refused'>: 1} [] False"
