"""Log lines as events with named values: `log.info("collected", extra=values(source="qbitai", new=3, duration_seconds=1.2))`.

Every line carries UTC time, level, event and its values, with units in their names, so that people and programs can read it.
Line breaks and control characters are written visibly: a fetched title cannot forge a line (CWE-117).
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from core.secrets import mask

_FIELDS = "jingbao_fields"
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def values(**fields: Any) -> dict[str, dict[str, Any]]:
    """The `extra=` of a log call."""
    return {_FIELDS: fields}


class LineFormatter(logging.Formatter):
    """`2026-11-24T08:00:00Z INFO collected source=qbitai new=3`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for a record; a bug's traceback follows it."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields: dict[str, Any] = getattr(record, _FIELDS, {})
        parts = [moment, record.levelname, record.getMessage().translate(_VISIBLE)]
        parts += [f"{name}={_quoted(value)}" for name, value in fields.items() if value not in ("", None)]
        line = " ".join(parts)
        return mask(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


def _quoted(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    text = text.translate(_VISIBLE)
    return f'"{text}"' if " " in text or "=" in text else text


def log_to(stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Send jingbao's log lines to `stream`, and only warnings of the libraries beneath."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("jingbao").setLevel(level)
