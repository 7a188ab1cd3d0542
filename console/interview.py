"""The four questions of `jingbao init`: each answer is tried at once, and asked again if it will not do."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from alerts.transports.talk import Said
from alerts.trying import try_sending
from console.finding import Finding, find_location
from console.first_config import Answers
from console.init_wording import InitWords
from console.surroundings import local_zone, provider_for, sendmail
from console.terminal import plain, talk
from core.clock import clock_from_environment
from core.config import Config, Reader
from core.mail_presets import PRESETS
from core.secrets import keep_hidden, look_up

PLACEHOLDER = "you@example.org"
"""The address in the shipped file; where none is given it stays, and nothing is sent to it while mails are kept in a folder."""
PASSWORD, API_URL, REFRESH_TOKEN = "JINGBAO_SMTP_PASSWORD", "JINGBAO_MAIL_API_URL", "JINGBAO_OAUTH_REFRESH_TOKEN"
_FOLDER, _SENDMAIL, _API = "folder", "sendmail", "api"
_WAY_OUT = ("JINGBAO__NETWORK__PROXY", "JINGBAO__NETWORK__CA_FILE")
_SECURITY_OF_PORT = {465: "tls", 25: "none"}
Check = Callable[[str], str]
"""Gives what is wrong with an answer, empty if nothing is."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says already; empty where it says nothing."""

    address: str = ""
    language: str = ""
    zone: str = ""
    send: str = ""
    user: str = ""
    sender: str = ""
    location: str = ""
    contact: str = ""


class Interview:
    """Asks, or takes what is given and the defaults where nobody can be asked."""

    def __init__(self, given: Given, words: InitWords, language: str, folder: Path, *, asks: bool) -> None:
        """`folder` is where config.yaml will lie; `language` the one of the questions."""
        self._given = given
        self._words = words
        self._language = language
        self._folder = folder
        self._asks = asks
        self._secrets: dict[str, str] = {}

    def answers(self) -> Answers:
        """All answers. Raises click.Abort if the person leaves, UsageError if something given will not do."""
        words = self._words
        self._say(words.hello)
        self._say(f"\n{words.reader}", "bold")
        address = self._ask(words.address, self._given.address, os.environ.get("EMAIL", ""), _address_problem)
        language = self._ask(words.language, self._given.language, self._language, _one_of("en", "zh"))
        zone = self._ask(words.zone, self._given.zone, local_zone(), self._zone_problem)
        mail = self._mail(address)
        location = self._location()
        self._say(f"\n{words.contact_why}", "bold")
        contact = self._ask(words.contact, self._given.contact, address, self._contact_problem)
        address = address or PLACEHOLDER
        return Answers(address, language, zone, location, contact, mail, self._secrets)

    # Asking

    def _say(self, text: str, style: str = "") -> None:
        if self._asks:
            talk.print(plain(text, style), soft_wrap=True)

    def _say_line(self, line: Said) -> None:
        self._say(f"    {line.who} {line.text}", "dim")

    def _ask(self, question: str, given: str, default: str, check: Check) -> str:
        """An answer that passes its check; `given` is asked about only if it does not."""
        if not self._asks:
            answer = given or default
            if answer and (problem := check(answer)):
                raise click.UsageError(problem)
            return answer
        if given and not check(given):
            return given
        while True:
            answer = str(click.prompt("  " + question, default=given or default or None, err=True)).strip()
            if not (problem := check(answer)):
                return answer
            self._say(f"  {problem}", "yellow")

    def _ask_secret(self, question: str, name: str) -> None:
        """A secret is looked up as jingbao will look it up; only where it is nowhere is it asked for, and kept for a file."""
        if look_up(name) or not self._asks:
            return
        secret = str(click.prompt("  " + question, hide_input=True, err=True)).strip()
        keep_hidden([secret])
        self._secrets[name] = secret
        os.environ[name] = secret  # for the test mail of this process

    # The mail

    def _mail(self, address: str) -> dict[str, Any]:
        """The section `mail`, tried by a test mail."""
        self._say(f"\n{self._words.sending}", "bold")
        self._say("  " + self._words.ways.format(presets=", ".join(PRESETS)))
        default = provider_for(address) or (_SENDMAIL if sendmail() else _FOLDER) if self._asks else _FOLDER
        given = self._given.send
        while True:
            way = self._ask(self._words.way, given, default, self._way_problem)
            mail = self._section(way, address)
            if not self._asks or way == _FOLDER:
                return mail
            if (decided := self._tried(mail, address)) is not None:
                return decided
            given, default = "", way
            self._forget()

    def _section(self, way: str, address: str) -> dict[str, Any]:
        words = self._words
        if way == _FOLDER:
            return {}
        if way == _API:
            self._ask_secret(words.api_url, API_URL)
            return {"sender": self._sender(address), "api": {"url_env": API_URL}}
        if way == _SENDMAIL:
            return {"sender": self._sender(address), "sendmail": sendmail() or "/usr/sbin/sendmail"}
        smtp = self._preset(way, address) if way in PRESETS else self._server(way)
        return {"sender": self._sender(smtp["user"] if "@" in smtp.get("user", "") else address), "smtp": smtp}

    def _preset(self, way: str, address: str) -> dict[str, Any]:
        preset, words = PRESETS[way], self._words
        self._say("  " + words.provider.format(name=preset.name, password=preset.password))
        if preset.note:
            self._say("  " + preset.note)
        user = preset.user or self._ask(words.user, self._given.user, address, _anything)
        if preset.password_works:
            self._ask_secret(words.sign_in, PASSWORD)
            return {"preset": way, "user": user}
        client_id = self._ask(words.client_id, "", os.environ.get("JINGBAO_OAUTH_CLIENT_ID", ""), _anything)
        self._ask_secret(words.refresh, REFRESH_TOKEN)
        return {"preset": way, "user": user, "oauth": {"client_id": client_id or "unset"}}

    def _server(self, way: str) -> dict[str, Any]:
        host, _, stated = way.partition(":")
        words = self._words
        port = int(stated or self._ask(words.port, "", "587", _port_problem))
        security = self._ask(words.security, "", _SECURITY_OF_PORT.get(port, "starttls"), _one_of("starttls", "tls", "none"))
        user = self._ask(words.user, self._given.user or ("" if self._asks else "-"), "-", _anything).strip("-")
        if user:
            self._ask_secret(words.sign_in, PASSWORD)
        return {"host": host, "port": port, "security": security, **({"user": user} if user else {})}

    def _sender(self, default: str) -> str:
        return self._ask(self._words.sender, self._given.sender, default or PLACEHOLDER, _address_problem)

    def _tried(self, mail: dict[str, Any], address: str) -> dict[str, Any] | None:
        """The section if a test mail went out by it, or the person keeps it all the same; None to ask anew."""
        words = self._words
        self._say("  " + words.trying.format(address=address))
        try:
            config = Config.model_validate({"data_dir": self._folder / "data", "mail": mail})
        except ValidationError as error:
            fault = _first_fault(error)
        else:
            now = clock_from_environment().now()
            report = asyncio.run(try_sending(config, address, now, self._say_line))
            if report.ok:
                self._say("  " + words.sent, "green")
                return mail
            fault = report.fault
        self._say("  " + words.failed.format(fault=fault), "yellow")
        choice = self._ask(words.what_now, "", "again", _one_of("again", _FOLDER, "keep"))
        if choice == _FOLDER:
            self._forget()
        return {"again": None, _FOLDER: {}, "keep": mail}[choice]

    def _forget(self) -> None:
        """Drop the secrets that were given for a way that is not taken."""
        for name in self._secrets:
            os.environ.pop(name, None)
        self._secrets.clear()

    # The place

    def _location(self) -> str:
        words = self._words
        self._say(f"\n{words.place}", "bold")
        self._say("  " + words.places)
        location = self._ask(words.location, self._given.location, "auto", _one_of("auto", "outside", "mainland"))
        if location == "auto" and self._asks and click.confirm("  " + words.look, default=False, err=True):
            self._say("  " + words.looking)
            found: Finding = asyncio.run(find_location(*(os.environ.get(name, "") for name in _WAY_OUT)))
            self._say("  " + words.found[found.location].format(**found.counts), "green")
        return location

    # Checks that speak the person's language

    def _zone_problem(self, zone: str) -> str:
        try:
            Reader(key="me", addresses=(PLACEHOLDER,), zone=zone)
        except ValidationError:
            return self._words.no_zone
        return ""

    def _contact_problem(self, contact: str) -> str:
        page = contact.startswith(("http://", "https://")) and "." in contact and " " not in contact
        return "" if page or not _address_problem(contact) else self._words.contact_expected

    def _way_problem(self, way: str) -> str:
        known = way in PRESETS or way in {_FOLDER, _SENDMAIL, _API}
        host, _, port = way.partition(":")
        server = ("." in host or host == "localhost") and " " not in host and (not port or not _port_problem(port))
        return "" if known or server else self._words.no_way.format(way=way, presets=", ".join(PRESETS))


def _anything(_: str) -> str:
    return ""


def _one_of(*choices: str) -> Check:
    return lambda answer: "" if answer in choices else f"expected one of {', '.join(choices)}"


def _port_problem(port: str) -> str:
    return "" if port.isdigit() and 0 < int(port) < 65536 else "expected a port, as in 587"


def _address_problem(address: str) -> str:
    try:
        Reader(key="me", addresses=(address,))
    except ValidationError as error:
        return _first_fault(error)
    return ""


def _first_fault(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")
