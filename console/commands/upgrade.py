"""`jingbao upgrade`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from console.commands.options import json_option
from console.settings import Settings, load_settings
from console.terminal import clean, counted, print_json, talk
from console.workshop import database_file, open_archive, renew_archive
from core.errors import OlderArchiveError
from storage.handover import archive_alone
from storage.renewal import Upgraded

HELP = """\
Bring the archive of an older version up to date: a backup first, into the data folder, then the changes, all or none. The
daemon does the same when it starts; a running one waits meanwhile.

\b
Examples:
  jingbao upgrade
  jingbao upgrade --json
"""


@click.command(help=HELP)
@click.option("--no-backup", is_flag=True, help="You have made a backup yourself.")
@json_option
@click.pass_obj
def command(config_path: Path | None, no_backup: bool, as_json: bool) -> int:
    """Upgrade the archive, if there is something to do."""
    settings = load_settings(config_path)
    done = _upgraded(settings, backup=not no_backup)
    if as_json:
        print_json(done and asdict(done) | {"backup": done.backup and str(done.backup)})
    elif done is None:
        talk.print("The archive is up to date; nothing was done.")
    else:
        kept = f" The backup is {done.backup}; remove it when you no longer want it." if done.backup else ""
        articles = counted(done.rows.get("article", 0), "article")
        told = f"Upgraded the archive's tables from {done.before} to {done.after}: {articles}, no row is missing.{kept}"
        talk.print(clean(told), markup=False, soft_wrap=True)
    return 0


def _upgraded(settings: Settings, *, backup: bool) -> Upgraded | None:
    try:
        open_archive(settings).close()
    except OlderArchiveError:
        with archive_alone(settings.config.database_url, database_file(settings), settings.clock.now()):
            return renew_archive(settings, backup=backup)
    return None  # no reason to interrupt a daemon
