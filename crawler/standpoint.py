"""The machine's location as the archive remembers it; sources out of reach from there are put off to a probe a week."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.source import Source
from core.standing import Standing
from crawler.reach import PROBE_EVERY, Location, answers, evidence_of, unreachable, where
from storage import settings, sources, standings
from storage.sources import SourceState

if TYPE_CHECKING:
    from storage.transaction import Transaction

_KEY = "location"
CHANGES_AFTER = timedelta(hours=6)
"""How long evidence must speak against a known location before it is given up: a line that is down for an hour moves nobody."""
_DAY = timedelta(days=1)
_REASONS = {
    Location.MAINLAND: "known not to answer from the mainland",
    Location.OUTSIDE: "known not to answer from outside the mainland",
    Location.UNKNOWN: "",
}


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Where the machine is and since when that is known (aware UTC); `put_off` are the sources out of reach, and when put off.

    `doubted` is since when the evidence has spoken for another place.
    """

    location: Location = Location.UNKNOWN
    since: datetime | None = None
    doubted: datetime | None = None
    put_off: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def unreachable(self) -> frozenset[str]:
        """The keys of the sources that are out of reach."""
        return frozenset(self.put_off)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is to be kept: the new standpoint, and the sources whose next run is to be moved to a moment (aware UTC)."""

    standpoint: Standpoint
    moved: Mapping[str, datetime]


def standpoint(tx: Transaction) -> Standpoint:
    """The standpoint kept last; unknown in a new archive."""
    kept: Mapping[str, Any] = settings.get(tx, _KEY) or {}
    put_off = {key: datetime.fromisoformat(at) for key, at in kept.get("put_off", {}).items()}
    location = Location(kept.get("location", Location.UNKNOWN))
    return Standpoint(location, _moment(kept.get("since")), _moment(kept.get("doubted")), put_off)


def survey(tx: Transaction, configured: str, on: Sequence[Source], proxied: frozenset[str], now: datetime) -> Survey | None:
    """Look anew at `now` (aware UTC); None if all is as it was. `on` are the sources that are on, `proxied` keys among them."""
    before, states = standpoint(tx), sources.states(tx)
    direct = [source for source in on if source.key not in proxied]
    after = _placed(before, configured, where(configured, evidence_of(direct, states, now)), now)
    paused = {key for key, state in states.items() if state.standing is Standing.PAUSED}
    out = unreachable(on, after.location, states, proxied) - paused
    put_off, moved = _put_off(before, out, states, now)
    back = (key for key in before.put_off if key not in out and key not in paused and not answers(states[key]))
    moved |= dict.fromkeys(back, now)
    after = Standpoint(after.location, after.since, after.doubted, put_off)
    return None if after == before and not moved else Survey(after, moved)


def keep(tx: Transaction, found: Survey, now: datetime) -> None:
    """Keep what a survey found at `now` (aware UTC), with how the sources concerned stand."""
    before, after = standpoint(tx), found.standpoint
    settings.put(tx, _KEY, _packed(after))
    for key, at in found.moved.items():
        sources.postpone(tx, key, at)
    for key in after.unreachable - before.unreachable:
        standings.set_standing(tx, key, Standing.OUT_OF_REACH, _REASONS[after.location], now)
    for key in found.moved.keys() - after.unreachable:
        standings.set_standing(tx, key, Standing.NEW, "", now)


def _packed(place: Standpoint) -> dict[str, Any]:
    return {
        "location": str(place.location),
        "since": place.since and place.since.isoformat(),
        "doubted": place.doubted and place.doubted.isoformat(),
        "put_off": {key: at.isoformat() for key, at in place.put_off.items()},
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _placed(before: Standpoint, configured: str, judged: Location, now: datetime) -> Standpoint:
    """What is configured holds at once, so does a first judgement; a later one only when it has stood for some hours."""
    if judged is before.location or judged is Location.UNKNOWN:
        return Standpoint(before.location, before.since)
    if configured != "auto" or before.location is Location.UNKNOWN:
        return Standpoint(judged, now)
    doubted = before.doubted or now
    if now - doubted >= CHANGES_AFTER:
        return Standpoint(judged, now)
    return Standpoint(before.location, before.since, doubted)


def _put_off(
    before: Standpoint, out: frozenset[str], states: Mapping[str, SourceState], now: datetime
) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """When each source out of reach was put off, and the next runs this moves: at first to some day of the next seven."""
    put_off, moved = dict[str, datetime](), dict[str, datetime]()
    for key in sorted(out):
        since, last_run = before.put_off.get(key), states[key].last_run if key in states else None
        if since is None:
            put_off[key], moved[key] = now, now + _first_probe(key)
        elif last_run is not None and last_run > since:
            put_off[key], moved[key] = last_run, last_run + PROBE_EVERY
        else:
            put_off[key] = since
    return put_off, moved


def _first_probe(key: str) -> timedelta:
    """One to seven days, by the key, so that every day brings some."""
    return _DAY + (PROBE_EVERY - _DAY) * (zlib.crc32(key.encode()) % 1000 / 1000)
