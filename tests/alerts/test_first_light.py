"""First light says how the round went, what is covered, and what the rules would have sent; in both languages, in two parts."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from datetime import timedelta
from email.policy import default

import pytest

from alerts.desk import Desk
from alerts.first_light import FirstLight, look, look_at_sources
from alerts.first_light_mail import message_for, subject_of, text_of
from alerts.first_light_wording import FIRST_WORDS
from alerts.matching import match_pending
from core.config import Config
from core.language import Language
from core.outcomes import Outcome
from core.source import Source
from core.trouble import Trouble
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist
from storage import articles, sources
from storage.archive import Archive, Transaction
from storage.outbox import MatchState
from tests.builders import NOW, keep

WATCHLIST = load_watchlist()
FINDER = MentionFinder(WATCHLIST)
CONFIG = Config.model_validate(
    {
        "readers": [
            {"key": "ann", "name": "Ann Example", "addresses": ["ann@example.org"], "zone": "Europe/Berlin"},
            {"key": "lin", "addresses": ["lin@example.org"], "language": "zh", "zone": "Asia/Shanghai"},
        ],
        "rules": [
            {"name": "models", "title": "Models", "query": "@deepseek OR @qwen", "when": "daily 08:00"},
            {"name": "chips", "query": "芯片 OR chip", "when": "now"},
        ],
    }
)
ON = tuple(
    Source.model_validate({"key": key, "name": name, "kind": "feed", "url": f"https://{key}.example/feed", "language": "en"})
    for key, name in (("good", "Good News"), ("shut", "Shut Gazette"), ("lost", "Lost Letter"), ("far", "Far Off"), ("slow", "Slow"))
)


@pytest.fixture
def tx(database_url: str) -> Iterator[Transaction]:
    with Archive.open(database_url, NOW) as archive, archive.write() as opened:
        sources.ensure(opened, [source.key for source in ON], NOW)
        yield opened


def ran(tx: Transaction, key: str, result: str = sources.OK, detail: str = "") -> None:
    number = sources.begin_run(tx, key, NOW)
    sources.finish_run(tx, number, NOW, result=result, next_due=NOW, detail=detail)


def article(tx: Transaction, title: str, *, days: float = 1, **more) -> int:
    mentions = FINDER.find(title, "")
    chinese = not title.isascii()
    language = Language.ZH_HANS if chinese else Language.EN
    ordinary = {"baseline": True, "mentions": mentions, "language": language, "discovered": NOW}
    return keep(tx, title, at=NOW - timedelta(days=days), **(ordinary | more))


def light(tx: Transaction, reader: int = 0, *, location: str = "unknown", unreachable=()) -> FirstLight:
    desk = Desk.of(CONFIG, WATCHLIST, FINDER)
    while match_pending(tx, desk, NOW).articles:
        pass
    return look(tx, desk, CONFIG.readers[reader], on=ON, location=location, unreachable=unreachable, now=NOW)


def test_sources_are_told_as_answered_silent_by_reason_pending_or_out_of_reach(tx: Transaction) -> None:
    ran(tx, "good")
    ran(tx, "shut", Outcome.BLOCKED, "shut.example answered 403 Forbidden.")
    ran(tx, "lost", Outcome.FAILED, "The name lost.example cannot be found: Name or service not known.")
    ran(tx, "far", Outcome.FAILED, "far.example cannot be reached: Connection timed out.")
    ran(tx, "slow", sources.INTERRUPTED)

    seen = look_at_sources(tx, ON, "mainland", {"far"})

    assert (seen.asked, seen.answered) == (4, 1)
    assert {silence.trouble: silence.names for silence in seen.silences} == {
        Trouble.BLOCKED: ("Shut Gazette",),
        Trouble.NO_NAME: ("Lost Letter",),
    }
    assert (seen.pending, seen.out_of_reach) == (("Slow",), ("Far Off",))


def test_the_most_covered_subjects_are_of_the_last_three_days_and_most_outlets_come_first(tx: Transaction) -> None:
    article(tx, "DeepSeek opens its weights", outlet="One")
    article(tx, "深度求索开源模型", outlet="Two")
    for number in range(3):
        article(tx, f"Qwen is updated, part {number}", outlet="One")
    article(tx, "Unitree sells robots", days=4, outlet="Three")

    covered = light(tx).covered

    assert [(each.name, each.total, each.outlets) for each in covered[:2]] == [("DeepSeek", 2, 2), ("Qwen", 3, 1)]
    assert covered[0].articles == {Language.ZH_HANS: 1, Language.EN: 1}
    assert "Unitree" not in [each.name for each in covered]
    assert light(tx, 1).covered[0].name == "深度求索"


def test_a_rule_says_what_it_would_have_sent_in_seven_days_and_why_it_was_not_mailed(tx: Transaction) -> None:
    article(tx, "DeepSeek opens its weights")
    article(tx, "Qwen is updated", days=6)
    article(tx, "DeepSeek is a year old", days=8)
    article(tx, "Qwen has news for today", days=0, baseline=False)

    models, chips = light(tx).outlooks

    assert models.stories == {MatchState.BASELINE: 2, MatchState.WAITING: 1}
    assert models.headlines[0].title_text == "Qwen has news for today"
    assert (models.next, chips.next) == ("Wed 25 Nov, 08:00", "")
    assert chips.total == 0


def test_the_copies_of_a_story_count_once(tx: Transaction) -> None:
    first = article(tx, "DeepSeek opens its weights", outlet="One")
    article(tx, "DeepSeek opens its weights today", outlet="Two", story_id=articles.get(tx, first).story_id)

    assert light(tx).outlooks[0].stories == {MatchState.BASELINE: 1}


@pytest.mark.parametrize(("reader", "said"), [(0, "2 matches waiting, not mailed: baseline"), (1, "命中 2 条，属基线，不寄送")])
def test_both_parts_of_the_mail_say_the_same_and_load_nothing(tx: Transaction, reader: int, said: str) -> None:
    ran(tx, "good")
    ran(tx, "shut", Outcome.BLOCKED, "shut.example answered 403 Forbidden.")
    article(tx, "深度求索 <b>模型</b> & 开源")
    article(tx, "Qwen is updated", outlet="Two")
    shown = light(tx, reader, location="mainland", unreachable={"far"})

    new = message_for(shown, CONFIG.mail, "ann@example.org")
    mail = email.message_from_bytes(new.content, policy=default)
    parts = {kind: mail.get_body((kind,)).get_content() for kind in ("plain", "html")}

    assert (new.kind, new.period_key, str(mail["Message-ID"])) == ("first-light", "first-light", new.message_id)
    assert str(mail["Subject"]) == new.subject == subject_of(shown)
    for text in parts.values():
        for needed in (said, "Shut Gazette", "Far Off", "Slow"):
            assert needed in re.sub(r"\s+", " ", text)
    assert "&lt;b&gt;" in parts["html"]
    assert not re.search(r"<(img|script|link)|src=|url\(", parts["html"])


def test_a_chinese_reader_is_told_the_kind_of_trouble_in_chinese_and_the_raw_reason_shortened(tx: Transaction) -> None:
    ran(tx, "shut", Outcome.REFUSED, f"shut.example names an address inside your network (10.0.0.7). {'If that is meant ' * 9}")
    text = re.sub(r"\s+", "", text_of(light(tx, 1)))

    assert "未取得内容的来源" in text
    assert "为安全起见未询问(1)：ShutGazette" in text
    assert "系统原文：shut.examplenames" in text
    assert "security.allow_networks" in text
    assert text.count("Ifthatismeant") < 3


def test_what_is_typed_is_marked_as_code_in_the_html_part(tx: Transaction) -> None:
    ran(tx, "shut", "odd", "nobody knows")
    mail = email.message_from_bytes(message_for(light(tx), CONFIG.mail, "ann@example.org").content, policy=default)
    html = mail.get_body(("html",)).get_content()

    assert "`" not in html
    assert re.search(r"<code[^>]*>jingbao sources</code> shows the reason", html)


def test_an_archive_with_nothing_in_it_is_told_too(tx: Transaction) -> None:
    shown = light(tx)

    assert "0 of 5 sources have answered." in text_of(shown)
    assert "nothing yet" in text_of(shown)


@pytest.mark.parametrize("language", FIRST_WORDS)
def test_every_kind_of_trouble_and_every_state_has_its_words(language: str) -> None:
    words = FIRST_WORDS[language]

    assert set(words.troubles) == set(Trouble)
    assert set(words.states) == set(MatchState)
    assert set(words.out_of_reach) == {"mainland", "outside", "unknown"}
