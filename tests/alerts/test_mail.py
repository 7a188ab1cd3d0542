from __future__ import annotations

import email
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.letter import Gloss, Item, Letter, Outlet, Reminder, Section
from alerts.mail import MAX_HTML_BYTES, SUBJECT_COLUMNS, render, subject, wrapped
from alerts.plain import cut, one_line, safe_link
from core.config import MailConfig, Reader
from core.schedule import Rhythm
from lexicon.snippet import columns

NOW = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
ANN = Reader(key="ann", name="Ann Example", addresses=("ann@example.org",), zone="Europe/Berlin")
MAIL = MailConfig(sender="jingbao@example.org")

CHINESE = Item(
    article_id=12,
    source="daily-silicon",
    lang="zh-Hans",
    own_language=False,
    title=(("新一代", False), ("芯片", True), ("开始量产", False)),
    link="https://news.example/12",
    local_link="",
    meta=("Daily Silicon", "Chinese", "Tue 3 Mar, 06:40"),
    glosses=(Gloss("华为", "Huawei"),),
    snippets=((("…这款", False), ("芯片", True), ("由华为设计…", False)),),
    found=("芯片",),
    outlets=(Outlet("Evening Circuit", "https://circuit.example/a"),),
    copies=2,
)
ENGLISH = replace(
    CHINESE, article_id=13, lang="en", own_language=True, title=(("A new chip enters production", False),), glosses=(),
    link="https://news.example/13",
)  # fmt: skip


def letter(*items: Item, kind: str = "now", more: int = 0, **changes) -> Letter:
    section = Section("chips", "Chips", items or (CHINESE,), more, "jingbao search 'chip since:2d'")
    rhythm = Rhythm.NOW if kind == "now" else Rhythm.DAILY
    whole = Letter(ANN, kind, rhythm, f"{kind} chips 1", NOW, (section,), (), 0, (5,))
    return replace(whole, **changes)


def received(sent: Letter, address: str = "ann@example.org") -> EmailMessage:
    return email.message_from_bytes(render(sent, MAIL, address).as_bytes(), policy=default)


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content()


class Links(HTMLParser):
    """The links and all other elements and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value for name, value in attrs if name == "href"]


def test_the_text_part_comes_first_and_both_say_what_matters():
    message = received(letter())

    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in message.iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        text = re.sub(r"<[^>]+>|\*\*", "", part(message, kind))
        for word in ("新一代芯片开始量产", "Daily Silicon", "06:40", "Huawei", "由华为设计", "Evening Circuit", "jingbao show 12", "Europe/Berlin"):
            assert word in text


def test_headers_let_people_and_programs_tell_the_mail():
    message = received(letter())

    assert message["From"] == "jingbao <jingbao@example.org>"
    assert message["To"] == "Ann Example <ann@example.org>"
    assert message["Date"].datetime == NOW
    assert message["List-Id"] == "<chips.jingbao.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Jingbao-Rule"] == "chips"
    assert message["X-Jingbao-Source"] == "daily-silicon"
    assert message["In-Reply-To"] == "<story.5.ann@example.org>"
    assert "List-Unsubscribe" not in message


def test_who_wants_no_more_mails_can_tell_the_operator_if_one_is_named():
    message = render(letter(), MAIL, "ann@example.org", "ops@example.org")
    raw = message.as_bytes().decode()

    assert "List-Unsubscribe: <mailto:ops@example.org?subject=jingbao%3A%20no%20more%20mails%20to%20ann%40example.org>" in raw
    assert "List-Unsubscribe" not in received(letter())


def test_a_message_id_is_the_mails_own_and_stays():
    first, again = received(letter()), received(letter())
    others = [received(letter(), "ann@example.net"), received(letter(created=NOW.replace(minute=1))), received(letter(period_key="now chips 2"))]

    assert first["Message-ID"] == again["Message-ID"]
    assert len({mail["Message-ID"] for mail in (first, *others)}) == 4
    assert re.fullmatch(r"<[a-z0-9.]+@example\.org>", first["Message-ID"])


def test_long_names_leave_identifiers_readable():
    key = "a" * 30 + "-" + "b" * 33
    section = replace(letter().sections[0], rule=key)
    sent = letter(reader=ANN.model_copy(update={"key": key}), sections=(section,), story_ids=(1, 2, 3))
    mail = MailConfig(sender="jingbao@" + "long-domain-name." * 3 + "example.org")
    raw = render(sent, mail, "ann@example.org").as_bytes()
    message = email.message_from_bytes(raw, policy=default)

    assert b"=?" not in raw.partition(b"List-Id")[2].partition(b"\r\n\r\n")[0]
    assert message["List-Id"] == f"<{key}.jingbao.{mail.sender.partition('@')[2]}>"
    assert message["References"].split() == [f"<story.{n}.{key}@{mail.sender.partition('@')[2]}>" for n in (1, 2, 3)]
    assert message["In-Reply-To"] == message["References"].split()[0]


def test_a_subject_says_what_and_glosses_a_foreign_title():
    assert received(letter(CHINESE, ENGLISH, more=3))["Subject"] == "Chips: 新一代芯片开始量产 [Huawei] (+4)"


def test_a_digest_leads_with_a_title_its_reader_can_read():
    assert received(letter(CHINESE, ENGLISH, kind="digest"))["Subject"] == "Daily digest, Tue 3 Mar: A new chip enters production (+1)"


def test_titles_keep_their_language_and_nothing_is_loaded_from_elsewhere():
    html = part(received(letter(CHINESE, ENGLISH)), "html")
    page = Links(html)

    assert re.search(r'<a href="https://news.example/12" lang="zh-Hans"', html)
    assert re.search(r'<a href="https://news.example/13" lang="en"', html)
    assert not page.elements & {"img", "script", "link", "iframe", "form", "object", "base"}
    assert not page.attributes & {"src", "srcset", "background"}
    assert "url(" not in html


def test_what_is_left_out_is_counted_and_can_be_listed():
    text = part(received(letter(more=7)), "plain")

    assert "and 7 more" in text
    assert "jingbao search 'chip since:2d'" in text
    assert "Reports: 10 seen, 1 here, 2 copies folded in." in text


def test_a_digest_recalls_in_one_line_what_was_told_before():
    sent = letter(kind="digest", reminders=(Reminder("An older story", "en", "https://news.example/1", "Mon 2 Mar, 18:20"),))
    message = received(sent)

    for kind in ("plain", "html"):
        assert "An older story" in part(message, kind)
        assert "Mon 2 Mar, 18:20" in part(message, kind)


def test_too_long_a_mail_is_shortened_in_both_parts_alike_and_stays_under_the_clipping_limit():
    items = [replace(CHINESE, article_id=n, link=f"https://news.example/{n}", snippets=((("很" * 800, False),),)) for n in range(1, 120)]
    message = received(letter(*items))
    html, text = part(message, "html"), part(message, "plain")

    assert len(html.encode()) <= MAX_HTML_BYTES
    shown = html.count("jingbao show ")
    assert 10 < shown < 119
    assert text.count("jingbao show ") == shown
    assert f"and {119 - shown} more" in text
    assert message["Subject"].endswith("(+118)")


def test_a_chinese_reader_gets_chinese_words():
    reader = ANN.model_copy(update={"language": "zh", "zone": "Asia/Shanghai"})
    message = received(letter(replace(CHINESE, own_language=True, glosses=()), kind="digest", reader=reader))

    assert message["Subject"] == "每日摘要 3月3日 周二: 新一代芯片开始量产"
    assert '<html lang="zh-Hans">' in part(message, "html")
    assert "命中" in part(message, "plain")


def test_a_name_with_a_comma_is_one_address():
    reader = ANN.model_copy(update={"name": 'Example, "Ann"\r\nBcc: eve@example.net'})
    message = received(letter(reader=reader))

    assert [address.addr_spec for address in message["To"].addresses] == ["ann@example.org"]
    assert "Bcc" not in message


HOSTILE = st.sampled_from(
    [
        "a\r\nBcc: eve@example.net", "nul\x00here", "lone \ud800 surrogate", "\u202eright to left", "line\u2028separator", "\x1b[31mred",
        "<script>alert(1)</script>", "{{ 7*7 }}", "**stars** & <b>", '"quoted"', "=?utf-8?q?encoded?=", "\ufeff", "", "长" * 400, "x" * 2000,
    ]
)  # fmt: skip
TEXTS = st.one_of(HOSTILE, st.text(max_size=60), st.text(st.characters(exclude_categories=())))
URLS = st.one_of(
    TEXTS,
    st.sampled_from(
        ["https://news.example/a?b=1&c=%E8", "javascript:alert(1)", "https://u:p@news.example/", "http://例え.example/路", "https://x\r\nY: z"]
    ),
)


@st.composite
def items(draw) -> Item:
    """An item as alerts.items makes them: texts through one_line, links through safe_link."""
    line = TEXTS.map(one_line)
    link = URLS.map(safe_link)
    pieces = st.lists(st.tuples(line, st.booleans()), min_size=1, max_size=4).map(tuple)
    return Item(
        article_id=draw(st.integers(1, 10**9)),
        source="a-source",
        lang=draw(st.sampled_from(["zh-Hans", "en", "und"])),
        own_language=draw(st.booleans()),
        title=draw(pieces),
        link=draw(link),
        local_link=draw(st.sampled_from(["", "https://local.example/articles/1"])),
        meta=tuple(draw(st.lists(line, min_size=1, max_size=3))),
        glosses=tuple(draw(st.lists(st.builds(Gloss, line, line), max_size=3))),
        snippets=tuple(draw(st.lists(pieces, max_size=2))),
        found=tuple(draw(st.lists(line, max_size=3))),
        outlets=tuple(draw(st.lists(st.builds(Outlet, line, link), max_size=3))),
    )


@settings(max_examples=100, deadline=None)
@given(st.lists(items(), min_size=1, max_size=4), st.sampled_from(["now", "digest"]), TEXTS)
def test_whatever_articles_say_the_mail_is_whole_and_holds_text_alone(shown, kind, title):
    sent = letter(*shown, kind=kind)
    sent = replace(sent, sections=(replace(sent.sections[0], title=one_line(title) or "rule"),))
    raw = render(sent, MAIL, "ann@example.org").as_bytes()
    message = email.message_from_bytes(raw, policy=default)
    page = Links(part(message, "html"))

    assert raw.isascii()
    assert message.defects == []
    assert "Bcc" not in message
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert str(message["Subject"]) == subject(sent)
    assert columns(subject(sent)) <= SUBJECT_COLUMNS
    assert not page.elements & {"script", "img", "form", "svg", "base"}
    assert all(re.match(r"https?://", link) for link in page.links)
    text = part(message, "plain")
    assert all(link in text for link in page.links)
    assert set(re.findall(r"(?m): (https?://\S+)$", text)) <= set(page.links)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://news.example/a?b=c&d=%20#e", True),
        ("http://news.example:8080/路径", True),
        (" https://news.example/a ", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https:///no-host", False),
        ("https://user:password@news.example/", False),
        ("https://news.example/\r\nX: y", False),
        ('https://news.example/"onclick="x', False),
        ("https://[::1", False),
        ("https://news.example/" + "a" * 3000, False),
    ],
)
def test_only_plain_web_addresses_are_linked(url, safe):
    assert safe_link(url) == (url.strip() if safe else "")


@given(st.text(max_size=300))
def test_wrapping_loses_no_word(text):
    assert wrapped(text).split() == text.split() or "".join(wrapped(text).split()) == "".join(text.split())


def test_wrapped_lines_fit_and_break_chinese_anywhere_but_words_nowhere():
    lines = wrapped("芯片" * 60 + " internationalization " * 8).splitlines()

    assert all(columns(line) <= 76 for line in lines)
    assert all(line.startswith("   ") for line in lines[1:])
    assert "".join(lines).count("internationalization") == 8


@pytest.mark.parametrize("name", ["林一", "Ann 林 Example", "Zoë van der Example-Longname of the Institute for the Study of Everything, Department 长名字"])
def test_a_readers_name_in_any_script_arrives_whole(name):
    message = received(letter(reader=ANN.model_copy(update={"name": name})))

    (address,) = message["To"].addresses
    assert (" ".join(address.display_name.split()), address.addr_spec) == (name, "ann@example.org")


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Chips are made", 14, "Chips are made"),
        ("Chips are being made", 12, "Chips are…"),
        ("Chips are, being made", 12, "Chips are…"),
        ("芯片量产", 7, "芯片量…"),
        ("芯片量产", 6, "芯片…"),
        ("Internationalization", 10, "Internati…"),
    ],
)
def test_what_is_cut_ends_after_a_whole_word_with_an_ellipsis(text, limit, expected):
    assert cut(text, limit) == expected
    assert columns(expected) <= limit


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_every_colour_of_text_stands_out_in_light_and_dark():
    sent = letter(CHINESE, ENGLISH, kind="digest", more=1, reminders=(Reminder("Old", "en", "https://news.example/1", "Mon"),))
    html = part(received(sent), "html")
    light, _, dark = html.partition("@media (prefers-color-scheme:dark){")
    dark, _, body = dark.partition("</style>")
    light += body
    colour = r"(?<!-)color:(#[0-9a-f]{6})"
    paper, night = "#ffffff", "#151412"
    assert f"background:{paper}" in light
    assert f"background:{night}" in dark

    marked = re.findall(rf"background:(#[0-9a-f]{{6}})(?:!important)?;{colour}", html)
    plain_light = set(re.findall(colour, re.sub(r"\.m{[^}]*}", "", light)))
    plain_dark = set(re.findall(rf"\.[bsah]{{{colour}", dark))

    assert len(marked) >= 2
    assert len(plain_light) >= 4
    assert len(plain_dark) == 4
    assert all(_contrast(*pair) >= 4.5 for pair in marked)
    assert all(_contrast(paper, each) >= 4.5 for each in plain_light)
    assert all(_contrast(night, each) >= 4.5 for each in plain_dark)
