"""When which story goes to a reader, and in which mail. Pure: everything known comes in, everything decided goes out.

A story is told to a reader once. Rules that speak `now` make one mail each for what one pass finds; everything else that
is due makes one digest. Quiet hours hold, the cap folds, and neither loses anything. docs/design/alerts.md gives reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from alerts.times import in_quiet_hours
from core.schedule import Rhythm, Schedule
from storage.outbox import Match, MatchState

if TYPE_CHECKING:
    from core.config import Reader, Rule

FOLDED_AT = Schedule(Rhythm.DAILY, 8)
"""When folded matches go to a reader who has no daily digest."""

_LONGEST_FIRST = (Rhythm.WEEKLY, Rhythm.DAILY, Rhythm.HOURLY)


@dataclass(frozen=True, slots=True)
class Telling:
    """One story in a mail: the match whose article is shown, and the rules that found it, the first giving its section."""

    match: Match
    rules: tuple[str, ...]
    settles: tuple[int, ...]  # ids of the matches this mail answers


@dataclass(frozen=True, slots=True)
class MailPlan:
    """One mail to be made. `reminders` are stories found again that an earlier mail told."""

    kind: str  # now | digest
    rhythm: Rhythm
    period_key: str
    tellings: tuple[Telling, ...]
    reminders: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a reader's open matches; those in no part of it go on waiting."""

    mails: tuple[MailPlan, ...] = ()
    told: tuple[Match, ...] = ()
    folded: tuple[Match, ...] = ()
    withdrawn: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A reader's present state: stories already told and when, mails made in their day so far, periods already served."""

    told: Mapping[int, datetime]
    mails_today: int
    served: Callable[[str], bool]


def decide(
    reader: Reader, rules: Sequence[Rule], open_matches: Sequence[Match], standing: Standing, now: datetime
) -> Decision:
    """Decide on every open match of one reader at `now` (aware UTC). `rules` are the reader's, those that are on."""
    case = _Case(reader, {rule.name: rule for rule in rules}, standing, now)
    withdrawn = tuple(match for match in open_matches if match.rule not in case.rules)
    if in_quiet_hours(reader, now):
        return Decision(withdrawn=withdrawn)
    live = [match for match in open_matches if match.rule in case.rules]
    room = reader.mails_per_day - standing.mails_today
    mails, told, folded = case.at_once([match for match in live if case.rhythm(match) is Rhythm.NOW], room)
    just_told = {telling.match.story_id for mail in mails for telling in mail.tellings}
    later = [match for match in live if case.rhythm(match) is not Rhythm.NOW]
    digest = case.digest(later, just_told, room - len(mails))
    return Decision((*mails, *digest.mails), (*told, *digest.told), (*folded, *digest.folded), withdrawn)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is the same for all of one reader's matches."""

    reader: Reader
    rules: Mapping[str, Rule]
    standing: Standing
    now: datetime

    def rhythm(self, match: Match) -> Rhythm:
        """The rhythm a match goes by: its rule's, or once folded that of the digest it waits for."""
        return Rhythm.DAILY if match.state is MatchState.FOLDED else self.rules[match.rule].when.rhythm

    def moment(self, match: Match) -> datetime:
        """The latest moment, at or before now, at which a match of this kind is due."""
        if match.state is not MatchState.FOLDED:
            return self.rules[match.rule].when.last_due(self.now, self.reader.tz).astimezone(UTC)
        daily = [rule.when for rule in self.rules.values() if rule.when.rhythm is Rhythm.DAILY] or [FOLDED_AT]
        return max(when.last_due(self.now, self.reader.tz) for when in daily).astimezone(UTC)

    def at_once(self, matches: Sequence[Match], room: int) -> tuple[list[MailPlan], list[Match], list[Match]]:
        """Mails of the rules that speak `now`, one a rule while there is room; then the matches told before, and the folded."""
        fresh = [match for match in matches if match.story_id not in self.standing.told]
        told = [match for match in matches if match.story_id in self.standing.told]
        mails: list[MailPlan] = []
        folded: set[int] = set()
        tellings = self._tellings(fresh)
        for name in self.rules:
            here = tuple(telling for telling in tellings if telling.rules[0] == name)
            if here and len(mails) < room:
                mails.append(MailPlan("now", Rhythm.NOW, self._at_once_key(name, here[0]), here))
            elif here:
                folded.update(number for telling in here for number in telling.settles)
        return mails, told, [match for match in fresh if match.id in folded]

    def _at_once_key(self, rule: str, telling: Telling) -> str:
        """A key no other mail has: a restored archive gives matches' numbers anew, so the number alone would come again."""
        return f"now {rule} {min(telling.settles)} {self.now.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"

    def digest(self, matches: Sequence[Match], just_told: Collection[int], room: int) -> Decision:
        """The one digest of everything due, if anything new is; after a long stop it is the one catch-up digest."""
        moments = {match.id: self.moment(match) for match in matches}
        ripe = [match for match in matches if match.at <= moments[match.id]]
        folded = tuple(match for match in ripe if room <= 0 and self.rhythm(match) is Rhythm.HOURLY)
        due = [match for match in ripe if room > 0 or self.rhythm(match) is not Rhythm.HOURLY]
        if not due:
            return Decision(folded=folded)
        period_key = f"digest {max(moments[match.id] for match in due):%Y-%m-%dT%H:%MZ}"
        if self.standing.served(period_key):
            return Decision(folded=folded)
        tellings = self._tellings([match for match in due if not self._known(match, just_told)])
        told = tuple(match for match in due if self._known(match, just_told))
        if not tellings:
            return Decision(told=told, folded=folded)
        rhythms = {self.rhythm(match) for match in due}
        rhythm = next(rhythm for rhythm in _LONGEST_FIRST if rhythm in rhythms)
        reminders = tuple({match.story_id: match for match in told}.values())
        mail = MailPlan("digest", rhythm, period_key, tuple(tellings), reminders)
        return Decision(mails=(mail,), told=told, folded=folded)

    def _known(self, match: Match, just_told: Collection[int]) -> bool:
        return match.story_id in self.standing.told or match.story_id in just_told

    def _tellings(self, matches: Sequence[Match]) -> list[Telling]:
        """One telling a story, under the first of its rules in the configuration's order."""
        order = {name: place for place, name in enumerate(self.rules)}
        stories: dict[int, list[Match]] = {}
        for match in sorted(matches, key=lambda match: (order[match.rule], match.at, match.id)):
            stories.setdefault(match.story_id, []).append(match)
        return [
            Telling(found[0], tuple(dict.fromkeys(match.rule for match in found)), tuple(match.id for match in found))
            for found in stories.values()
        ]
