"""Which names count as mentions, and where they stand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lexicon.mentions import MentionFinder, MentionSpan
from lexicon.watchlist import load_watchlist, parse_watchlist

SMALL = """
topics: {}
groups: {}
entities:
  - {id: agency, kind: agency, en: [BIS, Bureau of Industry and Security]}
  - {id: model, kind: model, en: [GLM], aliases: ["GLM-#"], unsure: [GLM], context: [Zhipu, 智谱]}
  - {id: shop, kind: company, zh_hans: [阿里巴巴, 阿里], unsure: [阿里], context: [淘宝], unless: [阿里山]}
  - {id: ai, kind: words, en: [AI], zh_hans: [人工智能]}
  - {id: robot, kind: term, en: [humanoid robot], zh_hans: [人形机器人]}
  - {id: list, kind: rule, zh_hans: [实体清单], unless: [不可靠实体清单]}
  - {id: other-list, kind: rule, zh_hans: [不可靠实体清单]}
"""

small = MentionFinder(parse_watchlist(SMALL))
shipped = MentionFinder(load_watchlist())


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("BIS tightens a rule", {"agency"}),
        ("Die Frist gilt bis Montag", set()),
        ("ＢＩＳ tightens a rule", {"agency"}),
        ("The bureau of industry and security tightens a rule", {"agency"}),
        ("华为AI芯片上市", {"ai"}),
        ("AI2027", {"ai"}),
        ("Training maids in AIX", set()),
        ("Two humanoid robots box", {"robot"}),
        ("A humanoid roboticist", set()),
        ("兩款人形機器人亮相", {"robot"}),
    ],
)
def test_a_name_stands_alone(title: str, expected: set[str]) -> None:
    """Latin names end at borders of letters, digits and Han; acronyms are capital; nouns take an s; scripts are one."""
    assert small.find(title, "") == expected


@pytest.mark.parametrize("written", ["GLM-5", "GLM 5", "GLM5", "glm-4.7", "GLM-5.1"])
def test_a_model_is_named_by_any_version_and_joint(written: str) -> None:
    assert small.find(f"Testing {written} today", "") == {"model"}


@pytest.mark.parametrize(
    ("title", "text", "counts"),
    [
        ("GLM fits the counts badly", "", False),
        ("GLM is out", "The lab Zhipu says so.", True),
        ("GLM is out", "First paragraph.\nThe lab Zhipu says so.", False),
        ("Zhipu has news", "First paragraph.\nGLM is out.", True),
        ("News", "GLM is out, said Zhipu " + "in a long and winding sentence " * 9, True),
        ("News", "GLM is out.\nZhipu said so.", False),
        ("新闻", "今天发布 GLM。" + "这里是一段很长的话，" * 12 + "智谱如是说。", False),
        ("新闻", "今天发布 GLM。" + "这里是一段很长的话，" * 5 + "智谱如是说。", True),
    ],
)
def test_an_unsure_name_needs_a_word_of_its_context(title: str, text: str, counts: bool) -> None:
    """In the title, in the paragraph, or in Chinese within 80 characters; for a title also in the text's opening."""
    assert small.find(title, text) == ({"model"} if counts else set())


def test_a_name_inside_an_exception_is_no_mention() -> None:
    assert small.find("春游阿里山，淘宝买票", "") == set()
    assert small.find("阿里与淘宝", "") == {"shop"}
    assert small.find("列入不可靠实体清单", "") == {"other-list"}
    assert small.find("列入实体清单", "") == {"list"}


def test_spans_point_into_title_and_text() -> None:
    title, text = "BIS 更新實體清單", "阿里巴巴回应。\n🤖 GLM-5.1 与 AI"
    spans = small.spans(title, text)
    assert [(span.entity, (title if span.in_title else text)[span.start : span.end]) for span in spans] == [
        ("agency", "BIS"),
        ("list", "實體清單"),
        ("shop", "阿里巴巴"),
        ("model", "GLM-5.1"),
        ("ai", "AI"),
    ]
    assert spans[0] == MentionSpan("agency", 0, 3, in_title=True)


_PIECES = st.sampled_from(["阿里", "阿里山", "GLM", "GLM-5", " ", "\n", "智谱", "淘宝", "AI", "🤖", "é", "Ｂ", "\ud800", "s", "不可靠", "实体清单"])


@settings(max_examples=60, deadline=None)
@given(title=st.lists(_PIECES, max_size=6).map("".join), text=st.lists(_PIECES, max_size=12).map("".join))
def test_spans_name_what_find_names(title: str, text: str) -> None:
    """Spans stay inside their field, in order and apart; each names a found entity."""
    found, spans = small.find(title, text), small.spans(title, text)
    assert {span.entity for span in spans} <= found
    assert bool(spans) == bool(found)
    for span in spans:
        assert 0 <= span.start < span.end <= len(title if span.in_title else text)
    places = [(not span.in_title, span.start, span.end) for span in spans]
    assert all(a[:1] != b[:1] or a[2] <= b[1] for a, b in itertools.pairwise(places))
    assert places == sorted(places)


EXPORT_CONTROLS_YES = [
    "Washington widens its export controls on AI chips",
    "US weighs new chip curbs before the summit",
    "Commerce Department adds 23 Chinese firms to the Entity List",
    "Dutch export licence for ASML machines runs out",
    "Trade blacklist grows by a Chinese AI lab",
    "Senators back the Chip Security Act",
    "Nvidia may sell H20 chips to China again",
    "Beijing answers with rare earth export controls",
    "商务部：对两用物项加强出口管制",
    "美国将多家中国芯片企业列入实体清单",
    "美方酝酿新一轮对华芯片禁令",
    "英伟达特供版芯片获准恢复销售",
]
EXPORT_CONTROLS_NO = [
    "国产替代提速，本土EDA迎来窗口期",
    "攻克卡脖子难题，实验室再出成果",
    "信创产业坚持自主可控",
    "India lifts its export ban on rice",
    "Noise curbs at the airport",
    "Lawmakers sanction a new stadium",
    "公司因违规被列入黑名单",
    "景区发布禁令：不得投喂",
    "Factory exports rose in May",
    "A chip off the old block",
    "DeepSeek releases a new model",
]


@pytest.mark.parametrize("title", EXPORT_CONTROLS_YES)
def test_export_controls_are_found(title: str) -> None:
    group = load_watchlist().concept("export-controls")
    assert group
    assert shipped.find(title, "") & group


@pytest.mark.parametrize("title", EXPORT_CONTROLS_NO)
def test_export_controls_are_not_self_reliance_or_other_bans(title: str) -> None:
    group = load_watchlist().concept("export-controls")
    assert group
    assert not shipped.find(title, "") & group
