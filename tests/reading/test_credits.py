"""Wire credits, source lines and closing notes leave the text; the source they name is kept."""

import pytest

from crawler.reading.credits import source_named_in, take_credits

BODY = "江南某公司今天发布新产品。\n它明年开始销售。"


@pytest.mark.parametrize(
    ("text", "credit"),
    [
        (f"据新华社上海2月16日电(记者某甲 某乙){BODY}", "新华社"),
        (f"新华社北京9月8日电 {BODY}", "新华社"),
        (f"中新社江南11月3日电 （记者 某甲）{BODY}", "中新社"),
        (f"央视网消息：{BODY}", "央视网"),
        (f"参考消息网4月28日报道 {BODY}", "参考消息网"),
        (f"本报江南11月3日讯（记者某甲）{BODY}", ""),
        (f"本报讯 {BODY}", ""),
        (f"来源：东岸日报\n作者：某甲\n{BODY}", "东岸日报"),
        (f"{BODY}\n（责任编辑：某甲）\n免责声明：本文只代表作者观点", ""),
        (f"{BODY}\n本文来自微信公众号“江南观察”，作者某甲\n责编：某乙", "江南观察"),
        (f"{BODY}\n文 | 某甲\n图片来源：某图库\n来源 丨 西岸网", "西岸网"),
        (BODY, ""),
    ],
)
def test_credits_are_taken_off_and_named(text, credit):
    credited = take_credits(text)

    assert (credited.text, credited.credit) == (BODY, credit)


@pytest.mark.parametrize("text", ["新华社记者说，这是第一次。", "来源不明的货物被退回。", "编辑部搬到了新楼。\n大家都很高兴。", "本报告共分三章。", "责编：某甲"])
def test_a_sentence_that_only_looks_like_a_credit_stays(text):
    assert take_credits(text).text.startswith(text[:4]) or text == "责编：某甲"


@pytest.mark.parametrize(("line", "name"), [("2026-11-23 来源：东岸日报 作者：某甲", "东岸日报"), ("来源: 西岸网", "西岸网"), ("無來源", "")])
def test_the_source_beside_an_article(line, name):
    assert source_named_in(line) == name
