"""`jingbao config`: check it, show it, give its schema."""

from __future__ import annotations

import os
from pathlib import Path

import click
import yaml
from pydantic import BaseModel

from console.commands.options import json_option
from console.settings import load_settings
from console.terminal import out, plain, print_json
from core.config import Config
from core.configuration_file import ENVIRONMENT_PREFIX
from core.errors import ConfigError
from core.redaction import secret_files, secret_names, shown


@click.group(help="Check config.yaml, show what is in force, or print its schema for editors.")
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


@command.command(
    help="""\
Show the whole configuration in force: the file's values, those of the environment, and the defaults of everything else.
Secrets are left out. With --json each value that is not the default is listed under "set" with where it comes from.

\b
Examples:
  jingbao config show
  jingbao config show --json
"""
)
@json_option
@click.pass_obj
def show(config_path: Path | None, as_json: bool) -> int:
    """Print it."""
    settings = load_settings(config_path)
    values, secrets = shown(settings.config), _secrets(settings.config)
    if as_json:
        print_json({"file": str(settings.path), "config": values, "set": _set(settings.config), "secrets": secrets})
        return 0
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=120)
    out.print(plain(f"# {settings.path}, with every default filled in"), soft_wrap=True)
    out.print(plain(text.rstrip()), soft_wrap=True)
    for name, place in secrets.items():
        out.print(plain(f"# the secret {name}: {place}"), soft_wrap=True)
    return 0


def _secrets(config: Config) -> dict[str, str]:
    """Where each secret is found, by name."""
    files = secret_files(config)
    return {
        name: "in the environment" if os.environ.get(name) else str(files.get(name, "not set")) for name in secret_names(config)
    }


def _set(config: Config) -> dict[str, str]:
    """The keys of the first two levels that are not left to their defaults, and what set each: the file or a variable."""
    found: dict[str, str] = {}
    usual = Config()
    for section in sorted(config.model_fields_set):
        inner, default = getattr(config, section), getattr(usual, section)
        keys = sorted(inner.model_fields_set) if isinstance(inner, BaseModel) else [""]
        changed = (key for key in keys if not key or getattr(inner, key) != getattr(default, key))
        for path in (f"{section}.{key}".rstrip(".") for key in changed):
            variable = ENVIRONMENT_PREFIX + path.upper().replace(".", "__")
            held = [name for name in os.environ if name == variable or name.startswith(variable + "__")]
            found[path] = ", ".join(sorted(held)) or "file"
    return found


@command.command(
    help="""\
Print the JSON Schema of config.yaml, for editors that complete and check as you type.

\b
Examples:
  jingbao config schema > config.schema.json
"""
)
def schema() -> int:
    """Print it."""
    print_json(Config.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "config.yaml"})
    return 0
