"""A judged draft meets what is held: which outcome it gets, and which article its address leads to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from core.article import Entry
from core.outcomes import Outcome
from core.source import Source
from crawler.appraisal import Appraisal, appraise_entry
from crawler.intake import Run, take_in
from crawler.triage import Arrival
from storage import addresses, articles, sources
from storage.archive import Archive, Transaction
from tests.builders import NOW, draft, judgement, published

SENTENCES = [
    "Huawei showed a new Ascend AI accelerator in Shenzhen on Tuesday and said that cloud providers have ordered it.",
    "The chip is made for training large language models; engineers said that it doubles the memory of the last one.",
    "Analysts in Beijing expect that it will be sold at home first, where supply of foreign accelerators is uncertain.",
    "A first lot of twenty thousand goes to three data centres in Guizhou, Inner Mongolia and Gansu before the summer.",
]
TEXT = "\n".join(SENTENCES)
TITLE = "Huawei shows a new Ascend AI chip in Shenzhen"


@pytest.fixture
def tx(database_url: str) -> Iterator[Transaction]:
    with Archive.open(database_url, NOW) as archive, archive.write() as opened:
        yield opened


def source(key: str) -> Source:
    return Source(key=key, name=key, kind="feed", language="en", url=f"https://{key}.test/feed")


def arrive(tx: Transaction, key: str, url: str, appraisal: Appraisal) -> Outcome:
    about = source(key)
    sources.ensure(tx, [key], NOW)
    run = Run(sources.begin_run(tx, key, NOW), about, NOW - timedelta(days=1), NOW - timedelta(days=30), "1")
    return take_in(tx, run, Arrival(Entry(url=url, title=appraisal.draft.title), url), appraisal, NOW)


def judged(title: str = TITLE, text: str = TEXT, **of_draft) -> Appraisal:
    return Appraisal(draft(title, text, **({"published": published(NOW)} | of_draft)), judgement(title + text))


def test_the_same_address_from_another_source_is_a_duplicate_and_changes_nothing(tx: Transaction) -> None:
    url = "https://news.test/chips"
    assert arrive(tx, "one", url, judged(url=url)) is Outcome.NEW
    assert arrive(tx, "two", url, judged("Another headline for the Huawei Ascend AI chip", url=url)) is Outcome.DUPLICATE

    assert [each.title for each in articles.newest(tx, 10)] == [TITLE]
    assert addresses.is_carried_by(tx, addresses.look_up(tx, url).id, "two")


def test_a_page_that_names_an_address_of_another_story_is_an_article_of_its_own(tx: Transaction) -> None:
    """Some sites name their front page, or the newest story, as the address of all pages."""
    first, second = "https://news.test/chips", "https://news.test/soup"
    arrive(tx, "one", first, judged(url=first))
    other = judged("DeepSeek opens the weights of a smaller model", "Of weights.", url=second, canonical_link=first)

    assert arrive(tx, "one", second, other) is Outcome.NEW
    assert len(articles.newest(tx, 10)) == 2


def test_a_page_that_names_no_possible_address_goes_by_its_own(tx: Transaction) -> None:
    url = "https://news.test/chips"
    assert arrive(tx, "one", url, judged(url=url, canonical_link="https://no host.test/ä ö")) is Outcome.NEW
    assert addresses.look_up(tx, url).article_id is not None


def test_what_its_page_shows_to_be_of_long_ago_is_too_old(tx: Transaction) -> None:
    """Its list gave no date."""
    url = "https://news.test/chips"
    old = judged(url=url, published=published(NOW - timedelta(days=40)))

    assert arrive(tx, "one", url, old) is Outcome.TOO_OLD
    assert articles.newest(tx, 10) == []
    assert "2026-10-15" in addresses.look_up(tx, url).reason


def test_a_reprint_is_a_copy_in_the_story_of_the_first(tx: Transaction) -> None:
    one, two = (Entry(url=f"https://{name}.test/1", title=TITLE, content=TEXT, published=published(NOW)) for name in "ab")
    reprint = Entry(url=two.url, title=TITLE, content="\n".join(SENTENCES[:3]) + " It was reported.", published=published(NOW))
    assert arrive(tx, "one", one.url, appraise_entry(one, source("one"), NOW)) is Outcome.NEW
    assert arrive(tx, "two", two.url, appraise_entry(reprint, source("two"), NOW)) is Outcome.COPY

    copy, first = articles.newest(tx, 10)
    assert (copy.copy_of, copy.story_id) == (first.id, first.story_id)
    assert addresses.look_up(tx, two.url).reason.endswith("(article 1)")
