"""A letter: all that one mail says, in the reader's words, before it becomes text and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from core.schedule import Rhythm

if TYPE_CHECKING:
    from core.config import Reader

Pieces = tuple[tuple[str, bool], ...]
"""A line of text in pieces, each with whether it is marked as found."""


@dataclass(frozen=True, slots=True)
class Gloss:
    """A name as it stands in a foreign text, and what the reader calls it."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Outlet:
    """Another outlet with the same story; `link` may be empty."""

    name: str
    link: str


@dataclass(frozen=True, slots=True)
class Item:
    """One story as a mail shows it; every text is clean and in the reader's language, titles and snippets in the original's.

    `lang` is a BCP 47 tag. `meta` is outlet, language where it is not the reader's, time, and what is missing of the text.
    `found` are the words that made the rule match. `link` and `local_link` are http(s) or empty.
    """

    article_id: int
    source: str
    lang: str
    own_language: bool
    title: Pieces
    link: str
    local_link: str
    meta: tuple[str, ...]
    glosses: tuple[Gloss, ...] = ()
    snippets: tuple[Pieces, ...] = ()
    found: tuple[str, ...] = ()
    also_rules: tuple[str, ...] = ()
    outlets: tuple[Outlet, ...] = ()
    more_outlets: int = 0
    copies: int = 0

    @property
    def title_text(self) -> str:
        """The title without its marks."""
        return "".join(text for text, _ in self.title)


@dataclass(frozen=True, slots=True)
class Section:
    """What one rule found. `more` stories are not shown; `command` lists them."""

    rule: str
    title: str
    items: tuple[Item, ...]
    more: int
    command: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """A story found again that an earlier mail told at `when`."""

    title: str
    lang: str
    link: str
    when: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one reader. `held_over` counts the stories that waited because of the reader's cap."""

    reader: Reader
    kind: str
    rhythm: Rhythm
    period_key: str
    created: datetime
    sections: tuple[Section, ...]
    reminders: tuple[Reminder, ...]
    held_over: int
    story_ids: tuple[int, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """The stories shown, in order."""
        return tuple(item for section in self.sections for item in section.items)

    @property
    def more(self) -> int:
        """How many stories are not shown."""
        return sum(section.more for section in self.sections)

    @property
    def lead(self) -> Item:
        """The story the subject names: in a digest the first in the reader's language, if there is one."""
        own = [item for item in self.items if item.own_language]
        return own[0] if own and self.kind == "digest" else self.items[0]

    def first(self, count: int) -> Letter:
        """The letter with only its first `count` stories shown."""
        sections, room = [], count
        for section in self.sections:
            shown = section.items[: max(room, 0)]
            room -= len(section.items)
            sections.append(replace(section, items=shown, more=section.more + len(section.items) - len(shown)))
        return replace(self, sections=tuple(sections), reminders=self.reminders[:count])


def shown_counts(sizes: Sequence[int], limit: int) -> list[int]:
    """How many stories of each section are shown when all of them together may be `limit`: the earlier sections first."""
    counts = []
    for size in sizes:
        counts.append(min(size, limit))
        limit -= counts[-1]
    return counts
