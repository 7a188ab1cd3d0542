"""The whole road, from a site on loopback to the archive: every entry ends in one named, counted outcome."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.clock import Clock
from core.config import Config
from core.errors import StorageError
from core.outcomes import Outcome
from core.source import Source
from crawler.collect import Collector
from crawler.judgement.canonical import canonical_url
from crawler.net.manners import Manners
from crawler.reading.workers import ReadingPool
from lexicon.watchlist import load_watchlist
from storage import addresses, articles, sources
from storage.archive import Archive
from storage.raw import RawPages
from tests.crawler.small_site import Item, SmallSite, small_site

START = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
CHIPS = Item(
    "chips",
    "Huawei shows a new Ascend AI chip in Shenzhen",
    "Huawei showed a new Ascend AI accelerator in Shenzhen on Tuesday and said that Chinese cloud providers have ordered it.\n"
    "The chip is made for training large language models; engineers of the company said that it doubles the memory of the last one.\n"
    "Analysts in Beijing expect that it will be sold at home first, where supply of foreign accelerators has become uncertain.",
)
MODEL = Item(
    "model",
    "DeepSeek opens the weights of a smaller model",
    "DeepSeek has opened the weights of a smaller language model that runs on one graphics card, the Hangzhou company said.\n"
    "Researchers at two Chinese universities have tested it on mathematics and on code, and found it close to the larger one.\n"
    "The licence allows commercial use, which other Chinese laboratories have begun to allow as well in the past months.",
)
COOKING = Item(
    "soup",
    "A winter soup with pumpkin and ginger",
    "Cut the pumpkin into small pieces and fry it with ginger and onions until it is soft; then add a litre of water.\n"
    "Let it boil for half an hour, season it with salt and pepper, and serve it with bread that is still warm.",
)


class SetClock(Clock):
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        super().__init__(START, 1.0, 0.0)
        object.__setattr__(self, "_now", START)

    __slots__ = ("_now",)

    def now(self) -> datetime:
        return self._now

    def go(self, span: timedelta) -> None:
        object.__setattr__(self, "_now", self._now + span)


class Road:
    """A collector on an archive of its own."""

    def __init__(self, archive: Archive, collector: Collector, clock: SetClock, source: Source) -> None:
        self.archive = archive
        self.collector = collector
        self.clock = clock
        self.source = source

    async def collect(self) -> dict[Outcome, int]:
        """Collect; gives the counts, which must add up to what was seen."""
        self.clock.go(timedelta(hours=1))
        report = await self.collector.collect(self.source)
        assert report.seen == sum(report.counts.values()), report
        self.result = report.result
        return report.counts

    def held(self) -> list:
        with self.archive.read() as tx:
            return articles.newest(tx, 100)


@pytest.fixture(scope="module")
def pool():
    pool = ReadingPool(3, 10.0)  # as many as pages at once: what waits for a turn would bind the pool to one test's loop
    yield pool
    pool.close()


@asynccontextmanager
async def road(tmp_path: Path, site: SmallSite, pool: ReadingPool, archive_url: str = "", **source):
    clock = SetClock()
    config = Config(security={"allow_networks": ("127.0.0.0/8",)})
    about = {"key": "small", "name": "Small", "kind": "feed", "language": "en", "url": f"{site.base}/feed", "delay_seconds": 0}
    made = Source(**(about | source))
    manners = Manners.from_config(config, "0", clock)
    with Archive.open(archive_url or f"sqlite:///{tmp_path / 'a.sqlite3'}", START) as archive:
        with archive.write() as tx:
            sources.ensure(tx, [made.key], START)
        raw = RawPages(tmp_path / "raw")
        version = load_watchlist().version
        collector = Collector(archive, raw, manners, pool, config.collection, clock, version)
        try:
            yield Road(archive, collector, clock, made)
        finally:
            await manners.close()


async def test_a_first_collection_is_a_baseline_and_what_comes_later_is_not(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, database_url) as it:
        first = await it.collect()
        site.items.insert(0, MODEL)
        second = await it.collect()

        assert first == {Outcome.NEW: 1}
        assert second == {Outcome.NEW: 1, Outcome.UNCHANGED: 1}
        assert {article.title: article.baseline for article in it.held()} == {CHIPS.title: True, MODEL.title: False}


async def test_off_topic_entries_end_by_title_and_summary_without_their_page_being_fetched(tmp_path, pool) -> None:
    async with small_site(CHIPS, COOKING) as site, road(tmp_path, site, pool) as it:
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1, Outcome.OFF_TOPIC: 1}
        assert site.asked["/chips"] == 1
        assert site.asked["/soup"] == 0


async def test_an_unchanged_feed_costs_no_reading(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        await it.collect()
        counts = await it.collect()

        assert (it.result, counts) == ("unchanged", {})


async def test_a_server_that_calls_a_changed_feed_unchanged_is_found_out_within_a_day(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, database_url) as it:
        site.lies = '"for-ever"'
        await it.collect()
        site.items.append(MODEL)
        believed = [await it.collect() and it.result for _ in range(3)]
        it.clock.go(timedelta(days=1))
        found_out = await it.collect()
        site.items.append(replace(MODEL, slug="more", title="DeepSeek opens more weights", text=MODEL.text.replace("one", "a")))
        await it.collect()
        with it.archive.read() as tx:
            held = sources.state(tx, "small").validators

        assert believed == [{}, {}, {}]
        assert found_out == {Outcome.NEW: 1, Outcome.UNCHANGED: 1}
        assert len(it.held()) == 3
        assert held.lying


async def test_an_honest_not_modified_is_verified_once_a_day_and_believed(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.lies = '"honest: nothing changes"'
        for _ in range(49):
            await it.collect()
        with it.archive.read() as tx:
            held = sources.state(tx, "small").validators

        assert (it.result, held.lying) == ("unchanged", False)
        assert site.asked["/feed"] == 49 + 2


async def test_a_feed_that_is_not_modified_for_whoever_asks_is_no_source(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/feed"] = 304
        await it.collect()
        with it.archive.read() as tx:
            state = sources.state(tx, "small")

        assert (it.result, state.failures) == ("failed", 1)
        assert "304 Not Modified" in state.last_error


async def test_where_a_feed_has_moved_for_good_is_kept_as_long_as_it_is_so(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, database_url) as it:
        kept = []
        for moved, status in (("/feed", 301), ("/feed", 301), ("/feed", 302)):
            site.redirects, site.moved = {"/old": moved}, status
            it.source = it.source.model_copy(update={"url": f"{site.base}/old"})
            await it.collect()
            with it.archive.read() as tx:
                state = sources.state(tx, "small")
            kept.append((state.moved_to.removeprefix(site.base), state.moved_since))

        assert kept == [("/feed", START + timedelta(hours=1)), ("/feed", START + timedelta(hours=1)), ("", None)]


@pytest.mark.parametrize(
    "change",
    [
        {"guid": "another-guid"},
        {"query": "?utm_source=rss&utm_medium=feed"},
        {"title": "Huawei shows a new Ascend AI chip in Shenzhen (update)"},
        {"published": "Tue, 20 Jan 2026 11:00:00 +0000"},
        {"guid": "another-guid", "slug": "chips-moved"},
    ],
    ids=["guid", "tracking", "title", "date", "moved"],
)
async def test_what_feeds_do_to_an_item_makes_no_second_article(tmp_path, pool, change) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        await it.collect()
        site.items[0] = replace(CHIPS, **change)
        counts = await it.collect()

        assert Outcome.NEW not in counts
        assert Outcome.COPY not in counts
        assert len(it.held()) == 1


async def test_an_item_that_goes_and_comes_back_is_known_again(tmp_path, pool) -> None:
    async with small_site(CHIPS, MODEL) as site, road(tmp_path, site, pool) as it:
        await it.collect()
        site.items = [MODEL]
        await it.collect()
        site.items = [CHIPS, MODEL]
        counts = await it.collect()

        assert counts == {Outcome.UNCHANGED: 2}
        assert len(it.held()) == 2


async def test_a_changed_article_gets_a_new_version_under_its_old_number(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, database_url) as it:
        await it.collect()
        before = it.held()[0]
        site.items[0] = replace(CHIPS, title="Huawei shows and prices a new Ascend AI chip", text=CHIPS.text + "\nIt costs 9,000 yuan.")
        counts = await it.collect()

        assert counts == {Outcome.UPDATED: 1}
        after = it.held()[0]
        assert after.id == before.id
        assert "9,000 yuan" in after.text
        with it.archive.read() as tx:
            assert [version.title for version in articles.versions(tx, after.id)] == [CHIPS.title]


async def test_a_page_that_passingly_fails_is_tried_again_when_its_time_has_come(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, database_url) as it:
        site.statuses["/chips"] = 503
        failed = await it.collect()
        del site.statuses["/chips"]
        again = await it.collect()

        assert failed == {Outcome.FAILED: 1}
        assert again == {Outcome.NEW: 1}
        assert it.held()[0].baseline  # it came with the first collection, whenever its page answered


async def test_a_page_counts_as_unread_once_the_last_try_has_failed(tmp_path, pool) -> None:
    """Passing faults say nothing of a source, until they do not pass."""
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/chips"] = 503
        for _ in range(40):
            await it.collect()
        with it.archive.read() as tx:
            pages = [(each.pages, each.read) for each in sources.state(tx, "small").yields]

        assert site.asked["/chips"] == 5
        assert pages == [(0, 0), (1, 0)]


async def test_a_page_that_is_gone_is_not_asked_for_again(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/chips"] = 404
        gone = await it.collect()
        site.items.append(COOKING)
        await it.collect()

        assert gone == {Outcome.GONE: 1}
        assert site.asked["/chips"] == 1


async def test_a_source_that_fails_is_left_alone_ever_longer_and_never_given_up(tmp_path, pool) -> None:
    async with small_site() as site, road(tmp_path, site, pool) as it:
        site.statuses["/feed"] = 500
        pauses = []
        for _ in range(8):
            await it.collect()
            with it.archive.read() as tx:
                pauses.append(sources.state(tx, "small").next_due - it.clock.now())

        assert it.result == Outcome.FAILED
        assert pauses[0] < pauses[1] < pauses[2] < pauses[3]
        assert max(pauses) <= timedelta(hours=24) * 1.05


async def test_a_run_cut_short_is_done_again_and_loses_nothing(tmp_path, database_url, pool, monkeypatch) -> None:
    async with small_site(CHIPS, MODEL) as site, road(tmp_path, site, pool, database_url) as it:
        real = articles.insert

        def dies_at_the_second(*args, **kwargs):
            if len(it.held()) == 1:
                raise StorageError("the disk is full")
            return real(*args, **kwargs)

        monkeypatch.setattr(articles, "insert", dies_at_the_second)
        with pytest.raises(StorageError):
            await it.collect()
        monkeypatch.setattr(articles, "insert", real)
        counts = await it.collect()

        assert counts[Outcome.NEW] == 1
        assert {article.title for article in it.held()} == {CHIPS.title, MODEL.title}
        assert all(article.baseline for article in it.held())


async def test_links_that_lead_nowhere_safe_are_refused_and_counted(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        bad = "<item><title>DeepSeek AI model news</title><link>{}</link><guid>{}</guid></item>"
        links = ("javascript:alert(1)", "file:///etc/passwd", "http://10.1.2.3/x", "http://169.254.169.254/latest")
        feed = site.rss().replace("</channel>", "".join(bad.format(link, link) for link in links) + "</channel>")
        site.bodies["/feed"] = feed
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1, Outcome.REFUSED: 4}


async def test_the_history_of_an_address_can_be_told(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, database_url) as it:
        await it.collect()
        with it.archive.read() as tx:
            record = addresses.of_article(tx, it.held()[0].id)[0]
            history = addresses.history(tx, record.id)
            raw = addresses.raw_pages(tx, record.id)

        assert [line.outcome for line in history] == [Outcome.NEW]
        assert it.collector._tools.raw.read(raw[0]).body.startswith(b"<html>")


async def test_pages_that_give_no_article_are_kept_apart_so_that_they_can_go_sooner(tmp_path, pool) -> None:
    """Off-topic by its text, and one that only says it is gone; each is named in the ledger and read from where it lies."""
    tempting = replace(COOKING, title=CHIPS.title)
    empty = replace(MODEL, slug="empty")
    async with small_site(CHIPS, tempting, empty) as site, road(tmp_path, site, pool) as it:
        site.feed_summary = CHIPS.text[:120]
        site.bodies["/soup"] = site.page(COOKING)
        site.bodies["/empty"] = "<html><title>Page not found</title><h1>404 Not Found</h1></html>"
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1, Outcome.OFF_TOPIC: 1, Outcome.GONE: 1}
        assert {slug: await where_is(it, site, slug) for slug in ("chips", "soup", "empty")} == {
            "chips": ("2026-01-20.warc.gz", True),
            "soup": ("2026-01-20.off-topic.warc.gz", True),
            "empty": ("2026-01-20.off-topic.warc.gz", True),
        }


async def where_is(it: Road, site: SmallSite, slug: str) -> tuple[str, bool]:
    """The file of a page, and whether it can be read from there."""
    with it.archive.read() as tx:
        record = addresses.look_up(tx, canonical_url(f"{site.base}/{slug}"))
        [location] = addresses.raw_pages(tx, record.id)
    page = it.collector._tools.raw.read(location)
    return location.file, page.url.endswith(slug)


async def test_a_feed_that_is_a_web_page_says_so(tmp_path, pool) -> None:
    async with small_site() as site, road(tmp_path, site, pool) as it:
        site.bodies["/feed"] = "<!doctype html><html><body><h1>Welcome</h1></body></html>"
        await it.collect()

        assert it.result == Outcome.UNREADABLE
        with it.archive.read() as tx:
            assert sources.state(tx, "small").last_error


async def test_a_stop_ends_a_collection_early_without_blaming_its_source(tmp_path, pool) -> None:
    async with small_site(CHIPS, MODEL) as site, road(tmp_path, site, pool) as it:
        await it.collector.stop()
        await it.collect()
        assert it.result == "interrupted"
        with it.archive.read() as tx:
            state = sources.state(tx, "small")
        assert state.failures == 0
        assert state.next_due <= it.clock.now()
        assert state.validators.body_hash == b""


async def test_a_stop_does_not_wait_for_a_feed_that_does_not_answer(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.silent.add("/feed")
        collecting = asyncio.create_task(it.collect())
        await site.was_asked.wait()
        await it.collector.stop()
        await collecting

        assert it.result == "interrupted"


VAGUE = replace(
    CHIPS,
    slug="vague",
    title="What the factory visit showed",
    published="Fri, 02 Jan 2026 08:00:00 +0000",
)


async def test_an_item_that_stands_twice_in_a_list_survives_a_run_cut_short(tmp_path, pool, monkeypatch) -> None:
    async with small_site(CHIPS, CHIPS) as site, road(tmp_path, site, pool) as it:
        real = articles.insert

        def refuses(*args, **kwargs):
            raise StorageError("the disk is full")

        monkeypatch.setattr(articles, "insert", refuses)
        with pytest.raises(StorageError):
            await it.collect()
        monkeypatch.setattr(articles, "insert", real)
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1, Outcome.DUPLICATE: 1}
        assert len(it.held()) == 1


async def test_a_page_tried_again_keeps_what_its_list_said_of_it(tmp_path, pool) -> None:
    async with small_site(VAGUE) as site, road(tmp_path, site, pool) as it:
        site.statuses["/vague"] = 503
        await it.collect()
        del site.statuses["/vague"]
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1}
        assert it.held()[0].published.at == datetime(2026, 1, 2, 8, 0, tzinfo=UTC)


async def test_of_a_refused_page_headline_and_summary_are_kept_and_it_is_said_why(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/chips"] = 403
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1}
        article = it.held()[0]
        assert (article.title, article.extent) == (CHIPS.title, "summary")
        assert "403" in article.extent_reason


async def test_a_refused_page_that_may_be_off_topic_is_asked_again_hours_later(tmp_path, pool) -> None:
    async with small_site(VAGUE) as site, road(tmp_path, site, pool, scope="research") as it:
        site.items[0] = replace(VAGUE, text="They showed it on Tuesday." + "\n" + CHIPS.text, published=CHIPS.published)
        site.feed_summary = "They showed it."
        site.statuses["/vague"] = 403
        blocked = await it.collect()
        await it.collect()
        assert (blocked, site.asked["/vague"]) == ({Outcome.BLOCKED: 1}, 1)
        del site.statuses["/vague"]
        it.clock.go(timedelta(hours=6))

        assert await it.collect() == {Outcome.NEW: 1}


async def test_a_failed_page_of_a_list_waits_for_its_next_try(tmp_path, pool) -> None:
    rules = {"kind": "listing", "url": "list", "listing": {"item": "li"}, "language": "en"}
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, **(rules | {"url": f"{site.base}/list"})) as it:
        site.bodies["/list"] = f"<ul><li><a href='{site.base}/chips'>{CHIPS.title}</a></li></ul>"
        site.statuses["/chips"] = 503
        asked = []
        for _ in range(8):
            it.clock.go(timedelta(minutes=-55))
            await it.collect()  # five minutes later
            asked.append(site.asked["/chips"])

        assert asked == [1, 1, 1, 2, 2, 2, 2, 2]


async def test_a_further_page_that_failed_is_read_later_and_still_belongs_to_the_baseline(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS, MODEL) as site:
        lists = {"listing": {"item": "li", "pages": (f"{site.base}/list2",)}, "kind": "listing", "url": f"{site.base}/list"}
        async with road(tmp_path, site, pool, database_url, **lists) as it:
            site.bodies["/list"] = f"<ul><li><a href='{site.base}/chips'>{CHIPS.title}</a></li></ul>"
            site.bodies["/list2"] = f"<ul><li><a href='{site.base}/model'>{MODEL.title}</a></li></ul>"
            site.statuses["/list2"] = 503
            first = await it.collect()
            del site.statuses["/list2"]
            second = await it.collect()

            assert first == {Outcome.NEW: 1, Outcome.FAILED: 1}
            assert second == {Outcome.NEW: 1, Outcome.UNCHANGED: 1}
            assert all(article.baseline for article in it.held())


async def test_an_item_moved_and_edited_under_its_guid_is_the_same_article(tmp_path, database_url, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool, database_url, text="feed") as it:
        await it.collect()
        site.items[0] = replace(CHIPS, slug="moved", guid="chips", text="The chip was shown again. " * 9)
        counts = await it.collect()

        assert Outcome.NEW not in counts
        assert len(it.held()) == 1


async def test_the_address_a_link_led_to_is_known_as_the_same_article(tmp_path, database_url, pool) -> None:
    async with small_site(replace(CHIPS, slug="go")) as site, road(tmp_path, site, pool, database_url) as it:
        site.redirects["/go"] = "/chips"
        site.bodies["/chips"] = site.page(CHIPS)
        await it.collect()
        site.items.append(replace(CHIPS, title="Ascend accelerator of Huawei: what is known"))
        counts = await it.collect()

        assert counts == {Outcome.UNCHANGED: 2}
        assert len(it.held()) == 1


async def test_a_column_that_returns_under_its_title_and_guid_the_next_day_is_not_lost(tmp_path, pool) -> None:
    daily = replace(CHIPS, title="China AI daily", guid="the-daily")
    async with small_site(daily) as site, road(tmp_path, site, pool) as it:
        await it.collect()
        it.clock.go(timedelta(hours=24))
        tomorrow = "Wed, 21 Jan 2026 09:00:00 +0000"
        site.items[0] = replace(daily, slug="daily-2", text=MODEL.text, published=tomorrow)
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1}


async def test_what_one_source_found_off_topic_another_may_judge_anew(tmp_path, database_url, pool) -> None:
    late = "\nArtificial intelligence has changed how lawyers work, says a partner of the firm." * 3
    item = Item("law", "How lawyers work now", "Lawyers read contracts faster than before." + late)
    async with small_site(item) as site, road(tmp_path, site, pool, database_url) as it:
        assert await it.collect() == {Outcome.OFF_TOPIC: 1}
        narrow = it.source.model_copy(update={"key": "narrow", "scope": "research"})
        with it.archive.write() as tx:
            sources.ensure(tx, ["narrow"], START)
        it.source = narrow
        await it.collect()

        assert site.asked["/law"] == 2  # read again for the one of whom less is asked


async def test_a_bug_that_one_article_meets_ends_that_article_alone(tmp_path, pool, monkeypatch) -> None:
    async with small_site(CHIPS, MODEL) as site, road(tmp_path, site, pool) as it:
        real = articles.insert

        def stumbles(tx, draft, *args, **kwargs):
            if draft.title == CHIPS.title:
                raise KeyError("a bug")
            return real(tx, draft, *args, **kwargs)

        monkeypatch.setattr(articles, "insert", stumbles)
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1, Outcome.UNREADABLE: 1}
        assert it.result == "ok"


async def test_trouble_with_the_disk_is_no_fault_of_the_source_and_does_not_hammer_it(tmp_path, pool, monkeypatch) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:

        def full(document, shelf):
            raise StorageError("no space left on the device")

        monkeypatch.setattr(it.collector._tools.raw, "append", full)
        with pytest.raises(StorageError):
            await it.collect()
        with it.archive.read() as tx:
            state = sources.state(tx, "small")

        assert state.failures == 0
        assert state.next_due > it.clock.now() + timedelta(minutes=5)


async def test_an_item_moved_while_its_page_failed_is_not_lost(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/chips"] = 503
        await it.collect()
        site.items[0] = replace(CHIPS, slug="chips-moved", guid="chips")
        counts = await it.collect()

        assert counts[Outcome.NEW] == 1


async def test_a_held_page_that_failed_once_and_is_as_before_is_left_alone_again(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        await it.collect()
        site.items[0] = replace(CHIPS, title=CHIPS.title + " today")
        site.bodies["/chips"] = site.page(CHIPS)
        site.statuses["/chips"] = 503
        await it.collect()
        del site.statuses["/chips"]
        for _ in range(4):
            await it.collect()

        assert site.asked["/chips"] == 3  # the first time, the failure, and one more try


async def test_a_refused_page_wakes_up_when_its_list_says_something_new(tmp_path, pool) -> None:
    async with small_site(VAGUE) as site, road(tmp_path, site, pool, scope="research") as it:
        site.feed_summary = "They showed it."
        site.items[0] = replace(VAGUE, published=CHIPS.published)
        site.statuses["/vague"] = 403
        await it.collect()
        site.feed_summary = ""
        site.items[0] = replace(CHIPS, slug="vague", guid="vague")
        await it.collect()
        it.clock.go(timedelta(hours=6))
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1}
        assert it.held()[0].title == CHIPS.title


async def test_a_headline_kept_of_a_refused_page_follows_its_list(tmp_path, pool) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/chips"] = 403
        await it.collect()
        site.items[0] = replace(CHIPS, title="Huawei shows, and prices, a new Ascend AI chip")
        counts = await it.collect()

        assert counts == {Outcome.UPDATED: 1}


async def test_a_bug_in_screening_one_entry_leaves_the_others(tmp_path, pool, monkeypatch) -> None:
    async with small_site(CHIPS, MODEL) as site, road(tmp_path, site, pool) as it:
        real = it.collector._tools.pool.run

        async def stumbles(function, *args):
            if function.__name__ == "screen" and any(entry.title == CHIPS.title for entry in args[0]):
                raise RuntimeError("a bug")
            return await real(function, *args)

        monkeypatch.setattr(it.collector._tools.pool, "run", stumbles)
        counts = await it.collect()

        assert counts == {Outcome.NEW: 2}


async def test_two_links_to_one_page_are_one_article_and_a_duplicate(tmp_path, pool) -> None:
    async with small_site(replace(CHIPS, slug="one"), replace(CHIPS, slug="two")) as site, road(tmp_path, site, pool) as it:
        site.redirects |= {"/one": "/chips", "/two": "/chips"}
        site.bodies["/chips"] = site.page(CHIPS)
        counts = await it.collect()

        assert counts == {Outcome.NEW: 1, Outcome.DUPLICATE: 1}


async def test_a_list_that_failed_while_the_archive_refused_to_hear_of_it_is_no_fault_of_its_source(tmp_path, pool, monkeypatch) -> None:
    async def refuse(*_):
        raise StorageError("locked")

    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/feed"] = 500
        monkeypatch.setattr(it.collector._dispatch, "failed", refuse)
        with pytest.raises(StorageError):
            await it.collect()
        with it.archive.read() as tx:
            state, run = sources.state(tx, "small"), sources.last_runs(tx, "small", 1)[0]

        assert (state.failures, run.result) == (0, "interrupted")
        assert state.next_due - it.clock.now() < timedelta(minutes=11)


async def test_a_run_whose_end_was_kept_and_not_confirmed_is_ended_once(tmp_path, pool, monkeypatch) -> None:
    monkeypatch.setattr("crawler.collect.END_PAUSES", (timedelta(), timedelta()))
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        site.statuses["/feed"] = 500
        writing, lost = it.archive.writing, [True, False]

        async def without_answer(work):
            result = await writing(work)
            if work.__qualname__.startswith("Collector._finish") and lost.pop(0):
                raise StorageError("the line broke")
            return result

        monkeypatch.setattr(it.archive, "writing", without_answer)
        await it.collect()
        with it.archive.read() as tx:
            assert sources.state(tx, "small").failures == 1
        assert lost == []


async def test_what_is_owed_to_the_archive_is_written_before_anything_is_due_again(tmp_path, pool, monkeypatch) -> None:
    monkeypatch.setattr("crawler.collect.END_PAUSES", (timedelta(), timedelta()))
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        writing, refused = it.archive.writing, []

        async def refuse(work):
            if work.__qualname__.startswith("Collector._finish") and len(refused) < 3:
                refused.append(work)
                raise StorageError("locked")
            return await writing(work)

        monkeypatch.setattr(it.archive, "writing", refuse)
        with pytest.raises(StorageError):
            await it.collect()

        assert await it.collector.due([it.source], 10) == []
        with it.archive.read() as tx:
            assert sources.last_runs(tx, "small", 5)[0].result == "ok"


async def test_several_who_pay_what_is_owed_pay_each_end_once_and_a_reload_leaves_none(tmp_path, pool, monkeypatch) -> None:
    async with small_site(CHIPS) as site, road(tmp_path, site, pool) as it:
        paid: list[str] = []
        it.collector._owed.extend([lambda _: paid.append("one"), lambda _: paid.append("two")])

        await asyncio.gather(it.collector.due([], 1), it.collector.due([], 1), it.collector.due([], 1))
        it.collector._owed.append(lambda _: paid.append("three"))
        await it.collector.settle()

    assert paid == ["one", "two", "three"]
