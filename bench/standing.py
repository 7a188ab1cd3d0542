"""How soon dying sources are noticed, and how often healthy ones are slandered: simulated histories with injected troubles.

    python -m bench.standing --seed 1 --days 240

200 sources of many rhythms are collected for `--days`; 40 of them die or decay at a random moment in one of eight ways. The
clock is the simulation's; nothing is fetched and nothing stored. Figures kept: docs/design/standing.md.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median

from core.outcomes import Outcome
from core.source import Scope, Source, SourceKind
from core.standing import Standing, Yield
from crawler import rhythm
from crawler.collect import back_off
from crawler.standing import RUNS_LOOKED_AT, judge, learn_rhythm, learn_yields
from storage.sources import GOOD, OK, UNCHANGED, Run, SourceState, Validators

START = datetime(2027, 1, 4, tzinfo=UTC)  # the Spring Festival, May and October lie ahead
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCES, INJECTED = 200, 40
LEARNING = 30 * DAY
EXPECTED = 2
"""A trouble counts as found if it is flagged within so many of the source's expected gaps, in working time."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source: `a_day` items on a working day, whether it works at weekends, through holidays, and at night."""

    name: str
    a_day: float
    scope: Scope = Scope.GENERAL
    weekends: bool = True
    holidays: bool = True
    nights: bool = False
    on_topic: float = 0.2
    text: float = 0.95
    dated: float = 0.98
    dated_list: bool = True


KINDS = (
    Kind("portal", 60, nights=True),
    Kind("tech site", 15, Scope.TECH, on_topic=0.4),
    Kind("weekday paper", 8, weekends=False, holidays=False),
    Kind("AI site", 5, Scope.AI_ONLY, on_topic=0.9),
    Kind("ministry", 1.5, Scope.GOVERNMENT, weekends=False, holidays=False, dated_list=False),
    Kind("research list", 20, Scope.RESEARCH, weekends=False, text=0.8),
    Kind("think tank", 0.7, Scope.THINK_TANK, weekends=False, on_topic=0.5),
    Kind("newsletter", 0.3, Scope.NEWSLETTER, on_topic=0.9, text=0.7),
    Kind("company", 0.12, Scope.COMPANY, weekends=False, on_topic=0.9, dated_list=False),
    Kind("paywalled", 10, on_topic=0.4, text=0.02, dated=0.95),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A way to die or decay: how a run ends, or what becomes of the shares of what is read."""

    name: str
    result: str = ""
    detail: str = ""
    items: bool = True
    empty: bool = False
    reads: float = 1.0
    text: float = 1.0
    dated: float = 1.0


TROUBLES = (
    Trouble("no news", items=False),
    Trouble("empty list", items=False, empty=True),
    Trouble("403", str(Outcome.BLOCKED), "it answered 403 Forbidden."),
    Trouble("no name", str(Outcome.FAILED), "The name it cannot be found: unknown."),
    Trouble("410", str(Outcome.GONE), "it answered 410 Gone."),
    Trouble("unreadable pages", reads=0.03),
    Trouble("headlines only", text=0.03),
    Trouble("no dates", dated=0.0),
)
FAINT = {"unreadable pages", "headlines only", "no dates"}


@dataclass(slots=True)
class History:
    """One simulated source."""

    source: Source
    kind: Kind
    chance: random.Random
    trouble: Trouble | None = None
    begins: datetime = datetime.max.replace(tzinfo=UTC)

    def verdicts(self, days: int) -> Iterator[tuple[datetime, SourceState]]:
        """The state after each run."""
        state = SourceState("s", START, Validators(), None, 0, None, None, None, "", standing_since=START)
        runs: list[Run] = []
        now, seen = START, START - 10 * DAY
        outage = self._next_outage(now)
        while now < START + days * DAY:
            if now > outage[1]:
                outage = self._next_outage(now)
            is_out = outage[0] <= now or self.chance.random() < 0.005
            run, fresh = self._run(now, seen, first=not runs, is_out=is_out)
            if run.result in GOOD:
                seen = now
            runs = [run, *runs[: RUNS_LOOKED_AT - 1]]
            state = self._after(state, run, fresh, now)
            verdict = judge(self.source, state, runs, now)
            changed = verdict.standing is not state.standing
            since = now if changed else state.standing_since
            state = replace(state, standing=verdict.standing, standing_reason=verdict.reason, standing_since=since)
            yield now, state
            now += back_off(self.source.interval, max(state.failures, 1), None) * self.chance.uniform(0.95, 1.05)

    def _next_outage(self, now: datetime) -> tuple[datetime, datetime]:
        """Every month or so a site is away for minutes or hours, seldom for more than half a day."""
        begins = now + DAY * self.chance.expovariate(1 / 30)
        return begins, begins + HOUR * min(self.chance.lognormvariate(0, 1), 20)

    def _run(self, now: datetime, seen: datetime, *, first: bool, is_out: bool) -> tuple[Run, list[datetime]]:
        trouble = self.trouble if self.trouble and now >= self.begins else Trouble("none")
        ended = Run(0, "s", now, now, trouble.result, trouble.detail, 0)
        if trouble.result:
            return ended, []
        if is_out:
            return replace(ended, result=str(Outcome.FAILED), detail="it answered 502 Bad Gateway."), []
        fresh = [at for at in self._items(seen, now) if trouble.items or at < self.begins]
        if not fresh and not first and not trouble.empty:
            return replace(ended, result=UNCHANGED), []
        return replace(ended, result=OK, yields=self._yield(len(fresh), trouble)), fresh

    def _items(self, since: datetime, until: datetime) -> list[datetime]:
        """A Poisson process in the hours it works, in bursts of one to three."""
        found: list[datetime] = []
        rate = self.kind.a_day / (24 if self.kind.nights else 12)
        hour = since
        while hour < until:
            step = min(HOUR, until - hour)
            if self._works(hour) and self.chance.random() < 1 - math.exp(-rate / 1.5 * (step / HOUR)):
                found += [hour] * self.chance.choice((1, 1, 2))
            hour += step
        return found

    def _works(self, at: datetime) -> bool:
        local = at.astimezone(self.source.tz)
        if not self.kind.nights and not 8 <= local.hour < 20:
            return False
        weekend = local.weekday() >= 5
        holiday = rhythm.is_day_off(local.date()) and not weekend
        return (self.kind.weekends or not weekend) and (self.kind.holidays or not holiday)

    def _yield(self, fresh: int, trouble: Trouble) -> Yield:
        pages = self._some(fresh, self.kind.on_topic)
        read = self._some(pages, 0.95 * trouble.reads)
        full = self._some(read, self.kind.text * trouble.text)
        dated = self._some(read, self.kind.dated * trouble.dated)
        listed = 0 if trouble.empty else max(25, fresh)
        return Yield(listed, fresh, pages, read, full=full, headline=read - full, dated=dated)

    def _some(self, number: int, share: float) -> int:
        return sum(self.chance.random() < share for _ in range(number))

    def _after(self, state: SourceState, run: Run, fresh: list[datetime], now: datetime) -> SourceState:
        """As finish_run and the collector's learning keep it."""
        if run.result not in GOOD:
            return replace(state, failures=state.failures + 1, last_error=run.detail, last_run=now)
        good = replace(state, failures=0, last_error="", last_run=now, last_good=now)
        dates = fresh if self.kind.dated_list else []
        return replace(
            good, rhythm=learn_rhythm(good, run.yields, dates, now), yields=learn_yields(good, run.yields)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one history: when its trouble was flagged, the expected gap then, and false notices before."""

    history: History
    flagged: datetime | None
    gap: timedelta
    false: Counter[Standing]
    watched: timedelta

    @property
    def delay(self) -> timedelta | None:
        """The working time from the trouble's beginning to its flag."""
        tz = self.history.source.tz
        return rhythm.working_time(self.history.begins, self.flagged, tz) if self.flagged else None

    @property
    def in_time(self) -> bool:
        """Whether it was flagged within the expected gaps allowed."""
        return self.delay is not None and self.delay <= EXPECTED * self.expected

    @property
    def expected(self) -> timedelta:
        """The expected gap: of news; for a decay of what is read at least the time in which four articles are read.

        With fewer nobody could tell a decay from chance.
        """
        kind, trouble = self.history.kind, self.history.trouble
        four = 4 / (kind.a_day * kind.on_topic) * DAY
        return max(self.gap, four) if trouble and trouble.name in FAINT else self.gap


def follow(history: History, days: int) -> Found:
    """Let one history run."""
    false, before, gap = Counter[Standing](), Standing.NEW, rhythm.SHORTEST
    last = START
    for now, state in history.verdicts(days):
        last = now
        is_news = state.standing.is_trouble and state.standing is not before
        if now < history.begins:
            gap = rhythm.longest_wait(state.rhythm, history.source)
            false[state.standing] += is_news
        elif state.standing.is_trouble:
            return Found(history, now, gap, +false, history.begins - START)
        before = state.standing
    return Found(history, None, gap, +false, min(last, history.begins) - START)


def histories(seed: int, days: int, sources: int = SOURCES, injected: int = INJECTED) -> list[History]:
    """Sources of all kinds in turn; the first `injected` of a shuffled order get a trouble each, in turn."""
    chance, made = random.Random(seed), []
    for number in range(sources):
        kind = KINDS[number % len(KINDS)]
        interval = chance.choice((60, 120, 240))
        source = Source(
            key=f"s{number}",
            name=kind.name,
            kind=SourceKind.FEED,
            url="https://news.test/feed",
            scope=kind.scope,
            language=chance.choice(("zh", "en")),
            interval_minutes=interval,
        )
        made.append(History(source, kind, random.Random(chance.random())))
    for number, history in enumerate(chance.sample(made, injected)):
        able = [each for each in TROUBLES if each.text == 1 or history.kind.text > each.text]  # no texts, none to lose
        history.trouble = able[number % len(able)]
        latest = max(days * DAY - LEARNING - 60 * DAY, DAY)
        history.begins = START + LEARNING + latest * chance.random()
    return made


def report(found: list[Found]) -> str:
    """The figures as lines."""
    ill = [each for each in found if each.history.trouble]
    years = sum((each.watched for each in found), timedelta()) / (365 * DAY)
    false = sum((each.false for each in found), Counter[Standing]())
    in_time = sum(each.in_time for each in ill)
    lines = [
        f"{len(found)} sources, {years:.0f} source-years",
        f"{len(ill)} troubles, {sum(bool(each.flagged) for each in ill)} flagged, {in_time} within {EXPECTED} expected gaps",
        f"false notices: {false.total()} = {false.total() / years:.3f} a source-year ({dict(false)})",
    ]
    by_trouble: dict[str, list[Found]] = defaultdict(list)
    for each in ill:
        by_trouble[each.history.trouble.name if each.history.trouble else ""].append(each)
    for name, those in by_trouble.items():
        hours = [each.delay / HOUR for each in those if each.delay is not None]
        shares = [each.delay / each.expected for each in those if each.delay is not None]
        told = f"median {median(hours):.0f} h, longest {max(hours):.0f} h, {max(shares):.2f} gaps" if hours else ""
        lines.append(f"  {name:<17} {sum(each.in_time for each in those)} of {len(those)} in time; {told}")
    worst = sorted(found, key=lambda each: -each.false.total())[:5]
    lines.append(f"  most false notices: {[(each.history.kind.name, each.false.total()) for each in worst]}")
    return "\n".join(lines)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=240)
    parser.add_argument("--sources", type=int, default=SOURCES)
    arguments = parser.parse_args()
    chosen = histories(arguments.seed, arguments.days, arguments.sources, arguments.sources // 5)
    print(report([follow(history, arguments.days) for history in chosen]))


if __name__ == "__main__":
    main()
