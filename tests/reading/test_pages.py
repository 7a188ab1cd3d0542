"""A page becomes a draft with its text, title, date, people and source; a gate is told apart from an article."""

from datetime import UTC, datetime

import pytest

from core.article import DateOrigin, Entry, Precision, Published, TextExtent
from core.document import DocumentKind
from core.errors import ReadingError
from core.language import Language
from core.outcomes import Outcome
from crawler.reading.pages import draft_from_entry, read_page
from tests.reading.documents import NOW, document, source
from tests.reading.page_texts import ENGLISH_PAGE, PARAGRAPHS, chinese_page

URL = "https://news.example.com/a/1.html"


def read(markup, url=URL, entry=None, content_type="text/html; charset=utf-8", **changes):
    page = document(markup, url, content_type, DocumentKind.PAGE)
    return read_page(page, entry or Entry(url), source(**changes), NOW)


def test_a_chinese_page_gives_its_text_and_nothing_around_it():
    draft = read(chinese_page())

    assert draft.text == "\n".join(PARAGRAPHS)
    assert draft.title == "人形机器人进入三家工厂试用"
    assert draft.language is Language.ZH_HANS
    assert draft.extent is TextExtent.FULL
    assert draft.credit == "东岸日报"
    assert draft.published == Published(datetime(2026, 11, 23, 1, 5, tzinfo=UTC), Precision.MINUTE, DateOrigin.PAGE, "Asia/Shanghai", zone_stated=False)


def test_a_gb18030_page_reads_like_a_utf8_one():
    markup = chinese_page().replace('charset="utf-8"', 'charset="gb2312"')

    assert read(markup.encode("gb18030"), content_type="text/html").text == read(chinese_page()).text


def test_an_english_page_is_read_through_its_json_ld():
    draft = read(ENGLISH_PAGE, language="en")

    assert draft.title == "Harbour lab opens its speech model"
    assert draft.authors == ("Ann Example", "Bo Sample")
    assert draft.published.at == datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
    assert (draft.published.origin, draft.published.zone) == (DateOrigin.JSON_LD, "-05:00")
    assert draft.canonical_link == "https://news.example.com/2026/11/harbour-lab"
    assert draft.language is Language.EN
    assert draft.credit == "Xinhua"
    assert draft.text.startswith("A small laboratory by the sea")


def test_a_canonical_link_to_another_site_or_the_front_page_is_not_believed():
    for link in ("https://elsewhere.test/2026/11/harbour-lab", "https://news.example.com/"):
        assert read(ENGLISH_PAGE.replace("https://news.example.com/2026/11/harbour-lab", link)).canonical_link == ""


def test_the_wire_a_text_opens_with_is_its_credit_and_leaves_the_text():
    text = ["据新华社江南11月23日电（记者某乙）" + PARAGRAPHS[0], *PARAGRAPHS[1:]]
    draft = read(chinese_page(text))

    assert draft.credit == "新华社"
    assert draft.text == "\n".join(PARAGRAPHS)


@pytest.mark.parametrize(
    ("head", "info", "url", "entry", "origin", "precision"),
    [
        ('<meta name="PubDate" content="2026-11-23 09:05:00">', "", URL, None, DateOrigin.META, Precision.SECOND),
        ("", "发布时间：2026-11-23", "https://news.example.com/2026/11/23/x.html", None, DateOrigin.PAGE, Precision.DAY),
        ("", "", "https://news.example.com/2026/11/23/x.html", None, DateOrigin.URL, Precision.DAY),
        ("", "", URL, Published(datetime(2026, 11, 23, 1, 5, 9, tzinfo=UTC), Precision.SECOND, DateOrigin.FEED, "+08:00", zone_stated=True),
         DateOrigin.FEED, Precision.SECOND),
        ('<meta name="PubDate" content="2026-11-23">', "2026-11-23 09:05", URL, None, DateOrigin.PAGE, Precision.MINUTE),
        ("", '<span class="time">昨天 09:05</span>', URL, None, DateOrigin.PAGE, Precision.MINUTE),
    ],
)  # fmt: skip
def test_the_date_comes_from_the_most_trusted_place_and_the_most_exact_that_agrees(head, info, url, entry, origin, precision):
    draft = read(chinese_page(head=head, info=info), url=url, entry=Entry(url, published=entry))

    assert draft.published.at.date().isoformat() in {"2026-11-22", "2026-11-23"}
    assert (draft.published.origin, draft.published.precision) == (origin, precision)


def test_no_date_is_invented():
    assert read(chinese_page(info="")).published is None


def test_a_date_of_the_future_on_a_page_is_not_the_articles():
    assert read(chinese_page(info="大会将于2027年3月1日开幕")).published is None


def test_a_sources_own_selectors_go_first():
    rules = {"text": ".content p", "title": ".info", "credit": ".main h1", "remove": ".content p:last-child"}
    draft = read(chinese_page(info="另一个标题"), page=rules)

    assert (draft.title, draft.credit) == ("另一个标题", "人形机器人进入三家工厂试用")
    assert draft.text == "\n".join(PARAGRAPHS)


@pytest.mark.parametrize(
    ("markup", "outcome"),
    [
        ("<html><head><title>Just a moment...</title></head><body><div id='cf-browser-verification'></div></body></html>", Outcome.BLOCKED),
        ("<html><head><title>安全验证</title></head><body><p>请完成验证后继续访问</p></body></html>", Outcome.BLOCKED),
        ("<html><head><title>某站</title></head><body><p>请先登录后查看全文内容</p></body></html>", Outcome.BLOCKED),
        ("<html><head><title>404 Not Found</title></head><body><h1>404</h1></body></html>", Outcome.GONE),
        ("<html><head><title>某站</title></head><body><p>抱歉，您访问的页面不存在</p></body></html>", Outcome.GONE),
        ("<html><head><title>数据服务</title></head><body><p>共 0 条</p></body></html>", Outcome.UNREADABLE),
        ("<html><body></body></html>", Outcome.UNREADABLE),
        ("", Outcome.UNREADABLE),
        ("   ", Outcome.UNREADABLE),
        (b"%PDF-1.7 ...", Outcome.UNREADABLE),
        (b"\xff\xd8\xff\xe0 JFIF", Outcome.UNREADABLE),
    ],
)
def test_a_page_that_is_no_article_ends_in_a_named_outcome_with_a_reason(markup, outcome):
    with pytest.raises(ReadingError) as caught:
        read(markup)

    assert caught.value.outcome is outcome
    assert len(caught.value.reason) > 10


def test_a_long_article_on_captchas_is_an_article():
    text = [f"{paragraph}许多网站用验证码，页面上写着请完成验证或者页面不存在。" for paragraph in PARAGRAPHS * 12]

    assert read(chinese_page(text)).extent is TextExtent.FULL


def test_a_media_type_that_is_no_page_is_refused():
    with pytest.raises(ReadingError, match="video/mp4"):
        read("x", content_type="video/mp4")


@pytest.mark.parametrize(
    ("paragraphs", "entry", "extent", "reason"),
    [
        ([*PARAGRAPHS[:2], "其余部分是这样开始的……[…]"], Entry(URL), TextExtent.PARTIAL, "breaks off"),
        ([*PARAGRAPHS[:2], "付费阅读全文"], Entry(URL), TextExtent.PARTIAL, "subscription"),
        (PARAGRAPHS[:1], Entry(URL, summary="".join(PARAGRAPHS)), TextExtent.PARTIAL, "shorter"),
        ([], Entry(URL, summary=PARAGRAPHS[0]), TextExtent.SUMMARY, "summary"),
        (PARAGRAPHS[:1], Entry(URL, content="\n".join(PARAGRAPHS * 2)), TextExtent.FULL, "feed carries more"),
    ],
)
def test_how_much_of_the_text_is_held_and_why(paragraphs, entry, extent, reason):
    draft = read(chinese_page(paragraphs, tail=""), entry=entry)

    assert draft.extent is extent
    assert reason in draft.extent_reason


def test_a_title_the_page_cuts_short_is_taken_whole_from_the_feed():
    entry = Entry(URL, title="人形机器人进入三家工厂试用，明年春天交货")

    assert read(chinese_page(title="人形机器人进入三家工厂试用…"), entry=entry).title == entry.title


@pytest.mark.parametrize(
    ("entry", "text", "extent"),
    [
        (Entry(URL, "标题", content="\n".join(PARAGRAPHS * 3)), "feed", TextExtent.FULL),
        (Entry(URL, "标题", content="\n".join(PARAGRAPHS * 3) + " […]"), "feed", TextExtent.PARTIAL),
        (Entry(URL, "标题", summary="一句话。"), "none", TextExtent.SUMMARY),
        (Entry(URL, "标题"), "none", TextExtent.HEADLINE),
    ],
)
def test_an_entry_alone_makes_a_draft_of_what_it_carries(entry, text, extent):
    draft = draft_from_entry(entry, source(text=text), NOW)

    assert draft.extent is extent
    assert draft.title == "标题"


def test_an_entry_without_a_title_is_named_by_its_first_line():
    assert draft_from_entry(Entry(URL, content="一条快讯。\n第二行。"), source(text="feed"), NOW).title == "一条快讯。"


def test_an_entry_with_nothing_in_it_is_unreadable():
    with pytest.raises(ReadingError, match="neither a title nor a text"):
        draft_from_entry(Entry(URL), source(), NOW)
