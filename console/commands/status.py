"""`jingbao status`."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from alerts.trying import way_of
from console.commands.options import Span, json_option
from console.disk_report import DiskReport, disk_report
from console.settings import VERSION, Settings, load_settings
from console.terminal import counted, local, out, plain, print_json
from console.troubles import collect_troubles
from console.workshop import daemon_at_work, open_archive
from core.outcomes import Outcome
from core.standing import Standing
from crawler.dispatch import down_lines
from crawler.standpoint import standpoint
from scheduler.heartbeat import Heartbeat, heartbeat_file
from storage import articles, outbox, sources
from storage.archive import Transaction

HELP = """\
Tell how the whole is doing: the daemon, the sources, what the last day brought and what became of it, the mails, the disk.

\b
Examples:
  jingbao status
  jingbao status --json | jq .articles.total
  jingbao status --since 7d
"""


@click.command(help=HELP)
@click.option("--since", type=Span(), default="24h", show_default=True, help="How far back to count.")
@json_option
@click.pass_obj
def command(config_path: Path | None, since: timedelta, as_json: bool) -> int:
    """Print the state."""
    settings = load_settings(config_path)
    with open_archive(settings) as archive:
        size = archive.size()
        with archive.read() as tx:
            told, disk = _told(settings, tx, since), disk_report(settings, tx, size)
    if as_json:
        print_json(told | {"disk": disk.record()})
    else:
        _print(settings, told, disk)
    return 0


def _told(settings: Settings, tx: Transaction, since: timedelta) -> dict[str, Any]:
    now = settings.clock.now()
    on = {source.key for source in settings.sources}
    counted_from = max(now - since, sources.runs_kept_from(tx) or now)
    states = [state for state in sources.states(tx).values() if state.key in on]
    standings_now = Counter(state.standing for state in states)
    return {
        "version": VERSION,
        "now": now,
        "daemon": daemon_at_work(settings),
        "heartbeat": _heartbeat(settings),
        "sources": {
            "on": len(settings.sources),
            "answered": sum(state.last_good is not None and not state.failures for state in states),
            "failing": {state.key: state.last_error for state in states if state.failures},
            "standing": {str(each): count for each in Standing if (count := standings_now[each])},
            "troubles": {
                state.key: {"standing": state.standing, "reason": state.standing_reason, "since": state.standing_since}
                for state in states
                if state.standing.is_trouble
            },
            "due": sum(state.next_due <= now for state in states),
            "offline_since": down_lines(tx),
        },
        "troubles": [
            {"subject": each.subject, "text": each.text, "since": each.since} for each in collect_troubles(settings, tx, now)
        ],
        "place": _place(settings, tx),
        "articles": {
            "total": articles.count(tx),
            "by_language": articles.counts_by_language(tx),
            "newest": [{"id": each.id, "title": each.title, "outlet": each.outlet} for each in articles.newest(tx, 5)],
        },
        "outcomes": _outcomes(tx, counted_from) | {"since": counted_from},
        "mail": _mail(settings, tx),
    }


def _heartbeat(settings: Settings) -> dict[str, Any] | None:
    """What this machine's daemon last told of itself; None if none is at work here."""
    heartbeat = Heartbeat.read(heartbeat_file(settings.config.data_dir))
    return {**asdict(heartbeat), "age_seconds": heartbeat.age_seconds, "trouble": heartbeat.trouble} if heartbeat else None


def _place(settings: Settings, tx: Transaction) -> dict[str, Any]:
    """Where the machine is, as configured or found out, and what is out of reach from there."""
    place = standpoint(tx)
    return {
        "location": str(place.location),
        "found_out": settings.config.location == "auto",
        "since": place.since,
        "out_of_reach": sorted(place.unreachable),
    }


def _outcomes(tx: Transaction, since: datetime) -> dict[str, Any]:
    """What runs saw and what became of it; `adds_up` is false if an entry was lost on the way."""
    tally = sources.tally(tx, since)
    counts = {str(outcome): tally.counts.get(outcome, 0) for outcome in Outcome}
    return {"runs": tally.runs, "seen": tally.seen, "counts": counts, "adds_up": tally.adds_up}


def _mail(settings: Settings, tx: Transaction) -> dict[str, Any]:
    pause = outbox.pause(tx)
    newest, lost = outbox.latest_messages(tx, 1), outbox.latest_messages(tx, 5, outbox.LOST_MESSAGES)
    return {
        "goes_to": way_of(settings.config),
        "messages": outbox.message_counts(tx),
        "paused": pause.reason if pause else None,
        "not_delivered": [
            {"subject": each.subject, "address": each.address, "state": each.state, "why": each.last_error} for each in lost
        ],
        "newest": {"subject": newest[0].subject, "reader": newest[0].reader, "state": newest[0].state} if newest else None,
    }


def _told_place(settings: Settings, place: dict[str, Any]) -> str:
    if place["location"] == "unknown":
        return "not known yet; found out from which sources answer (or set location in config.yaml)"
    side = "the mainland" if place["location"] == "mainland" else "outside the mainland"
    how = f"found out {local(place['since'], settings.zone)}" if place["found_out"] and place["since"] else "as configured"
    out_of_reach = len(place["out_of_reach"])
    return f"{side} ({how}); {counted(out_of_reach, 'source')} out of reach from here, asked once a week"


def _print(settings: Settings, told: dict[str, Any], disk: DiskReport) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("daemon", plain(told["daemon"] or "not running (start it with: jingbao run)"))
    counts = ", ".join(f"{count} {standing}" for standing, count in told["sources"]["standing"].items())
    table.add_row("sources", f"{told['sources']['on']} on: {counts or 'none was asked yet'}")
    for trouble in told["troubles"]:
        since = local(trouble["since"], settings.zone)
        table.add_row("", plain(f"{trouble['subject']} (since {since}): {trouble['text']}", "bold yellow"))
    table.add_row("place", _told_place(settings, told["place"]))
    languages = ", ".join(f"{count} {language}" for language, count in told["articles"]["by_language"].items())
    table.add_row("articles", f"{told['articles']['total']} ({languages or 'none yet'})")
    lately = told["outcomes"]
    became = ", ".join(f"{count} {name}" for name, count in lately["counts"].items() if count)
    since = local(lately["since"], settings.zone)
    table.add_row(f"since {since}", f"{lately['seen']} seen in {counted(lately['runs'], 'run')}: {became or 'nothing yet'}")
    mail = told["mail"]
    counts = ", ".join(f"{count} {state}" for state, count in mail["messages"].items()) or "none yet"
    table.add_row("mails", plain(f"{counts}; they go to {mail['goes_to']}"))
    if mail["paused"]:
        table.add_row("", plain(f"paused: {mail['paused']}", "bold yellow"))
    for lost in mail["not_delivered"]:
        table.add_row("", plain(f"not delivered to {lost['address']}: {lost['subject']} ({lost['why']})", "yellow"))
    for number, line in enumerate(disk.lines(settings.zone)):
        table.add_row("" if number else "disk", plain(line, "bold yellow" if number == 2 and disk.short else ""))
    out.print(table)
    for key, trouble in told["sources"]["troubles"].items():
        since = local(trouble["since"], settings.zone)
        out.print(plain(f"  {key}: {trouble['standing']} since {since}: {trouble['reason']}", "yellow"), soft_wrap=True)
    for article in told["articles"]["newest"]:
        out.print(plain(f"  {article['id']:>6}  {article['title']}  ({article['outlet']})"), soft_wrap=True)
    out.print(plain(f"as of {local(told['now'], settings.zone)} ({settings.zone.key})", "dim"))
