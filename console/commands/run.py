"""`jingbao run`: the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import click

from console.duties import open_duties
from console.progress import Progress
from console.settings import Settings, load_settings
from console.terminal import talk
from console.workshop import begin_archive, database_file, make_data_folder, renew_archive
from core.errors import BusyError, ConfigError, DamagedError, JingbaoError, OlderArchiveError, StorageError, UnfitError
from core.log import log_to, values
from crawler.net.pace import Pace
from scheduler.daemon import Daemon
from scheduler.duties import Duties
from scheduler.heartbeat import heartbeat_file
from scheduler.leaving import UNCLEAN, leave_at_once, leave_when_told
from scheduler.memory import bound_arenas
from scheduler.notify import ServiceManager
from scheduler.pulse import Pulse
from storage import sources
from storage.archive import Archive
from storage.handover import is_held, is_wanted, is_wanted_here
from storage.lock import DaemonLock, lock_path
from storage.server_lock import ServerLock, held_on_server

log = logging.getLogger("jingbao.console")

LOOK_EVERY = timedelta(seconds=0.5)
"""How often the daemon looks whether a command wants the archive; a look is two system calls."""

START_GAPS = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 15, 30, 60))
"""Between tries to open an archive that refuses; a try itself waits for other programs (storage.database.PATIENCE)."""

HELP = """\
Watch until stopped: collect what is due, match it with the rules, mail what is found.

\b
On a terminal it shows what it is doing; otherwise it writes a log line an event to stderr, or to log.file.
  Ctrl-C or SIGTERM   stop cleanly, within half a minute; a second one stops at once
  SIGHUP              read config.yaml again (a faulty one is refused and the old one kept)

\b
Examples:
  jingbao run
  jingbao --config /etc/jingbao/config.yaml run --plain
"""


@click.command(help=HELP)
@click.option("--plain", is_flag=True, help="Log lines even on a terminal.")
@click.pass_obj
def command(config_path: Path | None, plain: bool) -> int:
    """Start the daemon; gives its exit code."""
    bound_arenas()
    settings = load_settings(config_path)
    with contextlib.ExitStack() as stack:
        drawn, log_config = talk.is_terminal and not plain, settings.config.log
        if not drawn or log_config.file:
            log_to(config=log_config)
        if drawn:
            stack.enter_context(Progress(settings))
        try:
            return asyncio.run(serve(settings))
        except JingbaoError:
            raise
        except Exception:
            log.exception("the daemon met a bug; please report the lines below")
            return UNCLEAN  # whoever looks after it starts it again


async def serve(settings: Settings) -> int:
    """The daemon on a configuration, until it is stopped; gives the exit code.

    A command that needs the archive alone gets it for a while (storage/handover.py). Where the archive is locked, full or its
    server not there yet, it waits. Raises BusyError if another daemon works on the archive, UnfitError if it is none for this
    version, StorageError if there is no folder for it, DamagedError also if damage is met later.
    """
    make_data_folder(settings.config.data_dir)
    database = database_file(settings)
    async with Pulse(ServiceManager.from_environment()) as pulse:
        with DaemonLock(lock_path(database)).acquire(settings.clock.now()):
            pulse.write_to(heartbeat_file(settings.config.data_dir))  # a second daemon would write over the first one's
            code = await _watch_patiently(settings, database, pulse)
        while code is None:
            settings = await _lent(settings, database, pulse)
            code = await _watch_again(settings, database, pulse)
        return code


async def _watch_patiently(settings: Settings, database: Path, pulse: Pulse) -> int | None:
    """As `_watch`, once the archive can be opened: nobody may be there to start a daemon again that gave up."""
    for refused in count():
        try:
            return await _watch(settings, pulse)
        except (DamagedError, UnfitError):
            raise
        except StorageError as error:
            gap = START_GAPS[min(refused, len(START_GAPS) - 1)]
            fields = values(reason=str(error), next_try_seconds=gap.total_seconds())
            log.warning("the archive cannot be opened yet; waiting", extra=fields)
            pulse.waiting(f"waiting for the archive: {error}")
        _hear_signals_simply(pulse)
        if await _wanted_within(gap, database):
            break
    return None


async def _wanted_within(span: timedelta, database: Path) -> bool:
    """Let `span` pass, or less if a command wants the archive alone; gives whether one does."""
    for _ in range(max(span // LOOK_EVERY, 1)):
        if is_wanted_here(database):
            return True
        await asyncio.sleep(LOOK_EVERY.total_seconds())
    return False


def _hear_signals_simply(pulse: Pulse) -> None:
    """SIGTERM and SIGINT end the process again, as before there was a daemon."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)
    leave_when_told(pulse.vanish)


async def _watch(settings: Settings, pulse: Pulse) -> int | None:
    """Watch; gives the exit code, or None once a command wants the archive and everything under way has ended for it."""
    async with held_on_server(settings.config.database_url, settings.clock.now()) as lock:
        return await _watch_held(settings, pulse, lock)


async def _watch_held(settings: Settings, pulse: Pulse, lock: ServerLock | None) -> int | None:
    with await asyncio.to_thread(_open, settings) as archive:
        await archive.writing(lambda tx: sources.interrupt_runs(tx, settings.clock.now()))
        pace = Pace()

        async def reload() -> Duties:
            fresh = await asyncio.to_thread(load_settings, settings.path)
            if fresh.config.database_url != settings.config.database_url:
                raise ConfigError([f"{settings.path}: storage.url: another archive needs a restart"])
            going_on = replace(fresh, clock=settings.clock)  # a set clock (JINGBAO_CLOCK) would begin anew
            return await open_duties(going_on, archive, pace)

        daemon = Daemon(await open_duties(settings, archive, pace), reload, pulse=pulse, settle=_settle)
        looking = asyncio.create_task(_look_out(daemon, archive, database_file(settings), lock))
        code = await daemon.run()
        looking.cancel()
        if code == UNCLEAN:  # closing the archive, too, would wait for what hangs
            leave_at_once(code)
        if archive.damage:
            raise DamagedError(archive.damage)
        if lock and lock.lost:
            raise BusyError(lock.lost)
        return None if daemon.lent else code


def _settle() -> None:
    """Take what is loaded by now out of the garbage collector's rounds: it stays, and a full round stops the loop for it.

    A round over these 140,000 objects takes 75 ms of CPU, afterwards under 1 ms (docs/design/soak.md). After a reload what the
    old configuration left is taken back in first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _open(settings: Settings) -> Archive:
    try:
        return begin_archive(settings)
    except OlderArchiveError:
        renew_archive(settings)
        return begin_archive(settings)


async def _look_out(daemon: Daemon, archive: Archive, database: Path, lock: ServerLock | None) -> None:
    """End the daemon for a while when a command wants the archive alone; for good when it is damaged or another daemon's."""

    def wanted() -> bool:
        return is_wanted_here(database) or bool(lock and lock.wanted)

    while not (archive.damage or (lock and lock.lost) or wanted()):  # noqa: ASYNC110  (another process's lock tells nobody)
        await asyncio.sleep(LOOK_EVERY.total_seconds())
    if archive.damage:
        log.critical("stopped: the archive is damaged, and nothing more is written", extra=values(reason=archive.damage))
        daemon.stop()
    elif lock and lock.lost:
        log.critical("stopped: another daemon took over the archive", extra=values(reason=lock.lost))
        daemon.stop()
    else:
        log.info("lending the archive to a command")
        daemon.lend()


async def _lent(settings: Settings, database: Path, pulse: Pulse) -> Settings:
    """Return when the archive is free again, with the configuration as it is then; a signal meanwhile ends the process."""
    _hear_signals_simply(pulse)
    while await asyncio.to_thread(_is_wanted, settings, database):  # noqa: ASYNC110  (as above)
        await asyncio.sleep(LOOK_EVERY.total_seconds())
    log.info("going on with the archive")
    try:
        return replace(await asyncio.to_thread(load_settings, settings.path), clock=settings.clock)
    except ConfigError as error:
        log.error("kept the running configuration: the new one has faults", extra=values(faults=str(error)))  # noqa: TRY400
        return settings


def _is_wanted(settings: Settings, database: Path) -> bool:
    try:
        return is_wanted(settings.config.database_url, database)
    except StorageError as error:
        log.warning("the archive cannot be asked; waiting", extra=values(reason=str(error)))
        return True


def _is_a_command_s(settings: Settings, database: Path) -> bool:
    """Whether a command has, or had until now, what was just refused: then it is no other daemon that is in the way."""
    try:
        return is_wanted(settings.config.database_url, database) or not is_held(settings.config.database_url, database)
    except StorageError:
        return True  # nobody can be asked: `_lent` waits


async def _watch_again(settings: Settings, database: Path, pulse: Pulse) -> int | None:
    """As `_watch`; None also if another command was faster.

    An archive that suits no longer was upgraded meanwhile: the version installed now is for it.
    """
    try:
        with DaemonLock(lock_path(database)).acquire(settings.clock.now()):
            return await _watch_patiently(settings, database, pulse)
    except BusyError:
        if await asyncio.to_thread(_is_a_command_s, settings, database):
            return None
        raise
    except UnfitError as error:
        raise BusyError(f"{error} This daemon began before that; start it again.") from error
