"""Options and arguments that several commands share."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for programs.")

LARGEST_ID = 2**63 - 1
"""SQLite's largest row number."""
_SPAN = re.compile(r"([0-9]{1,7})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)


class Span(click.ParamType[timedelta]):
    """A span of time as people write it: 30d, 12h, 2w; a hundred years at most."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span, or a usage error."""
        if isinstance(value, timedelta):
            return value
        shape = _SPAN.fullmatch(str(value).strip().lower())
        if not shape:
            self.fail(f"{value!r}: expected a number and m, h, d or w, as in 30d", param, ctx)
        span = timedelta(**{_UNITS[shape[2]]: int(shape[1])})
        if span > _LONGEST:
            self.fail(f"{value!r}: a hundred years are the most", param, ctx)
        return span


class QueryCommand(click.Command):
    """A command that takes a query: a misread one is told how to quote it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, or a usage error that says what to write."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            hint = ""
            if isinstance(error, click.NoSuchOption) and not error.option_name.startswith("--"):
                hint = f" A query that begins with - stands behind --, as in: {ctx.command_path} -- '-华为 @deepseek'"
            elif "unexpected extra argument" in error.message:
                hint = f" Put the whole query in quotes, as in: {ctx.command_path} 'Huawei 芯片'"
            raise click.UsageError(error.format_message().rstrip(".") + "." + hint, ctx) from error
