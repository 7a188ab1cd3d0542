"""What counts as coverage of China's AI sector, on made-up headlines."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from core.language import Language
from core.source import Scope, Source, SourceKind
from crawler.judgement.relevance import RelevanceJudge
from lexicon.watchlist import load_watchlist

judge = RelevanceJudge(load_watchlist())


def source(language: str = "en", scope: Scope = Scope.TECH, country: str = "") -> Source:
    return Source(
        key="made-up",
        name="Made-up",
        kind=SourceKind.FEED,
        url="http://news.test/feed",
        language="zh" if language == "zh" else "en",
        scope=scope,
        country=country,
    )


def relevant(title: str, text: str = "", *, scope: Scope = Scope.TECH, country: str = "") -> bool:
    chinese = any("\u4e00" <= character <= "\u9fff" for character in title)
    language = Language.ZH_HANS if chinese else Language.EN
    return judge.judge(title, text, source("zh" if chinese else "en", scope, country), language).relevant


YES_ENGLISH = [
    "DeepSeek cuts prices for its newest model by half",
    "Moonshot AI raises another round as Kimi gains users",
    "Kimi K4 tops a coding benchmark",
    "Qwen 4 arrives with a smaller sibling",
    "Zhipu's GLM-6 is out under an open licence",
    "Unitree opens a second plant for humanoids",
    "Alibaba bets on AI agents for its shops",
    "Tencent puts AI into every chat",
    "Beijing plans a fund for artificial intelligence",
    "China's AI labs hire abroad again",
    "Shenzhen lets robots deliver parcels at night",
    "Huawei shows an AI cluster without foreign parts",
    "Commerce Department adds Chinese chip makers to the Entity List",
    "US tightens export controls on chips for China",
    "Nvidia seeks leave to sell H20 chips in China",
    "Senators ask why Nvidia GPUs reach China through resellers",
    "World AI Conference opens in a heatwave",
    "Chinese chatbots learn to say no",
    "State Council publishes an AI Plus timetable",
    "Baidu's robotaxi leaves the test track with a new AI driver",
    "AgiBot ships its five-thousandth humanoid",
    "How MiniMax built an AI video model on a budget",
    "ByteDance's Doubao overtakes its rivals",
    "Cambricon's profit jumps on demand for AI chips",
]
NO_ENGLISH = [
    "OpenAI opens an office in Dublin",
    "Claude learns to draw flow charts",
    "Nvidia beats estimates as data centres grow",
    "What AI means for teachers in Ohio",
    "Britain debates a robot tax",
    "Kimi wins from pole in the rain",
    "Beijing expects a cold winter",
    "China's exports of shoes rise in May",
    "Alibaba opens a warehouse in Belgium",
    "Huawei launches a lighter watch",
    "The generalized linear model (GLM) explained",
    "A new translation of the Dream of the Red Chamber from China",
    "India lifts its export ban on onions",
    "Google tests an AI search page in Japan",
    "Ernie and Bert return to television",
    "Ten recipes for the air fryer",
    "Volcano wakes after a century",
    "Apple delays an AI feature of its phone",
]
YES_CHINESE = [
    "深度求索发布新一代推理模型",
    "月之暗面完成新一轮融资",
    "智谱推出 GLM-6 并开放权重",
    "千问上线桌面智能体",
    "豆包大模型日均调用量再创新高",
    "宇树科技新款人形机器人开售",
    "阿里云 AI 芯片服务器投产",
    "腾讯把 AI 助手接入会议",
    "百度自研 AI 芯片点亮万卡集群",
    "工信部印发人工智能与制造业融合方案",
    "上海建设具身智能训练场",
    "国产大模型走进县医院",
    "我国算力规模位居前列",
    "深圳发布机器人产业三年计划",
    "世界人工智能大会下周开幕",
    "商务部回应芯片出口管制",
    "美国将多家中国企业列入实体清单",
    "英伟达对华特供芯片再生变数",
    "小米机器人工厂进入大模型时代",
    "某公司完成数亿元融资，做 AI 客服",
    "大厂争抢智能体入口",
    "具身智能公司量产元年到来",
    "國產大模型登頂開源榜單",
    "華為昇騰新品亮相",
]
NO_CHINESE = [
    "谷歌发布新款手机",
    "OpenAI 与微软重新谈判合作条款",
    "马斯克称 Grok 将开源",
    "美股芯片板块集体回落",
    "欧盟就人工智能法案征求各方看法",
    "今日天气：北京晴转多云",
    "国产老电影修复版重映",
    "上海地铁新线试运行",
    "小米粥怎么熬更香",
    "春游阿里山赏樱攻略",
    "百度一下你就知道的冷知识",
    "元宝形状的饺子好吃又好看",
    "信创办公软件坚持自主可控",
    "中国女排三比零取胜",
    "特斯拉在德国扩建工厂",
    "数字人民币红包来了",
    "寒武纪的海洋里有什么",
    "海螺水泥上半年净利增长",
]


@pytest.mark.parametrize("title", YES_ENGLISH + YES_CHINESE)
def test_the_sector_is_recognised_by_its_headline(title: str) -> None:
    assert relevant(title)


@pytest.mark.parametrize("title", NO_ENGLISH + NO_CHINESE)
def test_what_is_not_the_sector_is_off_topic(title: str) -> None:
    assert not relevant(title)


def test_reasons_are_short_and_name_names() -> None:
    verdict = judge.judge("Qwen and Kimi compared", "Two Chinese models side by side.", source(), Language.EN)
    assert verdict.reasons[0] in {"names Qwen, Kimi", "names Kimi, Qwen"}
    assert all(len(reason) < 100 for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("title", "text", "reason"),
    [
        ("A cold winter", "Snow falls.", "no word of AI in headline or opening"),
        ("AI in the classroom", "Teachers in Ohio try it.", "AI, but nothing of China"),
        ("A cold winter in China", "Forecasters now use AI.", "AI or China only in passing"),
    ],
)
def test_off_topic_says_what_was_missing(title: str, text: str, reason: str) -> None:
    verdict = judge.judge(title, text, source(), Language.EN)
    assert not verdict.relevant
    assert verdict.reasons == (reason,)


def test_what_comes_up_far_down_does_not_count() -> None:
    text = "A long report on the harbour, its cranes and its gulls. " * 30 + "One office tried DeepSeek."
    assert not relevant("The harbour", text)
    assert relevant("The harbour", "One office tried DeepSeek. " + text)


def test_a_text_that_speaks_of_both_throughout_is_relevant_whatever_its_headline() -> None:
    text = "In China the AI race is on. Chinese AI firms hire; China counts its AI patents, and Beijing pays."
    assert relevant("The long read", text)


def test_less_is_asked_of_sources_that_write_on_the_sector() -> None:
    title = "新产线量产，这家公司怎么做到的"
    assert relevant(title, scope=Scope.AI_ONLY)
    assert not relevant(title, scope=Scope.TECH)
    assert relevant("Robots for the night shift", scope=Scope.TECH, country="CN")
    assert not relevant("Robots for the night shift", scope=Scope.TECH, country="US")
    assert relevant("A note to our users", scope=Scope.COMPANY, country="CN")
    assert relevant("关于开展试点工作的公告", "试点包括人工智能应用。", scope=Scope.GOVERNMENT, country="CN")


@pytest.mark.parametrize(
    ("title", "summary", "worth"),
    [
        ("DeepSeek cuts its prices", "", True),
        ("The AI question", "", True),
        ("The AI question", "What London's museums make of it, and what visitors in Britain say about the guides. " * 2, False),
        ("Chinese chip makers report", "", True),
        ("Ten recipes for the air fryer", "", False),
        ("China's panda cubs named", "", False),
    ],
)
def test_a_page_is_fetched_when_title_and_summary_leave_it_open(title: str, summary: str, worth: bool) -> None:
    assert judge.worth_fetching(title, summary, source(scope=Scope.GENERAL)).relevant is worth


def test_a_page_of_which_its_list_says_nothing_is_fetched() -> None:
    assert judge.worth_fetching("", " ", source(scope=Scope.GENERAL)).relevant


def test_everything_of_a_narrow_source_is_fetched() -> None:
    assert judge.worth_fetching("Issue 12", "", source(scope=Scope.NEWSLETTER)).relevant
    assert judge.worth_fetching("通知", "", source("zh", Scope.GOVERNMENT, "CN")).relevant
    assert not judge.worth_fetching("Issue 12", "", source(scope=Scope.GENERAL)).relevant


REAL = Path(__file__).parents[3] / "shared/data/relevance/items.jsonl"


@pytest.mark.real
@pytest.mark.skipif(not REAL.exists(), reason="the real items are not here")
def test_real_items_are_judged_as_people_judged_them() -> None:
    """A floor under F1 (measured: .89 to .90 all, .89 Chinese, .90 English; docs/design/relevance.md), not a target."""
    items = [json.loads(line) for line in REAL.read_text(encoding="utf-8").splitlines()]
    assert f1([(bool(item["relevant"]), _judged(item)) for item in items]) > 0.85
    for language in ("zh", "en"):
        assert f1([(bool(item["relevant"]), _judged(item)) for item in items if item["language"] == language]) > 0.82


def _judged(item: dict[str, str]) -> bool:
    language = Language.ZH_HANS if item["language"] == "zh" else Language.EN
    return judge.judge(item["title"], item["summary"], source(item["language"]), language).relevant


def f1(pairs: list[tuple[bool, bool]]) -> float:
    """F1 of (true, judged) pairs."""
    right = sum(true and judged for true, judged in pairs)
    return 2 * right / (sum(true for true, _ in pairs) + sum(judged for _, judged in pairs))


HEADLINES = Path(__file__).parents[3] / "shared/data/headlines"


@pytest.mark.real
@pytest.mark.skipif(not HEADLINES.exists(), reason="the real headlines are not here")
@pytest.mark.parametrize(("file", "field"), [("tnews_dev", "sentence"), ("ag_news_test", "title")])
def test_everyday_news_is_nearly_never_relevant(file: str, field: str) -> None:
    """Fewer than 3 in 1,000 headlines of general news sets from before 2020."""
    with lzma.open(HEADLINES / f"{file}.jsonl.xz", "rt", encoding="utf-8") as lines:
        titles = [json.loads(line)[field] for line in lines]
    passed = sum(relevant(title, scope=Scope.GENERAL) for title in titles)
    assert passed < 0.003 * len(titles)
