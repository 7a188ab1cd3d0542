"""The command `jingbao`: data on stdout, talk on stderr, exit codes that programs can rely on.

0 done · 1 an error · 2 wrong use · 3 nothing found · 70 the daemon could not end cleanly · 75 try again later ·
78 the configuration has faults (sysexits.h) · 130 interrupted
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import click

from core.errors import ConfigError, JingbaoError, QueryError, StorageError
from core.secrets import mask

# Name → what it is for. Each is `command` in console/commands/<name>.py (_ for -) and imported only when it is used.
COMMANDS = {
    "init": "Ask four things and write config.yaml.",
    "run": "The daemon: collect, match, mail, until stopped.",
    "collect": "Collect sources once, now.",
    "search": "Find articles.",
    "show": "Show one article.",
    "sources": "List the sources and how each is doing.",
    "alerts": "List the alert rules; `alerts test` tries one.",
    "explain": "Tell everything that happened to an address or article.",
    "status": "Tell how the whole is doing.",
    "first-light": "Show what a new archive sees: sources, subjects, what the rules found.",
    "export": "Write what a query finds to a file or program.",
    "health": "Tell whether the daemon is at work; for scripts and containers.",
    "service": "Print or install the systemd unit.",
    "backup": "Write the whole archive to a file, while everything goes on.",
    "restore": "Bring a backup back.",
    "upgrade": "Bring an older version's archive up to date.",
    "archive": "`archive copy` carries the archive over into another database.",
    "test-email": "Send a test mail, and show the talk with the mail server.",
    "config": "Check config.yaml, or show what is in force.",
    "doctor": "Look for what is wrong with this installation.",
}

HELP = """\
jingbao watches news of China's AI sector, in English and Chinese.

\b
  jingbao run                                  start watching (Ctrl-C stops)
  jingbao search 'Huawei (chip OR 芯片)'       find articles
  jingbao alerts test '@deepseek' --since 7d   what a rule would have mailed
  jingbao status                               how it is doing

Every command works while the daemon runs. `jingbao COMMAND -h` explains one, with examples.
"""


_WRITE_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
# SQLITE_BUSY, _LOCKED, _NOMEM, _IOERR, _FULL (sqlite.org/rescode); sqlite3 is not imported for the sake of reading workers.
_PASSING = {5, 6, 7, 10, 13}
# PostgreSQL's classes: connection, rollback, resources, object not ready, operator's intervention (its documentation, A).
_PASSING_STATES = {"08", "40", "53", "55", "57", "58"}


def _named(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value == Path():  # what an empty text becomes
        raise click.BadParameter("expected a file", context, parameter)
    return value


class _PipeClosedError(Exception):
    """Whoever read our output has gone. Not an OSError, of which click makes an exit with 1."""


@contextlib.contextmanager
def _noticing_pipes() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _PipeClosedError from error
    except SystemExit as end:  # rich's way
        if isinstance(end.__context__, BrokenPipeError):
            raise _PipeClosedError from end
        raise


class Commands(click.Group):
    """The commands, each imported when it is used, so that `jingbao search` need not load a crawler."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click calls it so)
        """All names, in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click calls it so)
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name == "run":
            from scheduler.leaving import leave_when_told  # noqa: PLC0415  (see `tell`)

            leave_when_told()  # loading takes a second, and process 1 of a container would not even hear a SIGTERM
        command: click.Command = import_module(f"console.commands.{cmd_name.replace('-', '_')}").command
        command.name = cmd_name
        return command

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """The context; here `--help` is printed."""
        with _noticing_pipes():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Do what is asked."""
        with _noticing_pipes():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; an unknown one is told with the nearest."""
        from core.configuration_file import nearest  # noqa: PLC0415  (see `tell`)

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f'There is no command "{args[0]}".{nearest(args[0], COMMANDS)}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click calls it so)
        """The list of commands for help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    callback=_named,
    help="Instead of config.yaml or $JINGBAO_CONFIG.",
)
@click.version_option(package_name="jingbao", message="jingbao %(version)s")
@click.pass_context
def jingbao(context: click.Context, config_path: Path | None) -> None:
    """Remember which configuration is meant."""
    context.obj = config_path


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code. Errors are told in a few words; a bug shows its traceback."""
    sys.excepthook = _tell_bug
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def _tell_bug(kind: type[BaseException], bug: BaseException, trace: TracebackType | None) -> None:
    """What Python shows of a bug, without any secret."""
    sys.stderr.write(mask("".join(traceback.format_exception(kind, bug, trace))))


def run(arguments: list[str]) -> int:
    """Run the command line; gives the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an ASCII terminal shows ? for what it has not
    try:
        result = jingbao.main(_config_first(arguments or ["--help"]), prog_name="jingbao", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except JingbaoError as error:
        tell(error)
        return error.exit_code if type(error) is not StorageError or _passing(error) else 1
    except (_PipeClosedError, BrokenPipeError):  # `jingbao search … | head` has read what it wanted: all is well
        _drop_output()
        return 0
    except OSError as error:
        if error.errno not in _WRITE_FAULTS:
            raise
        tell(JingbaoError(f"Writing failed: {error.strerror}."))
        _drop_output()
        return 1


def _passing(error: StorageError) -> bool:
    """Whether trying again may help by itself: locks and full disks pass, damage and missing rights do not."""
    cause = error.__cause__
    driver = getattr(cause, "orig", cause)
    if isinstance(driver, OSError):
        return driver.errno in _WRITE_FAULTS
    if state := getattr(driver, "sqlstate", None):
        return state[:2] in _PASSING_STATES
    code = getattr(driver, "sqlite_errorcode", None)
    return driver is not None and (code is None or code & 0xFF in _PASSING)  # the low byte is the primary code


def _drop_output() -> None:
    """Let what is left in the buffer of stdout go nowhere, so that the end of the program does not fail on it."""
    with contextlib.suppress(OSError, ValueError):  # a stdout that is no file has nothing left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _config_first(arguments: list[str]) -> list[str]:
    """`jingbao run --config FILE` means what `jingbao --config FILE run` means."""
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        width = 2 if argument == "--config" else 1 if argument.startswith("--config=") else 0
        if width:
            return arguments[place : place + width] + arguments[:place] + arguments[place + width :]
    return arguments


def tell(error: JingbaoError) -> None:
    """Say on stderr what went wrong."""
    # Imported here, because reading workers load this file as their parent's main module (multiprocessing, spawn).
    from console.terminal import clean, talk  # noqa: PLC0415

    if isinstance(error, ConfigError):
        count = "a fault" if len(error.problems) == 1 else f"{len(error.problems)} faults"
        talk.print(f"The configuration has {count}; nothing was started:", style="bold red")
        for problem in error.problems:
            talk.print("  " + clean(problem), markup=False, soft_wrap=True)
    elif isinstance(error, QueryError):
        talk.print(clean(error.pointed()), markup=False, style="red", soft_wrap=True)
    else:
        talk.print(clean(str(error)), markup=False, style="red", soft_wrap=True)
