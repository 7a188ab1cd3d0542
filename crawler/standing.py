"""How a source stands, judged from what its runs gave. Pure: the collector asks after each run, storage keeps the verdict.

A single bad run changes nothing: a trouble must have lasted. Figures of simulated years: bench/standing.py.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from core.outcomes import Outcome
from core.source import SourceKind
from core.standing import Standing, Yield
from crawler import rhythm
from storage.sources import CHARGED_TO_NOBODY, GOOD

if TYPE_CHECKING:
    from core.source import Source
    from storage.sources import Run, SourceState

RUNS_LOOKED_AT = 12
FAILURES, FAILING_FOR = 3, timedelta(hours=6)
"""Short faults pass by themselves (a deploy, a night's upkeep): at the usual half hour these are five failures in a row."""
FAILING_LONG = timedelta(hours=24)
GOOD_RUNS = 3
YIELDS_REMEMBERED = 60
_FEWEST_BEFORE, _FEWEST_NOW, _MOST_NOW = 4, 4, 15
_CHANCE, _MOST_CHANCE = 1e-4, 2e-3
"""So unlikely must it be that as few of the latest texts are good if nothing has changed. It is asked anew with every text, so
a source that has news once in three days may be judged by what is twelve times likelier: false words come no oftener."""
_MENDED_OF, _MENDED_SHARE = 8, 0.3
"""So many of the latest texts are looked at, and this share of them has to be good, before a decay counts as mended."""
_GONE_FOR_GOOD = re.compile(r" answered 410\b")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a source stands, and why, in words for people (empty where there is nothing to say)."""

    standing: Standing
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Contract:
    """A share of what is read that a source keeps up, and what is said once it does not."""

    good: Callable[[Yield], int]
    of: Callable[[Yield], int]
    broken: str


_CONTRACTS = (
    _Contract(lambda each: each.read, lambda each: each.pages, "of its last {of} pages {good} could be read"),
    _Contract(lambda each: each.full + each.partial, lambda each: each.texts, "of its last {of} articles {good} had a text"),
    _Contract(lambda each: each.dated, lambda each: each.texts, "of its last {of} articles {good} had a date"),
)


def judge(source: Source, state: SourceState, runs: Sequence[Run], now: datetime, *, out_of_reach: bool = False) -> Verdict:
    """How `source` stands at `now` (aware UTC), by its state after its last run and its latest runs, newest first.

    `out_of_reach`: it is known not to answer from where this machine is.
    """
    before = Verdict(state.standing, state.standing_reason)
    if state.standing is Standing.PAUSED:
        return before
    if state.failures:
        return _failing(source, state, runs, now, before, out_of_reach=out_of_reach)
    if state.last_good is None:
        return before
    found = _empty(source, state, runs, now) or _fallen(source, state) or _quiet(source, state, runs, now)
    return found or Verdict(Standing.OK)


def _failing(
    source: Source, state: SourceState, runs: Sequence[Run], now: datetime, before: Verdict, *, out_of_reach: bool
) -> Verdict:
    if out_of_reach:
        return Verdict(Standing.OUT_OF_REACH, state.last_error)
    since = state.last_good or state.standing_since or now
    failing_for = now - since if since <= now else FAILING_FOR  # in time to come: the clock was put back
    lasting = state.failures >= FAILURES and failing_for >= FAILING_FOR
    long = state.failures > 1 and failing_for >= FAILING_LONG
    gone = bool(_GONE_FOR_GOOD.search(state.last_error))
    return Verdict(_kind(source, state, runs), state.last_error) if lasting or long or gone else before


def _kind(source: Source, state: SourceState, runs: Sequence[Run]) -> Standing:
    """What most of the last failures were: a refusal, a list that shows no items any more, or something broken."""
    failed = [run.result for run in runs if run.result not in GOOD | CHARGED_TO_NOBODY][:FAILURES]
    result = Counter(failed).most_common(1)[0][0] if failed else str(Outcome.FAILED)
    if result == Outcome.BLOCKED:
        return Standing.BLOCKED
    can_lose_its_list = source.kind in {SourceKind.LISTING, SourceKind.API} and state.last_good is not None
    return Standing.DEGRADED if result == Outcome.UNREADABLE and can_lose_its_list else Standing.BROKEN


def _empty(source: Source, state: SourceState, runs: Sequence[Run], now: datetime) -> Verdict | None:
    """A list that shows nothing where it used to, for longer than the source was ever seen to rest."""
    was_degraded = state.standing is Standing.DEGRADED
    if not is_empty(state.yields) or not (was_degraded or _good_runs_without(runs, lambda gave: gave.listed) >= GOOD_RUNS):
        return None
    silence = _silence(source, state, now)
    if silence <= rhythm.SHORTEST or silence <= max(rhythm.gaps(state.rhythm, source.tz), default=rhythm.SHORTEST):
        return None
    usual = median(each.listed for each in state.yields if each.listed)
    return Verdict(Standing.DEGRADED, f"its list is empty, where it used to show about {usual:.0f} items")


def _good_runs_without(runs: Sequence[Run], what: Callable[[Yield], int]) -> int:
    """How many good runs there are, from the newest back to the last that failed or gave some of `what`."""
    count = 0
    for run in runs:
        if run.result in CHARGED_TO_NOBODY:
            continue
        if run.result not in GOOD or (run.yields and what(run.yields)):
            break
        count += 1
    return count


def _silence(source: Source, state: SourceState, now: datetime) -> timedelta:
    """How much working time has passed since the last news."""
    return rhythm.working_time(state.rhythm[-1], now, source.tz) if state.rhythm else timedelta()


def is_empty(yields: Sequence[Yield]) -> bool:
    """Whether the list read last was empty, where others before were not."""
    return bool(yields) and not yields[-1].listed and any(each.listed for each in yields)


def _quiet(source: Source, state: SourceState, runs: Sequence[Run], now: datetime) -> Verdict | None:
    silence = _silence(source, state, now)
    was_quiet = state.standing is Standing.QUIET  # then a failure in between makes it no better
    if silence <= rhythm.SHORTEST or not (was_quiet or _good_runs_without(runs, lambda gave: gave.fresh) >= GOOD_RUNS):
        return None
    wait = rhythm.longest_wait(state.rhythm, source)
    if silence <= wait:
        return None
    since, days = state.rhythm[-1].astimezone(source.tz), wait / rhythm.DAY
    return Verdict(Standing.QUIET, f"nothing new in its list since {since:%Y-%m-%d}; {days:.0f} working days are usual at most")


def _fallen(source: Source, state: SourceState) -> Verdict | None:
    """The first contract that the latest yields break, or that was broken and is not mended."""
    chance = _chance(source, state)
    for contract in _CONTRACTS:
        shares = [(contract.good(each), contract.of(each)) for each in state.yields if contract.of(each)]
        was_broken = state.standing is Standing.DEGRADED and state.standing_reason.endswith(contract.broken.rpartition("}")[2])
        if found := (_still_low(shares) if was_broken else None) or _drop(shares, chance):
            return Verdict(Standing.DEGRADED, contract.broken.format(good=found[0] or "none", of=found[1]))
    return None


def _chance(source: Source, state: SourceState) -> float:
    gaps = [gap / rhythm.GRAIN for gap in rhythm.gaps(state.rhythm, source.tz)] or [1.0]
    return min(_CHANCE * max(median(gaps), 1), _MOST_CHANCE)


def _still_low(shares: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The (good, of) of the latest runs if they are not mended. What was before is not asked: it may be long forgotten."""
    good = of = 0
    for latest in reversed(shares):
        good, of = good + latest[0], of + latest[1]
        if of >= _MENDED_OF:
            break
    return (good, of) if good < of * _MENDED_SHARE else None


def _drop(shares: Sequence[tuple[int, int]], chance: float) -> tuple[int, int] | None:
    """The (good, of) of the latest runs in which the share fell below half of what it was before, and not by chance.

    Windows from the newest run back, of 4 to 15, are each compared with all that lies before them.
    """
    good_before, of_before = sum(share[0] for share in shares), sum(share[1] for share in shares)
    good = of = 0
    for latest in reversed(shares):
        good, of = good + latest[0], of + latest[1]
        good_before, of_before = good_before - latest[0], of_before - latest[1]
        if of_before < _FEWEST_BEFORE:
            return None
        before = (good_before + 1) / (of_before + 2)  # Laplace's rule of succession: ten of ten is no certainty
        if of >= _FEWEST_NOW and good / of < before / 2 and _at_most(good, of, before) < chance:
            return good, of
        if of >= _MOST_NOW:
            return None
    return None


def _at_most(good: int, of: int, share: float) -> float:
    """The probability of at most so many good among `of` independent ones (the binomial distribution's lower tail)."""
    return sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(good + 1))


def learn_rhythm(state: SourceState, yields: Yield | None, dates: Collection[datetime], now: datetime) -> tuple[datetime, ...]:
    """The rhythm after a good run. A list read for the first time shows by its `dates` (aware UTC) how it went before."""
    if not state.rhythm:
        return rhythm.from_dates(dates, now) or ((now,) if yields else ())
    if yields and yields.fresh:
        return rhythm.with_news(state.rhythm, now)
    if state.last_new and state.last_new > state.rhythm[-1]:  # kept by a run that died before its end
        return rhythm.with_news(state.rhythm, state.last_new)
    return state.rhythm


def learn_yields(state: SourceState, yields: Yield | None) -> tuple[Yield, ...]:
    """The yields that are remembered after a run: where something was read, or the list became empty or ceased to be so."""
    if yields is None:
        return state.yields
    turned = not state.yields or bool(state.yields[-1].listed) is not bool(yields.listed)
    if not (turned or yields.pages or yields.texts):
        return state.yields
    return (*state.yields, yields)[-YIELDS_REMEMBERED:]
