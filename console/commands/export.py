"""`jingbao export QUERY`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TextIO

import click

from console.commands.options import QueryCommand
from console.records import write_csv, write_jsonl
from console.settings import load_settings
from console.terminal import clean, counted, data_out, talk
from console.workshop import open_archive
from core.article import Article
from lexicon.query import parse
from storage.search.searching import iterate

HELP = """\
Write every article a query finds, newest first, as JSON lines (exact) or CSV (for spreadsheets: a cell that a spreadsheet
would run as a formula gets a leading ' ). To stdout, or whole to a file.

\b
Examples:
  jingbao export '@export-controls since:30d' --format csv --out controls.csv
  jingbao export 'lang:zh 人形机器人' --format jsonl | jq .title
"""
Writer = Callable[[Iterable[Article], TextIO], int]
WRITERS: dict[str, Writer] = {"jsonl": write_jsonl, "csv": write_csv}


@click.command(help=HELP, cls=QueryCommand)
@click.argument("query")
@click.option("--format", "shape", type=click.Choice(list(WRITERS)), default="jsonl", show_default=True)
@click.option("--out", "target", type=click.Path(path_type=Path, dir_okay=False), help="A file; it appears when it is whole.")
@click.pass_obj
def command(config_path: Path | None, query: str, shape: str, target: Path | None) -> int:
    """Write the articles; 3 if there are none."""
    if target is not None and (target.name == "" or not target.parent.is_dir()):
        raise click.BadParameter(f"{str(target)!r}: expected a file in a folder that is there", param_hint="--out")
    settings = load_settings(config_path)
    parsed = parse(query, settings.watchlist)
    with open_archive(settings) as archive, archive.read() as tx:
        found = iterate(tx, parsed, settings.clock.now())
        if target is None:
            count = WRITERS[shape](found, data_out())
        else:
            count = write_whole(target, lambda file: WRITERS[shape](found, file))
    talk.print(clean(counted(count, "article") + (f" in {target}" if target else "")), markup=False, soft_wrap=True)
    return 0 if count else 3


def write_whole(target: Path, write: Callable[[TextIO], int]) -> int:
    """Write a file that is either whole or not there, and give what `write` gives."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            count = write(file)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return count
