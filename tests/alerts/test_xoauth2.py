"""Signing in with access tokens: a sign-in service and a mail server, both on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import AuthResult

from alerts.transport import OutOfReachError, Parcel
from alerts.transports import sign_in as device_flow
from alerts.transports.sign_in import sign_in
from alerts.transports.smtp import SmtpTransport
from alerts.transports.xoauth2 import AccessTokens, RefreshTokens, device_url, scope, token_url
from core.config import OAuthConfig, SmtpConfig
from core.errors import ChannelError
from tests.alerts.conftest import MailServer, _AnyPort
from tests.newsroom.mailbox import let_talks_end

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
FIRST = "refresh-token-one"


@dataclass
class SignInService:
    """Gives `access-1`, `access-2`, …; `answers` are given instead, one a question, while there are any."""

    answers: list[tuple[int, Any]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    newer: str = ""
    given: int = 0
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.forms.append(dict(await request.post()))
        if self.answers:
            status, said = self.answers.pop(0)
            return web.Response(status=status, text=said if isinstance(said, str) else json.dumps(said))
        self.given += 1
        more = {"refresh_token": self.newer} if self.newer else {}
        return web.json_response({"access_token": f"access-{self.given}", "expires_in": 3600, **more})


@asynccontextmanager
async def service(*answers: tuple[int, Any], newer: str = "") -> AsyncIterator[SignInService]:
    served = SignInService(list(answers), newer=newer)
    app = web.Application()
    app.router.add_post("/{path}", served.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        await runner.cleanup()


class Mailbox(MailServer):
    """A mail server that takes one access token, and says as Google does what is wrong with another."""

    async def auth_XOAUTH2(self, server, args):  # noqa: N802
        self.seen = [*getattr(self, "seen", []), base64.b64decode(args[1]).decode()]
        if self.seen[-1] == f"user=ann@example.org\x01auth=Bearer {self.answers['token']}\x01\x01":
            return AuthResult(success=True)
        await server.challenge_auth(json.dumps({"status": "400", "schemes": "bearer"}))
        return AuthResult(success=False, handled=False)


@pytest.fixture
def mailbox():
    box = Mailbox({"token": "access-1"})
    controller = _AnyPort(box, hostname="127.0.0.1", port=0, auth_require_tls=False)
    controller.start()
    box.port = controller.port
    yield box
    let_talks_end()
    controller.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("TEST_REFRESH", FIRST)
    monkeypatch.delenv("TEST_CLIENT_SECRET", raising=False)


def oauth(url: str = "https://sign-in.example", **more: Any) -> OAuthConfig:
    names = {"client_secret_env": "TEST_CLIENT_SECRET", "refresh_token_env": "TEST_REFRESH"}
    return OAuthConfig.model_validate(
        {"token_url": f"{url}/token", "device_url": f"{url}/device", "client_id": "app", **names, **more}
    )


def tokens(url: str, tmp_path: Path, **more: Any) -> AccessTokens:
    config = oauth(url, **more)
    return AccessTokens(config, RefreshTokens(config, tmp_path / "oauth-token.json"))


async def deliver(mailbox: Mailbox, keeper: AccessTokens, hear=None) -> None:
    config = SmtpConfig(
        host="127.0.0.1", port=mailbox.port, security="none", user="ann@example.org", auth="xoauth2", oauth=keeper.oauth
    )
    transport = SmtpTransport(config, tokens=keeper, **({"hear": hear} if hear else {}))
    await transport.send(Parcel(1, "ann@example.org", "bob@example.org", NOW, b"Subject: x\r\n\r\nnews\r\n"))


async def test_a_mail_is_sent_with_an_access_token_that_serves_for_the_next_too(mailbox, tmp_path) -> None:
    async with service() as served:
        keeper = tokens(served.url, tmp_path, scope="mail.send")
        await deliver(mailbox, keeper)
        await deliver(mailbox, keeper)

    assert len(mailbox.taken) == 2
    assert served.forms == [
        {"grant_type": "refresh_token", "refresh_token": FIRST, "client_id": "app", "scope": "mail.send"}
    ]


async def test_a_token_that_was_taken_back_is_replaced_once_in_the_same_try(mailbox, tmp_path) -> None:
    mailbox.answers["token"] = "access-2"
    async with service() as served:
        await deliver(mailbox, tokens(served.url, tmp_path))

    assert len(mailbox.taken) == 1
    assert served.given == 2


async def test_a_mailbox_that_takes_no_token_is_not_hammered(mailbox, tmp_path) -> None:
    mailbox.answers["token"] = "never"
    talk = []
    async with service() as served:
        with pytest.raises(ChannelError, match="535"):
            await deliver(mailbox, tokens(served.url, tmp_path), talk.append)

    assert served.given == 2
    said = "\n".join(line.text for line in talk)
    assert "access-" not in said
    assert '"schemes": "bearer"' in said


async def test_a_client_secret_is_sent_if_there_is_one(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TEST_CLIENT_SECRET", "of the app")
    async with service() as served:
        await tokens(served.url, tmp_path).get()

    assert served.forms[0]["client_secret"] == "of the app"


async def test_a_newer_refresh_token_is_kept_for_its_owner_alone_and_used_from_then_on(tmp_path) -> None:
    async with service(newer="refresh-token-two") as served:
        await tokens(served.url, tmp_path).get()
        await tokens(served.url, tmp_path).get()  # as after a restart
    file = tmp_path / "oauth-token.json"

    assert [form["refresh_token"] for form in served.forms] == [FIRST, "refresh-token-two"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert FIRST not in file.read_text()


async def test_a_new_refresh_token_from_the_operator_goes_before_the_kept_one(tmp_path, monkeypatch) -> None:
    async with service(newer="refresh-token-two") as served:
        await tokens(served.url, tmp_path).get()
        monkeypatch.setenv("TEST_REFRESH", "given anew")
        await tokens(served.url, tmp_path).get()

    assert served.forms[1]["refresh_token"] == "given anew"


async def test_a_kept_token_that_cannot_be_read_is_as_none(tmp_path) -> None:
    (tmp_path / "oauth-token.json").write_text("{broken")
    async with service() as served:
        await tokens(served.url, tmp_path).get()

    assert served.forms[0]["refresh_token"] == FIRST


async def test_a_token_that_cannot_be_kept_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("in the way")
    config = oauth()
    with pytest.raises(ChannelError, match="cannot be kept"):
        RefreshTokens(config, tmp_path / "file" / "oauth-token.json").keep("newer")


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        ((400, {"error": "invalid_grant", "error_description": "expired"}), ChannelError, "--sign-in"),
        ((401, {"error": "invalid_client"}), ChannelError, "invalid_client"),
        ((503, "busy"), OutOfReachError, "503"),
        ((429, {"error": "slow"}), OutOfReachError, "429"),
        ((200, "<html>a portal</html>"), OutOfReachError, "no token"),
        ((200, [1]), OutOfReachError, "no token"),
    ],
)
async def test_what_a_sign_in_service_refuses_and_what_passes(tmp_path, answer, error, told) -> None:
    async with service(answer) as served:
        with pytest.raises(error, match=told):
            await tokens(served.url, tmp_path).get()


async def test_a_sign_in_service_that_is_not_there_is_out_of_reach(tmp_path) -> None:
    for proxy in ("", "http://127.0.0.1:9", "socks5://127.0.0.1:9"):
        keeper = tokens("http://127.0.0.1:9", tmp_path)
        keeper.proxy = proxy
        with pytest.raises(OutOfReachError, match=r"127\.0\.0\.1:9"):
            await keeper.get()


async def test_without_a_refresh_token_it_is_said_how_to_get_one(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("TEST_REFRESH")
    with pytest.raises(ChannelError, match="TEST_REFRESH_FILE"):
        await tokens("http://127.0.0.1:9", tmp_path).get()
    monkeypatch.setenv("TEST_REFRESH_FILE", str(tmp_path / "absent"))
    with pytest.raises(ChannelError, match="cannot be read"):
        await tokens("http://127.0.0.1:9", tmp_path).get()


BEGUN = {"device_code": "dev", "user_code": "ABCD", "verification_uri": "https://page.example", "interval": 0.01}


async def test_who_signs_in_on_another_machine_gives_this_one_a_refresh_token(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("TEST_REFRESH")
    monkeypatch.setattr(device_flow, "_SLOWER", 0.01)
    shown = []
    waiting = [(400, {"error": "authorization_pending"}), (400, {"error": "slow_down"})]
    async with service((200, BEGUN), *waiting, newer="signed-in") as served:
        token = await sign_in(oauth(served.url), lambda *what: shown.append(what))
        kept = RefreshTokens(oauth(served.url), tmp_path / "oauth-token.json")
        kept.keep(token)

    assert shown == [("https://page.example", "ABCD")]
    assert kept.read() == "signed-in"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([(400, {"error": "invalid_client"})], "invalid_client"),
        ([(200, BEGUN), (400, {"error": "access_denied"})], "access_denied"),
        ([(200, BEGUN), (200, {"access_token": "x"})], "offline_access"),
        ([(200, BEGUN | {"expires_in": 0})], "start again"),
    ],
)
async def test_a_sign_in_that_fails_says_why(answers, told) -> None:
    async with service(*answers) as served:
        with pytest.raises(ChannelError, match=told):
            await sign_in(oauth(served.url), lambda *_: None)


async def test_google_gives_mail_to_no_device(tmp_path) -> None:
    google = OAuthConfig(provider="google", client_id="app")
    with pytest.raises(ChannelError, match="by hand"):
        await sign_in(google, lambda *_: None)

    assert token_url(google) == "https://oauth2.googleapis.com/token"
    assert (device_url(google), scope(google)) == ("", "")


def test_microsoft_s_addresses_hold_the_directory() -> None:
    microsoft = OAuthConfig(provider="microsoft", client_id="app", tenant="example.org")

    assert token_url(microsoft) == "https://login.microsoftonline.com/example.org/oauth2/v2.0/token"
    assert device_url(microsoft).endswith("example.org/oauth2/v2.0/devicecode")
    assert "SMTP.Send" in scope(microsoft)


async def test_two_mails_at_a_time_ask_for_one_token(tmp_path) -> None:
    async with service() as served:
        keeper = tokens(served.url, tmp_path)
        assert await asyncio.gather(keeper.get(), keeper.get()) == ["access-1"] * 2

    assert len(served.forms) == 1
