"""The daemon's care for the disk: the oldest raw pages go first, then collecting waits, and by itself it goes on."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from console import disk
from console.disk import DiskKeeper, kept_shortages
from console.disk_report import disk_report
from console.duties import open_duties
from console.settings import Settings, load_settings
from console.troubles import collect_troubles
from console.workshop import begin_archive
from core.clock import Clock
from core.document import Document, DocumentKind, Request
from core.errors import NotFoundError, StorageError
from core.outcomes import Outcome
from crawler.net.pace import Pace
from storage import addresses, articles, sources
from storage.addresses import Ending
from storage.archive import Archive
from storage.disk import DatabaseSize, readings
from storage.raw import RawLocation, RawPages
from storage.raw_files import Shelf
from tests.builders import keep

MB = 10**6
DAY = timedelta(days=1)
CONFIG = """\
keep: {reserve_mb: 10, raw_days: 30, off_topic_raw_days: 7}
sources:
  catalogue: none
  add: [{key: daily, name: Daily, kind: feed, language: en, url: "http://127.0.0.1:9/feed"}]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return load_settings(path)


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    with begin_archive(settings) as opened:
        yield opened


class Disk:
    """A disk of a size: what raw pages take of it is not free. `others` is what else is on it."""

    def __init__(self, settings: Settings, megabytes: float) -> None:
        self.raw = settings.config.data_dir / "raw"
        self.bytes = megabytes * MB
        self.others = 0.0

    def free(self, _: Path) -> int:
        raw = sum(path.stat().st_size for path in self.raw.iterdir()) if self.raw.is_dir() else 0
        return round(self.bytes - raw - self.others * MB)


@pytest.fixture
def small_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk(settings, 20)
    monkeypatch.setattr(disk, "free_bytes", made.free)
    return made


def fill(settings: Settings, archive: Archive, days_ago: int, megabytes: float, shelf: Shelf = Shelf.PAGES) -> RawLocation:
    """A day's file with one page, which the archive names."""
    request = Request(f"https://news.test/{days_ago}{shelf}", DocumentKind.PAGE, "daily")
    fetched = settings.clock.now() - days_ago * DAY
    page = Document(request, request.url, 200, {}, os.urandom(round(megabytes * MB)), fetched)
    location = RawPages(settings.config.data_dir / "raw").append(page, shelf)
    with archive.write() as tx:
        number = addresses.record(tx, request.url, Ending(Outcome.NEW), url=request.url, source="daily", now=fetched)
        addresses.keep_raw(tx, number, location)
    return location


def files(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.config.data_dir / "raw").iterdir())


def named(archive: Archive) -> int:
    with archive.read() as tx:
        return int(tx.connection.exec_driver_sql("SELECT count(*) FROM raw_page").scalar_one())


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


async def test_what_is_past_its_time_goes_with_its_rows_and_the_rest_stays(settings: Settings, archive: Archive) -> None:
    kept = [fill(settings, archive, 29, 0.01), fill(settings, archive, 6, 0.01, Shelf.OFF_TOPIC)]
    gone = [fill(settings, archive, 32, 0.01), fill(settings, archive, 9, 0.01, Shelf.OFF_TOPIC)]
    await DiskKeeper(settings, archive).tidy()

    raw = RawPages(settings.config.data_dir / "raw")
    assert files(settings) == sorted(each.file for each in kept)
    assert named(archive) == 2
    assert all(raw.read(each) for each in kept)
    for each in gone:
        with pytest.raises(NotFoundError, match="for a time only"):
            raw.read(each)


async def test_death_between_the_file_and_its_rows_heals_at_the_next_upkeep(settings: Settings, archive: Archive) -> None:
    """And so does a file that somebody removed by hand."""
    location = fill(settings, archive, 3, 0.01)
    fill(settings, archive, 2, 0.01)
    RawPages(settings.config.data_dir / "raw").remove(location.file)
    await DiskKeeper(settings, archive).tidy()

    assert named(archive) == 1


async def test_upkeep_forgets_old_runs_and_versions_and_takes_a_reading(settings: Settings, archive: Archive) -> None:
    now = settings.clock.now()
    with archive.write() as tx:
        sources.ensure(tx, ["daily"], now)
        for days_ago in (200, 1):
            sources.begin_run(tx, "daily", now - days_ago * DAY)
    await DiskKeeper(settings, archive).tidy()

    with archive.read() as tx:
        assert len(sources.last_runs(tx, "daily")) == 1
        assert len(readings(tx)) == 1


async def test_at_the_reserve_the_oldest_pages_go_and_collecting_goes_on(settings, archive, small_disk, caplog) -> None:
    for days_ago in (5, 4, 3):
        fill(settings, archive, days_ago, 3)
    last = fill(settings, archive, 0, 0.1)
    small_disk.others = 2
    keeper = DiskKeeper(settings, archive)
    await keeper.look()
    await keeper.look()

    assert not keeper.waiting
    assert files(settings) == sorted([last.file, f"{settings.clock.now() - 3 * DAY:%Y-%m-%d}.warc.gz"])
    assert named(archive) == 2
    assert warnings(caplog) == ["the disk is nearly full: the oldest raw pages go"]
    with archive.read() as tx:
        assert [each.key for each in collect_troubles(settings, tx, settings.clock.now())] == ["disk-short"]


async def test_off_topic_pages_go_before_others_of_their_day(settings, archive, small_disk) -> None:
    fill(settings, archive, 4, 3, Shelf.OFF_TOPIC)
    kept = fill(settings, archive, 4, 3)
    small_disk.others = 4.5
    await DiskKeeper(settings, archive).look()

    assert files(settings) == [kept.file]


async def test_with_nothing_left_to_go_collecting_waits_and_goes_on_by_itself(settings, archive, small_disk, caplog) -> None:
    """Today's file is in use and stays. Each change is said once; a little above the reserve is not yet enough to go on."""
    today = fill(settings, archive, 0, 1)
    keeper, states = DiskKeeper(settings, archive), []
    for others in (5, 12, 12, 8.5, 6):
        small_disk.others = others
        await keeper.look()
        with archive.read() as tx:
            states.append((keeper.waiting, bool(kept_shortages(tx))))

    assert states == [(False, False), (True, True), (True, True), (True, True), (False, False)]
    assert files(settings) == [today.file]
    assert warnings(caplog) == [
        "collecting waits until there is room on the disk",
        "there is room on the disk again: collecting goes on",
    ]


async def test_while_collecting_waits_nothing_is_due_and_all_else_goes_on(settings, archive, small_disk) -> None:
    with archive.write() as tx:
        keep(tx, "A chip is made")
    small_disk.others = 15
    duties = await open_duties(settings, archive, Pace())
    idle = await duties.due(5)
    await duties.job("match").work()
    small_disk.others = 0
    await duties.job("disk").work()
    busy = await duties.due(5)
    await duties.close()

    assert (idle, busy) == ([], ["daily"])
    with archive.read() as tx:
        assert articles.unmatched(tx, 10) == []


async def test_a_refused_write_makes_collecting_wait_at_once(settings, archive, small_disk) -> None:
    keeper = DiskKeeper(settings, archive)
    with pytest.raises(StorageError), keeper.noting():
        raise no_room()
    assert keeper.waiting

    await keeper.look()
    assert not keeper.waiting


async def test_after_a_refusal_writes_must_be_taken_before_collecting_goes_on(settings, archive, monkeypatch) -> None:
    """What is said to be free tells nothing of quotas: so it is tried. Older pages go meanwhile, for they may be what fills it."""
    fill(settings, archive, 3, 0.01)
    today = fill(settings, archive, 0, 0.01)
    keeper, full = DiskKeeper(settings, archive), [True]
    honest = disk._try_writing

    def trial(folder: Path) -> None:
        if full[0]:
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        honest(folder)

    monkeypatch.setattr(disk, "_try_writing", trial)
    with pytest.raises(StorageError), keeper.noting():
        raise no_room()
    await keeper.look()
    assert (keeper.waiting, files(settings)) == (True, [today.file])

    full[0] = False
    await keeper.look()
    assert not keeper.waiting


async def test_other_troubles_of_the_archive_stop_nothing(settings, archive) -> None:
    keeper = DiskKeeper(settings, archive)
    with pytest.raises(StorageError), keeper.noting():
        raise StorageError("another program has been writing for too long")

    assert not keeper.waiting


async def test_a_restart_forgets_what_a_dead_daemon_wrote_down(settings, archive, small_disk) -> None:
    small_disk.others = 15
    await DiskKeeper(settings, archive).look()
    small_disk.others = 0
    await DiskKeeper(settings, archive).look()

    with archive.read() as tx:
        assert kept_shortages(tx) == []


def no_room() -> StorageError:
    error = StorageError("cannot be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


# What is told


def told(settings: Settings, archive: Archive) -> list[str]:
    size = archive.size()
    with archive.read() as tx:
        return disk_report(settings, tx, size).lines(settings.zone)


def test_what_is_kept_and_how_long_there_is_room_is_told(settings: Settings, archive: Archive) -> None:
    lines = told(settings, archive)

    assert "raw pages 0 MB" in lines[0]
    assert lines[1] == "raw pages are kept 30 days (off-topic ones 7); articles for ever"
    assert "once the daemon has run for an hour" in lines[2]


async def test_that_collecting_waits_is_told(settings, archive, small_disk) -> None:
    small_disk.others = 15
    await DiskKeeper(settings, archive).look()

    assert told(settings, archive)[2].startswith("collecting waits since")


def test_an_archive_on_a_server_is_told_as_not_looked_at(settings: Settings, archive: Archive) -> None:
    with archive.read() as tx:
        lines = disk_report(settings, tx, DatabaseSize(3 * 10**9, here=False)).lines(settings.zone)

    assert "3.0 GB in PostgreSQL (if that is on another machine, its disk is not looked at)" in lines[0]


# A real full disk


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes in memory, where this machine lets us mount one."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=False, capture_output=True)
    if mounted.returncode:
        assert not os.environ.get("CI"), mounted.stderr  # there it must not be skipped unseen
        pytest.skip("no file system can be mounted here; the counterpart below ran")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


async def test_a_disk_that_is_really_full_stops_collecting_only_and_lets_it_go_on(tiny_disk: Path) -> None:
    await fills_and_goes_on(settings_in(tiny_disk), lambda: (tiny_disk / "ballast").write_bytes(bytes(1_500_000)))


async def test_an_archive_that_may_not_grow_stops_collecting_only_and_lets_it_go_on(tmp_path: Path) -> None:
    """As a full disk does, by SQLite's own bound: the same refusal, on any machine."""
    settings = settings_in(tmp_path)
    with begin_archive(settings) as archive:
        keeper = DiskKeeper(settings, archive)
        with pytest.raises(StorageError, match="no room left"), keeper.noting():
            past_its_bound(archive)

        assert keeper.waiting
        with archive.read() as tx:
            assert articles.count(tx) == 0
        with archive.write() as tx:
            tx.connection.exec_driver_sql("PRAGMA max_page_count = 1073741823")
        await keeper.look()
        assert not keeper.waiting


def past_its_bound(archive: Archive) -> None:
    with archive.write() as tx:
        pages = int(tx.connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
        for number in range(100):
            keep(tx, f"Title {number}", "words " * 2000)


def settings_in(folder: Path) -> Settings:
    path = folder / "config.yaml"
    path.write_text(CONFIG.replace("reserve_mb: 10", "reserve_mb: 0"), encoding="utf-8")
    return load_settings(path)


async def fills_and_goes_on(settings: Settings, fill_up: Callable[[], object]) -> None:
    """Keep pages and articles until the disk refuses; read meanwhile; make room, and go on. Nothing kept is lost."""
    with begin_archive(settings) as archive:
        keeper, raw, kept = DiskKeeper(settings, archive), RawPages(settings.config.data_dir / "raw"), 0
        fill_up()
        while not keeper.waiting:
            with suppress(StorageError), keeper.noting():
                await asyncio.to_thread(raw.append, page(settings.clock))
                with archive.write() as tx:
                    keep(tx, f"Title {kept}", "words " * 3000)
                kept += 1
        await keeper.look()

        assert (keeper.waiting, kept > 2) == (True, True)
        with archive.read() as tx:
            assert articles.count(tx) == kept
        (settings.path.parent / "ballast").unlink()
        await keeper.look()
        assert not keeper.waiting
        with archive.write() as tx:
            keep(tx, "One more")
            archive_is_whole = tx.connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
        assert archive_is_whole == "ok"


def page(clock: Clock) -> Document:
    request = Request("https://news.test/a", DocumentKind.PAGE, "daily")
    return Document(request, request.url, 200, {}, os.urandom(30_000), clock.now())


async def test_a_file_that_cannot_be_removed_holds_up_nothing_else(settings, archive, small_disk, monkeypatch, caplog) -> None:
    fill(settings, archive, 33, 1)
    fill(settings, archive, 32, 1)
    oldest = files(settings)[0]
    removing = RawPages.remove

    def refuse(self: RawPages, name: str) -> None:
        if name == oldest:
            raise StorageError(f"{name} cannot be removed (Operation not permitted).")
        removing(self, name)

    monkeypatch.setattr(RawPages, "remove", refuse)
    keeper = DiskKeeper(settings, archive)
    await keeper.tidy()
    assert files(settings) == [oldest]

    small_disk.others = 15
    await keeper.look()
    await keeper.look()

    assert keeper.waiting
    assert "cannot be removed" in keeper.shortages[0].reason
    assert warnings(caplog).count("raw pages stay") == 1


async def test_what_is_short_lasts_over_a_restart_with_its_beginning(settings, archive, small_disk) -> None:
    fill(settings, archive, 3, 8)
    small_disk.others = 8
    first = DiskKeeper(settings, archive)
    await first.look()
    small_disk.others = 15
    await first.look()
    second = DiskKeeper(settings, archive)
    await second.look()

    assert len(first.shortages) == 2
    assert list(second.shortages) == list(first.shortages)
