"""Is it the same article, a copy, or new: every verdict over hand-made neighbours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.article import Candidate, DateOrigin, Draft, Precision, Published, TextExtent
from core.language import Language
from core.source import Source
from crawler.judgement.identity import Copy, Fresh, Same, decide, reads_as_digest
from crawler.judgement.likeness import fingerprint

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TITLE = "本地初创公司发布新一代开源语言模型"
TEXT = (
    "一家初创公司周二发布了新一代开源语言模型，称其在数学与编程测试中超过上一代产品，推理成本下降约四成。公司创始人在发布会上表示，"
    "模型权重将在本周内全部开放下载，并允许商业使用。多位开发者在社区中反馈，新模型在长文档问答上的表现明显改善，但在少数方言任务上仍有不足。"
    "分析人士认为，这一发布将加剧国内厂商之间的价格竞争，也会促使海外同行重新评估各自的开放策略。公司计划下一季度推出面向机器人的小型版本。"
)
ADDED = "此外，该公司还与三家电网企业签署合作备忘录，将在调度中心试用新模型，首批试点设在沿海两省，预计明年夏季前完成验收并公布结果。"
REWRITTEN = (
    "周二，又一款国产大模型向公众开源。开发团队披露，新版本做数学题和写代码的本领都强过前作，而运行开销只有原来的六成左右。按照计划，"
    "参数文件几天之内就能自由获取，企业也可用于产品。试用者普遍称赞它读长材料的能力，同时提到它听不太懂部分地方话。业内预计各家会继续降价，"
    "国外对手也得想一想自己到底要开放到什么程度。适配机器人的轻量型号，则要等到明年春天才会露面，届时还会有配套的安全评测工具一并推出。"
)


def source(key: str = "morning", name: str = "晨间科技", **more: object) -> Source:
    return Source.model_validate(
        {"key": key, "name": name, "kind": "feed", "url": "https://x.example/", "language": "zh"} | more
    )


def draft(title: str = TITLE, text: str = TEXT, at: datetime | None = NOW, outlet: str = "") -> Draft:
    published = Published(at, Precision.MINUTE, DateOrigin.FEED, "+08:00", zone_stated=True) if at else None
    return Draft("https://x.example/a", title, text, "", Language.ZH_HANS, TextExtent.FULL, "", published, outlet=outlet)


def held(title: str = TITLE, text: str = TEXT, at: datetime = NOW, of: Source | None = None, outlet: str = "") -> Candidate:
    of, found = of or source(), fingerprint(title, text)
    return Candidate(
        7, 3, outlet or of.publisher, of.key, "https://x.example/b", title, found.text_hash, found.signature, found.weight, at
    )


def verdict(new: Draft, *old: Candidate, of: Source | None = None) -> Same | Copy | Fresh:
    return decide(new, fingerprint(new.title, new.text), of or source(), old, NOW)


ELSEWHERE = source("evening", "晚间财经")
POINTERS = source("pointers", "Search", aggregator=True, text="none")


def test_with_nothing_like_it_held_a_draft_is_fresh():
    """No neighbour, no doubt."""
    assert verdict(draft()) == Fresh()


@pytest.mark.parametrize(
    "new",
    [
        draft(),
        draft(title=TITLE + "（更新）"),
        draft(text=TEXT.replace("，", ", ")),
        draft(at=NOW - timedelta(days=20)),
        draft(at=None),
        draft(text=TEXT.replace("周二", "周二上午")),
    ],
    ids=["as it was", "title edited", "spacing", "resurrected", "date lost", "text corrected"],
)
def test_a_republished_article_is_the_same_article(new: Draft):
    """Another address or GUID, an edited title, a moved date or a corrected sentence announce nothing twice."""
    assert isinstance(verdict(new, held()), Same)


def test_a_republished_flash_is_the_same_flash():
    """Two sentences under an edited title the same day, or under the same title within weeks, at another address."""
    flash = TEXT[:70]
    assert isinstance(verdict(draft(TITLE + "（更新）", flash), held(text=flash)), Same)
    assert isinstance(verdict(draft(TITLE, flash), held(text=flash, at=NOW - timedelta(days=12))), Same)
    assert verdict(draft("另一家公司宣布裁员", flash), held(text=flash)) == Fresh()


def test_another_outlets_same_text_is_a_copy_and_joins_its_story():
    """A wire reprint."""
    found = verdict(draft(title="又一款开源模型问世"), held(), of=ELSEWHERE)
    assert isinstance(found, Copy)
    assert (found.article_id, found.story_id) == (7, 3)


@pytest.mark.parametrize("text", [TEXT + ADDED, ADDED + TEXT, TEXT[: len(TEXT) * 3 // 4]], ids=["longer", "led in", "shorter"])
def test_a_copy_may_be_lengthened_or_shortened(text: str):
    """Portals add a paragraph or cut one."""
    assert isinstance(verdict(draft(title="今日一则", text=text), held(), of=ELSEWHERE), Copy)


def test_the_same_event_in_other_words_is_no_copy():
    """Grouping reports of one event is not what this layer does."""
    assert verdict(draft(title="国产大模型又有新成员", text=REWRITTEN), held(), of=ELSEWHERE) == Fresh()


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("科技早报：开源模型发布等", ADDED + TEXT),
        ("模型开源；电网试点启动；机器人新品露面", ADDED + TEXT),
        ("一周要闻", "。".join([ADDED, TEXT, REWRITTEN, REWRITTEN[::-1], ADDED[::-1], TEXT[::-1]])),
    ],
    ids=["by its name", "by its list", "by its length"],
)
def test_a_digest_is_no_copy_of_one_of_its_items(title: str, text: str):
    """It holds the item's text, but it is another page about many things."""
    assert verdict(draft(title=title, text=text), held(), of=ELSEWHERE) == Fresh()


def test_a_whole_digest_reprinted_is_a_copy():
    """Two outlets may carry one morning letter."""
    letter = ADDED + TEXT
    assert isinstance(verdict(draft("科技早报", letter), held("科技早报", letter), of=ELSEWHERE), Copy)


def test_a_stub_under_different_titles_is_no_duplicate():
    """A paywall's notice or a failed page gives one text for every article of a site."""
    assert verdict(draft(title="芯片出口新规公布首日市场反应平静"), held()) == Fresh()


def test_a_daily_report_in_the_same_form_is_a_new_article():
    """One outlet's template with another day's numbers."""
    report = "截至收盘，人工智能指数报{}点，涨{}%。" + TEXT
    monday = held("11月23日人工智能指数收盘报告", report.format(3120, 1.2), NOW - timedelta(days=1))
    assert verdict(draft("11月24日人工智能指数收盘报告", report.format(3177, 1.8)), monday) == Fresh()


def test_a_column_under_one_title_is_new_each_day():
    """Bare headlines of a daily column stand 24 hours apart."""
    yesterday = held("人工智能产业每日要闻速递", "", NOW - timedelta(days=1))
    assert verdict(draft("人工智能产业每日要闻速递", ""), yesterday) == Fresh()
    assert isinstance(verdict(draft("人工智能产业每日要闻速递", ""), replace(yesterday, at=NOW - timedelta(hours=2))), Same)


def test_a_pointer_to_an_article_held_is_that_article():
    """A search feed's item bears the outlet's name and title; the outlet's own name here is longer."""
    own = source("morning", "晨间科技 Morning Tech")
    found = verdict(draft(text="", at=NOW + timedelta(0), outlet="晨间科技"), held(of=own, at=NOW - timedelta(hours=30)), of=POINTERS)
    assert isinstance(found, Same)


def test_a_pointer_to_another_outlets_article_is_not_that_outlets():
    """One long title in two outlets: the pointer joins the story; it is no second article of the first outlet."""
    assert isinstance(verdict(draft(text="", outlet="晚间财经"), held(), of=POINTERS), Copy)


def test_the_article_after_its_pointer_is_kept_with_its_text():
    """The headline came first; the text is stored and joins the headline's story, which was told already."""
    pointer = held(text="", of=POINTERS, outlet="晨间科技")
    assert isinstance(verdict(draft(), pointer), Copy)


def test_one_title_over_two_reports_is_no_copy():
    """Two full texts with nothing in common were written apart, whatever stands above them."""
    assert verdict(draft(text=REWRITTEN), held(), of=ELSEWHERE) == Fresh()


def test_untitled_items_are_told_apart_by_their_texts():
    """Nothing equals nothing, yet it is no sign of one article; a whole text is."""
    assert verdict(draft("", ""), held("", "")) == Fresh()
    assert isinstance(verdict(draft("", TEXT), held("", TEXT)), Same)


def test_a_short_title_says_nothing_by_itself():
    """Two outlets' 快讯 under 新品发布 need not be one event."""
    assert verdict(draft("新品发布", "甲公司新品。"), held("新品发布", "乙公司新品。"), of=ELSEWHERE) == Fresh()


def test_the_likest_original_wins_and_then_the_oldest():
    """A copy's copy points at the original."""
    far = replace(held(text=TEXT + ADDED), article_id=1)
    near, later = replace(held(), article_id=5), replace(held(), article_id=9)
    found = verdict(draft(title="转载"), far, later, near, of=ELSEWHERE)
    assert isinstance(found, Copy)
    assert found.article_id == 5


def test_a_text_returning_after_months_is_not_tied_to_its_original():
    """Outside the window a reprint opens a new story."""
    assert verdict(draft(), held(at=NOW - timedelta(days=90)), of=ELSEWHERE) == Fresh()


@pytest.mark.parametrize(
    ("title", "digest"),
    [
        ("AI Weekly: chips, models and a treaty", True),
        ("This week in robotics", True),
        ("某某早报丨芯片公司上市；机器人入厂", True),
        ("人民日报评论员：把握智能时代", False),
        ("Regulators brief lawmakers on chips", False),
        ("公司发布新一代模型", False),
    ],
)
def test_digests_are_told_by_their_titles(title: str, digest: bool):
    """They list or name themselves in both languages; a newspaper's name is no digest."""
    assert reads_as_digest(title) is digest
