"""What to do about a mail server's refusal: the usual mistakes with the usual providers, named in the error itself.

A piece of advice is chosen by the step of the talk, the code, what the server said, and whose server it is; the first that
fits is given. The texts in the patterns are the ones the servers send: enhanced codes (RFC 3463) and the providers' own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.mail_presets import Preset

_SHUT = (
    "Many clouds and home networks shut this port: try 465 with security: tls, or 587 with starttls;"
    " where both are shut, send by a mail service over HTTPS (mail.api)"
)
_SPF = (
    "Let mail.sender be an address of a domain you send for, and set that domain's DNS records: SPF (a TXT record that includes"
    " your provider), DKIM (the key your provider shows) and DMARC"
)
_SENDER = "mail.sender must be the signed-in account's own address, or one that the provider has verified for it"
_XOAUTH2 = "Microsoft takes no passwords here: set mail.smtp.auth to xoauth2 (jingbao test-email --sign-in), or use mail.api"


@dataclass(frozen=True, slots=True)
class _Case:
    """`says` is searched for in the answer, `steps` are the steps it may come at (empty: any)."""

    says: str
    what: str | Callable[[Preset | None], str]
    steps: str = ""
    provider: str = ""
    codes: tuple[int, ...] = ()

    def fits(self, step: str, code: int, text: str, provider: Preset | None) -> bool:
        """Whether this advice is for that answer."""
        return (
            (not self.steps or step in self.steps.split())
            and (not self.codes or code in self.codes)
            and (not self.provider or (provider is not None and provider.name in self.provider.split(", ")))
            and re.search(self.says, text, re.IGNORECASE) is not None
        )


def _password_wanted(provider: Preset | None) -> str:
    if provider is None:
        return "The user or the password is wrong, or the provider wants an app password or authorisation code in its place"
    if not provider.password_works:
        return _XOAUTH2
    user = f'; the user is "{provider.user}"' if provider.user else ""
    return f"{provider.name} wants as the password {provider.password}{user}"


_CASES = (
    _Case(r"5\.7\.139|basic authentication is disabled|SmtpClientAuthentication is disabled|5\.7\.57", _XOAUTH2),
    _Case(r"application-specific password|5\.7\.9|InvalidSecondFactor", _password_wanted, "SIGN_IN"),
    _Case(r"invalid_grant|AADSTS|token", "Sign in again: jingbao test-email --sign-in, or give a new refresh token", "OAUTH"),
    _Case("", _password_wanted, "SIGN_IN", codes=(501, 504, 526, 534, 535, 550)),
    _Case("no sign-in by", "The server offers it perhaps only when encrypted: security: starttls or tls", "SIGN_IN"),
    _Case("", "Set mail.smtp.user, and the password in its secret", codes=(530,)),
    _Case("", "Try security: tls with port 465; nothing was sent in the clear", "STARTTLS", codes=(0,)),
    _Case(
        r"wrong.version.number|unknown.protocol|record.layer",
        "The port does not speak TLS from the start: security: starttls goes with 587, tls with 465",
        "TLS",
    ),
    _Case(
        "certificate",
        "mail.smtp.host must be the name in the certificate; this machine has to trust who signed it (SSL_CERT_FILE)",
        "TLS",
    ),
    _Case(
        r"name or service not known|nodename|name resolution|no address|getaddrinfo",
        "mail.smtp.host is misspelt, or this machine's DNS does not work",
        "CONNECT",
    ),
    _Case(r"unreachable", "This machine has no way there: look at its network, and at IPv6 if the server has both", "CONNECT"),
    _Case(r"refused", "Nobody listens at this port: check mail.smtp.host and mail.smtp.port", "CONNECT"),
    _Case(r"", _SHUT, "CONNECT GREETING HELLO", codes=(0,)),
    _Case(
        r"5\.7\.26|5\.7\.23|5\.7\.25|5\.7\.27|\bSPF\b|\bDKIM\b|\bDMARC\b|unauthenticated (mail|email|sender)|not authenticated",
        _SPF,
        "MAIL RCPT DATA TEXT",
    ),
    _Case(
        r"5\.7\.60|SendAsDenied|not (allowed|permitted|authorized) to send (as|from)|must equal|mail from"
        r"|sender.*(mismatch|verif)|发件人|not owned by user|same as.*auth",
        _SENDER,
        "MAIL RCPT DATA TEXT",
    ),
    _Case("", _SENDER, "MAIL", codes=(501, 550, 551, 553, 554)),
    _Case(r"5\.7\.1\b|relay", f"The server does not send for this sender: it wants a sign-in, or: {_SPF}", "RCPT DATA TEXT"),
    _Case(r"5\.1\.1|5\.1\.10|no such user|user unknown|mailbox (not found|unavailable)", "Check the address", "RCPT"),
    _Case(r"spam|5\.7\.0|\bDT:|\bMI:|HL:", f"The server takes it for spam. {_SPF}", "DATA TEXT"),
    _Case(r"sandbox|not verified|unverified", "A new account reaches only verified addresses until the provider opens it"),
)


def advice(step: str, code: int, text: str, provider: Preset | None = None) -> str:
    """What to do, as sentences that end with a full stop; empty if there is nothing useful to say.

    `step` is CONNECT, GREETING, HELLO, STARTTLS, SIGN_IN, MAIL, RCPT, DATA, TEXT or OAUTH; `code` the server's, 0 if it said
    nothing; passing refusals (4xx) need no hand.
    """
    if 400 <= code < 500:
        return ""
    found = next((case for case in _CASES if case.fits(step, code, text, provider)), None)
    if found is None:
        return ""
    return f"{found.what if isinstance(found.what, str) else found.what(provider)}."
