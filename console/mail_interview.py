"""The second question of `jingbao init`: how mails are sent. What is chosen is tried by a test mail."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from alerts.transports.sign_in import sign_in
from alerts.trying import try_sending
from console.asking import Asker, BackError, Given, anything
from console.first_config import PLACEHOLDER, SECRETS, Before
from console.provider_wording import PROVIDERS
from console.surroundings import provider_for, sendmail
from core.clock import clock_from_environment
from core.config import Config, MailConfig, OAuthConfig
from core.errors import SendError
from core.mail_presets import PRESETS, Preset

PASSWORD, API_URL, REFRESH_TOKEN = "JINGBAO_SMTP_PASSWORD", "JINGBAO_MAIL_API_URL", "JINGBAO_OAUTH_REFRESH_TOKEN"
FOLDER, SENDMAIL, API = "folder", "sendmail", "api"
_PROXY = "JINGBAO__NETWORK__PROXY"
_SECURITY_OF_PORT = {465: "tls", 25: "none"}
_OAUTH_GUIDE = "docs/guides/alerts-and-mail.md"


class MailInterview:
    """Finds the section `mail`. Empty: it stays as it stands in the file."""

    def __init__(self, asker: Asker, given: Given, folder: Path, before: Before) -> None:
        """`folder` is where config.yaml will lie, `before` what stands in it now."""
        self._asker = asker
        self._words = asker.words
        self._given = given
        self._folder = folder
        self._before = before
        self._first = True

    def section(self, address: str) -> dict[str, Any]:
        """The section, tried by a test mail to `address`. Raises UsageError if something given will not do."""
        self._asker.say(f"\n{self._words.sending}", "bold")
        self._asker.say("  " + self._words.ways.format(presets=", ".join(PRESETS)))
        given = self._given.send
        default = self._default(address)
        while True:
            way = self._asker.ask(self._words.way, given, default, self._way_problem)
            way = way.lower() if way.lower() in {*PRESETS, FOLDER, SENDMAIL, API} else way
            given, default = "", way
            try:
                mail = self._built(way, address)
                decided = mail if not self._asker.asks or way == FOLDER else self._tried(way, mail, address)
            except BackError:
                decided, default = None, FOLDER
            if decided is not None:
                return {} if decided == self._before.mail else decided
            self._asker.forget()

    def _default(self, address: str) -> str:
        if self._before.way != FOLDER or not self._asker.asks:
            return self._before.way
        return provider_for(address) or (SENDMAIL if sendmail() else FOLDER)

    def _built(self, way: str, address: str) -> dict[str, Any]:
        """What stands in the file already, if that is the way taken; else what comes of more questions."""
        first, self._first = self._first, False
        if first and self._before.mail and way == self._before.way and not self._given.of_mail:
            self._note_clear(self._before.mail)
            return dict(self._before.mail)
        return self._new(way, address)

    def _new(self, way: str, address: str) -> dict[str, Any]:
        if way == FOLDER:
            sender = self._before.mail.get("sender")
            return {"sender": sender} if sender and self._before.way != FOLDER else {}
        if way == API:
            self._secret(self._words.api_url, API_URL, self._words.of_service)
            return {**self._sender(address), "api": {"url_env": API_URL}}
        if way == SENDMAIL:
            return {**self._sender(address), "sendmail": self._sendmail()}
        smtp = self._preset(way, address) if way in PRESETS else self._server(way)
        mail = {**self._sender(smtp["user"] if "@" in smtp.get("user", "") else address), "smtp": smtp}
        self._note_clear(mail)
        return mail

    def _sender(self, default: str) -> dict[str, Any]:
        check = self._asker.address_problem
        sender = self._asker.ask(self._words.sender, self._given.sender, default or PLACEHOLDER, check)
        named = self._before.mail.get("sender_name")
        return {"sender": sender, **({"sender_name": named} if named else {})}

    def _sendmail(self) -> str:
        found = sendmail()
        if found:
            return found
        if not self._asker.asks:
            raise click.UsageError(self._words.no_sendmail)
        self._asker.say("  " + self._words.no_sendmail, "yellow")
        raise BackError

    def _secret(self, question: str, name: str, what: str) -> None:
        """Ask for a secret; where nobody can be asked, note that it is missing, and where it is to be put."""
        if not self._asker.ask_secret(question, name):
            file = self._folder / SECRETS / name
            self._asker.notes.append(self._words.missing.format(what=what, file=file, name=name))

    # A mail server

    def _preset(self, way: str, address: str) -> dict[str, Any]:
        preset, words = PRESETS[way], self._words
        if not preset.password_works:
            return self._by_token(way, preset, address)
        password, note = PROVIDERS[words.tag].get(way, (preset.password, preset.note))
        self._asker.say("  " + words.provider.format(name=preset.name, password=password))
        if note:
            self._asker.say("  " + note)
        user = preset.user or self._asker.ask(words.user, self._given.user, address, anything)
        self._secret(words.sign_in, PASSWORD, words.of_user.format(user=preset.name if preset.user else user))
        return {"preset": way, **({} if preset.user else {"user": user})}

    def _by_token(self, way: str, preset: Preset, address: str) -> dict[str, Any]:
        """Sign-in by XOAUTH2, with an application that the person has registered. An empty answer leads back."""
        words, asker = self._words, self._asker
        asker.say("  " + words.application_why.format(name=preset.name, guide=_OAUTH_GUIDE))
        known = self._given.client_id or os.environ.get("JINGBAO_OAUTH_CLIENT_ID", "")
        client_id = asker.ask(words.client_id, known, "", anything)
        if not client_id and not asker.asks:
            raise click.UsageError(words.no_client_id.format(name=preset.name, guide=_OAUTH_GUIDE))
        if not client_id:
            raise BackError
        user = asker.ask(words.mailbox, self._given.user, address, asker.address_problem)
        usual = "consumers" if way == "outlook" else user.rpartition("@")[2] or "common"
        tenant = asker.ask(words.tenant, self._given.tenant, usual, anything)
        oauth = {"client_id": client_id, "tenant": tenant}
        self._refresh_token(OAuthConfig(provider="microsoft", **oauth), user)
        return {"preset": way, "user": user, "oauth": oauth}

    def _refresh_token(self, oauth: OAuthConfig, user: str) -> None:
        """The token that signs in: found, or got by a browser, or typed."""
        words, asker = self._words, self._asker
        if not asker.has_secret(REFRESH_TOKEN) and asker.agrees(words.browser, default=True):
            asker.keep_secret(REFRESH_TOKEN, self._signed_in(oauth, user))
            return
        self._secret(words.refresh, REFRESH_TOKEN, words.of_mailbox.format(user=user))

    def _signed_in(self, oauth: OAuthConfig, user: str) -> str:
        words, asker = self._words, self._asker

        def show(page: str, code: str) -> None:
            asker.say("  " + words.open_page.format(page=page, user=user, code=code), "bold")

        try:
            return asyncio.run(sign_in(oauth, show, self._network().get("proxy", "")))
        except SendError as error:
            asker.say("  " + words.failed.format(fault=error), "yellow")
            raise BackError from error

    def _server(self, way: str) -> dict[str, Any]:
        words, asker = self._words, self._asker
        host, _, stated = way.partition(":")
        port = int(stated or asker.ask(words.port, "", "587", asker.port_problem))
        usual = _SECURITY_OF_PORT.get(port, "starttls")
        security = asker.ask(words.security, self._given.security, usual, asker.one_of("starttls", "tls", "none"))
        user = asker.ask(words.user, self._given.user, "", anything)
        if user:
            self._secret(words.sign_in, PASSWORD, words.of_user.format(user=user))
        elif os.environ.get(PASSWORD):
            asker.notes.append(words.without_user.format(name=PASSWORD))
        return {"host": host, "port": port, "security": security, **({"user": user} if user else {})}

    def _way_problem(self, way: str) -> str:
        if way.lower() in {*PRESETS, FOLDER, SENDMAIL, API}:
            return ""
        host, colon, port = way.partition(":")
        if ("." not in host and host != "localhost") or " " in host:
            return self._words.no_way.format(way=way, presets=", ".join(PRESETS))
        return self._asker.port_problem(port) if colon else ""

    def _note_clear(self, mail: dict[str, Any]) -> None:
        smtp = MailConfig.model_validate(mail).smtp
        if smtp is not None and smtp.in_the_clear:
            self._asker.notes.append(self._words.in_the_clear.format(host=smtp.host))
            self._asker.say("  " + self._words.in_the_clear.format(host=smtp.host), "yellow")

    # Trying

    def _network(self) -> dict[str, Any]:
        """What tokens are asked for by: the file's network, and the proxy of the environment."""
        return {**self._before.network, **({"proxy": os.environ[_PROXY]} if os.environ.get(_PROXY) else {})}

    def _tried(self, way: str, mail: dict[str, Any], address: str) -> dict[str, Any] | None:
        """The section if a test mail went out by it, or the person keeps it all the same; None to ask anew."""
        words, asker = self._words, self._asker
        asker.say("  " + words.trying.format(address=address))
        fault = self._fault(mail, address)
        if not fault:
            asker.say("  " + words.sent, "green")
            return mail
        asker.say("  " + words.failed.format(fault=fault), "yellow")
        if words.tag != "en" and way in PROVIDERS[words.tag]:
            asker.say("  " + words.provider.format(name=PRESETS[way].name, password=PROVIDERS[words.tag][way][0]), "yellow")
        choice = asker.ask(words.what_now, "", "again", asker.one_of("again", FOLDER, "keep"))
        if choice == FOLDER:
            asker.forget()
            return self._new(FOLDER, address)
        return mail if choice == "keep" else None

    def _fault(self, mail: dict[str, Any], address: str) -> str:
        """What kept a test mail from leaving; empty if it left."""
        data = self._folder / str(self._before.values.get("data_dir") or "data")
        try:
            config = Config.model_validate({"data_dir": data, "mail": mail, "network": self._network()})
        except ValidationError as error:
            return error.errors()[0]["msg"].removeprefix("Value error, ")
        return asyncio.run(try_sending(config, address, clock_from_environment().now(), self._asker.say_line)).fault
