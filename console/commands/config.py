"""`jingbao config check`."""

from __future__ import annotations

from pathlib import Path

import click

from console.commands.options import json_option
from console.settings import load_settings
from console.terminal import out, plain, print_json
from core.errors import ConfigError


@click.group(help="Check config.yaml.")
def command() -> None:
    """The group."""


@command.command(
    help="""\
Read config.yaml as the daemon would, and tell every fault: file, line, key, what was expected. Exit code 78 if there is one.

\b
Examples:
  jingbao config check
  jingbao --config other.yaml config check --json
"""
)
@json_option
@click.pass_obj
def check(config_path: Path | None, as_json: bool) -> int:
    """Tell that the configuration is sound, or raise with its faults."""
    try:
        settings = load_settings(config_path)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"sound": False, "problems": error.problems})
        return error.exit_code
    on = [rule for rule in settings.config.rules if rule.enabled]
    told = {
        "sound": True,
        "file": str(settings.path),
        "sources": len(settings.sources),
        "readers": len(settings.config.readers),
        "rules_on": len(on),
        "rules_off": len(settings.config.rules) - len(on),
        "notes": settings.notes,
    }
    if as_json:
        print_json(told)
    else:
        out.print(
            f"{settings.path} is sound. Sources on: {len(settings.sources)}; readers: {told['readers']}; "
            f"rules on: {len(on)}, ready but off: {told['rules_off']}.",
            soft_wrap=True,
        )
        for note in settings.notes:
            out.print(plain(f"Note: {note}.", "yellow"), soft_wrap=True)
    return 0
