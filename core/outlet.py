"""Stderr as the log writes to it: nobody who reads it slowly, or no longer, holds up the daemon."""

from __future__ import annotations

import os
import select
from typing import TextIO

_PIECE_BYTES = 4096  # PIPE_BUF on Linux: a pipe that is ready takes so much without waiting (pipe(7))


class Outlet:
    """A pipe, terminal or file that is written at once or not at all. Raises OSError if its reader is gone.

    What finds it full is lost, and how many lines were is said as soon as it takes lines again.
    """

    def __init__(self, stream: TextIO) -> None:
        """`stream` must have a file descriptor (OSError otherwise)."""
        self._descriptor = stream.fileno()
        self._encoding = stream.encoding or "utf-8"
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)
        self._lost = 0

    def write(self, text: str) -> None:
        """Write whole lines."""
        if self._lost and self._takes(f"({self._lost} log lines were lost: nobody read them)\n"):
            self._lost = 0
        if self._lost or not self._takes(text):
            self._lost += 1

    def flush(self) -> None:
        """Nothing is held back."""

    def _takes(self, text: str) -> bool:
        data = text.encode(self._encoding, "replace")
        for start in range(0, len(data), _PIECE_BYTES):
            if not self._poll.poll(0):
                return False
            os.write(self._descriptor, data[start : start + _PIECE_BYTES])
        return True
