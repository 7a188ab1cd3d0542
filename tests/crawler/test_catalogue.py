"""The shipped catalogue holds together, and an operator's choice from it means what it says."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from parsel import Selector

from core.config import SourcesConfig
from core.errors import ConfigError
from core.source import Reach, Source, SourceKind
from crawler.catalogue import Catalogue, choose, load_catalogue
from crawler.judgement.canonical import canonical_url, rewritten

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "sources.md"
OWN = {"key": "my-paper", "name": "My paper", "kind": "feed", "url": "https://paper.example/feed", "language": "en"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def sources(catalogue: Catalogue) -> list[Source]:
    return catalogue.sources("all")


def chosen(shelf: Catalogue, /, **config: object) -> list[str]:
    return [source.key for source in choose(shelf, SourcesConfig.model_validate(config))]


def test_79_of_its_sources_are_on_by_default(catalogue: Catalogue):
    """As many as were found worth it, of every kind but sitemaps."""
    on = catalogue.sources("default")
    assert len(on) == 79
    assert {source.kind for source in on} == {SourceKind.FEED, SourceKind.LISTING, SourceKind.API}
    assert sum(source.kind is SourceKind.FEED for source in on) == 54


def test_every_list_has_an_address_that_can_be_a_key(sources: list[Source]):
    """What canonical_url would refuse could never be fetched."""
    for source in sources:
        for url in (source.url, *source.listing.pages, *(source.api.pages if source.api else ())):
            assert canonical_url(url).startswith("https://"), source.key


def test_no_two_sources_read_the_same_list(sources: list[Source]):
    """A second key for one list would fetch it twice (lists asked for by POST differ in their bodies)."""
    lists = [(canonical_url(source.url), source.api.body if source.api else "") for source in sources]
    assert len(set(lists)) == len(lists)


def test_a_pointer_has_no_text_of_its_own(sources: list[Source]):
    """Aggregators' items are headlines of other outlets."""
    assert all(source.text == "none" for source in sources if source.aggregator)


def test_google_news_is_always_an_aggregator_out_of_the_mainlands_reach(sources: list[Source]):
    """Its items are redirects to other outlets."""
    news = [source for source in sources if urlsplit(source.url).hostname == "news.google.com"]
    assert len(news) > 9
    assert all(source.aggregator and source.reach is Reach.NOT_FROM_MAINLAND and not source.outlet for source in news)


def test_documents_of_governments_are_official(sources: list[Source]):
    """The scope and the mark go together; the rule for official documents looks at the mark."""
    assert [source.key for source in sources if source.official != (source.scope == "government")] == []


def test_an_api_can_give_every_item_a_title_an_address_and_a_date(sources: list[Source]):
    """Without a title or an address an item is nothing; all of these lists have dates."""
    for source in sources:
        if source.api:
            assert source.api.fields.title, source.key
            assert source.api.fields.url or "{" in source.api.url_template, source.key
            assert source.api.fields.published, source.key


def test_every_selector_can_be_read(sources: list[Source]):
    """A slip of the pen in a selector would otherwise show as a source gone quiet."""
    page = Selector("<html><body><p>x</p></body></html>")
    for source in sources:
        rules = source.listing.model_dump() | source.page.model_dump()
        for name in ("item", "link", "title", "date", "summary", "text", "author", "credit", "remove"):
            if rules[name]:
                page.css(rules[name])


@pytest.mark.parametrize(
    ("key", "url", "expected"),
    [
        ("36kr", "https://www.36kr.com/p/31?f=rss", "https://36kr.com/p/31"),
        ("36kr-ai", "https://36kr.com/p/31", "https://36kr.com/p/31"),
        ("thepaper-tech", "https://m.thepaper.cn/detail/31", "https://www.thepaper.cn/newsDetail_forward_31"),
        ("xinhua-tech", "http://www.xinhuanet.com/tech/20260708/a/c.html", "https://www.news.cn/tech/20260708/a/c.html"),
        ("people-scitech", "http://scitech.people.cn/n1/2026/c1.html", "https://scitech.people.com.cn/n1/2026/c1.html"),
    ],
)
def test_one_article_under_two_addresses_of_its_site_has_one_key(catalogue: Catalogue, key: str, url: str, expected: str):
    """Site quirks are the sources' own configuration, and applying them twice changes nothing."""
    source = catalogue.entries[key].source
    assert canonical_url(rewritten(url, source)) == expected
    assert rewritten(rewritten(url, source), source) == rewritten(url, source)


@pytest.mark.parametrize(
    ("key", "article", "other"),
    [
        ("xinhua-en", "https://english.news.cn/20261001/0123456789abcdef0123456789abcdef/c.html", "https://english.news.cn/china/"),
        ("aiera", "https://aiera.com.cn/2026/09/04/other/admin/1/a/", "https://aiera.com.cn/about/"),
        ("zhidx", "https://zhidx.com/p/512345.html", "https://zhidx.com/p/category/ai"),
        ("cac", "https://www.cac.gov.cn/2026-08/07/c_1787000000000000.htm", "https://www.cac.gov.cn/wxzw/A0937index_1.htm"),
        ("ndrc-notice", "https://www.ndrc.gov.cn/xxgk/zcfb/tz/202609/t20260926_1.html", "https://www.ndrc.gov.cn/xxgk/zcfb/tz/"),
        ("stdaily", "https://www.stdaily.com/web/gdxw/2026-09/22/content_1.html", "https://www.stdaily.com/web/gdxw/"),
        ("deepseek-news", "https://api-docs.deepseek.com/zh-cn/news/news260424", "https://api-docs.deepseek.com/zh-cn/updates"),
    ],
)
def test_link_patterns_tell_articles_from_sections(catalogue: Catalogue, key: str, article: str, other: str):
    """An article's address matches, a section's or the list's own does not."""
    pattern = catalogue.entries[key].source.listing.link_pattern
    assert re.search(pattern, article)
    assert not re.search(pattern, other)


def test_the_choice_begins_with_default_all_or_none(catalogue: Catalogue):
    """`catalogue:` names the part that single switches then change."""
    assert len(chosen(catalogue)) == 79
    assert len(chosen(catalogue, catalogue="all")) == len(catalogue.entries)
    assert chosen(catalogue, catalogue="none", add=[OWN]) == ["my-paper"]


def test_single_sources_are_switched_on_and_off(catalogue: Catalogue):
    """`enable` and `disable` go beyond the default."""
    keys = chosen(catalogue, enable=["huxiu"], disable=["ithome"], add=[OWN])
    assert {"huxiu", "my-paper"} <= set(keys)
    assert "ithome" not in keys
    assert len(keys) == 80


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"enable": ["huxui"]}, 'sources.enable.0: there is no source "huxui". Did you mean "huxiu"?'),
        ({"disable": ["no-such-thing-at-all"]}, "`jingbao sources` lists them"),
        ({"enable": ["huxiu"], "disable": ["huxiu"]}, "take it out of one"),
        ({"add": [OWN | {"key": "ithome"}]}, 'put "ithome" into `sources.disable`'),
    ],
)
def test_a_wrong_choice_is_refused_with_a_way_out(catalogue: Catalogue, config: dict, said: str):
    """What happened, to what, what to do."""
    with pytest.raises(ConfigError) as caught:
        chosen(catalogue, **config)
    assert said in str(caught.value)


def test_a_fault_in_the_catalogue_names_its_source(tmp_path: Path):
    """The file is edited by hand: all faults come at once, each with the source's key."""
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump([OWN | {"colour": "red"}, OWN | {"key": "b", "url": "ftp://b"}, OWN, OWN, 7]), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_catalogue(path)
    faults = caught.value.problems
    assert len(faults) == 4
    assert "'my-paper': colour" in faults[0]
    assert "'b': url" in faults[1]
    assert "stands twice" in faults[2]
    assert "entry 5" in faults[3]


@pytest.mark.parametrize("text", ["key: [", "just words", ""])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str):
    """Broken YAML and other shapes end in one sentence."""
    path = tmp_path / "sources.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError):
        load_catalogue(path)


def test_the_reference_lists_every_source_that_is_on(catalogue: Catalogue):
    """docs/reference/sources.md is what people choose from."""
    text = DOCS.read_text("utf-8")
    assert [source.key for source in catalogue.sources("default") if f"`{source.key}`" not in text] == []


def test_the_examples_of_the_reference_can_be_used_as_they_stand():
    """One for each kind, as an item of `sources.add`."""
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    examples = [Source.model_validate(fields) for block in blocks for fields in yaml.safe_load(block)["sources"]["add"]]
    assert {source.kind for source in examples} == set(SourceKind)


def test_the_reference_explains_every_key_of_a_source():
    """A key nobody can look up is not there."""
    text = DOCS.read_text("utf-8")
    assert [name for name in Source.model_fields if f"`{name}`" not in text] == []
