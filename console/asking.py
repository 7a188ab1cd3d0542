"""Asking on a terminal: an answer is asked for again until it will do; where nobody can be asked, defaults are taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import click
from pydantic import ValidationError

from alerts.transports.talk import Said
from console.init_wording import InitWords
from console.terminal import plain, talk
from core.config import Reader
from core.secrets import file_of, keep_hidden, look_up

Check = Callable[[str], str]
"""Gives what is wrong with an answer, empty if nothing is."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says already; empty where it says nothing."""

    address: str = ""
    language: str = ""
    zone: str = ""
    send: str = ""
    security: str = ""
    user: str = ""
    sender: str = ""
    client_id: str = ""
    tenant: str = ""
    location: str = ""
    contact: str = ""

    @property
    def of_mail(self) -> bool:
        """Whether anything is said of how a way of sending is to be taken."""
        return bool(self.security or self.user or self.sender or self.client_id or self.tenant)


class BackError(Exception):
    """The person gave nothing where something is needed: back to the choice before."""


class Asker:
    """Asks in the words of one language. `secrets` and `notes` gather what is to be kept, and what the person should know."""

    def __init__(self, words: InitWords, *, asks: bool) -> None:
        """`asks`: there is somebody to be asked."""
        self.words = words
        self.asks = asks
        self.secrets: dict[str, str] = {}
        self.notes: list[str] = []
        self._put: set[str] = set()

    def say(self, text: str, style: str = "") -> None:
        """Tell the person something, if there is one."""
        if self.asks:
            talk.print(plain(text, style), soft_wrap=True)

    def say_line(self, line: Said) -> None:
        """Tell a line of the talk with a mail server."""
        self.say(f"    {line.who} {line.text}", "dim")

    def ask(self, question: str, given: str, default: str, check: Check) -> str:
        """An answer that passes its check; `given` is asked about only if it does not. Raises UsageError if nobody is there."""
        if not self.asks:
            answer = given or default
            if answer and (problem := check(answer)):
                raise click.UsageError(problem)
            return answer
        if given and not check(given):
            return given
        while True:
            suggested = given or default
            answer = str(click.prompt("  " + question, default=suggested, show_default=bool(suggested), err=True)).strip()
            if not (problem := check(answer)):
                return answer
            self.say(f"  {problem}", "yellow")

    def agrees(self, question: str, *, default: bool) -> bool:
        """Whether the person says yes."""
        return self.asks and click.confirm("  " + question, default=default, err=True)

    # Secrets

    def has_secret(self, name: str) -> bool:
        """Whether a secret is found where jingbao looks. One of this environment is kept for a file: the daemon has another."""
        value = look_up(name)
        if value and name in os.environ and name not in self._put:
            self.secrets[name] = value
        elif value and name not in self.secrets and (file := file_of(name)) is not None and f"{name}_FILE" in os.environ:
            self.notes.append(self.words.in_file.format(name=name, file=file))
        return bool(value)

    def ask_secret(self, question: str, name: str) -> bool:
        """Ask for a secret that is nowhere; false where nobody can be asked. Raises BackError if none is given."""
        if self.has_secret(name):
            return True
        if not self.asks:
            return False
        answer = str(click.prompt("  " + question, default="", show_default=False, hide_input=True, err=True)).strip()
        if not answer:
            self.say("  " + self.words.nothing_given, "yellow")
            raise BackError
        self.keep_secret(name, answer)
        return True

    def keep_secret(self, name: str, value: str) -> None:
        """Keep a secret for its file, and for this process."""
        keep_hidden([value])
        self.secrets[name] = os.environ[name] = value
        self._put.add(name)

    def forget(self) -> None:
        """Drop the secrets and notes of a way that is not taken."""
        for name in self._put:
            os.environ.pop(name, None)
        self._put.clear()
        self.secrets.clear()
        self.notes.clear()

    # Checks that speak the person's language

    def one_of(self, *choices: str) -> Check:
        """A check that an answer is one of these."""
        return lambda answer: "" if answer in choices else self.words.one_of.format(choices=", ".join(choices))

    def port_problem(self, port: str) -> str:
        """What is wrong with a port."""
        return "" if port.isascii() and port.isdigit() and 0 < int(port) < 65536 else self.words.no_port.format(port=port)

    def address_problem(self, address: str) -> str:
        """What is wrong with a mail address."""
        try:
            Reader(key="me", addresses=(address,))
        except ValidationError:
            return self.words.no_address if address.isascii() else self.words.no_ascii_address
        return ""


def anything(_: str) -> str:
    """A check that passes all."""
    return ""
