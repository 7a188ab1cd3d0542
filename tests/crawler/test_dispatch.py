"""A judgement of the line that the archive does not keep is none: it is judged anew, and nobody is charged or forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.clock import Clock
from core.errors import FetchError, StorageError
from core.outcomes import Outcome
from core.source import Source
from crawler.dispatch import OFFLINE_SINCE, Dispatch, down_lines
from storage import settings, sources
from storage.archive import Archive

NOW = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
SILENCE = FetchError(Outcome.FAILED, "no answer")


class StillClock(Clock):
    def now(self) -> datetime:
        return NOW


def source(number: int) -> Source:
    return Source(key=f"s{number}", name="S", kind="feed", language="en", url=f"http://host-{number}.test/feed")


@pytest.fixture
def chosen() -> list[Source]:
    return [source(number) for number in range(3)]


@pytest.fixture
def archive(tmp_path: Path, chosen: list[Source]) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", NOW) as opened:
        with opened.write() as tx:
            sources.ensure(tx, [each.key for each in chosen], NOW)
        yield opened


@pytest.fixture
def refusals(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> list[StorageError]:
    """Each write of the archive takes one and raises it, until none is left."""
    errors: list[StorageError] = []
    writing = archive.writing

    async def refuse(work: Any) -> Any:
        if errors:
            raise errors.pop()
        return await writing(work)

    monkeypatch.setattr(archive, "writing", refuse)
    return errors


def dispatch(archive: Archive) -> Dispatch:
    manners: Any = SimpleNamespace(proxy_for=lambda _: "", client=SimpleNamespace(forget_silence=lambda: None))
    return Dispatch(archive, manners, StillClock(NOW, 1.0, 0.0))


async def fail(it: Dispatch, archive: Archive, which: Source) -> bool:
    """The source is silent, and charged if its line is not down."""
    with archive.read() as tx:
        state = sources.state(tx, which.key)
    if down := await it.failed(which, state, SILENCE):
        return down
    with archive.write() as tx:
        run = sources.begin_run(tx, which.key, NOW)
        sources.finish_run(tx, run, NOW, result=str(Outcome.FAILED), next_due=NOW)
    return False


def failures(archive: Archive) -> list[int]:
    with archive.read() as tx:
        return [state.failures for state in sources.states(tx).values()]


async def test_a_line_whose_going_down_is_not_kept_is_judged_down_by_the_next_silence(archive, chosen, refusals) -> None:
    it = dispatch(archive)
    await it.due(chosen, 10)
    assert not await fail(it, archive, chosen[0])
    assert not await fail(it, archive, chosen[1])
    refusals.append(StorageError("locked"))

    with pytest.raises(StorageError):
        await fail(it, archive, chosen[2])
    assert await fail(it, archive, chosen[2])

    with archive.read() as tx:
        assert set(down_lines(tx)) == {"direct"}
    assert failures(archive) == [0, 0, 0]


async def test_a_line_whose_return_is_not_kept_has_returned_with_the_next_answer(archive, chosen, refusals) -> None:
    with archive.write() as tx:
        settings.put(tx, OFFLINE_SINCE, {"direct": NOW.isoformat()})
    it = dispatch(archive)
    await it.due(chosen, 10)
    refusals.append(StorageError("locked"))

    with pytest.raises(StorageError):
        await it.heard(chosen[0])
    await it.heard(chosen[1])

    with archive.read() as tx:
        assert down_lines(tx) == {}


def by_proxy(archive: Archive, *keys: str) -> Dispatch:
    """The sources of these keys go by a proxy, the others directly."""
    manners: Any = SimpleNamespace(
        proxy_for=lambda each: "http://proxy.test:1" if each.key in keys else "",
        client=SimpleNamespace(forget_silence=lambda: None),
    )
    return Dispatch(archive, manners, StillClock(NOW, 1.0, 0.0))


async def test_a_line_that_no_source_goes_over_any_more_is_not_down_for_ever(archive, chosen) -> None:
    with archive.write() as tx:
        settings.put(tx, OFFLINE_SINCE, {"old.test:8080": NOW.isoformat(), "direct": NOW.isoformat()})

    await dispatch(archive).due(chosen, 10)

    with archive.read() as tx:
        assert set(down_lines(tx)) == {"direct"}


async def test_probes_come_before_a_backlog_and_count_only_once_they_are_given_out(archive, chosen) -> None:
    it = by_proxy(archive, "s2")
    line = it._line(chosen[2])
    with archive.write() as tx:
        settings.put(tx, OFFLINE_SINCE, {line: NOW.isoformat()})
        sources.postpone(tx, "s2", NOW + timedelta(minutes=1))  # those before it are longer overdue

    assert await it.due(chosen, 2) == ["s0", "s1"]
    with archive.write() as tx:
        sources.postpone(tx, "s2", NOW)
    assert await it.due(chosen, 2) == ["s2", "s0"]
    assert await it.due(chosen, 2) == ["s0", "s1"]
