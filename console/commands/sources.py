"""`jingbao sources`: the list, one source, and pauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from console.commands.options import Span, json_option
from console.settings import Settings, load_settings
from console.terminal import counted, local, out, plain, print_json, talk, typed_column
from console.workshop import ask_archive, begin_archive
from core.configuration_file import nearest
from core.errors import NotFoundError
from core.redaction import masked_url
from core.source import Source
from core.standing import Standing
from crawler.dispatch import down_lines
from storage import sources, standings
from storage.archive import Transaction
from storage.sources import Run, SourceState

HELP = """\
List the sources that are on and how each stands; with a KEY tell all of that one, with its last runs.

\b
How they stand: new, ok, quiet (answers, but nothing new for long), degraded (gives less than it did), blocked (refuses),
out-of-reach (does not answer from here), broken, paused. None is ever given up.

\b
Examples:
  jingbao sources
  jingbao sources --standing broken --standing blocked
  jingbao sources qbitai
  jingbao sources pause qbitai --for 3d
  jingbao sources --all
  jingbao sources --json | jq '.[] | select(.standing != "ok")'
"""
PAUSE_HELP = """\
Leave a source alone, for a time or until it is resumed. A running daemon obeys at once.

\b
Examples:
  jingbao sources pause qbitai
  jingbao sources pause qbitai --for 12h
  jingbao sources pause qbitai --until 2026-12-24
"""
RUNS_SHOWN = 15
MOVED_FOR_GOOD = timedelta(days=2)
_STYLES = {Standing.BROKEN: "red", Standing.BLOCKED: "red", Standing.DEGRADED: "yellow", Standing.QUIET: "yellow"}


class _Keys(click.Group):
    """A group whose sub-commands are `pause` and `resume`; any other word is a source's key."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The sub-command, or `show` for a key."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


@click.group(help=HELP, cls=_Keys, invoke_without_command=True, subcommand_metavar="[KEY | pause KEY | resume KEY]")
@click.option("--all", "show_all", is_flag=True, help="Also what the catalogue has and is off.")
@click.option(
    "--standing", "wanted", multiple=True, type=click.Choice([str(each) for each in Standing]), help="Only those that stand so."
)
@json_option
@click.pass_context
def command(context: click.Context, show_all: bool, wanted: Sequence[str], as_json: bool) -> int | None:
    """Print the list, unless a key or a sub-command follows."""
    if context.invoked_subcommand is not None:
        return None
    settings = load_settings(context.obj)
    states = ask_archive(settings, sources.states, dict[str, SourceState])
    runs = ask_archive(settings, lambda tx: _last_runs(tx, settings), dict[str, Run])
    rows = [_record(source, states.get(source.key), runs.get(source.key)) for source in settings.sources]
    if show_all:
        on = {source.key for source in settings.sources}
        rows += [_record(source, None, None, on=False) for source in settings.catalogue.sources("all") if source.key not in on]
    rows = [row for row in rows if not wanted or (row["on"] and row["standing"] in wanted)]
    if as_json:
        print_json(rows)
        return 0
    out.print(_table(settings, rows))
    counts = Counter(row["standing"] for row in rows if row["on"])
    told = ", ".join(f"{counts[standing]} {standing}" for standing in Standing if counts[standing])
    out.print(f"{counted(len(rows), 'source')}: {told or 'none'}.", soft_wrap=True)
    for line, since in ask_archive(settings, down_lines, dict[str, datetime]).items():
        out.print(plain(f"Offline ({line}) since {local(since, settings.zone)}: no source is charged for it.", "bold yellow"))
    out.print(f"Turn one on or off under sources: in {settings.path}.", soft_wrap=True)
    return 0


@command.command(hidden=True)
@click.argument("key")
@json_option
@click.pass_obj
def show(config_path: Path | None, key: str, as_json: bool) -> int:
    """Tell all of one source."""
    settings = load_settings(config_path)
    source = _source(settings, key)
    state = ask_archive(settings, lambda tx: sources.states(tx).get(key), lambda: None)
    runs = ask_archive(settings, lambda tx: sources.last_runs(tx, key, RUNS_SHOWN), list[Run])
    record = _record(source, state, runs[0] if runs else None) | {"runs": [_run_record(run) for run in runs]}
    if as_json:
        print_json(record)
    else:
        _print(settings, record)
    return 0


@command.command(help=PAUSE_HELP)
@click.argument("key")
@click.option("--for", "span", type=Span(), help="How long, as in 3d.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]), help="When it goes on, in your zone.")
@click.pass_obj
def pause(config_path: Path | None, key: str, span: timedelta | None, until: datetime | None) -> int:
    """Pause one source."""
    if span and until:
        raise click.UsageError("give --for or --until, not both")
    settings = load_settings(config_path)
    source, now = _source(settings, key), settings.clock.now()
    end = now + span if span else until.replace(tzinfo=settings.zone) if until else None
    told = f"until {local(end, settings.zone)}" if end else "until it is resumed"
    with begin_archive(settings) as archive, archive.write() as tx:
        sources.ensure(tx, [source.key], now)
        standings.pause(tx, source.key, now, end, f"by the operator, {told}")
    talk.print(plain(f"{key} is paused {told}. To go on before: jingbao sources resume {key}"), soft_wrap=True)
    return 0


@command.command(help="End a source's pause: it is collected at once.")
@click.argument("key")
@click.pass_obj
def resume(config_path: Path | None, key: str) -> int:
    """Resume one source."""
    settings = load_settings(config_path)
    source, now = _source(settings, key), settings.clock.now()
    with begin_archive(settings) as archive, archive.write() as tx:
        sources.ensure(tx, [source.key], now)
        resumed = standings.resume(tx, source.key, now)
    talk.print(f"{key} is due now." if resumed else f"{key} was not paused.")
    return 0


def _source(settings: Settings, key: str) -> Source:
    source = settings.source(key)
    if source is None:
        hint = nearest(key, [each.key for each in settings.sources])
        raise NotFoundError(f'No source that is on has the key "{key}".{hint} `jingbao sources` lists them.')
    return source


def _last_runs(tx: Transaction, settings: Settings) -> dict[str, Run]:
    found = ((source.key, sources.last_runs(tx, source.key, 1)) for source in settings.sources)
    return {key: runs[0] for key, runs in found if runs}


def _record(source: Source, state: SourceState | None, run: Run | None, *, on: bool = True) -> dict[str, Any]:
    endless = state is not None and state.next_due == sources.FOR_EVER
    return {
        "key": source.key,
        "name": source.name,
        "on": on,
        "standing": str(state.standing if state else Standing.NEW),
        "reason": state.standing_reason if state else "",
        "since": state.standing_since if state else None,
        "kind": str(source.kind),
        "language": source.language,
        "scope": str(source.scope),
        "url": masked_url(source.url),
        "interval_minutes": source.interval_minutes,
        "reach": str(source.reach),
        "last_run": state.last_run if state else None,
        "last_good": state.last_good if state else None,
        "last_new": state.last_new if state else None,
        "next_due": state.next_due if state and not endless else None,
        "failures": state.failures if state else 0,
        "last_error": state.last_error if state else "",
        "last_counts": dict(run.counts) if run else {},
        "moved_to": masked_url(state.moved_to) if state else "",
        "moved_since": state.moved_since if state else None,
        "asked_whole": state is not None and state.validators.lying,
    }


def _run_record(run: Run) -> dict[str, Any]:
    return {
        "started": run.started,
        "finished": run.finished,
        "result": run.result,
        "detail": run.detail,
        "seen": run.seen,
        "counts": dict(run.counts),
        "yields": asdict(run.yields) if run.yields else None,
    }


def _table(settings: Settings, rows: list[dict[str, Any]]) -> Table:
    headings = (typed_column("key"), "kind", "", "standing", "last answer", "last new", "next try", "why")
    table = Table(*headings, box=None, pad_edge=False)
    for row in rows:
        standing = Standing(row["standing"])
        table.add_row(
            row["key"],
            row["kind"],
            row["language"],
            plain(str(standing) if row["on"] else "off", _STYLES.get(standing, "") if row["on"] else "dim"),
            _moment(settings, row["last_good"]),
            _moment(settings, row["last_new"]),
            _moment(settings, row["next_due"]),
            plain(_why(settings, row)),
        )
    return table


def _moment(settings: Settings, at: Any) -> str:
    return local(at, settings.zone) if at else "–"


def _why(settings: Settings, row: dict[str, Any]) -> str:
    if row["reason"]:
        return f"{row['reason']} (since {_moment(settings, row['since'])})"
    if row["failures"]:
        times = "once" if row["failures"] == 1 else f"{row['failures']} times in a row"
        return f"failed {times}: {row['last_error']}"
    return "" if row["last_good"] or not row["on"] else "not asked yet"


def _advice(settings: Settings, record: dict[str, Any]) -> Iterator[str]:
    """What is worth knowing of a source that works."""
    if record["moved_since"] and settings.clock.now() - record["moved_since"] >= MOVED_FOR_GOOD:
        since = _moment(settings, record["moved_since"])
        yield f"since {since} it is redirected for good to {record['moved_to']}: change its address in {settings.path}"
    if record["asked_whole"]:
        yield "its server calls a changed list unchanged (304), so it is asked for the whole list every time"


def _print(settings: Settings, record: dict[str, Any]) -> None:
    grid = Table.grid(padding=(0, 2))
    since = f", since {_moment(settings, record['since'])}" if record["since"] else ""
    grid.add_row("standing", plain(record["standing"] + since, _STYLES.get(Standing(record["standing"]), "")))
    told = ("reason", record["reason"]), ("name", record["name"]), ("address", record["url"])
    for name, value in told:
        if value:
            grid.add_row(name, plain(value))
    for name, field in (("last answer", "last_good"), ("last new", "last_new"), ("next try", "next_due")):
        grid.add_row(name, _moment(settings, record[field]))
    if record["failures"]:
        grid.add_row("failures", plain(f"{record['failures']} in a row; the last: {record['last_error']}"))
    for advice in _advice(settings, record):
        grid.add_row("advice", plain(advice))
    out.print(grid)
    table = Table("run", "result", "seen", "what became of it", box=None, pad_edge=False)
    for run in record["runs"]:
        became = ", ".join(f"{count} {outcome}" for outcome, count in run["counts"].items()) or run["detail"]
        table.add_row(_moment(settings, run["started"]), run["result"], str(run["seen"]), plain(became))
    out.print(table)
