"""`jingbao run`: the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from pathlib import Path

import click

from console.duties import open_duties
from console.progress import Progress
from console.settings import Settings, load_settings
from console.terminal import talk
from console.workshop import database_file, open_archive
from core.errors import ConfigError, JingbaoError
from core.log import log_to
from crawler.net.pace import Pace
from scheduler.daemon import Daemon
from scheduler.duties import Duties
from scheduler.heartbeat import heartbeat_file
from scheduler.leaving import UNCLEAN, leave_at_once
from scheduler.notify import ServiceManager
from scheduler.pulse import Pulse
from storage import sources
from storage.lock import DaemonLock, lock_path

log = logging.getLogger("jingbao.console")

HELP = """\
Watch until stopped: collect what is due, match it with the rules, mail what is found.

\b
On a terminal it shows what it is doing; otherwise it writes a log line an event to stderr.
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
    settings = load_settings(config_path)
    with contextlib.ExitStack() as stack:
        if plain or not talk.is_terminal:
            log_to()
        else:
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

    Raises BusyError if another daemon works on the archive, StorageError if the archive cannot be opened.
    """
    now = settings.clock.now()
    settings.config.data_dir.mkdir(parents=True, exist_ok=True)
    lock = DaemonLock(lock_path(database_file(settings)))
    manager = ServiceManager.from_environment()
    with lock.acquire(now):
        async with Pulse(manager, heartbeat_file(settings.config.data_dir)) as pulse:
            return await _watch(settings, pulse)


async def _watch(settings: Settings, pulse: Pulse) -> int:
    with await asyncio.to_thread(open_archive, settings) as archive:
        await archive.writing(lambda tx: sources.interrupt_runs(tx, settings.clock.now()))
        pace = Pace()

        async def reload() -> Duties:
            fresh = await asyncio.to_thread(load_settings, settings.path)
            if fresh.config.database_url != settings.config.database_url:
                raise ConfigError([f"{settings.path}: storage.url: another archive needs a restart"])
            going_on = replace(fresh, clock=settings.clock)  # a set clock (JINGBAO_CLOCK) would begin anew
            return await open_duties(going_on, archive, pace)

        code = await Daemon(await open_duties(settings, archive, pace), reload, pulse=pulse).run()
        if code == UNCLEAN:  # closing the archive, too, would wait for what hangs
            leave_at_once(code)
        return code
