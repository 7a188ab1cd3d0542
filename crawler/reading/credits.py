"""Who wrote it: source lines, wire credits and editors' notes, taken out of the text they stand in."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"[\w·《》&. -]{2,24}?"
_WIRES = (
    r"新华社|新華社|中新社|中新网|中国新闻网|央视网|央视新闻|人民网|参考消息网|路透社?|法新社|彭博社?|美联社|共同社|中央社|新华网|"
    r"财联社|澎湃新闻|每经"
)
_HEAD = re.compile(
    rf"^[\s【\[（(]*(?:据)?(?P<wire>{_WIRES}|[\w]{{2,10}}(?:网|社|报|日报|晚报|时报|新闻))\s*"
    r"(?:[\w·、\s]{0,24}?\d{1,2}月\d{1,2}日\s*(?:电|讯|消息|報道|报道)|(?:电|讯|消息|報道|报道)(?=[\s：:，,（(】\]—-]))\s*[】\]）)]?\s*(?:[（(]\s*(?:记者|記者|通讯员|见习记者|特约记者|首席记者)[^）)]{0,40}[）)])?\s*[：:，,—\-]*\s*"
)
_OWN = re.compile(
    r"^[\s【\[（(]*本[报報刊网站台]\s*(?:[\w\s]{0,14}?\d{0,2}月?\d{0,2}日?)?(?:讯|訊|电|消息)\s*[】\]）)]?\s*"
    r"(?:[（(][^）)]{0,40}[）)])?\s*[：:，,—\-]*\s*"
)
_LATIN_HEAD = re.compile(
    r"^(?:[A-Z][A-Z .,/-]{2,40}(?:,? [A-Z][a-z]{2,8}\.? \d{1,2})? ?)?"
    r"\((?P<wire>Reuters|Xinhua|AP|AFP|Bloomberg|CNS|Kyodo)\)\s*[-–—:]+\s*"
)
_SOURCE_LINE = re.compile(
    r"^[\s（(【\[]*(?:文章)?(?:来源|來源|稿源|信息来源|资料来源|Source)\s*[:：/丨|]\s*(?P<name>[^\s）)】\]|丨，。；]{2,30})[\s）)】\]]*$"
)
_SOURCE_ANYWHERE = re.compile(r"(?:来源|來源|稿源)\s*[:：/丨|]\s*(?P<name>[^\s）)】\]|丨，。；:：]{2,24})")
_STAFF = re.compile(
    r"^[\s（(【\[]*(?:责任?编辑|责编|編輯|编辑|校对|審校|审校|审核|责校|值班编辑|值班主任|监制|策划|排版|制图|视觉|美编|统筹|终审|"
    r"初审|复审|记者|作者|文|撰文|图|图片(?:来源)?|图源|摄影|封面图?来源)"
    r"\s*[:：/丨|]\s*[^。！？]{1,60}[\s）)】\]]*$"
)
_NOTICE = re.compile(
    r"^[\s（(【\[]*(?:免责声明|版权声明|版权所有|风险提示|特别声明|郑重声明|声明[:：]|未经授权|转载请|本文来自|本文转自|本文首发|"
    r"本文系|原文链接|原标题|欢迎关注|关注我们|扫码|扫描二维码|点击(?:进入|查看|阅读)|更多精彩|相关阅读|推荐阅读|延伸阅读|举报|分享到|"
    r"打开APP|All rights reserved|©|\(c\)|Copyright|Sign up for|Subscribe to|Read more|Related:|Follow us)",
    re.IGNORECASE,
)
_REPOST = re.compile(
    r"本文(?:来自|转自|首发于?|系)\s*(?:微信)?(?:公众号)?\s*[:：]?\s*[“「\"]?(?P<name>[^”」\"，。（(：:]{2,24})"
)
_TAIL_LINES = 8


@dataclass(frozen=True, slots=True)
class Credited:
    """A text without its credits, and the original source they name (or empty)."""

    text: str
    credit: str


def take_credits(text: str, stated: str = "") -> Credited:
    """Take wire credits, source lines and closing notes off a text (one line a paragraph).

    `stated` is what the page says beside the text (its 来源 element), which is believed before the text's own lines.
    """
    lines = text.split("\n")
    credit = ""
    while lines and (label := _SOURCE_LINE.match(lines[0]) or _STAFF.match(lines[0])):
        credit = credit or label.groupdict().get("name") or ""
        del lines[0]
    if lines:
        lines[0], wire = _without_head(lines[0])
        credit = wire or credit
    lines, closing = _without_tail(lines)
    return Credited("\n".join(lines).strip(), credit or stated or closing)


def source_named_in(text: str) -> str:
    """The name after the first 来源： in a text beside an article, or empty."""
    match = _SOURCE_ANYWHERE.search(text)
    return match["name"].strip() if match else ""


def _without_head(line: str) -> tuple[str, str]:
    """The first line without the wire credit that opens it, and the wire's name; a credit is not the whole line."""
    own = _OWN.match(line)
    if own:
        return line[own.end() :] or line, ""
    head = _HEAD.match(line) or _LATIN_HEAD.match(line)
    if head and head.end() < len(line):
        return line[head.end() :], head["wire"]
    return line, ""


def _without_tail(lines: list[str]) -> tuple[list[str], str]:
    """Lines without the notes at the end, and the source one of them names."""
    credit = ""
    for place in range(len(lines) - 1, max(0, len(lines) - _TAIL_LINES) - 1, -1):
        line = lines[place]
        label = _SOURCE_LINE.match(line) or _REPOST.match(line.strip(" （(【["))
        if label or _STAFF.match(line) or _NOTICE.match(line):
            credit = credit or (label["name"] if label else "")
            if place:
                lines = lines[:place] + lines[place + 1 :]
    return lines, credit
