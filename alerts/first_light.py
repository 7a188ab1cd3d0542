"""First light: what a new archive sees once the first round is through, told to each reader once.

`look` asks the archive, and gives one value for the mail, the terminal and `jingbao first-light` alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from alerts.items import View, item, title_of
from alerts.plain import one_line
from alerts.times import moment
from core.schedule import Rhythm
from core.trouble import Trouble, trouble_of
from storage import articles, overview, sources
from storage.outbox import MatchState

if TYPE_CHECKING:
    from alerts.desk import Desk
    from alerts.letter import Item
    from core.config import Reader, Rule
    from core.language import Language
    from core.source import Source
    from storage.overview import Found
    from storage.transaction import Transaction

SUBJECTS = 10
SUBJECTS_SINCE = timedelta(hours=72)
RULES_SINCE = timedelta(days=7)
_HEADLINES = 3


@dataclass(frozen=True, slots=True)
class Silence:
    """Sources that gave nothing for one kind of reason: their names, and what was said of the first."""

    trouble: Trouble
    names: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Round:
    """How the sources did. `pending` have not been asked to the end; those out of reach are in none of the others."""

    asked: int
    answered: int
    pending: tuple[str, ...]
    silences: tuple[Silence, ...]
    out_of_reach: tuple[str, ...]
    location: str  # mainland | outside | unknown

    @property
    def through(self) -> bool:
        """Whether each has been asked to the end, over a line that works."""
        return not self.pending and all(silence.trouble is not Trouble.OFFLINE for silence in self.silences)


@dataclass(frozen=True, slots=True)
class Covered:
    """A subject by its concept in queries and the name the reader knows, with its articles by language and its outlets."""

    entity: str
    name: str
    articles: Mapping[Language, int]
    outlets: int

    @property
    def total(self) -> int:
        """Articles in all languages."""
        return sum(self.articles.values())


@dataclass(frozen=True, slots=True)
class Outlook:
    """What one rule found in the last seven days: stories by what became of them, the foremost headlines, and when it speaks.

    `next` is when its next digest is due, as the reader reads it; empty for a rule that speaks at once.
    """

    rule: str
    title: str
    rhythm: Rhythm
    stories: Mapping[MatchState, int]
    headlines: tuple[Item, ...]
    next: str

    @property
    def total(self) -> int:
        """Stories, whatever became of them."""
        return sum(self.stories.values())


@dataclass(frozen=True, slots=True)
class FirstLight:
    """All of it, for one reader."""

    reader: Reader
    created: datetime
    round: Round
    articles: Mapping[str, int]
    covered: tuple[Covered, ...]
    outlooks: tuple[Outlook, ...]

    @property
    def total(self) -> int:
        """Articles in the archive."""
        return sum(self.articles.values())


def look(
    tx: Transaction,
    desk: Desk,
    reader: Reader,
    *,
    on: Sequence[Source],
    location: str,
    unreachable: Collection[str],
    proxied: Collection[str] = (),
    now: datetime,
) -> FirstLight:
    """What the archive holds at `now` (aware UTC) for `reader`; `on` are the sources that are on. More: `look_at_sources`."""
    return FirstLight(
        reader=reader,
        created=now,
        round=look_at_sources(tx, on, location, unreachable, proxied),
        articles=articles.counts_by_language(tx),
        covered=_covered(tx, desk, reader, now),
        outlooks=_outlooks(tx, View(desk, reader, now)),
    )


def look_at_sources(
    tx: Transaction, on: Sequence[Source], location: str, unreachable: Collection[str], proxied: Collection[str] = ()
) -> Round:
    """How the sources that are on did when they were last asked.

    `unreachable` are keys of those out of reach, `proxied` of those that are asked through a proxy.
    """
    reachable = [source for source in on if source.key not in unreachable]
    ended = {source.key: run for source in reachable if (run := _last_ended(tx, source.key))}
    silent = {key: run for key, run in ended.items() if run.result not in sources.GOOD}
    return Round(
        asked=len(reachable),
        answered=len(ended) - len(silent),
        pending=_names(source for source in reachable if source.key not in ended),
        silences=_silences([(source, silent[source.key]) for source in reachable if source.key in silent], proxied),
        out_of_reach=_names(source for source in on if source.key in unreachable),
        location=location,
    )


def _last_ended(tx: Transaction, key: str) -> sources.Run | None:
    """The last run that was not cut short and is not under way."""
    runs = sources.last_runs(tx, key, 5)
    return next((run for run in runs if run.result not in {sources.RUNNING, sources.INTERRUPTED}), None)


def _names(sources_: Iterable[Source]) -> tuple[str, ...]:
    return tuple(one_line(source.name, 60) for source in sources_)


def _silences(silent: Iterable[tuple[Source, sources.Run]], proxied: Collection[str]) -> tuple[Silence, ...]:
    """Sources by kind of trouble, the kind most have first."""
    by_trouble: dict[Trouble, list[tuple[Source, sources.Run]]] = {}
    for source, run in silent:
        trouble = trouble_of(run.result, run.detail, proxied=source.key in proxied)
        by_trouble.setdefault(trouble, []).append((source, run))
    ordered = sorted(by_trouble.items(), key=lambda each: (-len(each[1]), each[0]))
    return tuple(
        Silence(trouble, _names(source for source, _ in those), one_line(those[0][1].detail, 160)) for trouble, those in ordered
    )


def _covered(tx: Transaction, desk: Desk, reader: Reader, now: datetime) -> tuple[Covered, ...]:
    """The most covered subjects that have a name to show."""
    known = desk.watchlist
    found = (each for each in overview.coverage(tx, now - SUBJECTS_SINCE) if each.entity in known.entities)
    named = ((each, one_line(known.gloss(each.entity, reader.language), 60)) for each in found)
    return tuple(Covered(each.entity, name, each.articles, each.outlets) for each, name in named if name)[:SUBJECTS]


def _outlooks(tx: Transaction, view: View) -> tuple[Outlook, ...]:
    found: dict[str, list[Found]] = {}
    for each in overview.finds(tx, view.reader.key, view.now - RULES_SINCE):
        found.setdefault(each.rule, []).append(each)
    return tuple(_outlook(tx, view, rule, found.get(rule.name, [])) for rule in view.desk.rules_of(view.reader))


def _outlook(tx: Transaction, view: View, rule: Rule, found: Sequence[Found]) -> Outlook:
    """A story counts once, by what became of the first of it that was found."""
    stories = {each.story_id: each for each in reversed(found)}
    due = rule.when.next_due(view.now, view.reader.tz)
    return Outlook(
        rule=rule.name,
        title=title_of(rule),
        rhythm=rule.when.rhythm,
        stories=Counter(each.state for each in stories.values()),
        headlines=_headlines(tx, view, rule.name, stories),
        next="" if rule.when.rhythm is Rhythm.NOW else moment(due, view.reader),
    )


def _headlines(tx: Transaction, view: View, rule: str, stories: Mapping[int, Found]) -> tuple[Item, ...]:
    """The stories most outlets carry, then the newest, as a mail would show them."""
    held = articles.get_many(tx, [each.article_id for each in stories.values()])
    foremost = sorted(held, key=lambda each: (-each.story.outlets, -each.at.timestamp()))[:_HEADLINES]
    return tuple(item(view, each, articles.of_story(tx, each.story_id), [rule]) for each in foremost)
