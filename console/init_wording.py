"""The words of `jingbao init`, in the language of the user's locale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InitWords:
    """The phrases of one language; those with braces are filled by name."""

    tag: str
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
    application_why: str
    client_id: str
    mailbox: str
    tenant: str
    browser: str
    open_page: str
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
    by: Mapping[str, str]
    begun_anew: str
    left: str
    note: str
    one_of: str
    no_port: str
    no_address: str
    no_ascii_address: str
    no_sendmail: str
    no_client_id: str
    nothing_given: str
    of_user: str
    of_mailbox: str
    of_service: str
    missing: str
    in_file: str
    without_user: str
    in_the_clear: str


_ENGLISH = InitWords(
    tag="en",
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
    application_why=(
        "{name} takes no passwords from programs any more; jingbao signs in by a token. For that you register an\n"
        "  application once, at entra.microsoft.com under App registrations: public client flows on, delegated permission\n"
        "  SMTP.Send. {guide} has the steps. With nothing here it goes back to the choice\n"
        "  above (api needs no registration)."
    ),
    client_id="Application (client) ID of that registration",
    mailbox="Mailbox to sign in to",
    tenant="Directory: your organisation's domain, or consumers for Outlook.com",
    browser="Sign in now, with any browser?",
    open_page="Open {page} in any browser, sign in as {user}, and type the code {code}. Waiting ...",
    refresh="Refresh token (not shown; empty: back)",
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
    written="{path} is written: {sources} sources, {rules} rules; mails to {address} {way}.",
    kept="The old one is kept as {path}.",
    secrets="Secrets are in {folder}, readable by you alone; jingbao looks there by itself.",
    placeholder="No address was given: put yours into {path} under readers.",
    next_steps="Start with: {command}\nAfter the first round (twenty minutes at most) it tells what it has found: first light.",
    by={
        "smtp": "leave by the mail server {host}:{port}",
        "sendmail": "leave by {program}",
        "api": "leave by the mail service whose address is the secret {name}",
        "folder": "are kept as files in {folder}",
    },
    begun_anew="{path} has faults: the shipped file is filled in, yours is kept. To mend yours instead: jingbao config check",
    left="Nothing was written.",
    note="Mind: {note}",
    one_of="expected one of {choices}",
    no_port='"{port}" is no port: expected a number from 1 to 65535, as in 587',
    no_address="expected a mail address, as in name@example.org",
    no_ascii_address="expected a mail address in ASCII (a domain in other letters in its xn-- form)",
    no_sendmail="There is no sendmail program on this machine: install one (msmtp, nullmailer, Postfix), or send by a server.",
    no_client_id="{name} takes no passwords: register an application once ({guide}), and give its id with --client-id",
    nothing_given="Nothing was given: back to how mails shall be sent.",
    of_user="the password of {user}",
    of_mailbox="the refresh token of {user}",
    of_service="the address of the mail service",
    missing=(
        "no mail can leave yet, {what} is missing: put it into {file} (mode 0600), or set {name} where the daemon runs."
        " Then: jingbao test-email"
    ),
    in_file="{name} is read from {file}, which {name}_FILE names: set that variable where the daemon runs, too.",
    without_user="{name} is set, but no user is named, so nobody signs in to the server: --user says who.",
    in_the_clear="the password crosses the net to {host} unencrypted: use tls or starttls.",
)

_CHINESE = InitWords(
    tag="zh",
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
    application_why=(
        "{name} 已不接受程序使用密码登录，jingbao 以令牌登录。为此须先在 entra.microsoft.com 的“应用注册”中登记一个应用\n"
        "  （允许公共客户端流，委托权限 SMTP.Send），步骤见 {guide}。留空则回到上面的选择（api 无须登记）。"
    ),
    client_id="该应用的 Application (client) ID",
    mailbox="要登录的邮箱",
    tenant="目录：您单位的域名；Outlook.com 填 consumers",
    browser="现在用任一浏览器登录吗？",
    open_page="请用任一浏览器打开 {page}，以 {user} 登录，并输入代码 {code}。等待中……",
    refresh="Refresh token（不显示，留空返回）",
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
    written="已写入 {path}：来源 {sources} 个，规则 {rules} 条；寄往 {address} 的邮件{way}。",
    kept="原文件保存为 {path}。",
    secrets="密码等存于 {folder}，仅您可读；jingbao 会自行到那里读取。",
    placeholder="未给出地址：请在 {path} 的 readers 中填写您的邮箱。",
    next_steps="启动：{command}\n第一轮采集之后（至多二十分钟），它会报告发现了什么：初报。",
    by={
        "smtp": "经邮件服务器 {host}:{port} 寄出",
        "sendmail": "经 {program} 寄出",
        "api": "经网上邮件服务寄出（其地址为密钥 {name}）",
        "folder": "以文件存于 {folder}",
    },
    begun_anew="{path} 有错误，因此以随附的文件为底本；原文件予以保留。如要修正原文件：jingbao config check",
    left="未写入任何内容。",
    note="请注意：{note}",
    one_of="应为下列之一：{choices}",
    no_port="“{port}”不是端口：应为 1 至 65535 的数字，如 587",
    no_address="应为邮箱地址，如 name@example.org",
    no_ascii_address="邮箱地址只能用 ASCII 字符（其他文字的域名请用 xn-- 形式）",
    no_sendmail="本机没有 sendmail 程序：请安装一个（msmtp、nullmailer、Postfix），或改用邮件服务器。",
    no_client_id="{name} 不接受密码：请先登记一个应用（{guide}），再用 --client-id 给出其 ID",
    nothing_given="未填写，回到寄信方式的选择。",
    of_user="{user} 的密码",
    of_mailbox="{user} 的 refresh token",
    of_service="邮件服务的地址",
    missing=(
        "邮件尚无法寄出，缺少{what}：请写入 {file}（权限 0600），或在守护进程的环境中设定 {name}。"
        "然后运行：jingbao test-email"
    ),
    in_file="{name} 读自 {name}_FILE 所指的 {file}：守护进程的环境中也须设定该变量。",
    without_user="已设定 {name}，但未指定用户，因此不会登录服务器：请用 --user 指定。",
    in_the_clear="密码将不加密地传到 {host}：请改用 tls 或 starttls。",
)

INIT_WORDS: Mapping[str, InitWords] = {"en": _ENGLISH, "zh": _CHINESE}
