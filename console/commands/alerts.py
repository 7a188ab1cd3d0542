"""`jingbao alerts` and `jingbao alerts test`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click
from rich.table import Table

from alerts.desk import Desk
from alerts.trial import Trial, rule_of, trial
from console.commands.explain import WHY
from console.commands.options import QueryCommand, Span, json_option
from console.records import moment
from console.settings import Settings, load_settings
from console.terminal import clean, counted, local, out, plain, print_json, talk, typed_column
from console.workshop import ask_archive, open_archive
from core.configuration_file import nearest
from lexicon.query import parse
from storage import outbox
from storage.search.searching import iterate

HELP = """\
List the alert rules of config.yaml: when they speak, to whom, and what they found in the last week.

\b
Examples:
  jingbao alerts
  jingbao alerts test export-controls --since 30d
  jingbao alerts test '@deepseek (price OR 价格)' --since 7d
"""
TEST_HELP = """\
Tell what a rule (by its name) or any query would have mailed, in which mails, and why. Nothing is mailed.

\b
Examples:
  jingbao alerts test export-controls --since 30d
  jingbao alerts test '人形机器人 lang:zh' --since 7d --when 'daily 08:00'
"""
WEEK = timedelta(days=7)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@click.group(help=HELP, invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> int | None:
    """List the rules, unless a sub-command follows."""
    if context.invoked_subcommand is not None:
        return None
    settings = load_settings(context.obj)
    since = settings.clock.now() - WEEK
    counts = ask_archive(settings, lambda tx: outbox.match_counts(tx, since), dict[tuple[str, str], int])
    rules = [_rule_record(settings, number, counts) for number in range(len(settings.config.rules))]
    if as_json:
        print_json(rules)
        return 0
    table = Table(typed_column("rule"), "", "when", "to", "last 7 days", "measured", box=None, pad_edge=False)
    for rule in rules:
        found = ", ".join(f"{count} {state}" for state, count in rule["matches_7_days"].items()) or "–"
        state = "on" if rule["on"] else "off"
        table.add_row(plain(rule["name"]), state, rule["when"], ", ".join(rule["readers"]), found, plain(rule["volume"]))
    out.print(table)
    return 0


def _rule_record(settings: Settings, number: int, counts: dict[tuple[str, str], int]) -> dict[str, Any]:
    rule = settings.config.rules[number]
    return {
        "name": rule.name,
        "title": rule.title,
        "query": rule.query,
        "on": rule.enabled,
        "when": str(rule.when),
        "readers": list(rule.readers) or [reader.key for reader in settings.config.readers],
        "volume": rule.volume,
        "matches_7_days": {state: count for (name, state), count in counts.items() if name == rule.name},
    }


@command.command(help=TEST_HELP, cls=QueryCommand)
@click.argument("name_or_query", metavar="QUERY|NAME")
@click.option("--since", type=Span(), default="30d", show_default=True, help="How far back to play.")
@click.option("--when", help="The schedule a query is played with (now, if not given); a rule has its own.")
@json_option
@click.pass_context
def test(context: click.Context, name_or_query: str, since: timedelta, when: str | None, as_json: bool) -> int:
    """Play the rule over the past; 3 if it would have mailed nothing."""
    settings = load_settings(context.obj)
    as_json = as_json or bool(context.parent and context.parent.params["as_json"])  # `alerts --json test X`
    now = settings.clock.now()
    desk = Desk.of(settings.config, settings.watchlist)
    names = [rule.name for rule in settings.config.rules]
    if when is not None and name_or_query in names:
        raise click.BadParameter(f"the rule {name_or_query} has its own schedule", param_hint="--when")
    if name_or_query not in names and _NAME.fullmatch(name_or_query):
        told = f'No rule is called "{name_or_query}", so it is read as a query.{nearest(name_or_query, names)}'
        talk.print(clean(told), markup=False, soft_wrap=True)
    try:
        rule = rule_of(desk, name_or_query, when or "now")
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--when") from error
    with open_archive(settings) as archive, archive.read() as tx:
        played = trial(desk, rule, iterate(tx, parse(rule.query, settings.watchlist), now), now - since, now)
    if as_json:
        print_json(_trial_record(played))
    else:
        _print(settings, played)
    return 0 if played.mails else 3


def _trial_record(played: Trial) -> dict[str, Any]:
    return {
        "rule": played.rule.name,
        "query": played.rule.query,
        "reader": played.reader.key,
        "mails": [
            {
                "at": moment(mail.at),
                "kind": mail.kind,
                "items": [
                    {
                        "id": item.article.id,
                        "title": item.article.title,
                        "outlet": item.article.outlet,
                        "found": list(item.found),
                        "copies": item.copies,
                    }
                    for item in mail.items
                ],
            }
            for mail in played.mails
        ],
        "not_mailed": [{"id": each.article.id, "title": each.article.title, "why": str(each.state)} for each in played.unsent],
    }


def _print(settings: Settings, played: Trial) -> None:
    zone = settings.zone
    for mail in played.mails:
        out.print(plain(f"{local(mail.at, zone)}  {mail.kind}, {counted(len(mail.items), 'story', 'stories')}", "bold"))
        for item in mail.items:
            found = f"  [{', '.join(item.found)}]" if item.found else ""
            also = f"  (+{counted(item.copies, 'copy', 'copies')})" if item.copies else ""
            out.print(
                plain(f"  {item.article.id:>6}  {item.article.title}  ({item.article.outlet}){found}{also}"), soft_wrap=True
            )
    for each in played.unsent:
        told = f"  {each.article.id:>6}  {each.article.title}  ({each.article.outlet}): {WHY[each.state]}"
        out.print(plain(told, "dim"), soft_wrap=True)
    stories = sum(len(mail.items) for mail in played.mails)
    mails = f"{counted(len(played.mails), 'mail')} with {counted(stories, 'story', 'stories')}"
    talk.print(f"{mails}; {counted(len(played.unsent), 'match', 'matches')} not mailed.")
