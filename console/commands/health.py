"""`jingbao health`: is the daemon at work? For a container's HEALTHCHECK, scripts and monitors, so it imports almost nothing.

Of config.yaml it reads `data_dir` alone: a file somebody is just editing says nothing about a daemon that runs on the old one.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import click
import yaml

from console.place import config_file
from core.errors import ConfigError
from scheduler.heartbeat import Heartbeat, heartbeat_file

HELP = """\
Tell whether the daemon is at work: it runs, gave a sign of life in the last minute, and its event loop is in time.
Exit code 0 if so, else 1 with a line that says why not. To be asked on the daemon's machine, or in its container.

\b
Examples:
  jingbao health
  jingbao health --json
"""


@click.command(help=HELP)
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for programs.")
@click.pass_obj
def command(config_path: Path | None, as_json: bool) -> int:
    """Tell how the daemon is; gives the exit code."""
    file = heartbeat_file(_data_folder(config_file(config_path)))
    heartbeat = Heartbeat.read(file)
    trouble = heartbeat.trouble if heartbeat else f"no daemon is at work: there is no {file} that this user can read"
    if as_json:
        click.echo(json.dumps({"trouble": trouble, "heartbeat": asdict(heartbeat) if heartbeat else None}, ensure_ascii=False))
    elif trouble:
        click.echo(trouble, err=True)
    elif heartbeat:
        click.echo(_well(heartbeat))
    return 1 if trouble else 0


def _well(heartbeat: Heartbeat) -> str:
    collecting = f"collecting {', '.join(heartbeat.collecting)}" if heartbeat.collecting else "collecting nothing just now"
    lag = f"loop lag p99 {heartbeat.lag.p99 * 1000:.0f} ms"
    return f"process {heartbeat.pid} is {heartbeat.phase}: {heartbeat.word or 'all is well'}; {collecting}; {lag}"


def _data_folder(config: Path) -> Path:
    """`data_dir` as core/configuration_file.py reads it, without looking at anything else. Raises ConfigError."""
    try:
        values = yaml.safe_load(config.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{config}: cannot be read ({error}). Name another file with --config"]) from error
    except yaml.YAMLError:
        values = None
    named = os.environ.get("JINGBAO__DATA_DIR") or (isinstance(values, dict) and values.get("data_dir")) or "data"
    return config.resolve().parent / Path(str(named)).expanduser()
