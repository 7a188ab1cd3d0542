"""What people see on a terminal. Data goes to stdout, talk to stderr; fetched text cannot send control sequences."""

from __future__ import annotations

import io
import re
import sys
from datetime import datetime
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Column
from rich.text import Text

from console.records import to_json
from core.article import Article, Precision
from core.secrets import mask

_UNBOUNDED = 100_000  # a file or a program has no columns to wrap to
out = Console(highlight=False, width=None if sys.stdout.isatty() else _UNBOUNDED)
talk = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _UNBOUNDED)
_NARROW = 60

# C0, DEL, C1 (ANSI escapes begin there) and the marks that reorder text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def clean(text: str) -> str:
    """Text without control characters and secrets, safe to print."""
    return _CONTROL.sub("\ufffd", mask(text))


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 mail, 2 mails."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def typed_column(name: str) -> Column:
    """A table's column of names that people type: the others give way to it, and where it must it folds; nothing is cut."""
    return Column(name, no_wrap=out.width >= _NARROW, overflow="fold")


def plain(text: str, style: str = "") -> Text:
    """A piece of fetched text for rich: cleaned, and never read as markup."""
    return Text(clean(text), style=style)


def data_out() -> TextIO:
    """Stdout for programs: UTF-8 whatever the terminal's encoding is, as JSON has to be (RFC 8259)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # of UTF-8 only halves of characters
    return sys.stdout


def print_json(value: Any) -> None:
    """JSON on stdout, for programs (no colours, no wrapping)."""
    data_out().write(mask(to_json(value)) + "\n")


def when(article: Article, zone: ZoneInfo) -> str:
    """The article's time in `zone`, no more exact than it is known."""
    published = article.published
    if published is None:
        return f"{local(article.discovered, zone)} (first seen)"
    if published.precision in {Precision.DAY, Precision.MONTH}:
        shape = "%Y-%m-%d" if published.precision is Precision.DAY else "%Y-%m"
        return published.at.astimezone(_zone_of(published.zone, zone)).strftime(shape)
    return local(published.at, zone)


def local(at: datetime, zone: ZoneInfo) -> str:
    """A moment in `zone`, to the minute."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _zone_of(name: str, otherwise: ZoneInfo) -> Any:
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        try:
            return datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo or otherwise
        except ValueError:
            return otherwise


def join_marked(text: str, marks: tuple[tuple[int, int], ...]) -> Text:
    """A snippet with its hits in bold."""
    cleaned = plain(text)  # keeps length: each control character becomes one sign
    for start, end in marks:
        cleaned.stylize("bold yellow", start, end)
    return cleaned
