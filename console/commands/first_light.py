"""`jingbao first-light`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from alerts.desk import Desk
from alerts.first_light import FirstLight
from alerts.first_light_mail import shown_on_terminal
from console.commands.options import json_option
from console.first_hour import NOBODY, first_light
from console.settings import Settings, load_settings
from console.terminal import out, plain, print_json
from console.workshop import open_archive
from core.config import Reader

HELP = """\
Show first light as things are now: which sources answer, what is covered most, what each rule found in the last seven days,
what comes next. The mail of the first hour said the same, as things were then.

\b
Examples:
  jingbao first-light
  jingbao first-light --reader ann
  jingbao first-light --json | jq '.sources.silent'
"""


@click.command(help=HELP)
@click.option("--reader", "key", metavar="KEY", default="", help="For this reader; the first one if not given.")
@json_option
@click.pass_obj
def command(config_path: Path | None, key: str, as_json: bool) -> int:
    """Print it."""
    settings = load_settings(config_path)
    reader = _reader(settings, key)
    desk = Desk.of(settings.config, settings.watchlist)
    with open_archive(settings) as archive, archive.read() as tx:
        light = first_light(tx, settings, desk, reader, settings.clock.now())
    if as_json:
        print_json(_record(light))
    else:
        for line in shown_on_terminal(light).splitlines():
            out.print(plain(line), soft_wrap=True)
    return 0


def _reader(settings: Settings, key: str) -> Reader:
    """The reader of this key. Raises a usage error if there is none."""
    readers = {reader.key: reader for reader in settings.config.readers}
    if key and key not in readers:
        raise click.UsageError(f'there is no reader "{key}"; there is: {", ".join(readers) or "none"}')
    return readers[key] if key else next(iter(readers.values()), NOBODY)


def _record(light: FirstLight) -> dict[str, Any]:
    round_ = light.round
    return {
        "reader": light.reader.key,
        "now": light.created,
        "sources": {
            "on_and_in_reach": round_.asked,
            "answered": round_.answered,
            "pending": round_.pending,
            "silent": {str(each.trouble): each.names for each in round_.silences},
            "location": round_.location,
            "out_of_reach": round_.out_of_reach,
        },
        "articles": dict(light.articles),
        "most_covered": [
            {"concept": each.entity, "name": each.name, "articles": dict(each.articles), "outlets": each.outlets}
            for each in light.covered
        ],
        "rules": [
            {
                "name": each.rule,
                "stories": {str(state): count for state, count in each.stories.items()},
                "headlines": [{"id": item.article_id, "title": item.title_text, "url": item.link} for item in each.headlines],
                "next": each.next,
            }
            for each in light.outlooks
        ],
    }
