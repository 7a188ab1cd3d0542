"""Options that several commands share."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="JSON on stdout, for programs.")

_SPAN = re.compile(r"(\d+)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Span(click.ParamType[timedelta]):
    """A span of time as people write it: 30d, 12h, 2w."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span, or a usage error."""
        if isinstance(value, timedelta):
            return value
        shape = _SPAN.fullmatch(str(value).strip().lower())
        if not shape:
            self.fail(f"{value!r}: expected a number and m, h, d or w, as in 30d", param, ctx)
        return timedelta(**{_UNITS[shape[2]]: int(shape[1])})
