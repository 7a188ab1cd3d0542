"""The words of `jingbao init`, in the language of the user's locale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InitWords:
    """The phrases of one language; those with braces are filled by name."""

    hello: str
    reader: str
    address: str
    language: str
    zone: str
    sending: str
    ways: str
    way: str
    provider: str
    port: str
    security: str
    user: str
    sender: str
    sign_in: str
    client_id: str
    refresh: str
    api_url: str
    trying: str
    sent: str
    failed: str
    what_now: str
    place: str
    places: str
    location: str
    look: str
    looking: str
    found: Mapping[str, str]
    contact_why: str
    contact: str
    contact_expected: str
    no_way: str
    no_zone: str
    written: str
    kept: str
    secrets: str
    placeholder: str
    next_steps: str


_ENGLISH = InitWords(
    hello="Four questions, then jingbao can begin. Enter takes what stands in brackets; Ctrl-C leaves all as it was.",
    reader="1 of 4. Who reads the mails?",
    address="Mail address",
    language="Language of the mails' own words (en, zh)",
    zone="Time zone",
    sending="2 of 4. How shall mails be sent?",
    ways=(
        "A provider ({presets}),\n  the name of a mail server, sendmail, "
        "api (a mail service on the web, for where mail ports are shut), or folder (keep mails as files for now)."
    ),
    way="Send by",
    provider="{name} wants {password}.",
    port="Port",
    security="Encryption (starttls, tls, none)",
    user="User to sign in as (empty: none)",
    sender="Sender's address",
    sign_in="Password (not shown)",
    client_id="Client ID of your app registration",
    refresh="Refresh token (not shown)",
    api_url="The service's Apprise address, as mailgun://… (not shown)",
    trying="Sending a test mail to {address} ...",
    sent="Sent. Look into the mailbox, and into its spam folder.",
    failed="That did not work: {fault}",
    what_now="again, folder (keep mails as files for now), or keep (it will come right)",
    place="3 of 4. Where is this machine?",
    places="Some sources answer only outside the mainland of China, some only inside. auto finds out from which answer.",
    location="auto, outside or mainland",
    look="Find out now, by asking a dozen of the sources' sites?",
    looking="Asking ...",
    found={
        "mainland": "It looks like the mainland: {near} of {near_asked} sites answer, {far} of {far_asked} foreign ones.",
        "outside": "It looks like outside the mainland: {far} of {far_asked} sites that do not answer from there do.",
        "unknown": "It cannot be told yet ({near} of {near_asked} sites answer, {far} of {far_asked} foreign ones).",
    },
    contact_why="4 of 4. Where can a site reach you that minds being read? It goes out with every request.",
    contact="A mail address, or a page",
    contact_expected="expected a mail address or a page, as in name@example.org or https://example.org/monitor",
    no_way='there is no provider "{way}"; known are {presets}. Or name a mail server, sendmail, api or folder.',
    no_zone="expected a time zone's IANA name, as in Asia/Shanghai or Europe/Berlin.",
    written="{path} is written: {sources} sources, {rules} rules, mails to {address} by {way}.",
    kept="The old one is kept as {path}.",
    secrets="Secrets are in {folder}, readable by you alone; jingbao looks there by itself.",
    placeholder="No address was given: put yours into {path} under readers.",
    next_steps="Start with: {command}\nAfter the first round (twenty minutes at most) it tells what it has found: first light.",
)

_CHINESE = InitWords(
    hello="回答四个问题即可开始。回车采用括号内的值；Ctrl-C 退出，不作任何改动。",
    reader="1/4　邮件寄给谁？",
    address="邮箱地址",
    language="邮件自身用语（en 英文，zh 中文）",
    zone="时区",
    sending="2/4　如何寄信？",
    ways=(
        "可填服务商（{presets}）、\n  邮件服务器域名、sendmail、api（网上邮件服务，适用于邮件端口被封的场合），"
        "或 folder（暂时存为文件）。"
    ),
    way="寄信方式",
    provider="{name} 需要：{password}",
    port="端口",
    security="加密方式（starttls、tls、none）",
    user="登录用户名（可留空）",
    sender="发件人地址",
    sign_in="密码（不显示）",
    client_id="应用注册的 Client ID",
    refresh="Refresh token（不显示）",
    api_url="该服务的 Apprise 地址，如 mailgun://…（不显示）",
    trying="正在向 {address} 寄送测试邮件……",
    sent="已寄出。请查看收件箱和垃圾邮件箱。",
    failed="未成功：{fault}",
    what_now="again 重来，folder 暂存为文件，keep 保留此设置",
    place="3/4　本机在哪里？",
    places="有些来源只在内地以外有应答，有些只在内地有应答。auto 会根据应答情况自行判断。",
    location="auto、outside（内地以外）或 mainland（内地）",
    look="现在就询问十来个来源网站来判断吗？",
    looking="正在询问……",
    found={
        "mainland": "看来在内地：{near_asked} 个网站中 {near} 个有应答，{far_asked} 个境外网站中 {far} 个有应答。",
        "outside": "看来在内地以外：{far_asked} 个内地无法访问的网站中 {far} 个有应答。",
        "unknown": "尚无法判断（{near_asked} 个网站中 {near} 个有应答，{far_asked} 个境外网站中 {far} 个有应答）。",
    },
    contact_why="4/4　如有网站对采集有意见，如何联系您？此信息会随每次请求发出。",
    contact="邮箱地址或网页",
    contact_expected="应为邮箱地址或网页，如 name@example.org 或 https://example.org/monitor",
    no_way="没有名为“{way}”的服务商；已知的有 {presets}。也可填邮件服务器域名、sendmail、api 或 folder。",
    no_zone="应为 IANA 时区名，如 Asia/Shanghai 或 Europe/Berlin。",
    written="已写入 {path}：来源 {sources} 个，规则 {rules} 条，邮件寄往 {address}，方式为 {way}。",
    kept="原文件保存为 {path}。",
    secrets="密码等存于 {folder}，仅您可读；jingbao 会自行到那里读取。",
    placeholder="未给出地址：请在 {path} 的 readers 中填写您的邮箱。",
    next_steps="启动：{command}\n第一轮采集之后（至多二十分钟），它会报告发现了什么：初报。",
)

INIT_WORDS: Mapping[str, InitWords] = {"en": _ENGLISH, "zh": _CHINESE}
