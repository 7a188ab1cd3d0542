"""One road after the other, with the n-th operation of the database failing in each, held against the undisturbed one.

Promised are (docs/design/faults.md): the archive of an undisturbed run; each mail taken once; no source blamed; no run left open; no
exception but those that say what is the matter.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from core.errors import JingbaoError
from storage import sources
from storage.archive import Archive
from tests.faults.dump import Dump, differences
from tests.faults.failing import Failing, Kind, failing
from tests.faults.road import Postbox, Road, the_watchlist
from tests.faults.stores import Place, Store
from tests.faults.world import MOMENTS, OUTLETS, Moment, archive_written_out, sent_mails

_OF_THE_DISK = ('"key": "disk.', '"key": "notices"', '"@operator"')
"""A full disk is noted and told to the operator: that it was so is what differs."""
_LEARNT = re.compile(r'"(rhythm|yields)": \[[^]]*\],? ?')
"""A run that is cut off after its last article leaves the next one nothing new, and so no news to learn from."""


@dataclass(frozen=True, slots=True)
class Case:
    """One road: at which moment, which operation fails, how, and whether only once."""

    moment: str
    kind: Kind
    nth: int
    for_ever: bool

    def __str__(self) -> str:
        return f"{self.moment} {self.kind} {self.nth}{' for ever' * self.for_ever}"


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What undisturbed roads leave, by moment: the archive as lines, a copy of it, the operations in their order."""

    dumps: dict[str, Dump]
    places: dict[str, Place]
    operations: dict[str, list[str]]


class Loop:
    """Roads on one kind of database, in a folder of their own."""

    def __init__(self, store: Store, folder: Path, moments: Sequence[Moment] = MOMENTS) -> None:
        self._store = store
        self._moments = moments
        self._folder = folder
        self.oracle = self._undisturbed()

    def close(self) -> None:
        """Drop what undisturbed roads left."""
        for place in self.oracle.places.values():
            self._store.drop(place)

    def operations(self, moment: str) -> int:
        """How many operations an undisturbed road of a moment has."""
        return len(self.oracle.operations[moment])

    def cases(self, kind: Kind, *, for_ever: bool) -> Iterator[Case]:
        """Every operation of every moment; where only a commit can fail so, the commits."""
        for moment in self._moments:
            for nth, what in enumerate(self.oracle.operations[moment.name], 1):
                if kind != "answer lost" or (what == "commit" and not for_ever):
                    yield Case(moment.name, kind, nth, for_ever)

    def faults(self, case: Case) -> list[str]:
        """Walk the road of a case; gives what is wrong afterwards."""
        moment = next(moment for moment in MOMENTS if moment.name == case.moment)
        fault = Failing(case.kind, case.nth, case.for_ever)
        place = self._start(moment, "case")
        try:
            road = self._walk(place, moment, fault)
            told = road.bugs + ([] if fault.failed else [f"operation {case.nth} never came"])
            return told + self._compare(moment, place, road.box)
        finally:
            self._store.drop(place)

    def _compare(self, moment: Moment, place: Place, box: Postbox) -> list[str]:
        try:
            with patch("tests.faults.dump.load_watchlist", the_watchlist):
                left = archive_written_out(place, moment)
            found = differences(_comparable(self.oracle.dumps[moment.name]), _comparable(left))
        except (JingbaoError, AssertionError) as error:
            return [f"the archive cannot be read: {error}"]
        return found + self._mails(moment, place, box)

    def _mails(self, moment: Moment, place: Place, box: Postbox) -> list[str]:
        """What came against what the outbox has as sent: each once, with the same text."""
        before = MOMENTS.index(moment) - 1
        sent = sent_mails(place, moment)
        if before >= 0:
            for name in sent_mails(self.oracle.places[MOMENTS[before].name], moment):
                sent.pop(name, None)
        came = Counter((parcel.recipient, parcel.content) for parcel in box.taken)
        marked = Counter((address, content) for (address, _), content in sent.items())
        told = [f"a mail to {address} came {count} times" for (address, _), count in came.items() if count > 1]
        told += [f"a mail to {address} is marked as sent, and never came" for address, _ in marked - came]
        return told + [f"a mail to {address} came, and is not marked as sent" for address, _ in came.keys() - marked.keys()]

    def _start(self, moment: Moment, name: str) -> Place:
        before = MOMENTS.index(moment) - 1
        folder = self._folder / name
        place = self._store.new(folder) if before < 0 else self._store.copy(self.oracle.places[MOMENTS[before].name], folder)
        _advance(place, moment)
        return place

    def _walk(self, place: Place, moment: Moment, fault: Failing) -> Road:
        road = Road(place, moment, fault)
        with failing(fault):
            asyncio.run(road.walk())
        return road

    def _undisturbed(self) -> Undisturbed:
        self.oracle = Undisturbed({}, {}, {})
        for moment in self._moments:
            place, fault = self._start(moment, f"undisturbed-{moment.name}"), Failing()
            road = self._walk(place, moment, fault)
            assert not road.bugs, road.bugs
            assert not road.refusals, road.refusals
            self.oracle.dumps[moment.name] = archive_written_out(place, moment)
            self.oracle.places[moment.name] = place
            self.oracle.operations[moment.name] = fault.log
        return self.oracle


def _advance(place: Place, moment: Moment) -> None:
    """Each source is due at a moment, in order."""
    if moment is MOMENTS[0]:
        Archive.open(place.url, moment.at).close()
        return
    with Archive.open(place.url, moment.at) as archive, archive.write() as tx:
        for outlet in OUTLETS:
            sources.postpone(tx, outlet.key, moment.at)


def _comparable(dump: Dump) -> Dump:
    parts = {part: [line for line in lines if not any(mark in line for mark in _OF_THE_DISK)] for part, lines in dump.items()}
    parts["source"] = [_LEARNT.sub("", line) for line in parts["source"]]
    return parts


@contextmanager
def loop(store: Store, folder: Path, moments: Sequence[Moment] = MOMENTS) -> Iterator[Loop]:
    """A loop over the first of the moments, for as long as the context lasts."""
    made = Loop(store, folder, moments)
    try:
        yield made
    finally:
        made.close()
