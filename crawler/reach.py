"""Where this machine is, found out from which sources answer, and so which are out of reach from here.

No outside service is asked. The catalogue says of some sources that they do not answer from the mainland, of others that they
do not answer from anywhere else; how these did when they were last asked directly tells which side this machine is on. Hosts
are counted, not sources: ten searches of one news service are one witness. docs/design/first-hour.md gives the reasons.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from core.source import Reach, Source
from crawler.net.manners import DIRECT
from storage.sources import SourceState

PROBE_EVERY = timedelta(days=7)
"""How often a source out of reach is asked all the same, so that a change is noticed."""
FRESH = timedelta(hours=26)
"""An answer older than this says nothing of where the machine is now. Failing sources are asked at least once a day."""
_WITNESSES = 2
_FEWEST_SILENT = 4
_FEWEST_NEIGHBOURS = 3
_HEARD = re.compile(r" answered (?:\d{3}|with)")  # crawler/net/answers.py


class Location(StrEnum):
    """On which side of the mainland's borders the machine's connections end."""

    MAINLAND = "mainland"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """How one source did when it was last asked without a proxy."""

    reach: Reach
    host: str
    answered: bool


def where(configured: str, evidence: Iterable[Answer]) -> Location:
    """The location that is configured or, for `auto`, the one the evidence shows; unknown while it shows neither.

    Outside: at least two hosts that do not answer from the mainland have answered, and at least half of those asked. Mainland:
    at least four such were asked and at most a quarter answered, while of all other hosts at least three and at least half did
    (else it is the whole network that is away). A host counts as answering if one of its sources did.
    """
    if configured != "auto":
        return Location(configured)
    foreign, others = _hosts(evidence)
    heard, near = sum(foreign.values()), sum(others.values())
    if heard >= _WITNESSES and heard * 2 >= len(foreign):
        return Location.OUTSIDE
    network_works = near >= _FEWEST_NEIGHBOURS and near * 2 >= len(others)
    if len(foreign) >= _FEWEST_SILENT and heard * 4 <= len(foreign) and network_works:
        return Location.MAINLAND
    return Location.UNKNOWN


def _hosts(evidence: Iterable[Answer]) -> tuple[dict[str, bool], dict[str, bool]]:
    """Hosts that do not answer from the mainland and all others, each with whether it answered."""
    foreign: dict[str, bool] = defaultdict(bool)
    others: dict[str, bool] = defaultdict(bool)
    for answer in evidence:
        side = foreign if answer.reach is Reach.NOT_FROM_MAINLAND else others
        side[answer.host] |= answer.answered
    return foreign, others


def out_of_reach(source: Source, location: Location, *, proxied: bool) -> bool:
    """Whether the source is known not to answer from `location`. Behind a proxy its reach is the proxy's, and unknown."""
    unreachable_from = {Reach.NOT_FROM_MAINLAND: Location.MAINLAND, Reach.NOT_FROM_OUTSIDE: Location.OUTSIDE}
    return not proxied and unreachable_from.get(source.reach) is location


def goes_by_proxy(source: Source, proxy: str, groups: Mapping[str, str]) -> bool:
    """Whether a source is asked through a proxy, by `network.proxy` and `network.proxy_groups`; the nearest wins."""
    nearest = source.proxy or groups.get(source.proxy_group, "") or proxy
    return nearest not in {"", DIRECT}


def evidence_of(sources: Iterable[Source], states: Mapping[str, SourceState], now: datetime) -> list[Answer]:
    """How these sources (asked directly) did lately, from what the archive remembers.

    Those not asked are left out. Runs charged to nobody say nothing: what was before them counts as long as it is fresh.
    """
    found = []
    for source in sources:
        state = states.get(source.key)
        asked = state and (state.last_run if state.failures else state.last_good)
        if state and asked and now - asked <= FRESH:
            heard = answers(state) or spoke(state.last_error)
            found.append(Answer(source.reach, urlsplit(source.url).hostname or "", heard))
    return found


def unreachable(
    sources: Iterable[Source], location: Location, states: Mapping[str, SourceState], proxied: frozenset[str]
) -> frozenset[str]:
    """The keys of the sources out of reach; one whose last answer was good is in reach, whatever the catalogue says of it."""
    return frozenset(
        source.key
        for source in sources
        if out_of_reach(source, location, proxied=source.key in proxied) and not answers(states.get(source.key))
    )


def spoke(reason: str) -> bool:
    """Whether a site was heard, by what was said of a failure: a refusal or a fault of its own is an answer too."""
    return bool(_HEARD.search(reason))


def answers(state: SourceState | None) -> bool:
    """Whether its last run was a good one; those charged to nobody (our own end, our own line) do not count."""
    return state is not None and state.last_good is not None and not state.failures
