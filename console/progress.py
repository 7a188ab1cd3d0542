"""The daemon's display on a terminal: what is collected, what was stored last, what was mailed. Fed by the log's events."""

from __future__ import annotations

import logging
from collections import Counter, deque
from datetime import UTC, datetime
from typing import Any, Self

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from console.settings import Settings
from console.terminal import plain, talk
from core.log import Sparing
from core.outcomes import Outcome

SHOWN = 12


class Progress(logging.Handler):
    """A log handler that draws instead of writing lines; warnings stay readable above the display."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(logging.INFO)
        self._settings = settings
        self._answered: set[str] = set()
        self._silent: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._mails = 0
        self._latest: deque[Text] = deque(maxlen=SHOWN)
        self._live = Live(self._drawn(), console=talk, refresh_per_second=2, transient=False)

    def __enter__(self) -> Self:
        root = logging.getLogger()
        root.handlers[:] = [*(each for each in root.handlers if isinstance(each, Sparing)), self]  # a file that log.file names
        root.setLevel(logging.WARNING)
        logging.getLogger("jingbao").setLevel(logging.INFO)
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.update(self._drawn())
        self._live.stop()
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take an event into the picture."""
        fields: dict[str, Any] = getattr(record, "jingbao_fields", {})
        match record.getMessage():
            case "stored":
                self._add_line(f"{fields['outcome']:>8}", fields["title"], fields["source"])
            case "collected":
                self._take_run(fields)
            case "sent":
                self._mails += 1
                self._add_line("mail", f"to {fields.get('reader', '')}", str(fields.get("kind", "")))
            case "first light":
                self._live.console.print(plain(getattr(record, "jingbao_text", "")), soft_wrap=True)
            case message if record.levelno >= logging.WARNING:
                told = " ".join(f"{name}={value}" for name, value in fields.items())
                self._live.console.print(plain(f"{message} {told}", style="yellow"))
                if record.exc_info:
                    self._live.console.print(plain(logging.Formatter().formatException(record.exc_info), style="red"))
        self._live.update(self._drawn())

    def _take_run(self, fields: dict[str, Any]) -> None:
        source, result = fields["source"], fields["result"]
        if result in {"ok", "unchanged"}:
            self._answered.add(source)
            self._silent.pop(source, None)
        else:
            self._silent[source] = str(fields.get("reason", result))
        for outcome in Outcome:
            self._counts[outcome] += fields.get(str(outcome).replace("-", "_"), 0)

    def _add_line(self, what: str, title: str, where: str) -> None:
        clock = datetime.now(UTC).astimezone().strftime("%H:%M:%S")
        self._latest.append(Text.assemble((f"{clock} ", "dim"), (f"{what:>8} ", "green"), plain(title), ("  " + where, "dim")))

    def _drawn(self) -> Group:
        total = len(self._settings.sources)
        table = Table.grid(padding=(0, 2))
        failed = f", {len(self._silent)} failed" if self._silent else ""
        table.add_row("sources", f"{len(self._answered)} of {total} have answered{failed}")
        copies, updated = self._counts[Outcome.COPY], self._counts[Outcome.UPDATED]
        stored = self._counts[Outcome.NEW] + copies
        table.add_row("articles", f"{stored} stored ({copies} of them copies), {updated} updated")
        others = ((name, self._counts[name]) for name in Outcome if not name.stored and self._counts[name])
        table.add_row("not kept", ", ".join(f"{count} {name}" for name, count in others) or "none yet")
        config = self._settings.config
        kept = "" if config.mail.smtp else f" (kept in {config.data_dir / 'mail'})"
        table.add_row("mails", f"{self._mails} sent{kept}")
        head = Text("jingbao is watching. Ctrl-C stops it; in another terminal try: jingbao status", style="bold")
        return Group(head, table, Text(""), *self._latest)
