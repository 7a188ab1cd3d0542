"""A round: a world in which the daemon dies again and again, and then what must hold is looked at.

Promised are (docs/design/faults.md): the archive of an undisturbed run; no mail lost; a mail twice only if death came between
the server's taking it and the sent mark, and then with the same Message-ID; nothing left of the dead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import JingbaoError
from tests.faults.dump import Dump, differences
from tests.faults.lives import Death, Life, leftovers, live
from tests.faults.stores import Place, Store
from tests.faults.world import MOMENTS, Moment, World, world

if TYPE_CHECKING:
    from tests.newsroom.mailbox import Received

RECOVERY_SECONDS = 5.0
"""How soon after its start a daemon whose predecessor was killed is at work again."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """What an undisturbed run leaves at each moment, by name: its archive as lines, and a copy to start worlds from."""

    dumps: dict[str, Dump]
    places: dict[str, Place]

    def start_of(self, moment: Moment) -> Place | None:
        """The archive as it was before this moment; None before the first."""
        before = MOMENTS.index(moment) - 1
        return None if before < 0 else self.places[MOMENTS[before].name]


@dataclass
class Verdict:
    """What was found wrong, and what is counted. `doubled` are mails that came twice as promised, `outside` otherwise."""

    faults: list[str] = field(default_factory=list)
    doubled: int = 0
    outside: int = 0
    lost: int = 0
    differing: int = 0


async def undisturbed(
    store: Store, folder: Path, moments: Sequence[Moment] = MOMENTS, command: list[str] | None = None
) -> Oracle:
    """Run a world through its moments, and keep what it leaves. Raises AssertionError if it does not come to its end."""
    oracle = Oracle({}, {})
    async with world(store, folder / "undisturbed") as made:
        for moment in moments:
            made.advance(moment)
            life = await live(made, Death(), command=command, clean=True)
            assert life.settled, f"undisturbed, {moment.name}: {life}\n{_log_of(made)}"
            assert life.returncode == 0, f"undisturbed, {moment.name}: {life}\n{_log_of(made)}"
            oracle.dumps[moment.name] = made.written_out()
            oracle.places[moment.name] = store.copy(made.place, folder / f"after-{moment.name}")
        verdict = _mails(made, Verdict())
        assert not verdict.faults, verdict.faults
        assert not verdict.doubled
    return oracle


def _log_of(made: World) -> str:
    return (made.place.folder / "jingbao.log").read_text(encoding="utf-8", errors="replace")[-3000:]


async def die(made: World, deaths: Sequence[Death]) -> list[Life]:
    """Live and die `deaths` in turn at the world's moment; then once more until all is done."""
    lives = [await live(made, death) for death in deaths]
    return [*lives, await live(made, Death())]


async def look(made: World, oracle: Oracle, lives: Sequence[Life]) -> Verdict:
    """Compare the world as it is now with the undisturbed one at the same moment."""
    verdict = Verdict()
    verdict.faults += [f"{life.death}: not as meant: {life}" for life in lives if not life.as_meant]
    verdict.faults += await leftovers(made)
    try:
        differing = differences(oracle.dumps[made.moment.name], made.written_out())
    except (JingbaoError, AssertionError) as error:
        differing = [f"the archive cannot be read: {error}"]
    verdict.differing = len(differing)
    verdict.faults += differing
    verdict.faults += [f"ready only after {life.ready_cpu:.1f} s of CPU" for life in lives if (life.ready_cpu or 0) > RECOVERY_SECONDS]
    return _mails(made, verdict)


def _mails(made: World, verdict: Verdict) -> Verdict:
    """Hold what the mail server took since the last look against the outbox."""
    sent = made.sent()
    came: dict[tuple[str, str], list[tuple[int, Received]]] = defaultdict(list)
    for place, mail in enumerate(made.box.received):
        if place >= made.looked_at:
            came[mail.recipients[0], str(mail.message["Message-ID"])].append((place, mail))
    for name in came.keys() - (sent.keys() - made.sent_before):
        verdict.faults.append(f"a mail came that the outbox has as sent long ago, or not at all: {name}")
    for name in sent.keys() - made.sent_before:
        _one_mail(made, verdict, name, sent[name], came.get(name, []))
    made.looked_at, made.sent_before = len(made.box.received), frozenset(sent)
    return verdict


def _one_mail(made: World, verdict: Verdict, name: tuple[str, str], content: bytes, copies: list[tuple[int, Received]]) -> None:
    if not copies:
        verdict.lost += 1
        verdict.faults.append(f"lost: {name}")
    if any(mail.raw.strip() != content.strip() for _, mail in copies):
        verdict.faults.append(f"it came with another text: {name}")
    for place, _ in copies[:-1]:
        if place + 1 in made.life_starts:  # the last thing its daemon did: death came before the mark
            verdict.doubled += 1
        else:
            verdict.outside += 1
            verdict.faults.append(f"it came twice, and its daemon lived on after the first time: {name}")


async def one_moment(store: Store, folder: Path, oracle: Oracle, moment: Moment, deaths: Sequence[Death]) -> tuple[list[Life], Verdict]:
    """A world at one moment, from what an undisturbed run left before it, with `deaths`, and what came of it."""
    async with world(store, folder, moment, oracle.start_of(moment)) as made:
        lives = await die(made, deaths)
        verdict = await look(made, oracle, lives)
        if verdict.faults:
            _keep_evidence(made, verdict, folder)
        return lives, verdict


def _keep_evidence(made: World, verdict: Verdict, folder: Path) -> None:
    with suppress(OSError):
        told = folder.with_name(f"{folder.name}.fault.txt")
        told.write_text("\n".join([*verdict.faults, "", _log_of(made)]), encoding="utf-8")
