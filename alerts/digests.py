"""Mails are made: a reader's open matches are decided on, the letters written, and all of it kept in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from alerts.discipline import Decision, MailPlan, Standing, Telling, decide
from alerts.items import View, item, reminder, search_command, title_of
from alerts.left_out import note_left_out, readers_left_out
from alerts.letter import Letter, Section, shown_counts
from alerts.mail import render
from alerts.times import day_start, in_quiet_hours
from core.errors import StorageError
from core.log import values
from storage import articles, outbox
from storage.outbox import Match, MatchState, NewMessage

if TYPE_CHECKING:
    from alerts.desk import Desk
    from core.article import Article
    from core.config import Reader
    from storage.archive import Archive
    from storage.transaction import Transaction

log = logging.getLogger("jingbao.alerts")

_REMINDERS = 10


@dataclass(frozen=True, slots=True)
class Made:
    """What one pass did: mails made, stories in them, and stories folded because of a cap."""

    mails: int = 0
    stories: int = 0
    folded: int = 0


async def make_due(archive: Archive, desk: Desk, now: datetime) -> Made:
    """Make every mail that is due at `now`, a reader in each transaction; a fault with one reader leaves the others theirs.

    Who gets none because of a fault is kept, for the operator to be told (alerts/left_out.py). Raises StorageError.
    """
    total = Made()
    before, left_out = await archive.reading(readers_left_out), dict[str, datetime]()
    for reader in await archive.reading(outbox.readers_waiting):
        try:
            made = await archive.writing(partial(make_mails, desk=desk, reader_key=reader, now=now))
        except StorageError:
            raise
        except Exception:
            log.exception("mails could not be made; please report the lines below", extra=values(reader=reader))
            left_out[reader] = before.get(reader, now)
            continue
        total = Made(total.mails + made.mails, total.stories + made.stories, total.folded + made.folded)
    if left_out != before:
        await archive.writing(partial(note_left_out, readers=left_out))
    return total


def make_mails(tx: Transaction, desk: Desk, reader_key: str, now: datetime) -> Made:
    """Make the mails that are due to one reader at `now` (aware UTC) and put them into the outbox, with their matches' marks.

    A reader who is no longer in the configuration gets nothing, and their matches are withdrawn.
    """
    waiting = outbox.open_matches(tx, reader_key)
    reader = desk.readers.get(reader_key)
    if reader is None:
        outbox.set_matches(tx, _ids(waiting), MatchState.WITHDRAWN)
        return Made()
    decision = decide(reader, desk.rules_of(reader), waiting, _standing(tx, reader, waiting, now), now)
    _mark(tx, decision)
    for plan in decision.mails:
        _make(tx, View(desk, reader, now), plan)
    stories = sum(len(plan.tellings) for plan in decision.mails)
    return Made(len(decision.mails), stories, len(decision.folded))


def _standing(tx: Transaction, reader: Reader, waiting: Sequence[Match], now: datetime) -> Standing:
    return Standing(
        told=outbox.told_stories(tx, reader.key, {match.story_id for match in waiting}),
        mails_today=outbox.mails_since(tx, reader.key, day_start(reader, now)),
        served=lambda period_key: outbox.has_mail(tx, reader.key, period_key),
    )


def _mark(tx: Transaction, decision: Decision) -> None:
    outbox.set_matches(tx, _ids(decision.withdrawn), MatchState.WITHDRAWN)
    outbox.set_matches(tx, _ids(decision.told), MatchState.TOLD)
    outbox.set_matches(tx, _ids(decision.folded), MatchState.FOLDED)


def _ids(matches: Sequence[Match]) -> list[int]:
    return [match.id for match in matches]


def _make(tx: Transaction, view: View, plan: MailPlan) -> None:
    letter = write(tx, view, plan, _told_times(tx, view, plan))
    config, numbers = view.desk.config, []
    operator = next(iter(config.operator.addresses), "")
    for address in view.reader.addresses:
        message = render(letter, config.mail, address, operator)
        mail = NewMessage(
            reader=view.reader.key,
            address=address,
            kind=plan.kind,
            period_key=plan.period_key,
            message_id=str(message["Message-ID"]),
            subject=str(message["Subject"]),
            content=message.as_bytes(),
        )
        numbers.append(outbox.put(tx, mail, view.now))
    settled = [number for telling in plan.tellings for number in telling.settles]
    outbox.set_matches(tx, settled, MatchState.MAILED, numbers[0])
    log.info("made a mail", extra=values(reader=view.reader.key, kind=plan.kind, stories=len(plan.tellings)))


def _told_times(tx: Transaction, view: View, plan: MailPlan) -> Mapping[int, datetime]:
    return outbox.told_stories(tx, view.reader.key, {match.story_id for match in plan.reminders})


def write(tx: Transaction, view: View, plan: MailPlan, told: Mapping[int, datetime]) -> Letter:
    """The letter of a plan; `told` says when the stories of its reminders were told. The plan has at least one story."""
    return Letter(
        reader=view.reader,
        kind=plan.kind,
        rhythm=plan.rhythm,
        period_key=plan.period_key,
        created=view.now,
        sections=_sections(tx, view, plan.tellings),
        reminders=tuple(
            reminder(view, articles.get(tx, match.article_id), told.get(match.story_id, view.now))
            for match in plan.reminders[:_REMINDERS]
        ),
        held_over=sum(telling.match.state is MatchState.FOLDED for telling in plan.tellings),
        story_ids=tuple(telling.match.story_id for telling in plan.tellings),
    )


def _sections(tx: Transaction, view: View, tellings: Collection[Telling]) -> tuple[Section, ...]:
    """A section a rule, in the configuration's order; within one the most reprinted first, then the newest."""
    by_rule: dict[str, list[Telling]] = {}
    for telling in tellings:
        by_rule.setdefault(telling.rules[0], []).append(telling)
    shown = shown_counts([len(found) for found in by_rule.values()], view.desk.config.alerts.items_per_mail)
    return tuple(
        _section(tx, view, rule, found, count) for (rule, found), count in zip(by_rule.items(), shown, strict=True)
    )


def _section(tx: Transaction, view: View, rule_name: str, tellings: Sequence[Telling], count: int) -> Section:
    rule = view.desk.rules[rule_name]
    held = {article.id: article for article in articles.get_many(tx, [telling.match.article_id for telling in tellings])}

    def weight(telling: Telling) -> tuple[int, float]:
        article: Article = held[telling.match.article_id]
        return (-article.story.outlets, -article.at.timestamp())

    ranked = sorted(tellings, key=weight)
    return Section(
        rule=rule_name,
        title=title_of(rule),
        items=tuple(
            item(view, held[each.match.article_id], articles.of_story(tx, each.match.story_id), each.rules)
            for each in ranked[:count]
        ),
        more=len(ranked) - count,
        command=search_command(rule, view.now, min(article.at for article in held.values())),
    )


def quiet_readers(desk: Desk, now: datetime) -> frozenset[str]:
    """The keys of the readers in whose quiet hours `now` lies: their mails wait in the outbox too."""
    return frozenset(key for key, reader in desk.readers.items() if in_quiet_hours(reader, now))
