"""The shipped watchlist, and what is said of a faulty one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import ConfigError
from lexicon.watchlist import load_watchlist, parse_watchlist

shipped = load_watchlist()

GOOD = """topics:
  chips: {en: Chips, zh: 芯片}
groups:
  makers:
    about: Who makes chips
    every: {kind: [company], origin: [CN]}
  all:
    about: Makers and people
    members: [makers, person]
    but: [odd]
entities:
  - {id: maker, kind: company, origin: CN, topics: [chips], en: [Maker], zh_hans: [制造者]}
  - {id: odd, kind: company, origin: CN, en: [Odd]}
  - {id: abroad, kind: company, origin: US, en: [Abroad]}
  - {id: person, kind: person, zh_hans: [某人]}
  - {id: odd-words, kind: words, en: [cue], zh_hans: [线索]}
"""


def test_groups_select_by_what_entities_are_and_by_name() -> None:
    watchlist = parse_watchlist(GOOD)
    assert watchlist.concept("makers") == {"maker", "odd"}
    assert watchlist.concept("all") == {"maker", "person"}
    assert watchlist.concept("maker") == {"maker"}
    assert watchlist.concept("nobody") is None
    assert watchlist.topic("chips") == {"maker"}
    assert watchlist.topic("nothing") == frozenset()


def test_the_version_is_of_the_contents() -> None:
    assert parse_watchlist(GOOD).version == parse_watchlist(GOOD).version
    assert parse_watchlist(GOOD).version != parse_watchlist(GOOD + "# more\n").version


@pytest.mark.parametrize(
    ("entity", "language", "name"),
    [("maker", "en", "Maker"), ("maker", "zh", "制造者"), ("odd", "zh", ""), ("odd-words", "zh", ""), ("nobody", "en", "")],
)
def test_a_gloss_is_the_name_in_the_readers_language(entity: str, language: str, name: str) -> None:
    assert parse_watchlist(GOOD).gloss(entity, language) == name


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: odd", "id: maker", "line 13: entities.1: maker: expected an id that no other entity or group has"),
        ("topics: [chips]", "topics: [chps]", "line 12: entities.0.topics: maker: no topic is called chps"),
        ("but: [odd]", "but: [nobody]", "line 10: groups.all.but: @all: nobody is neither"),
        ("members: [makers,", "members: [all,", "line 9: groups.all.members: @all: all is neither"),
        ("origin: [CN]}", "origin: [DE]}", "line 6: groups.makers.every: @makers: selects no entity"),
        ("en: [Odd]", "unsure: [Odd]", "line 13: entities.1.unsure: odd: Odd is not among its names"),
        ("en: [Odd]", "en: [Odd], unsure: [Odd]", "line 13: entities.1: odd: expected `unsure` and `context` together"),
        ("en: [Odd]", "enn: [Odd]", "line 13: entities.1.enn: Extra inputs"),
        ("kind: person", "kind: persn", "line 15: entities.3.kind: Input should be"),
        ("{id: person", "{id: person: x", "watchlist.yaml, line 15: did not find expected"),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_watchlist(GOOD.replace(old, new))
    assert message in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_watchlist(GOOD.replace("topics: [chips]", "topics: [a, b]").replace("[odd]", "[nobody]"))
    assert len(caught.value.problems) == 3


def test_every_entity_but_plain_words_and_their_like_has_an_origin() -> None:
    without = {entity.id for entity in shipped.entities.values() if not entity.origin}
    assert {shipped.entities[name].kind for name in without} <= {"term", "words"}


@pytest.mark.parametrize(
    ("group", "inside", "outside"),
    [
        ("chinese-models", {"deepseek", "qwen", "kimi", "glm", "doubao"}, {"chatgpt", "gemini", "huawei"}),
        ("chinese-companies", {"huawei", "alibaba", "unitree"}, {"nvidia", "tsmc", "asml", "openai"}),
        ("us-rules", {"entity-list", "chip-export-rules"}, {"unreliable-entity-list", "rare-earth-controls"}),
        ("prc-agencies", {"miit", "cac", "state-council"}, {"us-bis", "us-commerce", "wipo"}),
        ("us-agencies", {"us-bis", "us-commerce"}, {"miit", "mofcom"}),
        ("export-controls", {"export-control", "entity-list", "us-bis"}, {"self-reliance", "chips-act", "ai-chips"}),
        ("humanoid-robots", {"unitree", "humanoid", "agibot"}, {"tesla-optimus", "waic"}),
    ],
)
def test_groups_hold_what_their_names_say(group: str, inside: set[str], outside: set[str]) -> None:
    members = shipped.concept(group)
    assert members is not None
    assert inside <= members
    assert not outside & members


@pytest.mark.parametrize(
    ("entity", "language", "name"),
    [("huawei", "en", "Huawei"), ("export-control", "en", "export controls"), ("export-control", "zh", "出口管制")],
)
def test_mails_gloss_by_these_names(entity: str, language: str, name: str) -> None:
    assert shipped.gloss(entity, language) == name


def test_every_group_and_topic_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/watchlist.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`@([a-z0-9-]+)`", page)) | set(re.findall(r"`topic:([a-z0-9-]+)`", page))
    assert set(shipped.groups) | set(shipped.topics) <= named
    assert named <= set(shipped.concept_names) | set(shipped.topics)
