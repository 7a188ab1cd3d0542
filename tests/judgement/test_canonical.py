"""The key an article is known again by: what it forgives, what it keeps apart, what it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ReadingError
from core.outcomes import Outcome
from core.source import Source
from crawler.judgement.canonical import MAX_LENGTH, canonical_url, rewritten

ONE_ARTICLE = [
    "https://news.example.com/2026/a-new-model",
    "http://news.example.com/2026/a-new-model",
    "HTTPS://News.Example.COM/2026/a-new-model",
    "https://news.example.com:443/2026/a-new-model",
    "http://news.example.com:80/2026/a-new-model",
    "https://news.example.com./2026/a-new-model",
    "https://reader:secret@news.example.com/2026/a-new-model",
    "https://news.example.com/2026/a-new-model/",
    "https://news.example.com/2026/a-new-model#comments",
    "https://news.example.com/2026/./x/../a-new-model",
    "https://news.example.com/2026/%61-new%2Dmodel",
    "https://news.example.com/2026/a-new-model?utm_source=rss&utm_medium=feed",
    "https://news.example.com/2026/a-new-model?fbclid=abc&spm=a2c.1",
    "https://news.example.com/2026/a-new-model?UTM_Campaign=x",
    "https://news.example.com/2026/a-new-model?",
    "https://news.example.com/2026/a-new-model;jsessionid=8FA2",
    "  https://news.example.com/2026/a-new-\nmodel  ",
    "https:\\\\news.example.com\\2026\\a-new-model",
]

TWO_ARTICLES = [
    ("https://example.com/a?id=1", "https://example.com/a?id=2"),
    ("https://example.com/a?p=1", "https://example.com/a"),
    ("https://example.com/a?from=x", "https://example.com/a"),
    ("https://example.com/A", "https://example.com/a"),
    ("https://example.com/a%2Fb", "https://example.com/a/b"),
    ("https://www.example.com/a", "https://example.com/a"),
    ("https://m.example.com/a", "https://example.com/a"),
    ("https://example.com/a/index.html", "https://example.com/a"),
    ("https://example.com:8080/a", "https://example.com/a"),
    ("https://example.com/#/article/7", "https://example.com/#/article/8"),
    ("https://example.com/#!news/7", "https://example.com/#!news/8"),
    ("https://example.com/a?x=1&x=2", "https://example.com/a?x=2&x=1"),
]

BROKEN = [
    "",
    "news.example.com/a",
    "//news.example.com/a",
    "/2026/a",
    "javascript:alert(1)",
    "data:text/html,hello",
    "file:///etc/passwd",
    "mailto:desk@example.com",
    "ftp://example.com/a",
    "http:///a",
    "https://",
    "https://:80/a",
    "https://exa mple.com/a",
    "https://exam<ple.com/a",
    "https://example.com:99999/a",
    "https://example.com:port/a",
    "https://[::1/a",
    "https://[nonsense]/a",
    "https://" + "x" * 64 + ".com/a",
    "https://..../a",
    "https://%ff/a",
    "https://example.com/" + "a" * MAX_LENGTH,
    "https://example.com/" + "新" * (MAX_LENGTH // 3),
]


@pytest.mark.parametrize("url", ONE_ARTICLE)
def test_spellings_of_one_address_have_one_key(url: str):
    """Scheme, case, default port, user, fragment, dots, escapes, tracking and session marks do not tell articles apart."""
    assert canonical_url(url) == "https://news.example.com/2026/a-new-model"


@pytest.mark.parametrize(("one", "other"), TWO_ARTICLES)
def test_addresses_that_may_differ_in_content_keep_their_own_keys(one: str, other: str):
    """What a site may mean something by is kept: missing a repeat is better than losing an article."""
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize("url", BROKEN)
def test_a_link_that_cannot_be_followed_is_refused_with_a_reason(url: str):
    """Other schemes, missing or impossible hosts and endless addresses end as `refused`."""
    with pytest.raises(ReadingError) as caught:
        canonical_url(url)
    assert caught.value.outcome is Outcome.REFUSED
    assert len(caught.value.reason) < 300


def test_parameters_are_sorted_by_name_only():
    """Their order is an accident of who built the link; the order of equal names may be meant."""
    assert canonical_url("https://example.com/?b=1&a=2&b=0&amp;c=3") == "https://example.com/?a=2&b=1&b=0&c=3"


def test_a_chinese_address_has_one_key_bare_or_escaped():
    """Hosts become IDNA, paths and parameters UTF-8 escapes."""
    bare = canonical_url("https://新闻.example/栏目/文章?词=模型")
    escaped = canonical_url("https://xn--efvy88h.example/%e6%a0%8f%e7%9b%ae/%E6%96%87%e7%ab%a0?%E8%AF%8D=%E6%A8%A1%E5%9E%8B")
    assert bare == escaped
    assert bare.isascii()


def test_an_ipv6_host_has_one_spelling():
    """RFC 5952."""
    assert canonical_url("http://[2001:DB8:0:0:0:0:0:1]:8080/a") == "https://[2001:db8::1]:8080/a"


URL_ALPHABET = "aZ09%2Ff/.;:?&=#!@[]\\~-_+ \t\n新ß\u3002\ud800amp;utm_jsessionid="


@settings(max_examples=300, deadline=None)
@given(st.builds("".join, st.lists(st.sampled_from(["http://", "https://", "example.com", "/..", ";jsessionid=", "&amp;amp;", "%",
                                                    "%41", "?", "#!", "#/", *URL_ALPHABET]), max_size=25)))  # fmt: skip
def test_a_key_is_its_own_key(tail: str):
    """canonical_url is idempotent, whatever it is given; what it refuses, it refuses by a ReadingError only."""
    try:
        key = canonical_url("https://h.example" + tail)
    except ReadingError:
        return
    assert canonical_url(key) == key


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_key_or_a_refusal(text: str):
    """No link, however odd, escapes as another error."""
    try:
        key = canonical_url(text)
    except ReadingError:
        return
    assert canonical_url(key) == key


def test_a_sources_own_rewrites_fold_what_the_rules_keep_apart():
    """A mobile host and a fragment that is an item's only address are named in the source's configuration."""
    source = Source.model_validate({
        "key": "paper", "name": "Paper", "kind": "feed", "url": "https://paper.example/feed", "language": "zh",
        "url_rewrites": [
            {"pattern": r"^https?://m\.paper\.example/detail/(\d+)", "replacement": r"https://paper.example/forward_\1"},
            {"pattern": r"/updates#(.+)$", "replacement": r"/updates?item=\1"},
        ],
    })  # fmt: skip
    assert rewritten("http://m.paper.example/detail/31", source) == "https://paper.example/forward_31"
    assert canonical_url(rewritten("https://paper.example/updates#2026-11-24", source)).endswith("/updates?item=2026-11-24")
