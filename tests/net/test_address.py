"""What counts as a web address, and where a Location leads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import FetchError
from core.outcomes import Outcome
from crawler.net.address import host_of, joined, web_address

NO_ADDRESSES = [
    "", " ", "news.example", "/a/1", "#top", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://news.example/",
    "mailto:a@news.example", "http://", "http:///a", "https://?x", "http://news.example:99999/", "http://news.example:x/",
    "http://[::1/", "http://[zz]/", "//news.example/", "http://news.example/" + "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(FetchError) as error:
        web_address(text)

    assert error.value.outcome is Outcome.REFUSED


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda tail: "http://" + tail))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = web_address(text)
    except FetchError:
        return

    assert url.scheme in {"http", "https"}
    assert url.host


def test_the_fragment_is_dropped_and_escapes_stay_as_they_are() -> None:
    assert str(web_address(" https://news.example/%B9%FA?q=%E4%BA%BA#part ")) == "https://news.example/%B9%FA?q=%E4%BA%BA"


def test_hosts_are_compared_in_lower_case_without_the_last_dot() -> None:
    assert host_of("https://News.Example.:8443/a") == "news.example"
    assert host_of("https://新闻.例子/") == host_of(f"https://{'新闻.例子'.encode('idna').decode().upper()}/") == "新闻.例子"


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("b.html", "http://news.example/a/b.html"),
        ("/b?x=1", "http://news.example/b?x=1"),
        ("//other.example/b", "http://other.example/b"),
        ("https://other.example/", "https://other.example/"),
        ("/新闻", "http://news.example/%E6%96%B0%E9%97%BB"),
        ("/\udcd0\udcc2\udcce\udcc5", "http://news.example/%D0%C2%CE%C5"),  # 新闻 in GB18030, as aiohttp gives raw bytes
        ("/a b", "http://news.example/a%20b"),
        ("", "http://news.example/a/1"),
        ("file:///etc/passwd", "file:///etc/passwd"),
    ],
)
def test_a_location_is_read_relative_to_its_page_and_byte_by_byte(location: str, address: str) -> None:
    assert joined("http://news.example/a/1", location) == address
