"""Everything that works, wired together: the one place where objects of all rooms meet."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url

from alerts.desk import Desk
from alerts.transport import Transport
from alerts.transports.chosen import transport_of
from console.settings import VERSION, Settings
from core.errors import DamagedError, NoArchiveError, StorageError
from core.log import values
from crawler.collect import Collector
from crawler.net.manners import Manners
from crawler.net.pace import Pace
from crawler.reading.workers import ReadingPool
from lexicon.mentions import MentionFinder
from storage.archive import Archive, Transaction
from storage.database import database_of
from storage.lock import holder, lock_path
from storage.raw import RawPages
from storage.renewal import Upgraded, upgrade
from storage.server_lock import server_holder

T = TypeVar("T")
log = logging.getLogger("jingbao.console")


def open_archive(settings: Settings) -> Archive:
    """The archive of a configuration, for a command that asks it something: nothing is made, nothing brought up to date.

    Raises NoArchiveError, OlderArchiveError, DamagedError and StorageError, each saying what to do.
    """
    return Archive.open(settings.config.database_url, settings.clock.now(), make=False, migrate=False)


def ask_archive(settings: Settings, question: Callable[[Transaction], T], otherwise: Callable[[], T]) -> T:
    """What the archive answers, or what `otherwise` gives if there is none yet. Raises as `open_archive` does."""
    try:
        with open_archive(settings) as archive, archive.read() as tx:
            return question(tx)
    except NoArchiveError:
        return otherwise()


def begin_archive(settings: Settings) -> Archive:
    """The archive of a configuration, for those who fill it: made if there is none, and never in the place of a lost one.

    Raises DamagedError, OlderArchiveError and StorageError, each saying what to do.
    """
    make_data_folder(settings.config.data_dir)
    try:
        return open_archive(settings)
    except NoArchiveError:
        _refuse_to_begin_anew(settings)
        return Archive.open(settings.config.database_url, settings.clock.now())


def renew_archive(settings: Settings, *, backup: bool = True) -> Upgraded | None:
    """Bring an older archive up to date, with a backup in the data folder first; None if there was nothing to do.

    Whoever calls this is the only daemon, or has the archive alone. Raises as `upgrade` does.
    """
    done = upgrade(settings.config.database_url, settings.config.data_dir / "backups", settings.clock.now(), backup=backup)
    if done:
        log.info("upgraded the archive", extra=values(before=done.before, after=done.after, backup=str(done.backup or "none")))
    return done


def make_data_folder(folder: Path) -> None:
    """Make the data folder if it is not there. Raises StorageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The data folder {folder} cannot be made ({error.strerror}). Set data_dir to one you can write."
        raise StorageError(message) from error


def _refuse_to_begin_anew(settings: Settings) -> None:
    """Raw pages without an archive mean that one was here: it was moved, or its disk is not there."""
    raw = settings.config.data_dir / "raw"
    if next(raw.glob("*.warc.gz"), None):
        lost = f"There is no archive in {archive_name(settings)}, but {raw} holds the pages of one, so it was lost or moved."
        raise DamagedError(f"{lost} Put it back, or: jingbao restore FILE. To begin anew, move {raw} away first.")


def database_file(settings: Settings) -> Path:
    """The SQLite file of a configuration; its daemon's lock and log lie beside it."""
    url = make_url(settings.config.database_url)
    in_a_file = url.get_backend_name() == "sqlite" and url.database
    return Path(in_a_file) if in_a_file else settings.config.data_dir / "jingbao.sqlite3"


def archive_name(settings: Settings) -> str:
    """What people know the archive by: a file, or a server's database without user and password."""
    return database_of(settings.config.database_url, timedelta()).name


def daemon_at_work(settings: Settings) -> str:
    """Which process watches, on which machine if the archive is on a server; nothing if none. Raises StorageError."""
    return holder(lock_path(database_file(settings))) or server_holder(settings.config.database_url)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What collecting and alerting of one configuration work with, opened."""

    settings: Settings
    archive: Archive
    manners: Manners
    collector: Collector
    desk: Desk
    transport: Transport


@asynccontextmanager
async def workshop(settings: Settings, archive: Archive, pace: Pace | None = None) -> AsyncIterator[Workshop]:
    """Open clients and reading workers for a configuration, and close them at the end. The archive stays open.

    `pace` is handed on where two configurations overlap in time, so that a host sees one visitor.
    """
    config = settings.config
    manners = Manners.from_config(config, VERSION, settings.clock, pace)
    pool = ReadingPool(config.collection.reading_workers, config.collection.document_cpu_seconds)
    raw = RawPages(config.data_dir / "raw")
    version = settings.watchlist.version
    collector = Collector(archive, raw, manners, pool, config.collection, settings.clock, version)
    desk = Desk.of(config, settings.watchlist, MentionFinder(settings.watchlist))
    try:
        yield Workshop(settings, archive, manners, collector, desk, transport_of(config))
    finally:
        with contextlib.suppress(StorageError):
            await collector.settle()
        with contextlib.suppress(asyncio.CancelledError):
            await manners.close()
        await asyncio.to_thread(pool.close)
