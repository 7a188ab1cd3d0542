"""`jingbao archive copy`: carry the archive over into another database."""

from __future__ import annotations

from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from console.commands.options import json_option
from console.settings import load_settings
from console.terminal import clean, counted, print_json, talk
from console.workshop import open_archive
from core.secrets import keep_hidden, password_of
from storage.archive import Archive
from storage.copying import copy_archive

COPY_HELP = """\
Carry the whole archive over into another database: SQLite into PostgreSQL, or back. At the end every table is held against
the original, and only then the copy counts. Interrupted, the same command goes on where it ended.

\b
The copy is the archive of the moment it began. The daemon may run meanwhile, but what it collects then is not in the copy:
to move for good, stop it first, copy, set storage.url to the new place, start it again. Raw pages stay where they are.

\b
Examples:
  jingbao archive copy --to postgresql://jingbao:SECRET@localhost/jingbao
  JINGBAO_COPY_TO=postgresql://… jingbao archive copy     keeps the password out of the list of processes
  jingbao archive copy --to sqlite:////mnt/spare/jingbao.sqlite3
"""


@click.group(help="Work on the archive as a whole.")
def command() -> None:
    """The group."""


@command.command(help=COPY_HELP)
@click.option("--to", "url", required=True, envvar="JINGBAO_COPY_TO", metavar="URL", help="An empty database.")
@json_option
@click.pass_obj
def copy(config_path: Path | None, url: str, as_json: bool) -> int:
    """Copy, and tell what was copied."""
    keep_hidden(password_of(url))
    settings = load_settings(config_path)
    now = settings.clock.now()
    with open_archive(settings) as source, Archive.open(url, now, unfinished=True) as target, _Shown() as shown:
        done = copy_archive(source, target, shown.step)
        name = target.name
    if as_json:
        print_json({"to": name, "rows": done.rows, "hashes": done.hashes, "resumed": done.resumed})
    else:
        rows = counted(sum(done.rows.values()), "row")
        told = f"{name} holds the same: {counted(done.rows['article'], 'article')}, {rows} in all, each table compared."
        talk.print(clean(f"{told} Set storage.url to it and start jingbao again."), markup=False, soft_wrap=True)
    return 0


class _Shown(Progress):
    """A line a table on a terminal; elsewhere nothing."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        super().__init__(*columns, console=talk, transient=True, disable=not talk.is_terminal)
        self._lines: dict[str, TaskID] = {}

    def step(self, name: str, done: int, total: int) -> None:
        """So many rows of a table are done."""
        if name not in self._lines:
            self._lines[name] = self.add_task(name, total=total)
        self.update(self._lines[name], completed=done)
