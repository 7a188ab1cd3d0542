"""Sending through a mail server, one connection a message, certificates always verified.

What a failure means depends on the step it happens at: the table is in alerts/transports/answers.py.
"""

from __future__ import annotations

import asyncio
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from alerts.advice import advice
from alerts.transports.answers import SignInRefusedError, Step, reason_of, refusal, silence
from alerts.transports.talk import Hear, Talk, to_nobody
from alerts.transports.threads import in_thread
from alerts.transports.xoauth2 import AccessTokens, sasl
from core.errors import ChannelError, RefusedError
from core.mail_presets import PRESETS, Preset, provider_of
from core.secrets import how_to_give, look_up

if TYPE_CHECKING:
    from alerts.transport import Parcel
    from core.config import SmtpConfig

_WHOLE = 10
"""One mail may take so many times the time of one step, however the server drips."""
_CUT_SECONDS = 2.0

Errand = Callable[[Talk], None]


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """The configured mail server.

    `trust` replaces the system's certificate authorities where it is given; `tokens` are for sign-in by XOAUTH2; `hear` is
    told each line of the talk, in the thread that holds it.
    """

    config: SmtpConfig
    trust: ssl.SSLContext | None = None
    tokens: AccessTokens | None = None
    hear: Hear = to_nobody

    async def send(self, parcel: Parcel) -> None:
        """Deliver one message, in a thread. Raises what the table says; cancelled, it cuts the line."""
        await self._run(partial(_deliver, parcel=parcel, who=self.name, provider=self.provider))

    async def greet(self) -> None:
        """Connect, secure, sign in and leave; no mail is offered. Raises what the table says of that."""
        await self._run(lambda _talk: None)

    @property
    def name(self) -> str:
        """The server as errors name it."""
        return f"the mail server {self.config.host}:{self.config.port}"

    @property
    def provider(self) -> Preset | None:
        """Whose server it is, if that is known."""
        return PRESETS.get(self.config.preset) or provider_of(self.config.host)

    async def _run(self, errand: Errand) -> None:
        if self.tokens is None:
            await self._once(errand, self._password())
            return
        try:
            await self._once(errand, await self.tokens.get())
        except SignInRefusedError:  # it may have been taken back before its time
            await self._once(errand, await self.tokens.renew())

    def _password(self) -> str:
        if not self.config.user:
            return ""
        name = self.config.password_env
        try:
            password = look_up(name)
        except (OSError, UnicodeError) as error:
            raise ChannelError(f"the password {name} cannot be read from its file: {error}") from error
        if not password:
            raise ChannelError(f"no password for {self.config.user}: {how_to_give(name)}")
        return password

    async def _once(self, errand: Errand, secret: str) -> None:
        """Hold one talk. Too long a one, or one that is cancelled, is cut; how it ended is told all the same."""
        tls = self._context() if self.config.security == "tls" else None
        talk = Talk(self.config.timeout_seconds, tls, self.hear)
        work = in_thread(partial(self._hold, talk, errand, secret), talk.leave)
        try:
            done, _ = await asyncio.wait({work}, timeout=_WHOLE * self.config.timeout_seconds)
        except asyncio.CancelledError:
            if await self._ended(talk, work):
                return
            raise
        if done:
            work.result()
        elif not await self._ended(talk, work):
            raise silence(talk.step, "the whole took too long", self.name, self.provider)

    async def _ended(self, talk: Talk, work: asyncio.Future[None]) -> bool:
        """Cut a talk: whether the message was taken by then. Raises UncertainError where that cannot be known."""
        talk.cut()
        if talk.step is not Step.CONNECT:  # a name that is looked up cannot be cut; if it is found, the talk ends there
            await asyncio.wait({work}, timeout=_CUT_SECONDS)
        if work.done() and work.exception() is None:
            return True
        if talk.step is Step.TEXT:
            raise silence(talk.step, "it was given up", self.name)
        return False

    def _hold(self, talk: Talk, errand: Errand, secret: str) -> None:
        try:
            self._begin(talk)
            self._sign_in(talk, secret)
            errand(talk)
        except ssl.SSLCertVerificationError as error:
            raise self._unsafe(f"shows a certificate that is not trusted: {error.verify_message}") from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise silence(talk.step, "the line was closed", self.name, self.provider) from error
        except ssl.SSLError as error:
            raise self._unsafe(f"cannot agree on encryption: {error.reason or error}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise silence(talk.step, reason_of(error, self.config.timeout_seconds), self.name, self.provider) from error

    def _begin(self, talk: Talk) -> None:
        code, answer = talk.open(self.config.host, self.config.port)
        if code != 220:
            raise refusal(talk.step, code, answer, self.name, self.provider)
        self._hello(talk)
        if self.config.security == "starttls":
            self._secure(talk)
            self._hello(talk)

    def _hello(self, talk: Talk) -> None:
        talk.step = Step.HELLO
        code, answer = talk.ehlo()
        if code >= 500:
            code, answer = talk.helo()
        if code != 250:
            raise refusal(talk.step, code, answer, self.name, self.provider)

    def _secure(self, talk: Talk) -> None:
        talk.step = Step.STARTTLS
        if not talk.has_extn("starttls"):
            raise ChannelError(f"{self.name} offers no STARTTLS. {advice(talk.step.name, 0, '', self.provider)}")
        try:
            talk.starttls(context=self._context())
        except smtplib.SMTPResponseException as error:
            raise refusal(talk.step, error.smtp_code, error.smtp_error, self.name, self.provider) from error
        talk.note("encrypted from here on")

    def _context(self) -> ssl.SSLContext:
        return self.trust or ssl.create_default_context()

    def _unsafe(self, what: str) -> ChannelError:
        return ChannelError(f"{self.name} {what}. {advice('TLS', 0, what, self.provider)}".strip())

    # Signing in

    def _sign_in(self, talk: Talk, secret: str) -> None:
        if not self.config.user:
            return
        talk.step = Step.SIGN_IN
        talk.user, talk.password = self._user(secret), secret
        mechanism = self._mechanism(talk)
        answers: dict[str, Any] = {"PLAIN": talk.auth_plain, "LOGIN": talk.auth_login, "CRAM-MD5": talk.auth_cram_md5}
        try:
            talk.auth(mechanism, answers.get(mechanism) or sasl(self.config.user, secret))
        except smtplib.SMTPAuthenticationError as error:
            raise refusal(talk.step, error.smtp_code, error.smtp_error, self.name, self.provider) from error
        except ValueError:  # also UnicodeError, whose text would show the password
            name = self.config.password_env
            what = f"the user or the password ({name}) has characters outside ASCII, which mail servers do not take alike"
            raise ChannelError(f"{what}. Choose one of ASCII letters, digits and signs, or an app password") from None

    def _user(self, secret: str) -> str:
        """Who signs in; with some services the secret itself, which must not stand in the configuration."""
        preset = PRESETS.get(self.config.preset)
        same = preset is not None and preset.user_is_password and self.config.user == preset.user
        return secret if same else self.config.user

    def _mechanism(self, talk: Talk) -> str:
        """The one way of signing in that is tried: each wrong try counts against the account."""
        offered = str(talk.esmtp_features.get("auth", "")).upper().split()
        passwords = ("PLAIN", "LOGIN", "CRAM-MD5") if self.config.security != "none" else ("CRAM-MD5", "PLAIN", "LOGIN")
        wanted = ("XOAUTH2",) if self.tokens else passwords
        found = next((mechanism for mechanism in wanted if mechanism in offered), None)
        if found is None:
            by = "XOAUTH2" if self.tokens else "user and password"
            what = f"{self.name} offers no sign-in by {by} (it has: {', '.join(offered) or 'none'})"
            raise ChannelError(f"{what}. {advice(talk.step.name, 0, what, self.provider)}".strip())
        return found


def _deliver(talk: Talk, parcel: Parcel, who: str, provider: Preset | None) -> None:
    try:
        _envelope(talk, parcel, who, provider)
    except UnicodeError as error:
        raise RefusedError(f"{parcel.recipient} has characters this way of sending cannot carry: {error}") from error
    talk.step = Step.TEXT
    stuffed = re.sub(rb"(?m)^\.", b"..", parcel.content)  # RFC 5321, 4.5.2
    talk.send(stuffed.removesuffix(b"\r\n") + b"\r\n.\r\n")
    code, answer = talk.getreply()
    if code != 250:
        raise refusal(talk.step, code, answer, who, provider)


def _envelope(talk: Talk, parcel: Parcel, who: str, provider: Preset | None) -> None:
    size = [f"size={len(parcel.content)}"] if talk.has_extn("size") else []
    steps: tuple[tuple[Step, Callable[[], tuple[int, bytes]], int, str], ...] = (
        (Step.MAIL, lambda: talk.mail(parcel.sender, size), 250, f"{who} ({parcel.sender})"),
        (Step.RCPT, lambda: talk.rcpt(parcel.recipient), 250, f"{who} ({parcel.recipient})"),
        (Step.DATA, lambda: talk.docmd("DATA"), 354, who),
    )
    for step, say, wanted, subject in steps:
        talk.step = step
        code, answer = say()
        if code != wanted and not (step is Step.RCPT and code == 251):
            raise refusal(step, code, answer, subject, provider)
