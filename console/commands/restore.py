"""`jingbao restore FILE`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from console.commands.options import json_option
from console.settings import load_settings
from console.terminal import clean, counted, print_json, talk
from console.workshop import archive_name, database_file
from storage.handover import archive_alone
from storage.restoring import Restored, restore

HELP = """\
Put a backup in the place of the archive. The archive that is there is kept beside it under another name. A running daemon ends
what is under way, waits, and goes on with the restored archive.

Nobody is told a story twice: what was mailed since the backup was made is carried over from the present archive. Where that is
damaged or gone, nobody knows; then what may have been mailed is kept and not mailed, and listed here.

\b
Examples:
  jingbao restore /mnt/backup/jingbao.sqlite3
  jingbao restore /mnt/backup/jingbao.sqlite3 --yes     without asking
"""
_SHOWN = 20


@click.command(help=HELP)
@click.argument("backup", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def command(config_path: Path | None, backup: Path, yes: bool, as_json: bool) -> int:
    """Restore a backup."""
    settings = load_settings(config_path)
    database, now = database_file(settings), settings.clock.now()
    if not yes:
        click.confirm(f"Put {backup} in the place of {archive_name(settings)}?", abort=True, err=True)
    url = settings.config.database_url
    with archive_alone(url, database, now):
        done = restore(url, backup, now, settings.config.data_dir / "backups")
    if as_json:
        print_json(_record(done))
    else:
        for line in _lines(done):
            talk.print(clean(line), markup=False, soft_wrap=True)
    return 0


def _record(done: Restored) -> dict[str, Any]:
    return {
        "backup": str(done.backup.path),
        "rows": dict(done.backup.rows),
        "aside": done.aside and str(done.aside),
        "carried": done.carried and asdict(done.carried),
        "held": done.held and asdict(done.held),
    }


def _lines(done: Restored) -> Iterator[str]:
    yield f"Restored {done.backup.path}: {counted(done.backup.rows.get('article', 0), 'article')}."
    if done.aside:
        yield f"The archive that was there is now {done.aside}; remove it when you no longer want it."
    if done.carried:
        told = done.carried
        yield (
            f"Carried over, so that nobody is told twice: {counted(told.messages, 'mail')}, "
            f"{counted(told.matches, 'match', 'matches')}, {counted(told.articles, 'article')}."
        )
    if done.held:
        held = done.held
        yield "What was mailed after this backup was made is not known. So these are kept, and not mailed:"
        yield from _named(counted(len(held.subjects), "mail that waited", "mails that waited"), held.subjects)
        to_mail = counted(len(held.titles), "article that was to be mailed", "articles that were to be mailed")
        yield from _named(to_mail, held.titles)
        yield f"  {counted(held.unmatched, 'article')} not yet held against the rules"
        yield "  and, of each source, all that its next good collection brings; after that it is as usual again."


def _named(what: str, names: tuple[str, ...]) -> Iterator[str]:
    yield f"  {what}"
    yield from (f"    {name}" for name in names[:_SHOWN])
    if len(names) > _SHOWN:
        yield f"    and {len(names) - _SHOWN} more (all with --json)"
