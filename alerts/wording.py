"""Every word of a mail that is jingbao's own, in the readers' languages. A language is one more `Wording`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """The phrases of one language; those with braces are filled by name."""

    tag: str
    comma: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    before_clock: str
    time_unknown: str
    day_only: str
    month_only: str
    languages: Mapping[str, str]
    rhythms: Mapping[str, str]
    digest_subject: str
    headline_only: str
    summary_only: str
    partial_text: str
    why: str
    also_rule: str
    also_in: str
    and_more_outlets: str
    original: str
    stored_copy: str
    told_before: str
    more: str
    counts: str
    not_shown: str
    held_over: str
    zone: str
    change: str
    sent_by: str
    untitled: str


_ENGLISH = Wording(
    tag="en",
    comma=", ",
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    before_clock=", ",
    time_unknown="time unknown, first seen {moment}",
    day_only="{day}, no time given",
    month_only="{month} {year}, no day given",
    languages={"zh-Hans": "Chinese", "zh-Hant": "Chinese (traditional)", "en": "English", "other": "other language"},
    rhythms={"now": "Alert", "hourly": "Hourly digest", "daily": "Daily digest", "weekly": "Weekly digest"},
    digest_subject="{rhythm}, {day}",
    headline_only="headline only",
    summary_only="summary only",
    partial_text="part of the text",
    why="Why",
    also_rule="also found by {rules}",
    also_in="Also in",
    and_more_outlets="{count} more",
    original="Original",
    stored_copy="Stored copy",
    told_before="Found again, and already mailed to you",
    more="and {count} more; to see them all:",
    counts="Reports: {seen} seen, {here} here, {copies} copies folded in.",
    not_shown="Not shown: {more}.",
    held_over="Held for this mail by your limit of {limit} a day: {count}.",
    zone="Times are in the zone {zone}.",
    change="To change what you get: rules and readers in config.yaml. Rules in this mail: {rules}.",
    sent_by="Sent by jingbao {version} to {name}.",
    untitled="(no title)",
)

_CHINESE = Wording(
    tag="zh-Hans",
    comma="、",
    weekdays=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    months=("1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"),
    before_clock=" ",
    time_unknown="发布时间不详，{moment} 首次见到",
    day_only="{day}，未注明时刻",
    month_only="{year}年{month}，未注明日期",
    languages={"zh-Hans": "中文", "zh-Hant": "繁体中文", "en": "英文", "other": "其他语言"},
    rhythms={"now": "快讯", "hourly": "每小时摘要", "daily": "每日摘要", "weekly": "每周摘要"},
    digest_subject="{rhythm} {day}",
    headline_only="仅有标题",
    summary_only="仅有摘要",
    partial_text="仅有部分正文",
    why="命中",
    also_rule="另见规则 {rules}",
    also_in="另见",
    and_more_outlets="另有 {count} 家",
    original="原文",
    stored_copy="本地存档",
    told_before="再次命中，此前已寄给您",
    more="另有 {count} 条，全部列出：",
    counts="共见报道 {seen} 篇：此处 {here} 条，合并转载 {copies} 篇。",
    not_shown="未列出：{more} 条。",
    held_over="因每日 {limit} 封的上限而延至本邮件：{count} 条。",
    zone="时间均为 {zone} 时区。",
    change="如需调整，请改 config.yaml 中的 rules 和 readers。本邮件涉及的规则：{rules}。",
    sent_by="jingbao {version} 寄给 {name}。",
    untitled="（无标题）",
)

WORDING: Mapping[str, Wording] = {"en": _ENGLISH, "zh": _CHINESE}
