"""`jingbao doctor`: is this installation sound? Looks, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from alerts.transports.chosen import transport_of
from alerts.transports.smtp import SmtpTransport
from alerts.trying import way_of
from console.commands.options import json_option
from console.disk_report import disk_report, size
from console.settings import VERSION, Settings, load_settings
from console.terminal import counted, out, plain, print_json
from console.workshop import daemon_at_work, open_archive
from core.errors import ConfigError, JingbaoError, NoArchiveError, OlderArchiveError, SendError
from core.redaction import secret_files
from core.secrets import open_to_others
from crawler.dispatch import down_lines
from storage import articles, sources
from storage.disk import free_bytes

HELP = """\
Look for what is wrong: configuration, data folder, disk, database, clock, mail server, sources. Nothing is changed and
nothing mailed. Exit code 1 if something needs a hand.

\b
Examples:
  jingbao doctor
  jingbao doctor --json
"""
FIRST_RELEASE = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `state` is ok, note or fault; `what` says what was found and, if need be, what to do."""

    subject: str
    state: str
    what: str


@click.command(help=HELP)
@json_option
@click.pass_obj
def command(config_path: Path | None, as_json: bool) -> int:
    """Print the findings."""
    findings = list(_examine(config_path))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        signs = {"ok": ("✓", "green"), "note": ("·", "yellow"), "fault": ("✗", "bold red")}
        for finding in findings:
            sign, style = signs[finding.state]
            out.print(plain(f"{sign} {finding.subject:<14} {finding.what}", style), soft_wrap=True)
    return 1 if any(finding.state == "fault" for finding in findings) else 0


def _examine(config_path: Path | None) -> Iterator[Finding]:
    yield Finding("jingbao", "ok", f"version {VERSION}, SQLite {sqlite3.sqlite_version}")
    try:
        settings = load_settings(config_path)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("configuration", "fault", problem)
        return
    yield Finding("configuration", "ok", f"{settings.path}: {counted(len(settings.sources), 'source')} on")
    for note in settings.notes:
        yield Finding("configuration", "note", note)
    for look in (_clock, _folder, _disk, _database, _daemon, _sources, _mail, _contact):
        yield from look(settings)


def _clock(settings: Settings) -> Iterator[Finding]:
    now = settings.clock.now()
    if now < FIRST_RELEASE:
        what = f"it is set to {now:%Y-%m-%d %H:%M} UTC, before this version was made; see JINGBAO_CLOCK, or mend it"
        yield Finding("clock", "note", what)
    else:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC, shown in {settings.zone.key}")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.config.data_dir
    if not folder.exists():
        yield Finding("data folder", "note", f"{folder} is not there yet; the first run makes it")
    elif not os.access(folder, os.W_OK):
        yield Finding("data folder", "fault", f"{folder} cannot be written by this user; change its owner, or data_dir")
    else:
        yield Finding("data folder", "ok", f"{folder}, {size(free_bytes(folder))} free")


def _disk(settings: Settings) -> Iterator[Finding]:
    """How full it is and will be, in the words of `status`."""
    try:
        with open_archive(settings) as archive:
            held = archive.size()
            with archive.read() as tx:
                report = disk_report(settings, tx, held)
    except (JingbaoError, OSError):
        return  # told under database or data folder
    state = "fault" if report.short else "note" if report.soon else "ok"
    yield Finding("disk", state, "; ".join(report.lines(settings.zone)))


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        with open_archive(settings) as archive:
            archive.check()
            with archive.read() as tx:
                count = articles.count(tx)
            yield Finding("database", "ok", f"{archive.name}: whole, {counted(count, 'article')}")
    except (NoArchiveError, OlderArchiveError) as error:
        yield Finding("database", "note", str(error))
    except JingbaoError as error:
        yield Finding("database", "fault", str(error))


def _daemon(settings: Settings) -> Iterator[Finding]:
    try:
        held = daemon_at_work(settings)
    except JingbaoError:
        return  # told under database
    if held:
        yield Finding("daemon", "ok", f"running ({held})")
    else:
        yield Finding("daemon", "note", "not running; start it with: jingbao run")


def _sources(settings: Settings) -> Iterator[Finding]:
    try:
        with open_archive(settings) as archive, archive.read() as tx:
            states, down = [state for state in sources.states(tx).values() if settings.source(state.key)], down_lines(tx)
    except NoArchiveError:
        yield Finding("sources", "note", "none was asked yet")
        return
    except JingbaoError:
        return  # told under database
    troubled = [state for state in states if state.standing.is_trouble]
    failing = [state for state in states if state.failures]
    asked = [state for state in states if state.last_run]
    if down:
        lines = ", ".join(f"{line}, since {since:%Y-%m-%d %H:%M} UTC" for line, since in down.items())
        yield Finding("sources", "fault", f"nothing answers by way of {lines}; no source is charged for it")
    elif asked and len(failing) == len(asked):
        reason = failing[0].last_error
        what = f"none of the {len(asked)} asked answered; the network or network.proxy? ({reason})"
        yield Finding("sources", "fault", what)
    elif troubled:
        names = ", ".join(f"{state.key} ({state.standing})" for state in troubled[:8])
        yield Finding("sources", "note", f"{len(troubled)} of {len(asked)} asked need a look: {names}; see jingbao sources")
    elif failing:
        names = ", ".join(state.key for state in failing[:8]) + (" …" if len(failing) > 8 else "")
        what = f"{len(failing)} of {len(asked)} asked gave nothing the last time: {names}; jingbao first-light says why"
        yield Finding("sources", "note", what)
    else:
        yield Finding("sources", "ok", f"{len(asked)} asked, none needs a look" if asked else "none was asked yet")


def _mail(settings: Settings) -> Iterator[Finding]:
    for name, path in secret_files(settings.config).items():
        if path.exists() and open_to_others(path):
            yield Finding("secrets", "note", f"{path} ({name}) can be read by every user of this machine: chmod 600 {path}")
    transport, way = transport_of(settings.config), way_of(settings.config)
    if not isinstance(transport, SmtpTransport):
        yield Finding("mail", "note", f"goes by {way}; to try it: jingbao test-email")
        return
    try:
        asyncio.run(transport.greet())
    except SendError as error:
        yield Finding("mail", "fault", str(error))
        return
    yield Finding("mail", "ok", f"{way} answers" + (" and takes the sign-in" if transport.config.user else ""))


def _contact(settings: Settings) -> Iterator[Finding]:
    if not settings.config.network.contact:
        what = "network.contact is empty: sites cannot reach you if something is wrong; give a mail address or a page"
        yield Finding("manners", "note", what)
