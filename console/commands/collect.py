"""`jingbao collect [SOURCE…]`: one pass, now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from console.commands.options import json_option
from console.settings import Settings, load_settings
from console.terminal import out, plain, print_json, talk, typed_column
from console.workshop import Workshop, begin_archive, workshop
from core.configuration_file import nearest
from core.errors import JingbaoError, NotFoundError
from core.log import log_to, values
from core.outcomes import Outcome
from core.source import Source
from crawler.collect import RunReport
from storage import sources

log = logging.getLogger("jingbao.console")

HELP = """\
Collect all sources once, or the ones named, whether due or not. New articles are kept; the daemon matches and mails them.

\b
Examples:
  jingbao collect
  jingbao collect qbitai scmp-tech --json
"""


@click.command(help=HELP)
@click.argument("keys", nargs=-1, metavar="[SOURCE]...")
@json_option
@click.pass_obj
def command(config_path: Path | None, keys: Sequence[str], as_json: bool) -> int:
    """Collect, then tell each source's result; 1 if none gave anything. A source's bug is told with it and in the log."""
    settings = load_settings(config_path)
    if not talk.is_terminal:
        log_to()
    chosen = [_source(settings, key) for key in keys] or list(settings.sources)
    reports = asyncio.run(_collect(settings, chosen))
    if as_json:
        print_json([asdict(report) for report in reports])
    else:
        out.print(_table(reports))
    return 0 if any(report.result in {"ok", "unchanged"} for report in reports) else 1


def _source(settings: Settings, key: str) -> Source:
    source = settings.source(key)
    if source is None:
        hint = nearest(key, [each.key for each in settings.sources])
        raise NotFoundError(f'No source that is on has the key "{key}".{hint} `jingbao sources` lists them.')
    return source


async def _collect(settings: Settings, chosen: Sequence[Source]) -> list[RunReport]:
    with await asyncio.to_thread(begin_archive, settings) as archive:
        now = settings.clock.now()
        await archive.writing(lambda tx: sources.ensure(tx, [source.key for source in settings.sources], now))
        free = asyncio.Semaphore(settings.config.collection.sources_at_once)
        async with workshop(settings, archive) as work:

            async def one(source: Source) -> RunReport:
                async with free:
                    return await _collect_one(work, source)

            return list(await asyncio.gather(*(one(source) for source in chosen)))


async def _collect_one(work: Workshop, source: Source) -> RunReport:
    try:
        return await work.collector.collect(source)
    except JingbaoError:
        raise
    except Exception:
        log.exception("collecting a source failed; please report the lines below", extra=values(source=source.key))
        return RunReport(source.key, str(Outcome.FAILED), 0, {}, "a bug; see the log")


def _table(reports: Sequence[RunReport]) -> Table:
    table = Table(typed_column("source"), "result", "seen", "what became of them", box=None, pad_edge=False)
    for report in reports:
        told = ", ".join(f"{count} {outcome}" for outcome, count in report.counts.items()) or report.detail
        table.add_row(report.source, report.result, str(report.seen), plain(told))
    return table
