"""From articles in a real archive to mails in the outbox."""

from __future__ import annotations

import email
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from alerts import digests, items
from alerts.desk import Desk
from alerts.digests import make_due, make_mails, quiet_readers
from alerts.left_out import left_out_troubles
from alerts.matching import match_pending
from core.article import DateOrigin, Precision, Published, TextExtent
from core.config import Config
from core.language import Language
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist
from storage import articles, outbox
from storage.archive import Archive
from storage.backup import back_up
from storage.outbox import MatchState
from storage.restoring import restore
from storage.schema import article
from tests.builders import keep

NOW = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)  # 07:00 in Berlin
EIGHT = NOW + timedelta(hours=1)
WATCHLIST = load_watchlist()
FINDER = MentionFinder(WATCHLIST)

ANN: dict[str, Any] = {"key": "ann", "name": "Ann Example", "addresses": ["ann@example.org"], "zone": "Europe/Berlin"}
CHIPS = {"name": "chips", "title": "Chips", "query": "chip OR 芯片", "when": "now"}
ROBOTS = {"name": "robots", "title": "Robots", "query": "robot OR 机器人", "when": "daily 08:00"}
WEEK = {"name": "week", "title": "The week", "query": "chip OR 芯片 OR robot", "when": "daily 08:00"}


def desk(*rules: dict[str, Any], readers: tuple[dict[str, Any], ...] = (ANN,), **alerts: Any) -> Desk:
    config = Config.model_validate({"readers": readers, "rules": rules or (CHIPS,), "alerts": alerts, "mail": {"sender": "jingbao@example.org"}})
    return Desk.of(config, WATCHLIST, FINDER)


@pytest.fixture
def archive(database_url: str) -> Iterator[Archive]:
    with Archive.open(database_url, NOW) as opened:
        yield opened


def publish(archive: Archive, title: str, text: str = "", at: datetime = NOW, **other: Any) -> int:
    mentions = FINDER.find(title, text)
    with archive.write() as tx:
        return keep(tx, title, text, at=at, mentions=mentions, **other)


def match(archive: Archive, of: Desk, now: datetime = NOW) -> int:
    with archive.write() as tx:
        return match_pending(tx, of, now).articles


async def tell(archive: Archive, of: Desk, now: datetime = NOW) -> list[EmailMessage]:
    """Match and make mails; gives the mails made."""
    match(archive, of, now)
    made = await make_due(archive, of, now)
    with archive.read() as tx:
        messages = outbox.latest_messages(tx, 100)
    new = [each for each in reversed(messages) if each.created == now]
    assert len({(each.reader, each.period_key) for each in new}) == made.mails
    return [email.message_from_bytes(each.content, policy=default) for each in new]


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")


def states(archive: Archive, article_id: int) -> list[str]:
    with archive.read() as tx:
        return [str(each.state) for each in outbox.matches_of(tx, article_id)]


async def test_alerts_go_on_after_a_restore_that_gives_numbers_anew(archive, database_url, tmp_path):
    """Matches that never wait stay behind, so those after it get numbers that carried mails had."""
    publish(archive, "A first chip")
    await tell(archive, desk())
    backup = back_up(database_url, tmp_path / "backup.sqlite3", NOW).path
    for number in range(3):
        publish(archive, f"Chip number {number} of long ago", at=NOW - timedelta(days=90))
    assert await tell(archive, desk(), NOW + timedelta(seconds=30)) == []
    publish(archive, "A second chip")
    await tell(archive, desk(), NOW + timedelta(minutes=1))
    restore(database_url, backup, NOW + timedelta(minutes=2), tmp_path)

    with Archive.open(database_url, NOW) as restored:
        for number in range(3, 8):
            publish(restored, f"Chip number {number}, new after it")
            assert len(await tell(restored, desk(), NOW + timedelta(minutes=number))) == 1


async def test_a_reader_whose_mails_cannot_be_made_is_told_of_until_they_can(archive, monkeypatch, caplog):
    """The others get theirs; what waits is kept."""
    bob = {"key": "bob", "addresses": ["bob@example.org"]}
    of = desk(readers=(ANN, bob))
    publish(archive, "A new chip enters production")

    def fault(tx, view, plan):
        if view.reader.key == "ann":
            raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed"))
        make(tx, view, plan)

    make = digests._make
    with monkeypatch.context() as faulty:
        faulty.setattr(digests, "_make", fault)
        assert [mail["To"] for mail in await tell(archive, of)] == ["bob@example.org"]
        await tell(archive, of, NOW + timedelta(minutes=1))
    with archive.read() as tx:
        ((trouble, *others)) = left_out_troubles(tx)
    assert (trouble.since, others) == (NOW, [])
    assert "ann" in trouble.text
    assert "UNIQUE constraint failed" in caplog.text

    assert len(await tell(archive, of, NOW + timedelta(minutes=2))) == 1
    with archive.read() as tx:
        assert list(left_out_troubles(tx)) == []


async def test_a_new_article_is_mailed_and_never_again(archive):
    number = publish(archive, "A new chip enters production")
    (mail,) = await tell(archive, desk())

    assert mail["Subject"] == "Chips: A new chip enters production"
    assert states(archive, number) == ["mailed"]
    assert await tell(archive, desk(), NOW + timedelta(hours=1)) == []


async def test_several_found_in_one_pass_are_one_mail(archive):
    for number in range(3):
        publish(archive, f"Chip story {number}", at=NOW - timedelta(minutes=number))
    (mail,) = await tell(archive, desk())

    assert mail["Subject"] == "Chips: Chip story 0 (+2)"


async def test_copies_are_told_once_and_stand_under_also_in(archive):
    first = publish(archive, "A new chip enters production", outlet="Daily Silicon")
    with archive.read() as tx:
        story = articles.get(tx, first).story_id
    copy = publish(archive, "New chip enters production", outlet="Evening Circuit", source="b", story_id=story, copy_of=first)
    (mail,) = await tell(archive, desk())
    late = publish(archive, "Chip enters production", outlet="Late Wafer", source="c", story_id=story, copy_of=first)
    later = await tell(archive, desk(), NOW + timedelta(minutes=5))

    assert later == []
    assert (states(archive, first), states(archive, copy), states(archive, late)) == (["mailed"], ["told"], ["told"])
    assert "Also in Evening Circuit: https://" in text_of(mail)
    assert "Reports: 2 seen, 1 here, 1 copies folded in." in text_of(mail)


async def test_a_first_collection_and_old_news_are_kept_and_never_mailed(archive):
    base = publish(archive, "A chip from the first collection", baseline=True)
    old = publish(archive, "A chip of last week", at=NOW - timedelta(days=4), discovered=NOW)
    unknown = publish(archive, "A chip of today")

    assert len(await tell(archive, desk())) == 1
    assert (states(archive, base), states(archive, old), states(archive, unknown)) == (["baseline"], ["too-old"], ["mailed"])


async def test_a_rule_turned_on_later_asks_about_new_articles_alone(archive):
    publish(archive, "A robot walks")
    publish(archive, "A chip is made")
    assert len(await tell(archive, desk(CHIPS))) == 1
    both = desk(CHIPS, {**ROBOTS, "when": "now"})

    assert await tell(archive, both, NOW + timedelta(minutes=1)) == []
    publish(archive, "Another robot walks", at=NOW + timedelta(minutes=2))
    (mail,) = await tell(archive, both, NOW + timedelta(minutes=2))
    assert mail["Subject"] == "Robots: Another robot walks"


async def test_a_digest_has_a_section_a_rule_and_shows_a_story_once(archive):
    publish(archive, "A robot with a chip", at=NOW - timedelta(hours=1))
    publish(archive, "A chip alone", at=NOW - timedelta(hours=2))
    of = desk(ROBOTS, WEEK)
    assert await tell(archive, of) == []
    (mail,) = await tell(archive, of, EIGHT)
    text = text_of(mail)

    assert mail["Subject"] == "Daily digest, Tue 3 Mar: A robot with a chip (+1)"
    assert text.index("Robots\n======") < text.index("A **robot** with a **chip**") < text.index("The week\n========") < text.index("A **chip** alone")
    assert text.count("with a **chip**") == 1
    assert "also found by The week" in text
    assert await tell(archive, of, EIGHT + timedelta(minutes=1)) == []


async def test_a_digest_recalls_what_was_mailed_at_once(archive):
    publish(archive, "A chip is made", at=NOW - timedelta(hours=1))
    publish(archive, "A robot walks", at=NOW - timedelta(hours=1))
    of = desk(CHIPS, WEEK)
    assert len(await tell(archive, of)) == 1
    (digest,) = await tell(archive, of, EIGHT)
    text = text_of(digest)

    assert "Found again, and already mailed to you\n * A chip is made (Tue 3 Mar, 07:00)" in text
    assert digest["Subject"] == "Daily digest, Tue 3 Mar: A robot walks"


async def test_every_address_of_a_reader_gets_its_own_copy_of_one_mail(archive):
    two = {**ANN, "addresses": ["ann@example.org", "ann@example.net"], "mails_per_day": 1}
    of = desk(CHIPS, readers=(two,))
    publish(archive, "A chip is made")
    mails = await tell(archive, of)

    assert [mail["To"].addresses[0].addr_spec for mail in mails] == ["ann@example.org", "ann@example.net"]
    assert len({mail["Message-ID"] for mail in mails}) == 2


async def test_past_the_cap_stories_wait_for_the_digest_and_the_mail_says_so(archive):
    of = desk(CHIPS, readers=({**ANN, "mails_per_day": 1},))
    publish(archive, "Chip one")
    first = await tell(archive, of)
    number = publish(archive, "Chip two", at=NOW + timedelta(minutes=1))
    held = await tell(archive, of, NOW + timedelta(minutes=1))
    (digest,) = await tell(archive, of, NOW + timedelta(days=1, hours=1))

    assert (len(first), held, states(archive, number)) == (1, [], ["mailed"])
    assert "Held for this mail by your limit of 1 a day: 1." in text_of(digest)
    assert digest["Subject"] == "Daily digest, Wed 4 Mar: Chip two"


async def test_a_mail_shows_so_many_stories_and_names_the_command_for_the_rest(archive):
    for number in range(5):
        publish(archive, f"Chip story {number}", at=NOW - timedelta(minutes=number))
    (mail,) = await tell(archive, desk(CHIPS, items_per_mail=2))

    assert mail["Subject"].endswith("(+4)")
    assert "and 3 more; to see them all:\n   jingbao search '(chip OR 芯片) since:1d'" in text_of(mail)


async def test_a_foreign_title_is_glossed_in_the_readers_language(archive):
    text = "华为周二表示，新款昇腾芯片已经量产，将供应深度求索等公司。"
    publish(archive, "华为新芯片量产", text, language=Language.ZH_HANS, outlet="晨报")
    german, chinese = {**ANN}, {**ANN, "key": "bo", "language": "zh", "zone": "Asia/Shanghai"}
    english_mail, chinese_mail = await tell(archive, desk(readers=(german, chinese)))

    assert "华为 = Huawei" in text_of(english_mail)
    assert "深度求索 = DeepSeek" in text_of(english_mail)
    assert "晨报 · Chinese · Tue 3 Mar, 07:00" in text_of(english_mail)
    assert " = " not in text_of(chinese_mail)
    assert "[Huawei" in english_mail["Subject"]


async def test_a_concepts_mention_is_marked_and_named_as_the_reason(archive):
    publish(archive, "华为新芯片量产", "深度求索宣布采用。", language=Language.ZH_HANS)
    (mail,) = await tell(archive, desk({**CHIPS, "query": "@deepseek AND @huawei"}))

    assert "**华为**新芯片量产" in text_of(mail)
    assert "**深度求索**宣布采用" in text_of(mail)
    assert "Why: 华为, 深度求索" in text_of(mail)


async def test_a_query_without_words_gives_itself_as_the_reason(archive):
    publish(archive, "Anything at all", source="daily")
    (mail,) = await tell(archive, desk({**CHIPS, "query": "source:daily"}))

    assert "Why: source:daily" in text_of(mail)


async def test_what_is_missing_of_a_text_or_a_date_is_said(archive):
    day = Published(NOW.replace(hour=0), Precision.DAY, DateOrigin.PAGE, "UTC", zone_stated=True)
    with archive.write() as tx:
        made = keep(tx, "A chip is made", extent=TextExtent.HEADLINE)
        tx.connection.execute(update(article).values(published_precision=str(day.precision)))
    assert made
    (mail,) = await tell(archive, desk())

    assert "no time given · headline only" in text_of(mail)


async def test_one_article_that_cannot_be_shown_does_not_hold_back_the_others(archive, monkeypatch, caplog):
    publish(archive, "Chip one")
    publish(archive, "Chip two")

    def broken(*_: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(items, "told_time", broken)
    (mail,) = await tell(archive, desk())

    assert "Chip one" in text_of(mail)
    assert "Chip two" in text_of(mail)
    assert "please report" in caplog.text


async def test_a_fault_with_one_reader_leaves_the_others_theirs(archive, monkeypatch, caplog):
    of = desk(readers=(ANN, {**ANN, "key": "bo"}))
    publish(archive, "Chip one")
    match(archive, of)
    honest = digests.render

    def broken(letter: Any, *more: Any) -> EmailMessage:
        if letter.reader.key == "ann":
            raise ZeroDivisionError
        return honest(letter, *more)

    monkeypatch.setattr(digests, "render", broken)
    first = await make_due(archive, of, NOW)
    monkeypatch.setattr(digests, "render", honest)
    second = await make_due(archive, of, NOW)

    assert (first.mails, second.mails) == (1, 1)
    assert "please report" in caplog.text


async def test_a_reader_who_is_gone_gets_nothing_and_a_reader_at_night_waits(archive):
    publish(archive, "Chip one")
    quiet = desk(readers=({**ANN, "quiet_hours": "22:00-08:00"}, {**ANN, "key": "bo"}))
    mails = await tell(archive, quiet)
    gone = await tell(archive, desk(readers=({**ANN, "key": "bo"},)), EIGHT)

    assert [mail["List-Id"] for mail in mails] == ["<chips.jingbao.example.org>"]
    assert quiet_readers(quiet, NOW) == {"ann"}
    assert gone == []
    assert states(archive, 1) == ["withdrawn", "mailed"]


def test_nothing_is_half_matched_when_a_batch_is_undone(archive):
    number = publish(archive, "Chip one")
    with suppress(ZeroDivisionError), archive.write() as tx:
        assert match_pending(tx, desk(), NOW).articles == 1
        raise ZeroDivisionError
    assert states(archive, number) == []
    assert match(archive, desk()) == 1
    assert match(archive, desk()) == 0


def test_nothing_is_half_mailed_when_making_is_undone(archive):
    number = publish(archive, "Chip one")
    match(archive, desk())
    with suppress(ZeroDivisionError), archive.write() as tx:
        assert make_mails(tx, desk(), "ann", NOW).mails == 1
        raise ZeroDivisionError
    with archive.write() as tx:
        assert outbox.latest_messages(tx, 10) == []
        assert make_mails(tx, desk(), "ann", NOW).mails == 1
    assert states(archive, number) == [MatchState.MAILED]


@pytest.mark.parametrize(
    "title",
    ["Chip\r\nBcc: eve@example.net", "Chip \x00 \x1b[2J", "Chip \u202e\u2028\u2029", "Chip <img src=x onerror=alert(1)>", "Chip {{ 7*7 }} **x**", "Chip " * 500],
)
async def test_a_hostile_title_is_text_and_nothing_else(archive, title):
    publish(archive, title, title * 3, outlet=title, authors=(title,))
    (mail,) = await tell(archive, desk())
    html = mail.get_body(("html",)).get_content()

    assert "Bcc" not in mail
    assert "<img" not in html
    assert mail.defects == []
    assert not set(text_of(mail)) & set("\x00\x1b\u202e\u2028\u2029\r")
