"""Signing in to a mailbox once, from a machine without a browser: the device flow (RFC 8628)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from alerts.transports.xoauth2 import device_url, post, refused, scope, secret, token_url
from core.errors import ChannelError

if TYPE_CHECKING:
    from core.config import OAuthConfig

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_USUAL_INTERVAL = 5.0
_SLOWER = 5.0
"""RFC 8628, 3.5: so many seconds more between two questions, when the service says slow_down."""

Show = Callable[[str, str], None]
"""Told the page to open, and the code to type there."""


async def sign_in(oauth: OAuthConfig, show: Show, proxy: str = "") -> str:
    """A refresh token, once the person has agreed on that page. Raises ChannelError, OutOfReachError.

    Google's device flow does not give out mail (its scopes are a short list), so there is none for it.
    """
    page = device_url(oauth)
    if not page:
        what = "this sign-in service has no device flow for mail: make a refresh token by hand"
        raise ChannelError(f"{what}, and give it as the secret {oauth.refresh_token_env} (docs/guides/alerts-and-mail.md)")
    begun = await post(page, {"client_id": oauth.client_id, "scope": scope(oauth)}, proxy)
    if "device_code" not in begun:
        raise refused(begun)
    show(str(begun.get("verification_uri") or begun.get("verification_url")), str(begun["user_code"]))
    return await _agreed(oauth, begun, proxy)


async def _agreed(oauth: OAuthConfig, begun: dict[str, object], proxy: str) -> str:
    form = {"grant_type": _GRANT, "device_code": str(begun["device_code"]), "client_id": oauth.client_id}
    form |= {"client_secret": given} if (given := secret(oauth.client_secret_env)) else {}
    interval = float(str(begun.get("interval", _USUAL_INTERVAL)))
    end = time.monotonic() + float(str(begun.get("expires_in", 900)))
    while time.monotonic() < end:
        await asyncio.sleep(interval)
        answer = await post(token_url(oauth), form, proxy)
        if "refresh_token" in answer:
            return str(answer["refresh_token"])
        if "access_token" in answer:
            raise ChannelError("the sign-in gave no refresh token: mail.smtp.oauth.scope has to ask for offline_access")
        if answer.get("error") == "slow_down":
            interval += _SLOWER
        elif answer.get("error") != "authorization_pending":
            raise refused(answer)
    raise ChannelError("nobody signed in on that page in time: start again")
