"""Feeds of every kind become entries; known items are not read again; what is not read is counted."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.article import Precision
from core.errors import ReadingError
from core.outcomes import Outcome
from crawler.reading import raw_feeds
from crawler.reading.feeds import read_feed
from tests.reading.documents import NOW, document, source
from tests.reading.feed_texts import ATOM, ATOM_03, JSON_FEED, RDF, RSS, RSS_091, long_rss


def read(text, known=frozenset(), max_items=2000, **changes):
    return read_feed(document(text), source(**changes), frozenset(known), NOW, max_items)


def test_an_rss_item_becomes_a_whole_entry():
    reading = read(RSS)
    first = reading.entries[0]

    assert (reading.title, reading.format) == ("北方科技", "rss20")
    assert first.url == "https://news.example.com/a/1.html?f=rss"
    assert first.title == "某公司发布新一代模型"
    assert first.content == "第一段。\n第二段，提到 芯片。"
    assert first.summary == "一句话摘要。"
    assert first.published.at == datetime(2026, 11, 23, 1, 5, tzinfo=UTC)
    assert first.guid == "n-1"
    assert bytes.fromhex(first.fingerprint) in reading.item_hashes


def test_a_date_without_a_zone_is_in_the_sources_zone():
    published = read(RSS).entries[1].published

    assert published.at == datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert (published.zone, published.zone_stated, published.precision) == ("Asia/Shanghai", False, Precision.MINUTE)


def test_titles_lose_their_markup():
    assert read(RSS).entries[1].title == "芯片 出口新规"
    assert read(ATOM).entries[0].title == "A small model & its data"


def test_items_without_a_usable_link_are_counted_as_refused():
    reading = read(RSS)

    assert [entry.title for entry in reading.entries] == ["某公司发布新一代模型", "芯片 出口新规", "只有永久 GUID"]
    assert reading.unread == {Outcome.REFUSED: 2}
    assert reading.found == 5


def test_an_atom_entry_keeps_its_base_its_author_and_both_dates():
    first, second = read(ATOM).entries

    assert first.url == "https://lab.example.org/blog/one"
    assert first.authors == ("Ada Li",)
    assert first.content == "First.\nSecond."
    assert first.updated == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert second.published.at == datetime(2026, 11, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [(RDF, "rss10", 1), (RSS_091, "rss091n", 1), (ATOM_03, "atom03", 1), (JSON_FEED, "json", 2), (ATOM, "atom10", 2)],
)
def test_every_kind_of_feed_is_read(text, name, count):
    reading = read(text)

    assert (reading.format, len(reading.entries)) == (name, count)


def test_a_json_feed_takes_an_address_for_an_id_and_counts_an_item_without_any():
    reading = read(JSON_FEED)

    assert [entry.url for entry in reading.entries] == ["https://j.example/7", "https://j.example/8"]
    assert reading.entries[0].content == "One.\nTwo."
    assert reading.entries[1].authors == ("C",)
    assert reading.unread == {Outcome.REFUSED: 1}


def test_an_aggregators_items_name_their_outlet_once():
    text = RSS.replace('<guid isPermaLink="false">n-1</guid>', '<source url="https://o.example">远方日报</source>')
    entry = read(text.replace("新一代模型", "新一代模型 - 远方日报"), aggregator=True).entries[0]

    assert (entry.title, entry.outlet) == ("某公司发布新一代模型", "远方日报")


def test_a_second_reading_of_the_same_feed_finds_everything_known():
    first = read(long_rss(30))
    again = read(long_rss(30).replace("now", "later"), known=first.item_hashes)

    assert again.entries == ()
    assert (again.known_count, again.item_hashes) == (30, first.item_hashes)


@given(known=st.sets(st.integers(0, 11)), changed=st.sets(st.integers(0, 11)))
@settings(max_examples=40, deadline=None)
def test_reading_what_is_new_gives_the_same_entries_as_reading_all(known, changed):
    """Law: the entries of a delta parse are those of the full parse whose items were not known."""
    before = read(long_rss(12))
    hashes = {bytes.fromhex(entry.fingerprint) for number, entry in enumerate(before.entries) if number in known}
    full = read(long_rss(12, changed=changed))

    delta = read(long_rss(12, changed=changed), known=hashes)

    assert delta.entries == tuple(entry for entry in full.entries if bytes.fromhex(entry.fingerprint) not in hashes)
    assert delta.found == full.found == 12


@pytest.mark.parametrize("text", [RSS, ATOM, RDF, JSON_FEED, ATOM_03])
def test_leaving_one_known_item_out_changes_no_other(text):
    full = read(text)
    for entry in full.entries:
        delta = read(text, known={bytes.fromhex(entry.fingerprint)})
        assert delta.entries == tuple(other for other in full.entries if other is not entry)


def test_a_feed_whose_items_cannot_be_told_apart_is_read_whole_and_still_knows_its_items():
    text = "<rss version='2.0'><channel><item><title>a</title><link>https://a.example/1</link><item><title>b</title><link>https://a.example/2</link></item></channel></rss>"
    first = read(text)

    assert raw_feeds.split(text).items == ()
    assert len(first.entries) >= 1
    assert read(text, known=first.item_hashes).entries == ()


def test_items_past_the_cap_are_counted_and_not_remembered():
    reading = read(long_rss(30), max_items=20)

    assert len(reading.entries) == len(reading.item_hashes) == 20
    assert reading.unread == {Outcome.TOO_BIG: 10}


def test_a_truncated_feed_still_yields_its_whole_items():
    text = long_rss(5)
    end_of_second = text.index("</description></item>", text.index("/i/1")) + len("</description></item>")
    for cut in range(end_of_second, text.index("/i/3"), 7):
        reading = read(text[:cut])
        urls = [entry.url for entry in reading.entries]
        assert urls[:2] == ["https://news.example.com/i/0", "https://news.example.com/i/1"]
        assert all(url in {f"https://news.example.com/i/{number}" for number in range(4)} for url in urls)


@pytest.mark.parametrize(
    ("text", "outcome", "reason"),
    [
        ("", Outcome.UNREADABLE, "empty"),
        ("<!doctype html><html><body><h1>Welcome</h1></body></html>", Outcome.UNREADABLE, "web page"),
        ("<html><head><title>Just a moment...</title></head><body></body></html>", Outcome.BLOCKED, "challenge"),
        ('{"code": 403}', Outcome.UNREADABLE, "no JSON Feed"),
        ('{"items": [', Outcome.UNREADABLE, "broken JSON"),
        ("hello", Outcome.UNREADABLE, "not a feed"),
        ("<svg></svg>", Outcome.UNREADABLE, "no feed of a known kind"),
    ],
)
def test_what_is_no_feed_says_what_it_is(text, outcome, reason):
    with pytest.raises(ReadingError, match=reason) as caught:
        read(text)

    assert caught.value.outcome is outcome


def test_an_old_feeds_plain_entities_are_read_and_dangerous_ones_refused():
    plain = "<!DOCTYPE rss [<!ENTITY copy2 \"&#169;\"><!ENTITY co 'Acme'>]>" + RSS.partition("?>")[2].replace("某公司", "&co;")
    w3c = '<!DOCTYPE rdf:RDF [<!ENTITY % HTMLlat1 PUBLIC "-//W3C//ENTITIES Latin 1 for XHTML//EN" "http://www.w3.org/x.ent">%HTMLlat1;]>' + RDF

    assert read(plain).entries[0].title == "Acme发布新一代模型"
    assert len(read(w3c).entries) == 1
    with pytest.raises(ReadingError, match="DOCTYPE"):
        read('<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + RDF)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_feed_is_read_or_named_never_a_crash(data):
    """Bytes cut out, doubled or replaced anywhere end in a reading or a ReadingError."""
    body = bytearray(data.draw(st.sampled_from([RSS, ATOM, RDF, JSON_FEED])).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        reading = read(bytes(body))
    except ReadingError as error:
        reading = error

    assert reading.reason if isinstance(reading, ReadingError) else reading.found >= len(reading.entries)
