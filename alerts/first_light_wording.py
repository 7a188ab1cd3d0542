"""The words of first light, in the readers' languages; those with braces are filled by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.trouble import Trouble
from storage.outbox import MatchState


@dataclass(frozen=True, slots=True)
class FirstWords:
    """The phrases of one language. `troubles`: what each kind is called, and what to do. `count_…`: for one and for many."""

    occasion: str
    subject: str
    sources: str
    all_answered: str
    articles: str
    by_language: str
    colon: str
    semicolon: str
    stop: str
    pending: str
    covered: str
    covered_none: str
    count_articles: tuple[str, str]
    count_outlets: tuple[str, str]
    language_marks: Mapping[str, str]
    rules: str
    rules_about: str
    no_rules: str
    nothing_found: str
    count_matches: tuple[str, str]
    states: Mapping[MatchState, str]
    silent: str
    reason: str
    reason_length: int
    and_more: str
    troubles: Mapping[Trouble, tuple[str, str]]
    out_of_reach: Mapping[str, str]
    out_of_reach_advice: str
    next: str
    next_at: str
    at_once: str
    change: str
    commands: tuple[tuple[str, str], ...]
    why: str


_ENGLISH = FirstWords(
    occasion="First light",
    subject="jingbao is watching: {answered} of {asked} sources answer, {articles} articles",
    sources="{answered} of {asked} sources have answered",
    all_answered="All {asked} sources have answered",
    articles="{count} articles are in the archive",
    by_language="{count} in {language}",
    colon=": ",
    semicolon="; ",
    stop=".",
    pending="Still being asked: {names}.",
    covered="Most covered in the last 72 hours",
    covered_none="Nothing on the watchlist was written about yet.",
    count_articles=("{count} article", "{count} articles"),
    count_outlets=("{count} outlet", "{count} outlets"),
    language_marks={"zh": "Chinese", "en": "English", "other": "other"},
    rules="What your rules would have sent, last 7 days",
    rules_about=(
        "What a source held when it was first read is its baseline: kept and searchable, never mailed. "
        "From now on you get what is new."
    ),
    no_rules="No rule is on for you. Turn some on in config.yaml.",
    nothing_found="nothing yet",
    count_matches=("{count} match {state}", "{count} matches {state}"),
    states={
        MatchState.BASELINE: "waiting, not mailed: baseline",
        MatchState.TOO_OLD: "not mailed: too old",
        MatchState.WAITING: "waiting for the next mail",
        MatchState.FOLDED: "held for the next digest",
        MatchState.MAILED: "mailed",
        MatchState.TOLD: "already told by another rule or outlet",
        MatchState.WITHDRAWN: "withdrawn",
    },
    silent="Sources that gave nothing",
    reason="{reason}",
    reason_length=160,
    and_more="and {count} more",
    troubles={
        Trouble.OFFLINE: ("Asked while this machine was offline", "Nothing answered. They are asked when the line is back."),
        Trouble.PROXY: ("The proxy", "Look whether it runs, and at network.proxy and network.proxy_groups."),
        Trouble.NO_NAME: (
            "Name not found",
            "All of them? Look at this machine's network. These alone? They have moved, or are filtered here: a proxy helps.",
        ),
        Trouble.NO_CONNECTION: (
            "No connection",
            "A firewall on the way, most likely: a proxy (network.proxy, proxy_groups) helps. jingbao goes on trying.",
        ),
        Trouble.TOO_SLOW: (
            "No answer in time",
            "It may pass. If it stays so, a proxy (proxy_groups) or a larger network.timeout_seconds helps.",
        ),
        Trouble.CERTIFICATE: (
            "Certificate not trusted",
            "All of them? A proxy of your company opens TLS: set network.ca_file. These alone? It is the site's to mend.",
        ),
        Trouble.KEPT_OUT: (
            "Not asked, for safety",
            "Its name leads into your own network. If you mean that, or run a proxy with fake-IP, see security.allow_networks.",
        ),
        Trouble.BLOCKED: (
            "Refuses robots",
            "The site or its robots.txt says no, and jingbao does not work round it. Leave it, or use sources.disable.",
        ),
        Trouble.GONE: ("Not there any more", "Its list has moved: use sources.disable, or add your own with the new address."),
        Trouble.BUSY: ("Site in trouble", "It cannot answer just now; jingbao asks again by itself, and later if it said so."),
        Trouble.UNREADABLE: (
            "Answered, but not readable",
            "Its page has changed. jingbao goes on trying; your own source can say how the list is built.",
        ),
        Trouble.OTHER: ("Other", "`jingbao sources` shows the reason of each."),
    },
    out_of_reach={
        "mainland": "Out of reach from the mainland",
        "outside": "Out of reach from outside the mainland",
        "unknown": "Out of reach",
    },
    out_of_reach_advice=(
        "No fault, and not told again: asked once a week, in case it changes. A proxy on the other side brings them in "
        "(network.proxy_groups). If jingbao is wrong about where it is, set location in config.yaml."
    ),
    next="What comes next",
    next_at="next {when}",
    at_once="as soon as something is found",
    change="To change anything: readers, rules and sources in config.yaml.",
    commands=(
        ("jingbao sources", "each source and how it is"),
        ("jingbao search '@{concept}'", "everything on {name}"),
        ("jingbao alerts test RULE", "try a rule on what is there"),
        ("jingbao first-light", "this page again, as things are then"),
    ),
    why="This mail comes once, after the first round of a new archive.",
)

_CHINESE = FirstWords(
    occasion="初报",
    subject="jingbao 已开始值守：{asked} 个来源中 {answered} 个有应答，{articles} 篇文章",
    sources="{asked} 个来源中，{answered} 个已有应答",
    all_answered="{asked} 个来源全部有应答",
    articles="库中现有文章 {count} 篇",
    by_language="{language} {count} 篇",
    colon="：",
    semicolon="；",
    stop="。",
    pending="尚在询问：{names}。",
    covered="近 72 小时报道最多",
    covered_none="关注名单上的对象暂无报道。",
    count_articles=("{count} 篇", "{count} 篇"),
    count_outlets=("{count} 家媒体", "{count} 家媒体"),
    language_marks={"zh": "中文", "en": "英文", "other": "其他"},
    rules="各规则近 7 天本应寄出的内容",
    rules_about="首次读取来源时已有的内容称为“基线”：入库、可检索，但不寄送。从现在起，新内容才会寄给您。",
    no_rules="目前没有为您启用的规则，请在 config.yaml 中启用。",
    nothing_found="暂无",
    count_matches=("命中 {count} 条，{state}", "命中 {count} 条，{state}"),
    states={
        MatchState.BASELINE: "属基线，不寄送",
        MatchState.TOO_OLD: "时间过早，不寄送",
        MatchState.WAITING: "等待下一封邮件",
        MatchState.FOLDED: "留待下一份摘要",
        MatchState.MAILED: "已寄出",
        MatchState.TOLD: "已由其他规则或媒体告知",
        MatchState.WITHDRAWN: "已撤回",
    },
    silent="未取得内容的来源",
    reason="系统原文：{reason}",
    reason_length=80,
    and_more="另有 {count} 个",
    troubles={
        Trouble.OFFLINE: ("询问时本机离线", "当时全部没有应答，线路恢复后会再次询问。"),
        Trouble.PROXY: ("代理", "请检查代理是否在运行，以及 network.proxy 和 network.proxy_groups。"),
        Trouble.NO_NAME: (
            "域名无法解析",
            "若全部如此，请检查本机网络；若仅此数家，则网站已迁移，或在当地被过滤，可设代理（network.proxy）。",
        ),
        Trouble.NO_CONNECTION: (
            "无法连接",
            "途中有防火墙，或网站拒绝您所在的网络。可为这些来源设代理（proxy_groups）；jingbao 会继续尝试。",
        ),
        Trouble.TOO_SLOW: ("超时", "可能只是暂时的。若一直如此，可设代理（proxy_groups）或调大 network.timeout_seconds。"),
        Trouble.CERTIFICATE: (
            "证书不受信任",
            "若全部如此，多半是公司代理拆解 TLS，请设 network.ca_file；若仅此数家，须由网站自行修复。",
        ),
        Trouble.KEPT_OUT: (
            "为安全起见未询问",
            "域名指向您的内部网络。若属有意，或因代理程序使用 fake-IP，请设定 security.allow_networks。",
        ),
        Trouble.BLOCKED: ("拒绝机器访问", "网站或其 robots.txt 不允许，jingbao 不会绕过。可不理会，或列入 sources.disable。"),
        Trouble.GONE: ("地址已失效", "列表已迁移。可列入 sources.disable，或用新地址添加自己的来源。"),
        Trouble.BUSY: ("网站暂时故障", "网站暂时无法提供内容，jingbao 会自行再次询问，无须处理。"),
        Trouble.UNREADABLE: ("有应答但无法读取", "页面已改版。jingbao 会继续尝试；也可自行添加来源并说明列表结构。"),
        Trouble.OTHER: ("其他", "用 `jingbao sources` 查看各自原因。"),
    },
    out_of_reach={"mainland": "从内地无法访问", "outside": "从内地以外无法访问", "unknown": "无法访问"},
    out_of_reach_advice=(
        "这不是故障，今后不再提示：每周询问一次，以便发现变化。经另一侧的代理即可访问（network.proxy_groups）。"
        "若 jingbao 判断错了所在地，请在 config.yaml 中设定 location。"
    ),
    next="接下来",
    next_at="下一次 {when}",
    at_once="发现后立即寄送",
    change="如需调整，请改 config.yaml 中的 readers、rules 和 sources。",
    commands=(
        ("jingbao sources", "查看各来源状况"),
        ("jingbao search '@{concept}'", "检索关于{name}的全部内容"),
        ("jingbao alerts test RULE", "用现有内容试验一条规则"),
        ("jingbao first-light", "按届时状况再看一次本页"),
    ),
    why="本邮件仅在新库完成第一轮采集后寄送一次。",
)

FIRST_WORDS: Mapping[str, FirstWords] = {"en": _ENGLISH, "zh": _CHINESE}
