"""Signing in with an access token: XOAUTH2, as Microsoft and Google take it for SMTP.

A refresh token is turned into an access token by a POST to the sign-in service (RFC 6749, 6). Microsoft gives a new refresh
token each time, and the old one ends with time: the newest is kept in the data folder, in a file only its owner can read.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp_socks import ProxyConnectionError, ProxyConnector, ProxyError, ProxyTimeoutError

from alerts.advice import advice
from alerts.transport import OutOfReachError
from core.errors import ChannelError
from core.secrets import how_to_give, keep_hidden, look_up, mask

if TYPE_CHECKING:
    from core.config import OAuthConfig

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_EARLY_SECONDS = 300
"""A token is renewed so long before it ends, so that none ends in mid-talk."""
_PROXY_FAULTS = (ProxyConnectionError, ProxyError, ProxyTimeoutError)
_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/"
_TOKEN_URLS = {"microsoft": _MICROSOFT + "token", "google": "https://oauth2.googleapis.com/token"}
_DEVICE_URLS = {"microsoft": _MICROSOFT + "devicecode"}
_SCOPES = {
    "microsoft": "https://outlook.office.com/SMTP.Send offline_access",
    "google": "",  # it is the refresh token's own
}


def sasl(user: str, token: str) -> Any:
    """What answers for XOAUTH2 in smtplib: the token, then an empty line to the server's error (Google, Microsoft docs)."""

    def answer(challenge: bytes | None = None) -> str:
        return f"user={user}\x01auth=Bearer {token}\x01\x01" if challenge is None else ""

    return answer


def token_url(oauth: OAuthConfig) -> str:
    """Where tokens are got."""
    return oauth.token_url or _TOKEN_URLS[oauth.provider].format(tenant=oauth.tenant)


def device_url(oauth: OAuthConfig) -> str:
    """Where the device flow begins; empty if there is none."""
    return oauth.device_url or _DEVICE_URLS.get(oauth.provider, "").format(tenant=oauth.tenant)


def scope(oauth: OAuthConfig) -> str:
    """What the tokens are for; empty if the service knows it from the refresh token."""
    return oauth.scope or _SCOPES.get(oauth.provider, "")


@dataclass(frozen=True, slots=True)
class RefreshTokens:
    """The refresh token of an installation: the one that was given as a secret, or a newer one that came of it, in `file`."""

    oauth: OAuthConfig
    file: Path

    def read(self) -> str:
        """The newest. Raises ChannelError if there is none."""
        name = self.oauth.refresh_token_env
        given, kept = secret(name), self._kept()
        if kept and kept.get("of") == _mark(given):
            keep_hidden([kept["refresh_token"]])
            return str(kept["refresh_token"])
        if not given:
            raise ChannelError(f"no refresh token: sign in with jingbao test-email --sign-in, or {how_to_give(name)}")
        return given

    def keep(self, token: str) -> None:
        """Keep a newer one, or the first. Raises ChannelError if the file cannot be written: a later sign-in would fail."""
        keep_hidden([token])
        text = json.dumps({"of": _mark(secret(self.oauth.refresh_token_env)), "refresh_token": token})
        part = self.file.with_suffix(".part")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            part.replace(self.file)
        except OSError as error:
            raise ChannelError(f"the new refresh token cannot be kept in {self.file}: {error.strerror or error}") from error

    def _kept(self) -> Mapping[str, Any]:
        try:
            kept = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) and isinstance(kept.get("refresh_token"), str) else {}


def _mark(token: str) -> str:
    """The operator's token that a newer one came of, as it is known again: another one from the operator goes before."""
    return sha256(token.encode()).hexdigest() if token else ""


def secret(name: str) -> str:
    """A secret, or an empty text. Raises ChannelError if its file cannot be read."""
    try:
        return look_up(name)
    except (OSError, UnicodeError) as error:
        raise ChannelError(f"the secret {name} cannot be read from its file: {error}") from error


@dataclass(slots=True)
class AccessTokens:
    """The access token of one mailbox, got when it is needed and kept in memory till shortly before its end."""

    oauth: OAuthConfig
    refresh: RefreshTokens
    proxy: str = ""
    _token: str = ""
    _ends: float = 0.0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self) -> str:
        """A token that will do for some minutes. Raises ChannelError or OutOfReachError."""
        async with self._asking:
            if not self._token or time.monotonic() > self._ends - _EARLY_SECONDS:
                await self._ask()
            return self._token

    async def renew(self) -> str:
        """A fresh token, whatever the last one's age. Raises as `get`."""
        async with self._asking:
            await self._ask()
            return self._token

    async def _ask(self) -> None:
        form = {"grant_type": "refresh_token", "refresh_token": self.refresh.read(), "client_id": self.oauth.client_id}
        form |= {"scope": scope(self.oauth)} if scope(self.oauth) else {}
        form |= {"client_secret": given} if (given := secret(self.oauth.client_secret_env)) else {}
        answer = await post(token_url(self.oauth), form, self.proxy)
        if "access_token" not in answer:
            raise refused(answer)
        self._token = str(answer["access_token"])
        self._ends = time.monotonic() + float(answer.get("expires_in") or 3600)
        newer = str(answer.get("refresh_token") or form["refresh_token"])
        if newer != form["refresh_token"]:
            self.refresh.keep(newer)


def refused(answer: Mapping[str, Any]) -> ChannelError:
    """The error that a sign-in service's refusal is (RFC 6749, 5.2)."""
    said = mask(" ".join(f"{answer.get('error', '')} {answer.get('error_description', '')}".split())[:300])
    return ChannelError(f"the sign-in service gives no access token: {said}. {advice('OAUTH', 0, said)}".strip())


async def post(url: str, form: Mapping[str, str], proxy: str = "") -> dict[str, Any]:
    """A sign-in service's answer (JSON), also one that is a refusal (RFC 6749, 5.2).

    `proxy` is http, https or socks; empty or `direct` for none. Raises OutOfReachError if there is no sensible answer.
    """
    socks = proxy.startswith("socks")
    connector = ProxyConnector.from_url(proxy) if socks else None
    through = None if socks or proxy in {"", "direct"} else proxy
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT) as session,
            session.post(url, data=form, proxy=through, allow_redirects=False) as response,
        ):
            text = await response.text()
    except (aiohttp.ClientError, *_PROXY_FAULTS, OSError, TimeoutError, UnicodeError) as error:
        raise OutOfReachError(f"the sign-in service {url} cannot be reached: {str(error) or type(error).__name__}") from error
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if response.status >= 500 or response.status == 429 or not isinstance(answer, dict):
        raise OutOfReachError(f"the sign-in service {url} answers {response.status} and no token")
    return answer
