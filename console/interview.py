"""The four questions of `jingbao init`: each answer is tried at once, and asked again if it will not do."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

from pydantic import ValidationError

from console.asking import Asker, Given
from console.finding import Finding, find_location
from console.first_config import PLACEHOLDER, Answers, Before
from console.init_wording import InitWords
from console.mail_interview import MailInterview
from console.surroundings import local_zone
from core.config import Reader

_WAY_OUT = ("JINGBAO__NETWORK__PROXY", "JINGBAO__NETWORK__CA_FILE")
_PAGE = re.compile(r"https?://[^\s/.:]+(\.[^\s/.:]+)+(:\d+)?(/\S*)?")


class Interview:
    """Asks, or takes what is given and the defaults where nobody can be asked."""

    def __init__(self, given: Given, words: InitWords, language: str, folder: Path, before: Before, *, asks: bool) -> None:
        """`folder` is where config.yaml will lie; `language` the one of the questions; `before` what stands in the file now."""
        self._given = given
        self._words = words
        self._language = language
        self._before = before
        self._asker = Asker(words, asks=asks)
        self._mail = MailInterview(self._asker, given, folder, before)

    def answers(self) -> Answers:
        """All answers. Raises click.Abort if the person leaves, UsageError if something given will not do."""
        words, given, before, asker = self._words, self._given, self._before, self._asker
        reader = before.reader
        asker.say(words.hello)
        asker.say(f"\n{words.reader}", "bold")
        suggested = before.address or os.environ.get("EMAIL", "")
        address = asker.ask(words.address, given.address, suggested, asker.address_problem)
        language = asker.ask(words.language, given.language, reader.get("language", self._language), asker.one_of("en", "zh"))
        zone = asker.ask(words.zone, given.zone, str(reader.get("zone") or local_zone()), self._zone_problem)
        mail = self._mail.section(address)
        location = self._location()
        asker.say(f"\n{words.contact_why}", "bold")
        contact = asker.ask(words.contact, given.contact, before.contact or address, self._contact_problem)
        addresses = (address or PLACEHOLDER, *reader.get("addresses", ())[1:])
        return Answers(addresses, language, zone, location, contact, mail, asker.secrets, tuple(asker.notes))

    def _location(self) -> str:
        words, asker = self._words, self._asker
        asker.say(f"\n{words.place}", "bold")
        asker.say("  " + words.places)
        check = asker.one_of("auto", "outside", "mainland")
        location = asker.ask(words.location, self._given.location, self._before.location, check)
        if location == "auto" and asker.agrees(words.look, default=False):
            asker.say("  " + words.looking)
            found: Finding = asyncio.run(find_location(*(os.environ.get(name, "") for name in _WAY_OUT)))
            asker.say("  " + words.found[found.location].format(**found.counts), "green")
        return location

    def _zone_problem(self, zone: str) -> str:
        try:
            Reader(key="me", addresses=(PLACEHOLDER,), zone=zone)
        except ValidationError:
            return self._words.no_zone
        return ""

    def _contact_problem(self, contact: str) -> str:
        good = _PAGE.fullmatch(contact) or not self._asker.address_problem(contact)
        return "" if good else self._words.contact_expected
