"""What a rule or a query would have mailed, when, in which mail, and why: the same decisions, played over the past.

Passes are taken to have come once a minute. Other rules of the reader are left out, so is what has really been mailed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from alerts.discipline import FOLDED_AT, MailPlan, Standing, decide
from alerts.items import View, found_words
from alerts.times import day_start
from core.config import Reader, Rule
from core.schedule import Rhythm, Schedule
from lexicon.matcher import matches
from lexicon.query import parse
from lexicon.subject import Subject
from storage.outbox import OPEN_MATCHES, Match, MatchState

if TYPE_CHECKING:
    from alerts.desk import Desk
    from core.article import Article

_NOBODY = Reader(key="anyone", addresses=("anyone@localhost.invalid",))
_AD_HOC = "this-query"


@dataclass(frozen=True, slots=True)
class TrialItem:
    """A story that would have been told: the article shown, the words found in it, and its copies in that time."""

    article: Article
    found: tuple[str, ...]
    copies: int


@dataclass(frozen=True, slots=True)
class TrialMail:
    """One mail that would have been made at `at` (aware UTC); `kind` is `now` or `digest`."""

    at: datetime
    kind: str
    items: tuple[TrialItem, ...]


@dataclass(frozen=True, slots=True)
class Unsent:
    """An article that matched and would not have been mailed: `state` says why (waiting: its digest is still to come)."""

    article: Article
    state: MatchState


@dataclass(frozen=True, slots=True)
class Trial:
    """What would have happened for one reader."""

    rule: Rule
    reader: Reader
    mails: tuple[TrialMail, ...]
    unsent: tuple[Unsent, ...]


def rule_of(desk: Desk, name_or_query: str, when: str = "now") -> Rule:
    """The rule of that name, on or off, or the text as a query of its own. Raises QueryError if it cannot be read."""
    for rule in desk.config.rules:
        if rule.name == name_or_query:
            return rule
    parse(name_or_query, desk.watchlist)
    return Rule(name=_AD_HOC, title=name_or_query, query=name_or_query, when=Schedule.parse(when))


def trial(desk: Desk, rule: Rule, found: Iterable[Article], since: datetime, now: datetime) -> Trial:
    """Play `rule` over articles first seen between `since` and `now` (aware UTC); `found` may hold more than match.

    It is played for the rule's first reader, or, where there are none, one without quiet hours who lives by UTC.
    """
    query = parse(rule.query, desk.watchlist)
    desk = replace(desk, rules={rule.name: rule}, queries={rule.name: query})
    reader = next(iter(desk.readers_of(rule)), _NOBODY)
    seen = sorted((each for each in found if since <= each.discovered <= now), key=lambda each: (each.discovered, each.id))
    articles = {each.id: each for each in seen if matches(query, Subject.of_article(each), each.discovered)}
    play = _Play(reader, rule, _first_states(desk, rule, reader, articles.values()))
    mails = [(at, mail) for at in _passes(play, since, now) for mail in play.decide(at)]
    view = View(desk, reader, now)
    return Trial(rule, reader, tuple(_mail(view, at, mail, articles) for at, mail in mails), play.unsent(articles))


def _first_states(desk: Desk, rule: Rule, reader: Reader, articles: Iterable[Article]) -> dict[int, Match]:
    """The matches as they would have been kept, by article."""
    oldest = timedelta(days=desk.config.alerts.max_age_days)
    known: set[int] = set()
    made: dict[int, Match] = {}
    for article in articles:
        state = MatchState.TOLD if article.story_id in known else MatchState.WAITING
        if article.baseline:
            state = MatchState.BASELINE
        elif article.discovered - article.at > oldest:
            state = MatchState.TOO_OLD
        else:
            known.add(article.story_id)
        made[article.id] = Match(article.id, rule.name, reader.key, article.id, article.story_id, article.discovered, state)
    return made


class _Play:
    """A reader's matches while time passes."""

    def __init__(self, reader: Reader, rule: Rule, matches: dict[int, Match]) -> None:
        self.reader = reader
        self.rule = rule
        self.matches = matches
        self._made: dict[str, datetime] = {}

    def decide(self, at: datetime) -> tuple[MailPlan, ...]:
        """The mails one pass makes."""
        waiting = [match for match in self.matches.values() if match.at <= at and match.state in OPEN_MATCHES]
        if not waiting:
            return ()
        today = sum(made >= day_start(self.reader, at) for made in self._made.values())
        decision = decide(self.reader, [self.rule], waiting, Standing({}, today, self._made.__contains__), at)
        self._move((match.id for match in decision.folded), MatchState.FOLDED)
        for mail in decision.mails:
            self._made[mail.period_key] = at
            self._move((number for telling in mail.tellings for number in telling.settles), MatchState.MAILED)
        return decision.mails

    def _move(self, numbers: Iterable[int], state: MatchState) -> None:
        for number in numbers:
            self.matches[number] = replace(self.matches[number], state=state)

    def unsent(self, articles: dict[int, Article]) -> tuple[Unsent, ...]:
        """What was not mailed, with the state that says why."""
        return tuple(
            Unsent(articles[match.article_id], match.state)
            for match in self.matches.values()
            if match.state is not MatchState.MAILED
        )


def _passes(play: _Play, since: datetime, now: datetime) -> Sequence[datetime]:
    """The minutes at which a pass can change anything: something was found, a digest is due, quiet hours or a day ended."""
    minute = timedelta(minutes=1)
    found = {match.at.replace(second=0, microsecond=0) + minute for match in play.matches.values()}
    clocks = {at for day in _days(since, now) for at in _clocks(play.reader, play.rule, day)}
    return sorted(at for at in found | clocks if since <= at <= now)


def _days(since: datetime, now: datetime) -> Iterator[datetime]:
    for number in range((now - since).days + 3):
        yield since + timedelta(days=number - 1)


def _clocks(reader: Reader, rule: Rule, day: datetime) -> Iterator[datetime]:
    local = day.astimezone(reader.tz).date()
    times = {time(rule.when.hour, rule.when.minute), time(FOLDED_AT.hour)}
    if rule.when.rhythm is Rhythm.HOURLY:
        times |= {time(hour) for hour in range(24)}
    if reader.quiet_hours:
        hour, _, minute = reader.quiet_hours.partition("-")[2].strip().partition(":")
        times.add(time(int(hour), int(minute)))
    for clock in times:
        yield datetime.combine(local, clock, tzinfo=reader.tz).astimezone(UTC)


def _mail(view: View, at: datetime, plan: MailPlan, articles: dict[int, Article]) -> TrialMail:
    stories = [each.story_id for each in articles.values()]
    return TrialMail(
        at=at,
        kind=plan.kind,
        items=tuple(
            TrialItem(
                article=articles[telling.match.article_id],
                found=found_words(view, articles[telling.match.article_id], telling.rules),
                copies=stories.count(telling.match.story_id) - 1,
            )
            for telling in plan.tellings
        ),
    )
