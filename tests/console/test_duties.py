"""A daemon's duties as a configuration makes them, on a real archive."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.commands import run
from console.duties import open_duties
from console.settings import Settings, load_settings
from console.workshop import begin_archive, database_file
from core.clock import Clock
from core.errors import StorageError
from crawler.net.manners import Manners
from crawler.net.pace import Pace
from scheduler.daemon import CLEAN
from scheduler.duties import Duties
from storage import articles, outbox
from storage.archive import Archive
from storage.outbox import NewMessage
from tests.builders import keep
from tests.databases import only
from tests.scheduler.rounds import Rounds

CONFIG = """\
readers: [{key: ann, addresses: [ann@example.org]}]
sources:
  catalogue: none
  add: [{key: daily, name: Daily, kind: feed, language: en, url: "http://127.0.0.1:9/feed"}]
"""


@pytest.fixture
def settings(tmp_path: Path, database: str, database_url: str, monkeypatch) -> Settings:
    if database == "postgres":
        monkeypatch.setenv("JINGBAO__STORAGE__URL", database_url)
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return load_settings(path)


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    with begin_archive(settings) as opened:
        yield opened


def put(archive: Archive, settings: Settings, *readers: str) -> None:
    with archive.write() as tx:
        for reader in readers:
            mail = NewMessage(reader, f"{reader}@example.org", "now", "k", f"<{reader}@x>", "news", b"Subject: news\r\n\r\n")
            outbox.put(tx, mail, settings.clock.now())


def states(archive: Archive) -> dict[str, str]:
    with archive.read() as tx:
        return {each.reader: str(each.state) for each in outbox.latest_messages(tx, 10)}


async def do(duties: Duties, name: str) -> None:
    job = duties.job(name)
    assert job is not None
    await job.work()


async def test_sending_withdraws_what_waits_for_a_reader_taken_out(settings: Settings, archive: Archive) -> None:
    put(archive, settings, "ann", "gone")
    duties = await open_duties(settings, archive, Pace())
    await do(duties, "send")
    await duties.close()

    assert states(archive) == {"ann": "sent", "gone": "withdrawn"}


async def test_duties_that_are_wrapped_up_match_and_send_nothing_more(settings: Settings, archive: Archive) -> None:
    put(archive, settings, "ann")
    with archive.write() as tx:
        number = keep(tx, "A chip is made")
    duties = await open_duties(settings, archive, Pace())
    duties.wrap_up()
    await do(duties, "match")
    await do(duties, "send")
    await duties.close()

    assert states(archive) == {"ann": "waiting"}
    with archive.read() as tx:
        assert [each.id for each in articles.unmatched(tx, 10)] == [number]


async def test_only_a_stop_cuts_what_is_under_way_short(settings: Settings, archive: Archive, monkeypatch) -> None:
    """A reload lets the message under way come to its end."""
    seen: list[tuple[bool, bool]] = []

    async def send(*_: object, wrapping_up: Callable[[], bool], stopping: Callable[[], bool], **__: object) -> None:
        seen.append((wrapping_up(), stopping()))

    monkeypatch.setattr("console.duties.send_due", send)
    duties = await open_duties(settings, archive, Pace())
    await do(duties, "send")
    duties.wrap_up()
    await do(duties, "send")
    await duties.stop()
    await do(duties, "send")
    await duties.close()

    assert seen == [(False, False), (True, False), (True, True)]


@only("sqlite")
async def test_upkeep_empties_the_write_ahead_log(settings: Settings, archive: Archive) -> None:
    duties = await open_duties(settings, archive, Pace())
    log = Path(f"{database_file(settings)}-wal")
    before = log.stat().st_size
    await do(duties, "upkeep")
    await duties.close()

    assert (before > 0, log.stat().st_size) == (True, 0)


async def test_what_was_opened_is_given_back_if_the_archive_refuses(settings, archive, monkeypatch) -> None:
    closed: list[Manners] = []
    honest = Manners.close

    async def close(manners: Manners) -> None:
        closed.append(manners)
        await honest(manners)

    async def refuse(_: object) -> None:
        raise StorageError("no room left on the disk")

    monkeypatch.setattr(Manners, "close", close)
    monkeypatch.setattr(archive, "writing", refuse)
    with pytest.raises(StorageError):
        await open_duties(settings, archive, Pace())

    assert len(closed) == 1


async def test_a_reload_keeps_the_running_clock(tmp_path: Path, settings: Settings, monkeypatch) -> None:
    monkeypatch.setenv("JINGBAO_CLOCK", "2026-01-20T08:00:00Z@60")
    rounds, clocks = Rounds(), list[Clock]()

    async def opened(fresh: Settings, _archive: Archive, _pace: Pace) -> Duties:
        clocks.append(fresh.clock)
        return rounds.duties()

    monkeypatch.setattr(run, "open_duties", opened)
    running = asyncio.create_task(run.serve(load_settings(settings.path)))
    await rounds.more(1)
    os.kill(os.getpid(), signal.SIGHUP)
    while len(clocks) < 2:
        await rounds.more(1)
    os.kill(os.getpid(), signal.SIGTERM)

    assert await running == CLEAN
    assert clocks[0] is clocks[1]
