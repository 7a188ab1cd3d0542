"""What mail providers want, in the languages of `jingbao init` other than core/mail_presets.py's own."""

from __future__ import annotations

from collections.abc import Mapping

_CODE = "授权码（不是登录密码）：先在网页邮箱“设置 → 账户/POP3/SMTP”中开启 SMTP，再在那里生成"
_OWN_SENDER = "发件人须为该账户自己的地址"
_DOMAIN = "请先在该服务处验证发件人的域名，并设置 SPF 和 DKIM 记录"
# What each provider wants as the password, and what people most often find out too late: core/mail_presets.py in Chinese.
_CHINESE_PROVIDERS: Mapping[str, tuple[str, str]] = {
    "gmail": ("应用专用密码（myaccount.google.com/apppasswords，须先开启两步验证）", "每天约 500 封；内地无法访问"),
    "qq": (_CODE, _OWN_SENDER),
    "exmail": ("客户端专用密码，在网页邮箱“设置 → 账户”中生成", ""),
    "163": (_CODE, _OWN_SENDER),
    "126": (_CODE, _OWN_SENDER),
    "139": (_CODE, ""),
    "sina": (_CODE, ""),
    "aliyun": ("账户密码", "阿里云、腾讯云的主机封闭 25 端口，请用 465"),
    "aliyun-qiye": ("三方客户端安全密码，在网页邮箱“设置 → 账户与安全”中生成", ""),
    "icloud": ("App 专用密码（account.apple.com，“登录与安全”）", ""),
    "yahoo": ("应用密码（Yahoo 账户的安全设置）", ""),
    "fastmail": ("有发信权限的应用密码（Settings, Privacy & Security）", ""),
    "zoho": (
        "账户密码；开启两步验证的须用应用专用密码",
        "其他数据中心的账户主机不同，如 smtp.zoho.eu：请直接填写该服务器",
    ),
    "yandex": ("邮件应用密码", ""),
    "gmx": ("账户密码", "须先在网页邮箱中开启 POP3/IMAP"),
    "proton": ("SMTP 令牌（Settings, IMAP/SMTP，付费方案）", ""),
    "sendgrid": ("API 密钥（SG.…）", _DOMAIN),
    "mailgun": ("发信域名的 SMTP 密码，不是 API 密钥", "欧盟账户的主机是 smtp.eu.mailgun.org；" + _DOMAIN),
    "ses": (
        "在 SES 控制台生成的 SMTP 凭据，不是 IAM 密钥",
        "其他区域的主机如 email-smtp.eu-west-1.amazonaws.com；新账户只能寄往已验证的地址",
    ),
    "brevo": ("SMTP 密钥，不是 API 密钥", _DOMAIN),
    "postmark": ("服务器的 API 令牌（同时用作用户名，只需填一次）", _DOMAIN),
    "resend": ("API 密钥（re_…）", _DOMAIN),
    "smtp2go": ("SMTP 用户的密码", _DOMAIN),
    "sparkpost": ("API 密钥", _DOMAIN),
}
PROVIDERS: Mapping[str, Mapping[str, tuple[str, str]]] = {"en": {}, "zh": _CHINESE_PROVIDERS}
"""By language and preset: what is wanted as the password, and a note. What is not here has core/mail_presets.py's words."""
