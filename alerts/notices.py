"""The operator is told: once when a trouble begins, once when it is over, few at once and many in one mail.

Sources are told of by how they stand (core/standing.py); all else by troubles, which whoever notices them hands in. A notice
is a mail in the outbox like any other, made in the transaction that marks what it tells as told.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from alerts.notice_mail import message_for
from core.config import Reader
from core.log import values
from core.standing import Standing
from storage import outbox, settings, sources, standings

if TYPE_CHECKING:
    from core.config import Config
    from storage.sources import SourceState
    from storage.transaction import Transaction

log = logging.getLogger("jingbao.operator")

OPERATOR = "@operator"
"""As a message's reader: no reader's key can be the same."""
GRACE = timedelta(hours=24)
"""So long nothing is told of sources: in a new archive first light does, and a new source is just being tried."""
SETTLE = timedelta(minutes=10)
"""What changes within so long is told together."""
WELL_FOR = timedelta(hours=2)
"""So long a source must have been well before that is told."""
SOURCE_NOTICES_A_DAY, NOTICES_A_DAY = 1, 6
"""What changes first is told at once, all else of the next 24 hours in one note after them."""
_DAY = timedelta(days=1)
_KEY = settings.NOTICES


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something the operator should know, as long as it is handed in again each time troubles are collected.

    `key` names it for good (`disk`, `mail`); `subject` is a headline and `text` says what is the matter and what to do, with
    `zh` in its place for those who read Chinese. It is told once it has lasted for `patience`; one that did, and could not be
    told meanwhile (no mail left), is told afterwards.
    """

    subject: str
    key: str
    text: str
    since: datetime
    zh: str = ""
    patience: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Point:
    """One thing a notice says: a source's new standing, or a trouble's beginning or end (`until`; None while it lasts)."""

    subject: str
    text: str
    since: datetime
    until: datetime | None = None
    zh: str = ""
    source: str = ""
    standing: Standing | None = None

    @property
    def is_over(self) -> bool:
        """Whether it tells of something that is well again."""
        return self.until is not None


def operator_of(config: Config) -> Reader | None:
    """Whom notices go to: operator.addresses, in the first reader's language and zone, or the first reader; None if nobody."""
    first = config.readers[0] if config.readers else None
    if not config.operator.addresses:
        return first
    if first is None:
        return Reader(key="operator", addresses=config.operator.addresses)
    return first.model_copy(update={"addresses": config.operator.addresses})


def make_notices(
    tx: Transaction, config: Config, names: Mapping[str, str], troubles: Collection[Trouble], now: datetime
) -> Sequence[Point]:
    """Put the notice that is due at `now` (aware UTC) into the outbox, if one is; gives what was told.

    `names` are the sources that are on, by key. While all mail is paused none is made; what has passed meanwhile is told
    afterwards. Without an operator's address things are told in the log alone.
    """
    kept = _Kept.of(settings.get(tx, _KEY) or {}, now)
    after = kept.meeting(troubles, now)
    points: Sequence[Point] = ()
    if outbox.pause(tx) is None:
        of_troubles = after.points(now) if after.has_room(NOTICES_A_DAY, kept.mailed) else ()
        of_sources = _source_points(tx, names, now) if after.has_room(SOURCE_NOTICES_A_DAY, kept.mailed_of_sources) else ()
        points = (*of_troubles, *of_sources)
        if points:
            _mail(tx, config, points, now)
            standings.mark_told(tx, {point.source: point.standing for point in of_sources if point.standing})
            after = after.told(of_troubles, of_sources, now)
    if after != kept:
        settings.put(tx, _KEY, after.packed())
    return points


def lasts(tx: Transaction, key: str) -> bool:
    """Whether a trouble was there when troubles were last collected."""
    known = (settings.get(tx, _KEY) or {}).get("known", {}).get(key)
    return known is not None and known["ended"] is None


def _mail(tx: Transaction, config: Config, points: Sequence[Point], now: datetime) -> None:
    operator = operator_of(config)
    for point in points:
        told = values(subject=point.subject, standing=point.standing or "", over=point.is_over or "", text=point.text)
        log.info("told the operator" if operator else "nobody to tell: set operator.addresses", extra=told)
    if operator:
        for address in operator.addresses:
            outbox.put(tx, message_for(points, operator, config.mail, address, now, OPERATOR), now)


# Sources


def _source_points(tx: Transaction, names: Mapping[str, str], now: datetime) -> list[Point]:
    """What is to be told of sources; nothing until the oldest of it has settled."""
    created = settings.get(tx, "archive.created")
    if created and timedelta() <= now - datetime.fromisoformat(created) < GRACE:
        return []
    news = [state for key, state in sources.states(tx).items() if key in names and _is_news(state, now)]
    changed = [state for state in news if not _is_new(tx, state.key, now)]
    if max((_lasting(state.standing_since, now) for state in changed), default=timedelta()) < SETTLE:
        return []
    return [_source_point(names[state.key], state, now) for state in changed]


def _lasting(since: datetime | None, now: datetime) -> timedelta:
    """How long something has stood so; what is dated in time to come was there before the clock was put back."""
    return now - since if since and since <= now else WELL_FOR if since else timedelta()


def _is_news(state: SourceState, now: datetime) -> bool:
    if state.standing.is_trouble:
        return state.standing != state.told_standing
    was_told_of = state.told_standing in [each for each in Standing if each.is_trouble]
    return state.standing is Standing.OK and was_told_of and _lasting(state.standing_since, now) >= WELL_FOR


def _is_new(tx: Transaction, key: str, now: datetime) -> bool:
    first = sources.first_run(tx, key)
    return first is None or timedelta() <= now - first < GRACE


def _source_point(name: str, state: SourceState, now: datetime) -> Point:
    since = state.standing_since or now
    until = None if state.standing.is_trouble else since
    return Point(name, state.standing_reason, since, until, source=state.key, standing=state.standing)


# All else


@dataclass(frozen=True, slots=True)
class _Known:
    """A trouble that was handed in: whether it was told, and when it ended (None while it lasts)."""

    trouble: Trouble
    told: bool = False
    ended: datetime | None = None

    def by(self, now: datetime) -> _Known:
        """The same, begun now if it is dated in time to come: the clock was put back."""
        return replace(self, trouble=replace(self.trouble, since=now)) if self.trouble.since > now else self

    def point(self, now: datetime) -> Point | None:
        """What is to be told of it now, if anything."""
        trouble = self.trouble
        if self.ended is None:
            ripe = not self.told and now - trouble.since >= trouble.patience
            return Point(trouble.subject, trouble.text, trouble.since, zh=trouble.zh) if ripe else None
        return Point(trouble.subject, trouble.text, trouble.since, self.ended, zh=trouble.zh)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is remembered between two rounds: known troubles by key, and when notices were mailed in the last day."""

    known: Mapping[str, _Known]
    mailed: tuple[datetime, ...] = ()
    mailed_of_sources: tuple[datetime, ...] = ()

    def meeting(self, troubles: Collection[Trouble], now: datetime) -> _Kept:
        """With the troubles there are now: new ones begin, those no longer there end; what began keeps its beginning."""
        present = {trouble.key: trouble for trouble in troubles}
        known = {key: each.by(now) for key, each in self.known.items() if key in present or each.ended}
        for key, each in self.known.items():
            if key not in present and each.ended is None:
                log.info("trouble over", extra=values(subject=each.trouble.subject))
                if each.told or now - each.trouble.since >= each.trouble.patience:
                    known[key] = replace(each, ended=now)
        for key, trouble in present.items():
            before = self.known.get(key)
            if before is None or before.ended:
                log.warning("trouble", extra=values(subject=trouble.subject, text=trouble.text))
                known[key] = _Known(trouble).by(now)
        return replace(self, known=known)

    def points(self, now: datetime) -> tuple[Point, ...]:
        """What is to be told now."""
        found = (each.point(now) for each in self.known.values())
        return tuple(point for point in found if point)

    @staticmethod
    def has_room(a_day: int, mailed: Sequence[datetime]) -> bool:
        """Whether one more notice of a kind may be mailed today."""
        return len(mailed) < a_day

    def told(self, of_troubles: Sequence[Point], of_sources: Sequence[Point], now: datetime) -> _Kept:
        """After a notice: what was ripe is told, what has ended is forgotten."""
        known = self.known
        if of_troubles:
            known = {key: replace(each, told=each.told or each.point(now) is not None) for key, each in known.items()}
            known = {key: each for key, each in known.items() if each.ended is None}
        return _Kept(
            known,
            (*self.mailed, now) if of_troubles else self.mailed,
            (*self.mailed_of_sources, now) if of_sources else self.mailed_of_sources,
        )

    @classmethod
    def of(cls, packed: Mapping[str, Any], now: datetime) -> _Kept:
        """As it was kept, without what is older than a day or dated in time to come (the clock was put back)."""
        known = {key: _known(each) for key, each in packed.get("known", {}).items()}
        moments = (
            tuple(at for at in map(datetime.fromisoformat, packed.get(name, ())) if timedelta() <= now - at < _DAY)
            for name in ("mailed", "mailed_of_sources")
        )
        return cls(known, *moments)

    def packed(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "known": {key: _packed(each) for key, each in self.known.items()},
            "mailed": [at.isoformat() for at in self.mailed],
            "mailed_of_sources": [at.isoformat() for at in self.mailed_of_sources],
        }


def _packed(known: _Known) -> dict[str, Any]:
    trouble = asdict(known.trouble) | {
        "since": known.trouble.since.isoformat(),
        "patience": known.trouble.patience.total_seconds(),
    }
    return {"trouble": trouble, "told": known.told, "ended": known.ended and known.ended.isoformat()}


def _known(packed: Mapping[str, Any]) -> _Known:
    trouble = packed["trouble"] | {
        "since": datetime.fromisoformat(packed["trouble"]["since"]),
        "patience": timedelta(seconds=packed["trouble"]["patience"]),
    }
    ended = packed["ended"]
    return _Known(Trouble(**trouble), packed["told"], datetime.fromisoformat(ended) if ended else None)
