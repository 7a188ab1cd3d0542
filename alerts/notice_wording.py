"""Every word of an operator's notice that is jingbao's own, in the operators' languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.standing import Standing


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """The phrases of one language; those with braces are filled by name. `sources` has a headline and advice by standing."""

    occasion: str
    begun: str
    over: str
    well_again: str
    sources: Mapping[Standing, tuple[str, str]]
    colon: str
    since: str
    from_to: str
    look: str
    more: str
    others: str
    why: str
    change: str


_ENGLISH = NoticeWords(
    occasion="Notice",
    begun="What needs a look",
    over="What is well again",
    well_again="well again",
    sources={
        Standing.QUIET: (
            "quiet",
            "It answers, but lists nothing new. Look at its address: perhaps the feed was given up for another one.",
        ),
        Standing.DEGRADED: (
            "gives less than it did",
            "It answers, but its layout has probably changed: its selectors in config.yaml may need a hand.",
        ),
        Standing.BLOCKED: (
            "refuses",
            "That is respected; it is asked again once a day at most. Another of its feeds, or a proxy, may be open to you.",
        ),
        Standing.BROKEN: (
            "broken",
            "It is asked again with growing gaps, at least once a day. If its address has changed, change it in config.yaml.",
        ),
    },
    colon=": ",
    since="since {since}",
    from_to="{since} to {until}",
    look="More: {command}",
    more="and {count} more; to see them all: {command}",
    others=" (+{count})",
    why="You get this as the operator of jingbao: each change is told once, many together in one mail.",
    change="To change who gets it: operator.addresses in config.yaml.",
)
_CHINESE = NoticeWords(
    occasion="运行通知",
    begun="需要留意",
    over="已恢复",
    well_again="已恢复正常",
    sources={
        Standing.QUIET: ("久无更新", "该来源有应答，但列表中没有新内容。请查看其地址，原订阅源可能已停用。"),
        Standing.DEGRADED: ("内容减少", "该来源有应答，但版面可能已改动，config.yaml 中的选择器或需调整。"),
        Standing.BLOCKED: ("拒绝访问", "jingbao 不会绕过限制，每天至多再试一次。可改用其他订阅源或代理。"),
        Standing.BROKEN: ("无法读取", "jingbao 会继续重试，间隔渐长，但每天至少一次。如地址已变，请在 config.yaml 中修改。"),
    },
    colon="：",
    since="始于 {since}",
    from_to="{since} 至 {until}",
    look="详情：{command}",
    more="另有 {count} 项，全部列出：{command}",
    others="（另 {count} 项）",
    why="您是 jingbao 的运维者，故收到此邮件：每个变化只告知一次，多项合为一封。",
    change="如需更改收件人，请改 config.yaml 中的 operator.addresses。",
)

NOTICE_WORDS: Mapping[str, NoticeWords] = {"en": _ENGLISH, "zh": _CHINESE}
