"""What is carried from the present archive into a backup before it takes its place, so that nobody is told anything twice.

Told stories, open matches and mails are taken over as they stand now, with the articles they are about, and what the operator
was told; everything else is the backup's. Messages are known again by their Message-ID, articles by their canonical URL:
numbers may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage import settings
from storage.index_rows import next_index_row
from storage.outbox import OPEN_MATCHES, MatchState, MessageState
from storage.pieces import pieces
from storage.schema import address, article, band, guid, match, mention, message, raw_page, sighting, source, story

if TYPE_CHECKING:
    from sqlalchemy import Table

    from storage.transaction import AnyRow, Transaction

_TELLING = (*OPEN_MATCHES, MatchState.MAILED, MatchState.TOLD)
_OPEN_MESSAGES = {MessageState.WAITING, MessageState.UNCERTAIN}
_STANDING = ("state", "attempts", "next_try", "sent", "last_error")


@dataclass(frozen=True, slots=True)
class Carried:
    """How much was carried over: messages and matches that the backup had not, or had in an earlier state; whole articles."""

    messages: int
    matches: int
    articles: int


def carry_over(present: Transaction, restored: Transaction) -> Carried:
    """Bring what was told since the backup was made from `present` (read) into `restored` (written)."""
    work = _Carrying(present, restored)
    work.notices()
    return Carried(work.messages(), work.matches(), len(work.carried))


@dataclass
class _Carrying:
    present: Transaction
    restored: Transaction
    carried: list[int] = field(default_factory=list)  # articles' ids in the present archive
    _messages: dict[int, int] = field(default_factory=dict)  # present id → restored id; the same for the other two
    _articles: dict[int, tuple[int, int]] = field(default_factory=dict)  # with the restored story
    _stories: dict[int, int] = field(default_factory=dict)

    def messages(self) -> int:
        """Carry every mail that the backup has not, and the state of every one it has; gives how many changed."""
        light = sa.select(*(column for column in message.c if column is not message.c.content)).order_by(message.c.id)
        theirs = {row.message_id: row for row in self.restored.connection.execute(light)}
        periods = {(row.reader, row.address, row.period_key): row for row in theirs.values()}
        changed = 0
        for row in self.present.connection.execute(light).all():
            known = theirs.get(row.message_id) or periods.get((row.reader, row.address, row.period_key))
            if known is None:
                self._messages[row.id] = self._copy(message, message.c.id == row.id)[0]
            else:
                self._messages[row.id] = known.id
            changed += known is None or self._bring_up(row, known)
        return changed

    def _bring_up(self, row: AnyRow, known: AnyRow) -> bool:
        """The state a mail has reached stays reached, in whichever of the two archives."""
        standing = {name: getattr(row, name) for name in _STANDING}
        same = all(getattr(known, name) == value for name, value in standing.items())
        if same or (row.state in _OPEN_MESSAGES and known.state not in _OPEN_MESSAGES):
            return False
        if known.message_id != row.message_id and row.state in _OPEN_MESSAGES:
            return False  # both wait, one of them is enough
        self.restored.connection.execute(sa.update(message).where(message.c.id == known.id).values(standing))
        return True

    def notices(self) -> None:
        """What the operator was told, and whether readers were told of the beginning, stays told."""
        if told := settings.get(self.present, settings.NOTICES):
            settings.put(self.restored, settings.NOTICES, told)
        dawn = settings.get(self.present, settings.FIRST_LIGHT)
        if dawn and not (settings.get(self.restored, settings.FIRST_LIGHT) or {}).get("told"):
            settings.put(self.restored, settings.FIRST_LIGHT, dawn)
        standings = sa.select(source.c.key, source.c.told_standing)
        for row in self.present.connection.execute(standings).all():
            theirs = sa.update(source).where(source.c.key == row.key)
            self.restored.connection.execute(theirs.values(told_standing=row.told_standing))

    def matches(self) -> int:
        """Carry every match that was told or is to be, and the mark of the articles that were held against the rules."""
        wanted = sa.select(match).where(match.c.state.in_(_TELLING)).order_by(match.c.id)
        changed = sum(self._match(row) for row in self.present.connection.execute(wanted).all())
        self._marks()
        return changed

    def _match(self, row: AnyRow) -> bool:
        article_id, story_id = self._article(row.article_id)
        where = (match.c.rule == row.rule, match.c.reader == row.reader, match.c.article_id == article_id)
        known = self.restored.connection.execute(sa.select(match).where(*where)).first()
        standing = {"state": row.state, "message_id": self._messages.get(row.message_id)}
        if known is None:
            what = {"rule": row.rule, "reader": row.reader, "article_id": article_id, "story_id": story_id, "at": row.at}
            self.restored.connection.execute(sa.insert(match).values(what | standing))
            return True
        went_further = row.state in OPEN_MATCHES and known.state not in OPEN_MATCHES
        if went_further or (known.state, known.message_id) == tuple(standing.values()):
            return False
        self.restored.connection.execute(sa.update(match).where(match.c.id == known.id).values(standing))
        return True

    def _marks(self) -> None:
        """An article that was held against the rules is not held against them again: its matches are all here."""
        unmarked = sa.select(article.c.canonical_url).where(~article.c.matched)
        for piece in pieces(self.restored.connection.scalars(unmarked)):
            marked = sa.select(article.c.canonical_url).where(article.c.canonical_url.in_(piece), article.c.matched)
            done = list(self.present.connection.scalars(marked))
            mark = sa.update(article).where(article.c.canonical_url.in_(done)).values(matched=True)
            self.restored.connection.execute(mark)

    # Articles

    def _article(self, present_id: int) -> tuple[int, int]:
        """The restored id and story of a present article, which is carried over if the backup has it not."""
        if present_id not in self._articles:
            row = self.present.connection.execute(sa.select(article).where(article.c.id == present_id)).one()
            self._articles[present_id] = self._known_article(row.canonical_url) or self._carry_article(row)
        return self._articles[present_id]

    def _known_article(self, canonical_url: str) -> tuple[int, int] | None:
        query = sa.select(article.c.id, article.c.story_id).where(article.c.canonical_url == canonical_url)
        found = self.restored.connection.execute(query).first()
        return None if found is None else (found.id, found.story_id)

    def _carry_article(self, row: AnyRow) -> tuple[int, int]:
        story_id = self._story(row.story_id)
        original = None if row.copy_of is None else self._known_copy(row.copy_of)
        values = row._asdict() | {"story_id": story_id, "copy_of": original, "index_row": next_index_row(self.restored, row.at)}
        del values["id"]
        article_id = self.restored.new_row(sa.insert(article), values)
        self.restored.index.add(
            self.restored.connection, values["index_row"], row.title, row.text or row.summary, tuple(row.authors)
        )
        for facts in (mention, band):
            self._copy(facts, facts.c.article_id == row.id, article_id=article_id)
        self._carry_addresses(row.id, article_id)
        self.carried.append(row.id)
        return article_id, story_id

    def _known_copy(self, present_id: int) -> int | None:
        url = self.present.connection.scalar(sa.select(article.c.canonical_url).where(article.c.id == present_id))
        known = self._known_article(url or "")
        return known and known[0]

    def _story(self, present_id: int) -> int:
        """The story that another of its articles has in the backup, else one of its own."""
        if present_id not in self._stories:
            siblings = sa.select(article.c.canonical_url).where(article.c.story_id == present_id)
            known = map(self._known_article, self.present.connection.scalars(siblings))
            found = next((each[1] for each in known if each), None)
            self._stories[present_id] = self._copy(story, story.c.id == present_id)[0] if found is None else found
        return self._stories[present_id]

    def _carry_addresses(self, present_id: int, article_id: int) -> None:
        for row in self.present.connection.execute(sa.select(address).where(address.c.article_id == present_id)).all():
            known = sa.select(address.c.id).where(address.c.canonical_url == row.canonical_url)
            number = self.restored.connection.scalar(known)
            if number is None:
                number = self._copy(address, address.c.id == row.id, article_id=article_id)[0]
                self._copy(sighting, sighting.c.address_id == row.id, address_id=number, run_id=None)
                self._copy(raw_page, raw_page.c.address_id == row.id, address_id=number)
                self._carry_guids(row.id, number)
            else:
                leads = {"article_id": article_id, "outcome": row.outcome, "reason": row.reason, "next_try": None}
                self.restored.connection.execute(sa.update(address).where(address.c.id == number).values(leads))

    def _carry_guids(self, present_id: int, number: int) -> None:
        for row in self.present.connection.execute(sa.select(guid).where(guid.c.address_id == present_id)).all():
            known = sa.select(guid.c.guid).where(guid.c.source == row.source, guid.c.guid == row.guid)
            if self.restored.connection.execute(known).first() is None:
                self.restored.connection.execute(sa.insert(guid).values(row._asdict() | {"address_id": number}))

    def _copy(self, table: Table, which: sa.ColumnElement[bool], **instead: Any) -> list[int]:
        """Copy rows of a table; gives their new numbers where the table numbers its rows."""
        rows = [dict(row._asdict()) for row in self.present.connection.execute(sa.select(table).where(which)).all()]
        if "id" not in table.c:
            for values in rows:
                self.restored.connection.execute(sa.insert(table).values(values | instead))
            return []
        return [self.restored.new_row(sa.insert(table), _without_id(values) | instead) for values in rows]


def _without_id(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "id"}
