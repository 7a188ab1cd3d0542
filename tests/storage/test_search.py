"""Search finds exactly what the matcher says, newest first, page by page, and counts without looking where it can."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.errors import QueryError
from core.language import Language
from lexicon.matcher import matches
from lexicon.query import Query, parse
from lexicon.subject import Subject
from lexicon.watchlist import parse_watchlist
from storage import articles
from storage.archive import Archive, Transaction
from storage.search import count, iterate, reindex, search
from storage.search import searching as paging
from storage.search.compiling import compile_query
from tests.builders import NOW, draft, judgement, keep, published
from tests.databases import KINDS, fresh_url

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

WATCHLIST = parse_watchlist(
    """
topics:
  chips: {en: Chips, zh: 芯片}
groups:
  makers: {about: "who makes chips", members: [huawei, smic]}
entities:
  - {id: huawei, kind: company, origin: CN, en: [Huawei], zh_hans: [华为], topics: [chips]}
  - {id: smic, kind: company, origin: CN, en: [SMIC], zh_hans: [中芯国际], topics: [chips]}
  - {id: deepseek, kind: lab, origin: CN, en: [DeepSeek], zh_hans: [深度求索]}
"""
)


def _query(text: str) -> Query:
    return parse(text, WATCHLIST)


def _ids(tx: Transaction, text: str, **how: object) -> list[int]:
    return [each.id for each in search(tx, _query(text), NOW, **how).articles]


# -- the law ---------------------------------------------------------------------------------------------------------

_WORDS = [
    "华为",
    "芯片",
    "晶片",
    "人工智能",
    "智能",
    "人",
    "网络",
    "AI",
    "chip",
    "chips",
    "GLM-5",
    "GLM5",
    "C++",
    "Ｈuawei",
    "出口",
    "don't",
]
_NAMES = ["王小明", "小明 Li", "Li Na", "Anna Li"]
_SOURCES = [("caixin", "财新网"), ("reuters", "Reuters"), ("scmp", "South China Post"), ("reuters", "財新網")]


def _fill(archive: Archive, seed: int, size: int) -> None:
    """Articles made of few words, so that most queries find some of them and miss others."""
    rng = random.Random(seed)

    def words(most: int) -> str:
        return "".join(rng.choice(_WORDS) + rng.choice(["", " ", "，", "-", "。\n"]) for _ in range(rng.randint(0, most)))

    stories: list[int] = []
    with archive.write() as tx:
        for number in range(size):
            source, outlet = rng.choice(_SOURCES)
            kept = keep(
                tx,
                words(3),
                rng.choice([words(12), ""]),
                summary=words(4),
                url=f"https://news.test/{number}",
                at=NOW - rng.randrange(12) * HOUR * 12 + rng.choice([0, 300, 700]) * timedelta(milliseconds=1),
                source=source,
                outlet=outlet,
                language=rng.choice(list(Language)),
                mentions=rng.sample(["huawei", "smic", "deepseek"], rng.randrange(3)),
                authors=tuple(rng.sample(_NAMES, rng.randrange(3))),
                story_id=rng.choice([None, *stories[-3:]]),
            )
            stories.append(articles.get(tx, kept).story_id)
            if rng.random() < 0.2:
                changed = draft(words(3), words(12), url=f"https://news.test/{number}")
                articles.update(tx, kept, changed, judgement(), now=NOW, watchlist_version="1")


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """A hundred articles, in each database; nothing writes to them."""
    with ExitStack() as stack:
        url = fresh_url(request.param, tmp_path_factory.mktemp("archive"), stack)
        archive = stack.enter_context(Archive.open(url, NOW))
        _fill(archive, seed=1, size=100)
        yield archive


@pytest.fixture(scope="module")
def subjects(filled: Archive) -> dict[int, Subject]:
    """All of them as the matcher sees them, newest first, by id."""
    with filled.read() as tx:
        return {each.id: Subject.of_article(each) for each in articles.newest(tx, 1000)}


_leaf = st.one_of(
    st.sampled_from(_WORDS),
    st.sampled_from(_WORDS).map(lambda word: f'"{word}"'),
    st.tuples(st.sampled_from(_WORDS), st.sampled_from(_WORDS)).map(lambda pair: f'"{pair[0]} {pair[1]}"'),
    st.sampled_from(["华", "片", "能", "chi*", "智*", "人工*", "glm 5", "+"]),
    st.sampled_from(["title:芯片", "title:(chip OR AI)", 'title:"人工智能"', "@huawei", "@makers", "topic:chips"]),
    st.sampled_from(
        ["source:reuters", "source:财新网", "source:財新網", "source:nobody", 'by:"Li Na"', 'by:"Li Li"', "by:小明", "by:li"]
    ),
    st.sampled_from(["lang:zh", "lang:en", "lang:zh-Hant", "lang:other", "story:zh-only", "story:en-only", "story:both"]),
    st.sampled_from(["first:zh", "first:en", "outlets:>=2", "outlets:1", "outlets:<1", "outlets:2", "outlets:<=3"]),
    st.sampled_from(["since:2d", "since:36h", "since:900w", "after:2026-11-20", "after:2026-11-19T20:00"]),
    st.sampled_from(
        ["before:2026-11-20", "before:2026-11-19T20:00", "before:2026-11-19T20:00:00.4", "after:2026-11-19T20:00:00.6"]
    ),
)
_near = st.builds("{} NEAR/{} {}".format, st.sampled_from(_WORDS), st.integers(1, 6), st.sampled_from(_WORDS))
_queries = st.recursive(
    st.one_of(_leaf, _near.map(lambda near: f"({near})")),
    lambda inner: st.one_of(
        st.builds("({} {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("({} -{})".format, inner, inner),
        inner.map(lambda part: f"NOT {part}"),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(_queries)
@example('by:"Li Li"')  # two authors, one after the other
@example("before:2026-11-19T20:00:00.4")  # within a second that holds articles
@example("after:2026-11-19T20:00")  # at the very moment of one
def test_search_finds_what_the_matcher_says(filled: Archive, subjects: dict[int, Subject], text: str) -> None:
    """In the same order, all of it, and its count is exact where it is given."""
    try:
        query = _query(text)
    except QueryError:
        return
    meant = [number for number, subject in subjects.items() if matches(query, subject, NOW)]
    with filled.read() as tx:
        result = search(tx, query, NOW, limit=1000)

        assert [each.id for each in result.articles] == meant
        assert [each.id for each in iterate(tx, query, NOW)] == meant
        assert result.total == len(meant)
        assert result.complete
        assert result.cursor is None
        assert count(tx, query, NOW) in {None, len(meant)}
        assert {each.id for each in search(tx, query, NOW, limit=1000, order="relevance").articles} == set(meant)


@settings(max_examples=40, deadline=None)
@given(_queries, st.integers(7, 60), st.sampled_from(["newest", "relevance"]))
def test_pages_put_together_are_the_whole(filled: Archive, text: str, limit: int, order: str) -> None:
    """No article twice, none left out, in one order; every page but the last is full."""
    try:
        query = _query(text)
    except QueryError:
        return
    with filled.read() as tx:
        whole = [each.id for each in search(tx, query, NOW, limit=1000, order=order).articles]
        pages, cursor = [], None
        while True:
            page = search(tx, query, NOW, limit=limit, order=order, before_cursor=cursor)
            pages.append([each.id for each in page.articles])
            cursor = page.cursor
            if cursor is None:
                break

    assert [each for page in pages for each in page] == whole
    assert all(len(page) == limit for page in pages[:-1])


def test_the_law_holds_after_the_index_is_built_anew(archive: Archive) -> None:
    """And texts that were replaced are gone from it."""
    _fill(archive, seed=2, size=60)
    texts = ["芯片", "华为 OR chip", "by:li", '"人工智能" -AI', "source:财新网"]
    with archive.write() as tx:
        before = [_ids(tx, text, limit=100) for text in texts]
        assert reindex(tx) == 60
        assert [_ids(tx, text, limit=100) for text in texts] == before
        postgres = tx.connection.dialect.name == "postgresql"
        table = "article_index" if postgres else "article_index_docsize"
        rows = tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    assert rows == 60


# -- single claims ---------------------------------------------------------------------------------------------------


def test_a_changed_text_is_found_by_its_new_words_alone(archive: Archive) -> None:
    with archive.write() as tx:
        number = keep(tx, "first words", "of the old text")
        articles.update(tx, number, draft("other title", "new text"), judgement(), now=NOW, watchlist_version="1")

        assert _ids(tx, "words OR old") == []
        assert _ids(tx, "other new") == [number]
        assert count(tx, _query("words OR old"), NOW) == 0


def test_an_article_that_takes_a_second_left_behind_is_not_found_by_its_former_words(archive: Archive) -> None:
    """The index keeps the old words of a row for ever; the row is never given out again."""
    with archive.write() as tx:
        first = keep(tx, "ghost", at=NOW)
        moved = draft("moved", published=published(NOW - DAY))
        articles.update(tx, first, moved, judgement(), now=NOW, watchlist_version="1")
        keep(tx, "second", at=NOW)

        assert _ids(tx, "ghost") == []


def test_the_newest_come_first_whatever_order_they_came_in(archive: Archive) -> None:
    with archive.write() as tx:
        numbers = {hours: keep(tx, f"chip {hours}", at=NOW - hours * HOUR) for hours in (5, 1, 3)}
        assert _ids(tx, "chip") == [numbers[1], numbers[3], numbers[5]]


def test_relevance_puts_the_title_before_a_passing_word(archive: Archive) -> None:
    with archive.write() as tx:
        about = keep(tx, "Export controls on chips", "The export controls were told. " * 3, at=NOW - 10 * DAY)
        passing = keep(tx, "Markets", "Many things happened, " * 50 + "and controls on export too", at=NOW)
        assert _ids(tx, "export controls", order="relevance") == [about, passing]
        assert _ids(tx, "export controls") == [passing, about]


def test_relevance_without_words_is_newest_first(archive: Archive) -> None:
    with archive.write() as tx:
        old, new = keep(tx, "a", at=NOW - DAY), keep(tx, "b", at=NOW)
        assert _ids(tx, "lang:en", order="relevance") == [new, old]


def test_a_query_the_index_cannot_tell_stops_at_its_bound_and_goes_on(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may come back short with `complete` False; its cursor leads on, and nothing is lost or found twice."""
    monkeypatch.setattr(paging, "MOST_LOOKED_AT", 10)
    with archive.write() as tx:
        far = "chip" + " other" * 50 + " export"
        wanted = [keep(tx, f"{n}", "chip export" if n % 20 == 0 else far, at=NOW - n * HOUR) for n in range(60)][::20]
        query, cursor, found, short = _query("chip NEAR/3 export"), None, [], 0
        assert count(tx, query, NOW) is None
        while True:
            page = search(tx, query, NOW, limit=2, before_cursor=cursor)
            assert page.total is None
            found += [each.id for each in page.articles]
            short += not page.complete
            cursor = page.cursor
            if cursor is None:
                break

    assert found == wanted
    assert short == 5


def test_a_query_that_finds_nothing_says_so(archive: Archive) -> None:
    with archive.write() as tx:
        keep(tx, "chip")
        result = search(tx, _query("nothing"), NOW)

    assert (result.articles, result.total, result.complete, result.cursor) == ((), 0, True, None)


def test_a_cursor_that_is_none_is_refused(archive: Archive) -> None:
    with archive.read() as tx, pytest.raises(ValueError, match="cursor"):
        search(tx, _query("chip"), NOW, before_cursor="'; DROP TABLE article")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 15 + "chip" + " OR a)" * 15,
        " OR ".join(f"word{n}" for n in range(63)) + " OR chip",
        " ".join(f"-word{n}" for n in range(60)) + " chip",
        f"({' OR '.join(f'a{n}' for n in range(30))}) NEAR/9 ({' OR '.join(f'b{n}' for n in range(30))})",
        "after:0001 before:9999-12-31T23:59:59 chip",
        '"' + "芯片" * 400 + '" OR chip',
    ],
)
def test_the_largest_queries_are_answered(archive: Archive, text: str) -> None:
    """None meets a limit of the database's own."""
    with archive.write() as tx:
        keep(tx, "chip", "a1 b1")
        assert len(_ids(tx, text)) == 1


@pytest.mark.parametrize("text", ["chip", "chip lang:zh", "chip -huawei since:7d", "chip @huawei", "lang:zh", "NOT chip"])
@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_the_newest_are_walked_to_and_not_sorted(filled: Archive, text: str) -> None:
    """SQLite walks an index backwards and stops; the time does not grow with the archive."""
    with filled.read() as tx:
        compiled = compile_query(tx.index, _query(text), NOW)
        statement = compiled.of(select(compiled.row)).order_by(compiled.row.desc()).limit(20)
        sql = statement.compile(tx.connection.engine, compile_kwargs={"literal_binds": True})
        plan = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}").all()

    steps = [line[3] for line in plan]
    assert not [step for step in steps if "TEMP B-TREE" in step]
    assert steps[0].startswith(("SCAN article_index VIRTUAL TABLE", "SCAN article USING"))
    assert not [step for step in steps if "index_row=? AND" in step]  # a list gone through once for each article found
