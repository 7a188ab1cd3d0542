"""`jingbao backup FILE`."""

from __future__ import annotations

from pathlib import Path

import click

from console.commands.options import json_option
from console.settings import load_settings
from console.terminal import clean, counted, print_json, talk
from storage.backup import back_up, drop_older

HELP = """\
Write the whole archive, as it is now, to FILE: one SQLite file, looked through before it gets its name. The daemon goes on
meanwhile. A folder instead of FILE gives it a name with the date.

Raw pages and config.yaml are not in it; copy these with any tool.

\b
Examples:
  jingbao backup /mnt/backup/jingbao.sqlite3
  jingbao backup /mnt/backup --keep 14     for cron: one more, and the newest 14 stay
"""


@click.command(help=HELP)
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="With a folder: remove all but the newest N dated backups.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@json_option
@click.pass_obj
def command(config_path: Path | None, target: Path, keep: int | None, force: bool, as_json: bool) -> int:
    """Make a backup."""
    if keep and not target.is_dir():
        raise click.UsageError(f"--keep needs a folder that is there, in the place of {target}")
    settings = load_settings(config_path)
    made = back_up(settings.config.database_url, target, settings.clock.now(), force=force)
    dropped = drop_older(target, keep) if keep else []
    if as_json:
        print_json({"file": str(made.path), "bytes": made.bytes, "rows": made.rows, "removed": [str(each) for each in dropped]})
        return 0
    held = counted(made.rows.get("article", 0), "article")
    told = f"{made.path}: {held}, {made.bytes / 1e6:,.1f} MB, looked through and whole."
    if dropped:
        told += f" Removed: {', '.join(each.name for each in dropped)}."
    talk.print(clean(told), markup=False, soft_wrap=True)
    return 0
