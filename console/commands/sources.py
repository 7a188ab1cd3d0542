"""`jingbao sources`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.table import Table

from console.commands.options import json_option
from console.settings import Settings, load_settings
from console.terminal import counted, local, out, plain, print_json, typed_column
from console.workshop import ask_archive
from core.source import Source
from storage import sources
from storage.archive import Transaction
from storage.sources import Run, SourceState

HELP = """\
List the sources that are on and how each is doing; with --all those of the catalogue that are off, too.

\b
Examples:
  jingbao sources
  jingbao sources --all
  jingbao sources --json | jq '.[] | select(.last_error != "")'
"""


@click.command(help=HELP)
@click.option("--all", "show_all", is_flag=True, help="Also what the catalogue has and is off.")
@json_option
@click.pass_obj
def command(config_path: Path | None, show_all: bool, as_json: bool) -> int:
    """Print the list."""
    settings = load_settings(config_path)
    states = ask_archive(settings, sources.states, dict[str, SourceState])
    runs = ask_archive(settings, lambda tx: _last_runs(tx, settings), dict[str, Run])
    rows = [_record(source, states.get(source.key), runs.get(source.key)) for source in settings.sources]
    if show_all:
        on = {source.key for source in settings.sources}
        rows += [_record(source, None, None, on=False) for source in settings.catalogue.sources("all") if source.key not in on]
    if as_json:
        print_json(rows)
    else:
        out.print(_table(settings, rows))
        out.print(f"{counted(len(rows), 'source')}. Turn one on or off under sources: in {settings.path}.", soft_wrap=True)
    return 0


def _last_runs(tx: Transaction, settings: Settings) -> dict[str, Run]:
    found = {source.key: sources.last_runs(tx, source.key, 1) for source in settings.sources}
    return {key: runs[0] for key, runs in found.items() if runs}


def _record(source: Source, state: SourceState | None, run: Run | None, *, on: bool = True) -> dict[str, Any]:
    return {
        "key": source.key,
        "name": source.name,
        "on": on,
        "kind": str(source.kind),
        "language": source.language,
        "scope": str(source.scope),
        "url": source.url,
        "interval_minutes": source.interval_minutes,
        "reach": str(source.reach),
        "last_run": state.last_run if state else None,
        "last_good": state.last_good if state else None,
        "last_new": state.last_new if state else None,
        "next_due": state.next_due if state else None,
        "failures": state.failures if state else 0,
        "last_error": state.last_error if state else "",
        "last_counts": dict(run.counts) if run else {},
    }


def _table(settings: Settings, rows: list[dict[str, Any]]) -> Table:
    table = Table(typed_column("key"), "kind", "", "last answer", "last new", "how it is", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row["key"],
            row["kind"],
            row["language"],
            _moment(settings, row["last_good"]),
            _moment(settings, row["last_new"]),
            plain(_condition(row)),
        )
    return table


def _moment(settings: Settings, at: Any) -> str:
    return local(at, settings.zone) if at else "–"


def _condition(row: dict[str, Any]) -> str:
    if not row["on"]:
        return "off"
    if row["failures"]:
        times = "once" if row["failures"] == 1 else f"{row['failures']} times in a row"
        return f"failed {times}: {row['last_error']}"
    return "ok" if row["last_good"] else "not asked yet"
