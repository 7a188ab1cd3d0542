"""Everything that works, wired together: the one place where objects of all rooms meet."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from alerts.desk import Desk
from alerts.transport import Transport
from alerts.transports.chosen import transport_of
from console.settings import VERSION, Settings
from core.errors import StorageError
from crawler.collect import Collector
from crawler.net.manners import Manners
from crawler.net.pace import Pace
from crawler.reading.workers import ReadingPool
from lexicon.mentions import MentionFinder
from storage.archive import Archive
from storage.raw import RawPages

log = logging.getLogger("jingbao.console")


def open_archive(settings: Settings) -> Archive:
    """The archive of a configuration, made if there is none. Raises StorageError saying what to do."""
    folder = settings.config.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The data folder {folder} cannot be made ({error.strerror}). Set data_dir to one you can write."
        raise StorageError(message) from error
    return Archive.open(settings.config.database_url, settings.clock.now())


def database_file(settings: Settings) -> Path:
    """The SQLite file of a configuration; its daemon's lock and log lie beside it."""
    return Path(make_url(settings.config.database_url).database or settings.config.data_dir / "jingbao.sqlite3")


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
        with contextlib.suppress(asyncio.CancelledError):
            await manners.close()
        await asyncio.to_thread(pool.close)
