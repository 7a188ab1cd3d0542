"""List pages, JSON answers and sitemaps become entries in their order, with what beside them says when."""

import gzip
import json
from datetime import UTC, datetime

import pytest

from core.article import DateOrigin
from core.document import DocumentKind
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading.api import at_path, read_api
from crawler.reading.listing import read_listing
from crawler.reading.sitemaps import read_sitemap
from tests.reading.documents import NOW, document, source

TITLES = ["江南公司发布第三代语音模型", "两部门就算法备案答记者问", "机器人订单今年翻了一番", "东岸实验室公开训练数据", "芯片出口新规下月生效"]


def list_page(*, base="", item="<li><span class='d'>{date}</span><a href='{url}'>{title}</a></li>"):
    rows = "".join(item.format(date=f"2026-11-{23 - n}", url=f"./202611/t202611{23 - n}_{n}.html", title=title) for n, title in enumerate(TITLES))
    menu = "".join(f"<li><a href='/{name}/'>{name}</a></li>" for name in ("首页", "政务", "服务", "互动"))
    return f"<html><head>{base}</head><body><nav><ul>{menu}</ul></nav><ul>{menu}</ul><ul class='list'>{rows}</ul><footer><a href='/about.html'>关于我们和网站声明</a></footer></body></html>"


def read(markup, **changes):
    return read_listing(document(markup, kind=DocumentKind.LIST), source(kind="listing", **changes), NOW, 2000)


def test_the_articles_of_a_list_page_are_found_without_any_rule():
    entries = read(list_page()).entries

    assert [entry.title for entry in entries] == TITLES
    assert entries[0].url == "https://news.example.com/list/202611/t20261123_0.html"
    assert entries[0].published.at == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert entries[0].published.origin is DateOrigin.LIST


def test_cards_with_picture_headline_and_summary_count_once_by_their_headline():
    card = "<div><a href='{url}'><img src='x.jpg'></a><a href='{url}'><h3>{title}</h3><p>一段说明文字，比标题还要长一些。</p></a><a href='{url}'>更多</a> {date}</div>"

    assert [entry.title for entry in read(list_page(item=card)).entries] == TITLES


def test_a_base_element_moves_relative_links():
    entry = read(list_page(base="<base href='https://cdn.example.com/x/'>")).entries[0]

    assert entry.url == "https://cdn.example.com/x/202611/t20261123_0.html"


def test_a_title_cut_short_is_completed_by_its_attribute():
    item = "<li>{date}<a href='{url}' title='{title}'>江南…</a></li>"

    assert read(list_page(item=item)).entries[0].title == TITLES[0]


def test_selectors_say_where_everything_is():
    rules = {"item": "ul.list li", "link": "a", "date": ".d", "title": "a"}
    reading = read(list_page().replace("<footer>", "<ul class='list'><li>无链接</li></ul><footer>"), listing=rules)

    assert len(reading.entries) == 5
    assert reading.unread == {Outcome.REFUSED: 1}


def test_a_link_pattern_alone_chooses():
    assert len(read(list_page(), listing={"link_pattern": r"/t2026112[23]_"}).entries) == 2


@pytest.mark.parametrize(("markup", "outcome"), [("", Outcome.UNREADABLE), ("<p>nothing</p>", Outcome.UNREADABLE), ("<title>安全验证</title>请完成验证", Outcome.BLOCKED)])
def test_a_page_without_a_list_says_so(markup, outcome):
    with pytest.raises(ReadingError) as caught:
        read(f"<html><body>{markup}</body></html>" if markup else "")

    assert caught.value.outcome is outcome


DATA = {"data": {"blocks": [{"list": [{"id": 5, "t": "<em>芯片</em>出口新规", "ctime": 1795410000, "u": {"name": "某甲"}}]},
                            {"list": [{"id": 6, "t": "第二条", "ctime": "1795410000", "day": "2026-11-20", "hm": "09:05"}, {"t": "没有编号"}, 7]}]}}  # fmt: skip
RULES = {"items": "data.blocks[].list", "fields": {"title": "t", "published": "ctime", "author": "u.name"}, "url_template": "https://m.example.com/p/{id}"}


def call(text, **changes):
    rules = RULES | changes
    return read_api(document(text, kind=DocumentKind.API), source(kind="api", api=rules), NOW, 2000)


def test_a_json_list_becomes_entries_by_paths_and_templates():
    reading = call(json.dumps(DATA))

    assert [(entry.url, entry.title) for entry in reading.entries] == [("https://m.example.com/p/5", "芯片出口新规"), ("https://m.example.com/p/6", "第二条")]
    assert reading.entries[0].published.at == datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert reading.entries[0].authors == ("某甲",)
    assert reading.unread == {Outcome.REFUSED: 1}


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("callback(" + json.dumps(DATA) + ");", {}),
        (f"<html><script id='d'>window.x = {json.dumps(DATA)};</script></html>", {"embedded_selector": "script#d"}),
        (f"<html><script>var state={json.dumps(DATA)},y=1</script></html>", {"embedded_pattern": r"var state=(\{)"}),
        (f'<html>"blocks_all":{json.dumps(DATA["data"]["blocks"])}</html>', {"embedded_pattern": r'"blocks_all":(\[)', "items": "[].list"}),
    ],
)
def test_json_is_found_inside_code_and_pages(text, rules):
    assert len(call(text, **rules).entries) == 2


def test_times_are_read_by_unit_format_and_joined_fields():
    milliseconds = json.dumps(DATA).replace("1795410000", "1795410000000")
    fields = RULES["fields"]

    assert call(milliseconds, time_unit="milliseconds").entries[0].published.at == datetime(2026, 11, 23, 5, tzinfo=UTC)
    assert call(json.dumps(DATA), fields=fields | {"published": "{day} {hm}"}).entries[1].published.at == datetime(2026, 11, 20, 1, 5, tzinfo=UTC)
    formatted = call(json.dumps(DATA), fields=fields | {"published": "day"}, time_format="%Y-%d-%m").entries[1]
    assert formatted.published is None


def test_the_items_may_be_the_whole_value_and_links_relative():
    reading = call(json.dumps([{"url": "/x/1", "t": "一"}]), items="", fields={"url": "url", "title": "t"}, url_template="")

    assert reading.entries[0].url == "https://news.example.com/x/1"


@pytest.mark.parametrize(("path", "value"), [("a.b[0].c", 1), ("a.b[-1].c", 2), ("a.b[].c", [1, 2]), ("a.b[9].c", None), ("a.x.y", None), ("a.b.c", None)])
def test_paths_reach_into_nested_values(path, value):
    assert at_path({"a": {"b": [{"c": 1}, {"c": 2}]}}, path) == value


@pytest.mark.parametrize("text", ["", "<html>no</html>", "[1, 2", '{"data": 3}', "[" * 100_000])
def test_an_answer_without_the_list_says_so(text):
    with pytest.raises(ReadingError):
        call(text)


URLSET = """<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://news.example.com/old</loc><lastmod>2026-11-01</lastmod></url>
<url><loc>https://news.example.com/undated</loc></url>
<url><loc>https://news.example.com/new</loc><news:news><news:publication_date>2026-11-23T09:05:00+08:00</news:publication_date>
<news:title>新规 &amp; 解读</news:title></news:news></url>
<url><loc>javascript:void(0)</loc></url></urlset>"""


def sitemap(body, max_items=2000, **rules):
    return read_sitemap(document(body, kind=DocumentKind.SITEMAP), source(kind="sitemap", sitemap=rules), NOW, max_items)


def test_a_sitemap_is_read_newest_first_with_the_news_extensions_title():
    reading = sitemap(URLSET)

    assert [entry.url.rsplit("/", 1)[1] for entry in reading.entries] == ["new", "old", "undated"]
    assert reading.entries[0].title == "新规 & 解读"
    assert reading.entries[0].published.at == datetime(2026, 11, 23, 1, 5, tzinfo=UTC)
    assert reading.unread == {Outcome.REFUSED: 1}


def test_caps_and_filters_are_counted():
    assert sitemap(URLSET, max_items=1).unread == {Outcome.REFUSED: 1, Outcome.TOO_BIG: 2}
    assert sitemap(URLSET, include="/(?:new|old)$").unread == {Outcome.REFUSED: 1, Outcome.OFF_TOPIC: 1}


def test_an_index_names_its_newest_sitemaps():
    children = "".join(f"<sitemap><loc>/s/{n}.xml</loc><lastmod>2026-10-0{n}</lastmod></sitemap>" for n in range(1, 6))
    reading = sitemap(f"<sitemapindex>{children}</sitemapindex>", newest_children=2)

    assert reading.children == ("https://news.example.com/s/5.xml", "https://news.example.com/s/4.xml")


def test_packed_and_plain_text_sitemaps_are_read():
    assert sitemap(gzip.compress(URLSET.encode())).entries == sitemap(URLSET).entries
    assert [entry.url for entry in sitemap("https://a.example/1\nhttps://a.example/2\n").entries] == ["https://a.example/2", "https://a.example/1"]


@pytest.mark.parametrize("body", ["", "hello", "<html><body>x</body></html>", "<rss/>", b"\x1f\x8b broken", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><urlset>&x;</urlset>"])
def test_what_is_no_sitemap_is_unreadable(body):
    with pytest.raises(ReadingError):
        sitemap(body)
