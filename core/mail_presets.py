"""Mail providers: where their servers are, and what each wants in place of a person's own password.

Hosts and ports are those of the providers' public pages for mail programs, as of November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A provider. `password` says what it wants as the password, `user` what stands as the user if not the address.

    `oauth` names the sign-in service whose XOAUTH2 the server takes, `password_works` whether it takes passwords at all.
    `note` is what people most often find out too late. `user_is_password`: the secret stands for the user as well, and
    `user` is what the configuration has in its place.
    """

    name: str
    host: str
    port: int
    security: Security
    password: str = "the account's password"  # noqa: S105  (words on it)
    user: str = ""
    oauth: Literal["", "microsoft", "google"] = ""
    password_works: bool = True
    note: str = ""
    user_is_password: bool = False

    def owns(self, host: str) -> bool:
        """Whether a server's host name is this provider's."""
        return host.endswith("." + ".".join(self.host.split(".")[-2:]))


_CODE = "an authorisation code (授权码), made in the webmail under 设置 → 账户/POP3/SMTP after SMTP is switched on there"
_MICROSOFT = "Microsoft takes no passwords over SMTP any more: set mail.smtp.auth to xoauth2, or use mail.api"
_DOMAIN = "verify the domain of mail.sender with the provider first, and set its SPF and DKIM records"

PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "gmail": Preset(
            "Gmail",
            "smtp.gmail.com",
            587,
            "starttls",
            "an app password (myaccount.google.com/apppasswords; it needs 2-step verification)",
            oauth="google",
            note="about 500 mails a day; out of reach from mainland China",
        ),
        "office365": Preset(
            "Microsoft 365", "smtp.office365.com", 587, "starttls", oauth="microsoft", password_works=False, note=_MICROSOFT
        ),
        "outlook": Preset(
            "Outlook.com", "smtp-mail.outlook.com", 587, "starttls", oauth="microsoft", password_works=False, note=_MICROSOFT
        ),
        "qq": Preset("QQ Mail", "smtp.qq.com", 465, "tls", _CODE, note="mail.sender must be the account's own address"),
        "exmail": Preset(
            "Tencent Exmail",
            "smtp.exmail.qq.com",
            465,
            "tls",
            "a client password (客户端专用密码), made in the webmail under 设置 → 账户",
        ),
        "163": Preset("163", "smtp.163.com", 465, "tls", _CODE, note="mail.sender must be the account's own address"),
        "126": Preset("126", "smtp.126.com", 465, "tls", _CODE, note="mail.sender must be the account's own address"),
        "139": Preset("139", "smtp.139.com", 465, "tls", _CODE),
        "sina": Preset("Sina", "smtp.sina.com", 465, "tls", _CODE),
        "aliyun": Preset(
            "Aliyun Mail", "smtp.aliyun.com", 465, "tls", note="clouds of Aliyun and Tencent shut port 25: 465 is the way out"
        ),
        "aliyun-qiye": Preset(
            "Alibaba enterprise mail",
            "smtp.qiye.aliyun.com",
            465,
            "tls",
            "a third-party client password (三方客户端安全密码), made in the webmail under 设置 → 账户与安全",
        ),
        "icloud": Preset(
            "iCloud", "smtp.mail.me.com", 587, "starttls", "an app-specific password (account.apple.com, Sign-In and Security)"
        ),
        "yahoo": Preset("Yahoo", "smtp.mail.yahoo.com", 465, "tls", "an app password (Yahoo account, Security)"),
        "fastmail": Preset(
            "Fastmail", "smtp.fastmail.com", 465, "tls", "an app password with the right to send (Settings, Privacy & Security)"
        ),
        "zoho": Preset(
            "Zoho",
            "smtp.zoho.com",
            465,
            "tls",
            "an application-specific password if two-factor sign-in is on",
            note="accounts of another data centre have another host, as smtp.zoho.eu: give it as mail.smtp.host",
        ),
        "yandex": Preset("Yandex", "smtp.yandex.com", 465, "tls", "an app password for mail"),
        "gmx": Preset("GMX", "mail.gmx.net", 587, "starttls", note="switch on POP3/IMAP access in the webmail first"),
        "proton": Preset("Proton Mail", "smtp.protonmail.ch", 587, "starttls", "an SMTP token (Settings, IMAP/SMTP)"),
        "sendgrid": Preset(
            "SendGrid", "smtp.sendgrid.net", 587, "starttls", "an API key (SG.…)", user="apikey", note=_DOMAIN
        ),
        "mailgun": Preset(
            "Mailgun",
            "smtp.mailgun.org",
            587,
            "starttls",
            "the SMTP password of the sending domain, not the API key",
            note="accounts in the EU: mail.smtp.host is smtp.eu.mailgun.org; " + _DOMAIN,
        ),
        "ses": Preset(
            "Amazon SES",
            "email-smtp.us-east-1.amazonaws.com",
            587,
            "starttls",
            "SMTP credentials made in the SES console, not an IAM key",
            note="of another region give the host, as email-smtp.eu-west-1.amazonaws.com; a new account is in the sandbox and"
            " reaches only verified addresses",
        ),
        "brevo": Preset("Brevo", "smtp-relay.brevo.com", 587, "starttls", "an SMTP key, not the API key", note=_DOMAIN),
        "postmark": Preset(
            "Postmark",
            "smtp.postmarkapp.com",
            587,
            "starttls",
            "the server's API token (it is the user too, and need not be said twice)",
            user="server-token",
            note=_DOMAIN,
            user_is_password=True,
        ),
        "resend": Preset("Resend", "smtp.resend.com", 465, "tls", "an API key (re_…)", user="resend", note=_DOMAIN),
        "smtp2go": Preset("SMTP2GO", "mail.smtp2go.com", 587, "starttls", "the SMTP user's password", note=_DOMAIN),
        "sparkpost": Preset(
            "SparkPost", "smtp.sparkpostmail.com", 587, "starttls", "an API key", user="SMTP_Injection", note=_DOMAIN
        ),
    }
)


def provider_of(host: str) -> Preset | None:
    """The provider a mail server's host name belongs to, if it is one of those known here."""
    name = host.lower().rstrip(".")
    return next((preset for preset in PRESETS.values() if preset.host == name), None) or next(
        (preset for preset in PRESETS.values() if preset.owns(name)), None
    )
