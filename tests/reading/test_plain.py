"""Markup becomes harmless plain text; only http(s) addresses pass."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.reading.plain import clean, from_html, http_url, one_line, title_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a<b>b</b> c<br>d</p><script>x()</script>tail &amp; <div>e<p>f</div>", "ab c\nd\ntail &\ne\nf"),
        ("plain\r\n\r\ntext", "plain\ntext"),
        ("<svg/onload=alert(1)>x", "x"),
        ("<math><style><img src=x onerror=alert(1)></style></math>after", "after"),
        ("<form>field <input value='v'></form><iframe src=x>no</iframe>", "field"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1\n2"),
        ("a < b and c > d", "a < b and c > d"),
        ("", ""),
    ],
)
def test_html_becomes_paragraphs_without_anything_that_acts(markup, text):
    assert from_html(markup) == text


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("芯片<em>出口</em>新规", "芯片出口新规"),
        ("List&lt;int&gt; and a &lt; b", "List<int> and a < b"),
        ("one\r\nBcc: x@example.com\u2028two\x00", "one Bcc: x@example.com two"),
        ("abc\u202egpj.exe\u200b\ufeff", "abcgpj.exe"),
        ("\ud800", "\ufffd"),
        ("a\u3000\u3000b", "a b"),
        ("<img src=x onerror=alert(1)>&lt;script&gt;x&lt;/script&gt;y", "xy"),
        ("長" * 900, "長" * 500),
    ],
)
def test_a_title_is_one_harmless_line(title, text):
    assert title_text(title) == text


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/a b", "https://n.example/a%20b"),
        ("//cdn.example/x", "https://cdn.example/x"),
        ("https://user:pw@n.example/a#part", "https://n.example/a#part"),
        ("HTTP://N.example:8080/", "http://n.example:8080/"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        (" https://n.example/\n", "https://n.example/"),
    ],
)
def test_a_link_is_made_absolute_and_loses_its_password(link, url):
    assert http_url(link, "https://n.example/list/") == url


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "mailto:a@b.c", "http:///x", "http://", "", "ftp://n.example/x",
                                  "http://[::1", "http://n.example:port/", "https://n.example/" + "x" * 2000, "http://./x"])  # fmt: skip
def test_what_is_no_web_address_is_none(link):
    assert http_url(link, "https://n.example/" if link and ":" not in link else "") == ""


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_cleaning_twice_changes_nothing_more(text):
    once = clean(text)

    assert clean(once) == once
    assert "\n" not in one_line(text)


@given(st.text(alphabet="<>&;/!-ab \n\x00\u202e'\"=[]", max_size=120))
@settings(max_examples=100, deadline=None)
def test_no_markup_makes_the_reader_raise(markup):
    assert isinstance(from_html(markup), str)
    assert isinstance(title_text(markup), str)
