"""What the archive remembers of sources between their runs, and the runs themselves. What a source *is*: config.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from core.errors import NotFoundError
from core.outcomes import Outcome
from core.standing import Standing, Yield
from storage.pieces import pieces
from storage.schema import item, run, source

if TYPE_CHECKING:
    from storage.transaction import AnyRow, Transaction

RUNNING, OK, UNCHANGED, INTERRUPTED, OFFLINE = "running", "ok", "unchanged", "interrupted", "offline"
"""A run's results beside an Outcome's value, which says why the source gave nothing."""
GOOD = frozenset({OK, UNCHANGED})
CHARGED_TO_NOBODY = frozenset({INTERRUPTED, OFFLINE})
"""Our own end, and our own line: no fault of the source."""
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
"""When a source is due that is paused until somebody resumes it."""
_LONGEST_PAUSE = timedelta(days=8)  # a week's interval, spread
_CORRECTION = timedelta(minutes=5)
"""By less than this a clock is corrected, and nothing is asked again for it."""
_SIGHT_GRAIN = timedelta(days=1)  # `last_seen` of an item is kept this coarsely: it is there for pruning alone


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells a changed document from the one read last: HTTP's own (RFC 9110) and the hash of its body.

    `whole` is when the document last came whole (aware UTC). `lying`: its server called a changed one unchanged.
    """

    etag: str = ""
    last_modified: str = ""
    body_hash: bytes = b""
    whole: datetime | None = None
    lying: bool = False


@dataclass(frozen=True, slots=True)
class SourceState:
    """Where a source stands. `failures` counts bad runs in a row; times are aware UTC, None for never.

    `baseline_ended` is when its first good run was through: what was first seen by then is kept and never mailed.
    `told_standing` is what the operator was told last, empty for nothing. `rhythm` holds moments at which it had news and
    `yields` what its latest runs that read something gave, both oldest first. `moved_to` is where its list has been redirected
    for good by every good run since `moved_since`.
    """

    key: str
    next_due: datetime
    validators: Validators
    baseline_ended: datetime | None
    failures: int
    last_run: datetime | None
    last_good: datetime | None
    last_new: datetime | None
    last_error: str
    standing: Standing = Standing.NEW
    standing_reason: str = ""
    standing_since: datetime | None = None
    told_standing: str = ""
    rhythm: tuple[datetime, ...] = ()
    yields: tuple[Yield, ...] = ()
    moved_to: str = ""
    moved_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One collection of one source. `seen` was counted as entries were read, `counts` as they ended.

    `yields` is None where no list was read (it was unchanged, or did not come).
    """

    id: int
    source: str
    started: datetime
    finished: datetime | None
    result: str
    detail: str
    seen: int
    counts: Mapping[Outcome, int] = field(default_factory=dict)
    yields: Yield | None = None

    @property
    def adds_up(self) -> bool:
        """Whether every entry seen ended in a named outcome."""
        return self.seen == sum(self.counts.values())


def ensure(tx: Transaction, keys: Collection[str], now: datetime) -> None:
    """Let the archive know these sources; those new to it are due at once."""
    known = set(tx.connection.scalars(select(source.c.key)))
    fresh = [{"key": key, "next_due": now, "standing_since": now} for key in dict.fromkeys(keys) if key not in known]
    if fresh:
        tx.connection.execute(insert(source), fresh)


def due(tx: Transaction, now: datetime, limit: int, keys: Collection[str]) -> list[str]:
    """Those of `keys` that are due by `now` (aware UTC), the longest overdue first; at most `limit`.

    Due further ahead than any source's pause can be, or last run in time to come, is due now: the clock was put back. What
    the operator has paused waits for its day all the same.
    """
    overdue = source.c.next_due <= now
    put_back = (source.c.next_due > now + _LONGEST_PAUSE) | (source.c.last_run > now + _CORRECTION)
    absurd = put_back & (source.c.standing != Standing.PAUSED) & (source.c.next_due > now)
    in_order = (select(source.c.key).where(which).order_by(source.c.next_due) for which in (overdue, absurd))
    found = (key for query in in_order for key in tx.connection.scalars(query) if key in keys)
    return list(islice(found, limit))


def state(tx: Transaction, key: str) -> SourceState:
    """Where one source stands. Raises NotFoundError if it was never ensured."""
    found = tx.connection.execute(select(source).where(source.c.key == key)).one_or_none()
    if found is None:
        raise NotFoundError(f"The archive knows no source {key!r}.")
    return _state(found)


def states(tx: Transaction) -> dict[str, SourceState]:
    """Where every source stands that was ever ensured, by key in alphabetical order."""
    return {row.key: _state(row) for row in tx.connection.execute(select(source).order_by(source.c.key))}


def postpone(tx: Transaction, key: str, until: datetime) -> None:
    """Make a source due at `until` (aware UTC), without a run, unless the operator has paused it."""
    ours = update(source).where(source.c.key == key, source.c.standing != Standing.PAUSED)
    tx.connection.execute(ours.values(next_due=until))


def begin_run(tx: Transaction, key: str, now: datetime) -> int:
    """Write down that a run began; gives its number. One left without an end was cut off, and ends now."""
    left = update(run).where(run.c.source == key, run.c.finished.is_(None))
    tx.connection.execute(left.values(finished=now, result=INTERRUPTED))
    return tx.new_row(insert(run), {"source": key, "started": now, "result": RUNNING, "counts": {}})


def finish_run(
    tx: Transaction,
    run_id: int,
    now: datetime,
    *,
    result: str,
    next_due: datetime,
    detail: str = "",
    seen: int = 0,
    counts: Mapping[Outcome, int] | None = None,
    validators: Validators | None = None,
    ends_baseline: bool = True,
    yields: Yield | None = None,
) -> bool:
    """Write down how a run ended and when its source is due next (aware UTC); gives whether that was not done before.

    `result` is OK, UNCHANGED, INTERRUPTED or OFFLINE (by our own end, or our own line: no fault of the source) or the Outcome
    that kept the source from giving anything, which counts as a failure.
    `validators` are kept only where given: give them once every entry is safe, or the next run would skip the rest.
    A good run ends the source's baseline, unless `ends_baseline` is False. A paused source (collected by hand) stays so.
    Of a run that has ended nothing is changed. Raises NotFoundError for an unknown run.
    """
    began = tx.connection.execute(select(run.c.source, run.c.finished).where(run.c.id == run_id)).one_or_none()
    if began is None:
        raise NotFoundError(f"There is no run {run_id}.")
    if began.finished is not None:
        return False
    key = began.source
    paused = tx.connection.scalar(select(source.c.standing).where(source.c.key == key)) == Standing.PAUSED
    ended = dict(counts or {})
    tallies = {str(outcome): count for outcome, count in ended.items() if count}
    told = {"finished": now, "result": result, "detail": detail, "seen": seen, "counts": tallies, "yields": packed(yields)}
    tx.connection.execute(update(run).where(run.c.id == run_id).values(told))
    changes: dict[str, Any] = {"last_run": now} if paused else {"last_run": now, "next_due": next_due}
    if result in GOOD:
        changes |= {"failures": 0, "last_good": now, "last_error": ""}
        if ends_baseline:
            changes["baseline_ended"] = func.coalesce(source.c.baseline_ended, now)
    elif result not in CHARGED_TO_NOBODY:
        changes |= {"failures": source.c.failures + 1, "last_error": detail or result}
    if validators is not None:
        changes |= {"etag": validators.etag, "last_modified": validators.last_modified}
        changes |= {"body_hash": validators.body_hash or None, "came_whole": validators.whole}
        changes["lying"] = validators.lying
    tx.connection.execute(update(source).where(source.c.key == key).values(changes))
    return True


def note_news(tx: Transaction, key: str, now: datetime) -> None:
    """Write down that an article of the source was kept at `now`, in the transaction that keeps it: no death parts the two."""
    tx.connection.execute(update(source).where(source.c.key == key).values(last_new=now))


def forgive(tx: Transaction, keys: Collection[str], now: datetime) -> None:
    """Take back one failure of each of these sources, and make them due at once: it was our own line that failed.

    What the operator has paused stays so.
    """
    for piece in pieces(keys):
        charged = update(source).where(source.c.key.in_(piece), source.c.failures > 0)
        tx.connection.execute(charged.where(source.c.standing != Standing.PAUSED).values(next_due=now))
        tx.connection.execute(charged.values(failures=source.c.failures - 1))
        tx.connection.execute(update(source).where(source.c.key.in_(piece), source.c.failures == 0).values(last_error=""))


def spread(tx: Transaction, keys: Collection[str], now: datetime, over: timedelta) -> int:
    """Let those of these sources that are due at `now` come one after the other within `over`; gives their number."""
    waiting = due(tx, now, len(keys), keys)
    for place, key in enumerate(waiting):
        postpone(tx, key, now + over * place / len(waiting))
    return len(waiting)


def first_run(tx: Transaction, key: str) -> datetime | None:
    """When the oldest run of a source began that is still remembered."""
    oldest = select(run.c.started).where(run.c.source == key).order_by(run.c.started).limit(1)
    first: datetime | None = tx.connection.scalar(oldest)
    return first


def interrupt_runs(tx: Transaction, now: datetime) -> int:
    """Mark runs that a dead process left open; gives their number. For the start of the one daemon."""
    left = update(run).where(run.c.finished.is_(None)).values(finished=now, result=INTERRUPTED)
    return tx.connection.execute(left).rowcount


def last_runs(tx: Transaction, key: str, limit: int = 20) -> list[Run]:
    """A source's runs, newest first."""
    newest = select(run).where(run.c.source == key).order_by(run.c.started.desc(), run.c.id.desc()).limit(limit)
    return [_run(row) for row in tx.connection.execute(newest)]


def runs_since(tx: Transaction, since: datetime) -> list[Run]:
    """Every source's runs that started at or after `since` (aware UTC), oldest first."""
    recent = select(run).where(run.c.started >= since).order_by(run.c.started, run.c.id)
    return [_run(row) for row in tx.connection.execute(recent)]


@dataclass(frozen=True, slots=True)
class Tally:
    """Finished runs together: how many, what they saw and what became of it."""

    runs: int
    seen: int
    counts: Mapping[Outcome, int]

    @property
    def adds_up(self) -> bool:
        """Whether every entry seen ended in a named outcome."""
        return self.seen == sum(self.counts.values())


def runs_kept_from(tx: Transaction) -> datetime | None:
    """When the first run began that is still kept (aware UTC); None if there was none."""
    first: datetime | None = tx.connection.scalar(select(func.min(run.c.started)))
    return first


def tally(tx: Transaction, since: datetime) -> Tally:
    """What the runs that started at or after `since` (aware UTC) and are finished saw and brought."""
    ended = select(run.c.seen, run.c.counts).where(run.c.started >= since, run.c.finished.is_not(None))
    runs, seen, counts = 0, 0, Counter[Outcome]()
    for row in tx.connection.execute(ended):
        runs, seen = runs + 1, seen + row.seen
        counts.update({Outcome(name): count for name, count in row.counts.items()})
    return Tally(runs, seen, counts)


def known_items(tx: Transaction, key: str) -> frozenset[bytes]:
    """Hashes of the raw items of a source that were read in earlier runs."""
    return frozenset(tx.connection.scalars(select(item.c.hash).where(item.c.source == key)))


def remember_items(tx: Transaction, key: str, hashes: Collection[bytes], now: datetime) -> None:
    """Know these raw items again in the next run. Those known already are marked as still carried."""
    for piece in pieces(hashes):
        ours = item.c.source == key, item.c.hash.in_(piece)
        known = set(tx.connection.scalars(select(item.c.hash).where(*ours)))
        fresh = [{"source": key, "hash": digest, "last_seen": now} for digest in dict.fromkeys(piece) if digest not in known]
        if fresh:
            tx.connection.execute(insert(item), fresh)
        tx.connection.execute(update(item).where(*ours, item.c.last_seen < now - _SIGHT_GRAIN).values(last_seen=now))


def forget_items(tx: Transaction, before: datetime) -> int:
    """Drop the hashes of items no source has carried since `before` (aware UTC); gives their number.

    An item that comes back later is read again, and known again by its address.
    """
    return tx.connection.execute(delete(item).where(item.c.last_seen < before)).rowcount


def _state(row: AnyRow) -> SourceState:
    return SourceState(
        key=row.key,
        next_due=row.next_due,
        validators=Validators(row.etag, row.last_modified, row.body_hash or b"", row.came_whole, bool(row.lying)),
        baseline_ended=row.baseline_ended,
        failures=row.failures,
        last_run=row.last_run,
        last_good=row.last_good,
        last_new=row.last_new,
        last_error=row.last_error,
        standing=Standing(row.standing),
        standing_reason=row.standing_reason,
        standing_since=row.standing_since,
        told_standing=row.told_standing,
        rhythm=tuple(datetime.fromisoformat(moment) for moment in row.rhythm),
        yields=tuple(Yield(**packed) for packed in row.yields),
        moved_to=row.moved_to,
        moved_since=row.moved_since,
    )


def _run(row: AnyRow) -> Run:
    counts = {Outcome(name): count for name, count in row.counts.items()}
    yields = Yield(**row.yields) if row.yields else None
    return Run(row.id, row.source, row.started, row.finished, row.result, row.detail, row.seen, counts, yields)


def packed(yields: Yield | None) -> dict[str, int]:
    """As JSON holds it: `listed` always, of the rest what is not 0."""
    return {name: count for name, count in asdict(yields).items() if count or name == "listed"} if yields else {}
