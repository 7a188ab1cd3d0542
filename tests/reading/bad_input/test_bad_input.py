"""Every hostile document ends in a reading or a named outcome, in a worker that its limits hold and that goes on afterwards."""

import asyncio

import pytest

from core.article import Entry
from core.document import DocumentKind
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading.api import read_api
from crawler.reading.feeds import read_feed
from crawler.reading.listing import read_listing
from crawler.reading.pages import read_page
from crawler.reading.sitemaps import read_sitemap
from crawler.reading.workers import ReadingPool
from tests.reading.bad_input import corpus
from tests.reading.documents import NOW, document, source

FEEDS = corpus.ENTITIES | corpus.READABLE_DOCTYPES | corpus.SIZES | corpus.CHARACTERS | corpus.STRUCTURES | corpus.DATES | corpus.LINKS
API = {"items": "items", "fields": {"url": "url", "title": "title"}}


async def _ends(cases):
    """The end of each case, read in one pool: a Reading or the ReadingError."""
    pool = ReadingPool(2, cpu_seconds=0.8)
    try:
        return await asyncio.gather(*(pool.run(function, *arguments) for function, arguments in cases), return_exceptions=True)
    finally:
        pool.close()


def _named(end):
    return not isinstance(end, BaseException) or (isinstance(end, ReadingError) and bool(end.reason))


async def test_every_bad_feed_ends_in_a_named_outcome():
    cases = [(read_feed, (document(body), source(), frozenset(), NOW, 2000)) for body in FEEDS.values()]

    ends = dict(zip(FEEDS, await _ends(cases), strict=True))

    assert {name: end for name, end in ends.items() if not _named(end)} == {}
    assert {name for name, end in ends.items() if isinstance(end, ReadingError)} >= set(corpus.ENTITIES) - {"unclosed doctype"}
    assert ends["20,000 items"].unread == {Outcome.TOO_BIG: 18_000}
    assert ends["one item of 3 MB"].unread == {Outcome.TOO_BIG: 1}
    for entry in (entry for end in ends.values() if not isinstance(end, ReadingError) for entry in end.entries):
        assert entry.url.startswith(("http://", "https://"))
        assert len(entry.title) <= 500
        assert entry.title.isprintable() or any(char in entry.title for char in "\ufffd\ue000\u3000")


async def test_every_bad_page_list_and_sitemap_ends_in_a_named_outcome():
    pages = [(read_page, (document(body, kind=DocumentKind.PAGE), Entry("https://n.example/1"), source(), NOW)) for body in corpus.PAGES.values()]
    lists = [(read_listing, (document(body, kind=DocumentKind.LIST), source(kind="listing"), NOW, 2000)) for body in list(corpus.PAGES.values())[:8]]
    calls = [(read_api, (document(body), source(kind="api", api=API), NOW, 2000)) for body in corpus.STRUCTURES.values()]
    sitemaps = [(read_sitemap, (document(body), source(kind="sitemap"), NOW, 2000)) for body in (corpus.SITEMAPS | corpus.ENTITIES | corpus.STRUCTURES).values()]

    ends = await _ends([*pages, *lists, *calls, *sitemaps])

    assert [end for end in ends if not _named(end)] == []


@pytest.mark.parametrize("name", ["svg onload", "mutation XSS"])
def test_what_is_kept_of_hostile_html_is_plain_text(name):
    draft = read_page(document(corpus.PAGES[name], kind=DocumentKind.PAGE), Entry("https://n.example/1"), source(), NOW)

    assert "<" not in draft.text
    assert "alert" not in draft.text


def test_a_canonical_link_inside_the_operators_network_is_not_taken():
    draft = read_page(document(corpus.PAGES["base to elsewhere"], kind=DocumentKind.PAGE), Entry("https://n.example/1"), source(), NOW)

    assert draft.canonical_link == ""
