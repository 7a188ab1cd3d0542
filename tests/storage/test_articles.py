"""An article comes out of the archive as it went in; changing it keeps what it said, and announces nothing anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core.article import StoryFacts, TextExtent
from core.errors import NotFoundError
from core.language import Language
from storage import articles
from storage.archive import Archive
from storage.schema import article
from tests.builders import NOW, draft, judgement, keep, published
from tests.databases import only

HOUR = timedelta(hours=1)


def test_an_article_comes_out_as_it_went_in(archive: Archive) -> None:
    """Every field, Chinese and emoji and all."""
    made = draft(
        "华为发布昇腾芯片 🚀",
        "第一段。\n第二段，带有'引号'。",
        summary="摘要",
        language=Language.ZH_HANS,
        extent=TextExtent.PARTIAL,
        extent_reason="a paywall",
        published=published(NOW - HOUR),
        authors=("王小明", "Li Na"),
        credit="新华社",
    )
    with archive.write() as tx:
        number = articles.insert(
            tx,
            made,
            judgement(mentions=["huawei", "ascend"]),
            source="caixin",
            outlet="财新",
            canonical_url="https://caixin.test/a",
            discovered=NOW,
            watchlist_version="7",
            baseline=True,
        )
    with archive.read() as tx:
        kept = articles.get(tx, number)

    for field in ("url", "title", "text", "summary", "language", "extent", "extent_reason", "published", "authors", "credit"):
        assert getattr(kept, field) == getattr(made, field), field
    assert (kept.source, kept.outlet, kept.canonical_url, kept.baseline) == ("caixin", "财新", "https://caixin.test/a", True)
    assert kept.mentions == {"huawei", "ascend"}
    assert kept.reasons == ("names DeepSeek",)
    assert (kept.discovered, kept.at) == (NOW, NOW - HOUR)
    assert kept.story == StoryFacts(kept.story_id, 1, frozenset({"zh"}), "zh")


def test_an_unknown_date_stays_unknown(archive: Archive) -> None:
    with archive.write() as tx:
        number = articles.insert(
            tx,
            draft(),
            judgement(),
            source="a",
            outlet="A",
            canonical_url="https://a.test/",
            discovered=NOW,
            watchlist_version="1",
        )
        kept = articles.get(tx, number)

    assert (kept.published, kept.at) == (None, NOW)


def test_a_canonical_url_holds_one_article(archive: Archive) -> None:
    with archive.write() as tx:
        keep(tx, "Huawei")
    with pytest.raises(IntegrityError), archive.write() as tx:
        keep(tx, "Huawei")


def test_many_come_in_the_order_asked_for_without_those_not_held(archive: Archive) -> None:
    with archive.write() as tx:
        first, second = keep(tx, "one"), keep(tx, "two")
        assert [each.id for each in articles.get_many(tx, [second, 99, first])] == [second, first]
        assert articles.get_many(tx, []) == []
        with pytest.raises(NotFoundError, match="99"):
            articles.get(tx, 99)


def test_an_article_is_found_by_its_canonical_url(archive: Archive) -> None:
    with archive.write() as tx:
        number = keep(tx, "one")
        kept = articles.get(tx, number)
        assert articles.by_canonical_url(tx, kept.canonical_url) == kept
        assert articles.by_canonical_url(tx, "https://nowhere.test/") is None


def test_the_newest_are_newest_by_publication_not_by_arrival(archive: Archive) -> None:
    """And those of one second keep the order they came in."""
    with archive.write() as tx:
        late, early = keep(tx, "late", at=NOW), keep(tx, "early", at=NOW - HOUR)
        same = keep(tx, "same second", at=NOW)
        assert [each.id for each in articles.newest(tx, 10)] == [same, late, early]
        assert articles.count(tx) == 3


def test_a_story_counts_outlets_and_presses_and_knows_who_was_first(archive: Archive) -> None:
    with archive.write() as tx:
        first = keep(tx, "芯片", at=NOW - HOUR, outlet="财新", language=Language.ZH_HANS, source="caixin")
        story_id = articles.get(tx, first).story_id
        keep(tx, "chip", at=NOW, outlet="Reuters", story_id=story_id)
        keep(tx, "晶片", at=NOW, outlet="財訊", language=Language.ZH_HANT, story_id=story_id)
        keep(tx, "chip again", at=NOW, outlet="Reuters", story_id=story_id)
        facts = articles.get(tx, first).story
        told = [each.title for each in articles.of_story(tx, story_id)]

    assert facts == StoryFacts(story_id, outlets=3, presses=frozenset({"zh", "en"}), first_press="zh")
    assert told == ["芯片", "chip", "晶片", "chip again"]


def test_an_update_keeps_what_the_article_said(archive: Archive) -> None:
    with archive.write() as tx:
        number = keep(tx, "Huawei says", "first words", mentions=["huawei"])
        before = articles.get(tx, number)
        changed = draft("Huawei says more", "other words", authors=("Li Na",))
        articles.update(tx, number, changed, judgement("x", mentions=["smic"]), now=NOW + HOUR, watchlist_version="2")
        after = articles.get(tx, number)

        (version,) = articles.versions(tx, number)
    assert (version.title, version.text, version.until) == ("Huawei says", "first words", NOW + HOUR)
    assert (after.title, after.text, after.authors, after.mentions) == (
        "Huawei says more",
        "other words",
        ("Li Na",),
        {"smic"},
    )
    assert (after.id, after.story_id, after.discovered) == (before.id, before.story_id, before.discovered)
    assert (after.published, after.updated) == (before.published, NOW + HOUR)


def test_an_update_leaves_the_alerts_mark(archive: Archive) -> None:
    """Marked stays marked: nothing is announced twice. Unmatched stays unmatched: nothing is lost."""
    with archive.write() as tx:
        marked, waiting = keep(tx, "one"), keep(tx, "two")
        articles.mark_matched(tx, [marked])
        for number in (marked, waiting):
            articles.update(tx, number, draft("changed"), judgement(), now=NOW, watchlist_version="1")
        assert [each.id for each in articles.unmatched(tx, 10)] == [waiting]


def test_updating_what_is_not_there_is_told(archive: Archive) -> None:
    with pytest.raises(NotFoundError), archive.write() as tx:
        articles.update(tx, 5, draft(), judgement(), now=NOW, watchlist_version="1")


def test_no_index_row_is_given_out_twice(archive: Archive) -> None:
    """Not even one that a changed date left behind: the index may hold old words under it."""
    given = []
    with archive.write() as tx:
        for round_ in range(4):
            number = keep(tx, f"article {round_}", at=NOW)
            given.append(tx.connection.scalar(select(article.c.index_row).where(article.c.id == number)))
            moved = draft("moved", str(round_), published=published(NOW - (round_ % 2) * HOUR))
            articles.update(tx, number, moved, judgement(), now=NOW, watchlist_version="1")
            given.append(tx.connection.scalar(select(article.c.index_row).where(article.c.id == number)))

    assert len(set(given)) == len(given)


def test_unmatched_come_in_the_order_kept_whatever_their_dates(archive: Archive) -> None:
    with archive.write() as tx:
        numbers = [keep(tx, str(hours), at=NOW - hours * HOUR) for hours in (1, 3, 2)]
        assert [each.id for each in articles.unmatched(tx, 2)] == numbers[:2]
        articles.mark_matched(tx, numbers)
        assert articles.unmatched(tx, 2) == []


@only("sqlite")
def test_unmatched_is_answered_by_its_own_index(archive: Archive) -> None:
    """A million marked articles cost nothing."""
    statement = select(article.c.id).where(~article.c.matched).order_by(article.c.id)
    with archive.read() as tx:
        sql = str(statement.compile(tx.connection.engine, compile_kwargs={"literal_binds": True}))
        plan = tx.connection.exec_driver_sql("EXPLAIN QUERY PLAN " + sql).all()

    assert "article_unmatched" in plan[0][3]


def test_mentions_are_recomputed_until_none_are_of_another_watchlist(archive: Archive) -> None:
    with archive.write() as tx:
        numbers = [keep(tx, str(number), mentions=["huawei"]) for number in range(3)]
        assert articles.stale_mentions(tx, "1", 10) == []
        assert [each.id for each in articles.stale_mentions(tx, "2", 2)] == numbers[:2]
        for each in articles.stale_mentions(tx, "2", 10):
            articles.set_mentions(tx, each.id, {"smic"} if each.id == numbers[0] else (), "2")
        assert articles.stale_mentions(tx, "2", 10) == []
        assert [each.mentions for each in articles.get_many(tx, numbers)] == [{"smic"}, frozenset(), frozenset()]
