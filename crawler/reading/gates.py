"""Answers that are no article: challenges, log-in walls, soft 404 pages, near-empty pages; each with a reason for people.

A 200 answer is not an article: sites answer a crawler with a captcha, a consent wall or an empty frame under the article's own
address. The marks are those of common software and of plain words, not of single sites.
"""

from __future__ import annotations

import re

from core.errors import ReadingError
from core.outcomes import Outcome

_HEAD_CHARS = 60_000
_SHORT_CHARS = 1500  # a gate says little; a long text that mentions captchas is an article on them
_CHALLENGE_MARKUP = re.compile(
    r"/cdn-cgi/challenge-platform|_cf_chl_opt|cf-browser-verification|g-recaptcha|hcaptcha\.com/1|geetest|_Incapsula_Resource|"
    r"px-captcha|captcha-delivery\.com|aliyun_waf|acw_sc__v2|\byoda\.verify|_waf_|tencent-captcha|TCaptcha",
    re.IGNORECASE,
)
_CHALLENGE_WORDS = re.compile(
    r"just a moment|attention required|checking your browser|verify(?:ing)? (?:that )?you are (?:a )?human|are you a robot|"
    r"unusual traffic|access denied|request (?:was )?blocked|enable javascript and cookies|"
    r"安全验证|人机验证|访问验证|滑动验证|请完成验证|访问过于频繁|访问频率|系统检测到.{0,12}异常|环境异常|您的访问.{0,8}拦截|"
    r"请输入验证码|安全检查|访问被拒绝",
    re.IGNORECASE,
)
_LOGIN_WORDS = re.compile(
    r"(?:please )?(?:log|sign) in to (?:continue|read|view)|create (?:a free )?account to (?:continue|read)|"
    r"登录后(?:查看|阅读|继续)|请先登录|请登录后|登录以继续|扫码登录",
    re.IGNORECASE,
)
_GONE_TITLE = re.compile(
    r"^\W*(?:404|page not found|not found|error 404|410 gone|找不到|"
    r"页面不存在|页面未找到|该?页面?(?:已删除|已被删除|走丢|丢失|不见)|"
    r"内容(?:不存在|已删除|已被删除)|"
    r"文章不存在|抱歉.{0,12}(?:不存在|删除)|出错了|無法找到|找不到網頁)|\b404\b.{0,20}(?:not found|error|找不到)",
    re.IGNORECASE,
)
_GONE_WORDS = re.compile(
    r"page (?:you (?:are looking for|requested)|cannot be found|not found|no longer exists)|404 not found|"
    r"(?:页面|内容|文章|网页)(?:不存在|已被?删除|已下线|找不到|无法访问)|该内容已被发布者删除|您(?:要)?访问的(?:页面|内容|文章)不存在",
    re.IGNORECASE,
)


def not_a_feed(text: str) -> ReadingError:
    """The error for an answer that was to be a feed and is something else."""
    is_page = re.search(r"<(?:!doctype\s+)?html|<body|<head\b", text[:_HEAD_CHARS], re.IGNORECASE)
    if is_page and (_CHALLENGE_MARKUP.search(text[:_HEAD_CHARS]) or _CHALLENGE_WORDS.search(text[:_HEAD_CHARS])):
        return ReadingError(Outcome.BLOCKED, "the feed's address answers with a challenge page")
    if is_page:
        return ReadingError(Outcome.UNREADABLE, "the address answers with a web page, not a feed")
    if text.lstrip().startswith("<"):
        return ReadingError(Outcome.UNREADABLE, "the answer is markup, but no feed of a known kind")
    return ReadingError(Outcome.UNREADABLE, "the answer is not a feed")


def refuse_gate(markup: str, title: str, text: str, visible: str) -> None:
    """Raise the ReadingError that fits if a page is a gate: `text` is its article's, `visible` all its words.

    A page with a long article is none, whatever words it holds. BLOCKED: a challenge or a log-in wall. GONE: a soft 404 page.
    """
    if len(text) > _SHORT_CHARS:
        return
    words = f"{title}\n{visible[:_SHORT_CHARS]}"
    if _GONE_TITLE.search(title) or (len(visible) < _SHORT_CHARS and _GONE_WORDS.search(words)):
        raise ReadingError(Outcome.GONE, "the page says that it does not exist (any more)")
    short = len(visible) < _SHORT_CHARS
    if short and (_CHALLENGE_WORDS.search(words) or (_CHALLENGE_MARKUP.search(markup) and len(text) < 200)):
        raise ReadingError(Outcome.BLOCKED, "the site answers with a challenge page instead of the article")
    if _LOGIN_WORDS.search(words) and len(text) < 200:
        raise ReadingError(Outcome.BLOCKED, "the site asks to log in before it shows the article")


def refuse_list_gate(markup: str, visible: str) -> None:
    """Raise BLOCKED if what was to be a list page is a challenge."""
    if len(visible) < _SHORT_CHARS and (_CHALLENGE_WORDS.search(visible) or _CHALLENGE_MARKUP.search(markup[:_HEAD_CHARS])):
        raise ReadingError(Outcome.BLOCKED, "the site answers with a challenge page instead of its list")
