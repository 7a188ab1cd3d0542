"""Log lines as events with named values: `log.info("collected", extra=values(source="qbitai", new=3, duration_seconds=1.2))`.

Every line carries UTC time, level, event and its values, with units in their names, so that people and programs can read it.
Line breaks and control characters are written visibly: a fetched title cannot forge a line (CWE-117).
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from core.errors import ConfigError
from core.outlet import Outlet
from core.repeats import FIELDS, Repeats
from core.secrets import mask

if TYPE_CHECKING:
    from core.config import LogConfig

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def values(**fields: Any) -> dict[str, dict[str, Any]]:
    """The `extra=` of a log call."""
    return {FIELDS: fields}


class LineFormatter(logging.Formatter):
    """`2026-11-24T08:00:00Z INFO collected source=qbitai new=3`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for a record; a bug's traceback follows it."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{moment} {record.levelname} {self.said(record)}"

    def said(self, record: logging.LogRecord) -> str:
        """Event and values, and a bug's traceback; secrets are taken out."""
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        parts = [record.getMessage().translate(_VISIBLE)]
        parts += [f"{name}={_quoted(value)}" for name, value in fields.items() if value not in ("", None)]
        line = " ".join(parts)
        return mask(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


class JournalFormatter(LineFormatter):
    """`<6>collected source=qbitai new=3`: systemd's journal knows the time and reads the level (sd-daemon(3))."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines for a record, each with its level: the journal takes every line as an entry of its own."""
        level = next((number for least, number in _PRIORITIES if record.levelno >= least), 7)
        return "\n".join(f"<{level}>{line}" for line in self.said(record).split("\n"))


class Sparing(logging.Handler):
    """Hands on to `target` what is not said again and again (core/repeats.py). No fault in writing the log gets out of it."""

    def __init__(self, target: logging.Handler) -> None:
        super().__init__()
        self.target = target
        self._repeats = Repeats()

    def emit(self, record: logging.LogRecord) -> None:
        """Write what is to be written when this record comes."""
        try:
            for each in self._repeats.written(record):
                self.target.handle(each)
        except Exception:  # noqa: BLE001  (logging's way: whoever logs never has to mind the log)
            self.handleError(record)

    def close(self) -> None:
        """Say what came again and was not told yet."""
        for each in self._repeats.left():
            self.target.handle(each)
        self.target.close()
        super().close()


def _quoted(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    text = text.translate(_VISIBLE)
    return f'"{text}"' if " " in text or "=" in text else text


def log_to(stream: TextIO | None = None, level: int = logging.INFO, config: LogConfig | None = None) -> None:
    """Send jingbao's log lines to `stream` (stderr if none is given), or to the file `config` names, if it names one.

    Of the libraries beneath only warnings. Raises ConfigError if the file cannot be written.
    """
    logging.raiseExceptions = False  # a log that cannot be written is no reason to stop, nor to write about it
    target = _file(config) if config and config.file else _stream(stream or sys.stderr)
    root = logging.getLogger()
    root.handlers[:] = [Sparing(target)]
    root.setLevel(logging.WARNING)
    logging.getLogger("jingbao").setLevel(level)


def _file(config: LogConfig) -> logging.Handler:
    """A file that begins anew at `max_mb`, `files` old ones beside it (`.1` the newest)."""
    try:
        Path(config.file).parent.mkdir(parents=True, exist_ok=True)
        size = round(config.max_mb * 1_000_000)
        handler = RotatingFileHandler(config.file, maxBytes=size, backupCount=config.files, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError([f"log.file: {config.file} cannot be written ({error.strerror})"]) from error
    handler.setFormatter(LineFormatter())
    return handler


def _stream(stream: TextIO) -> logging.Handler:
    outlet: Outlet | TextIO
    try:
        outlet = Outlet(stream)
    except (OSError, ValueError, AttributeError):  # a stream in memory, or none at all
        outlet = stream
    handler = logging.StreamHandler(outlet)
    handler.setFormatter(JournalFormatter() if _is_journal(stream) else LineFormatter())
    return handler


def _is_journal(stream: TextIO) -> bool:
    """Whether a stream leads straight into systemd's journal (JOURNAL_STREAM in systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return os.environ.get("JOURNAL_STREAM", "") == f"{status.st_dev}:{status.st_ino}"
