"""Leaving at once: where a clean end is not wanted (a second SIGTERM), not possible (something hangs), not needed (the start).

No harm is in it. Whatever a daemon keeps is kept by transactions, so a process that is gone leaves nothing half done; its
archive's lock is the operating system's.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

CLEAN, UNCLEAN = 0, 70


def leave_at_once(code: int) -> NoReturn:
    """End this process and its reading workers now; threads that wait for a server or a lock are not waited for."""
    for worker in multiprocessing.active_children():
        worker.kill()
    logging.shutdown()
    if sys.stderr.isatty():
        sys.stderr.write("\033[?25h")  # the display has hidden the cursor
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def leave_when_told(tidy: Callable[[], object] = lambda: None) -> None:
    """Until a daemon is ready, SIGTERM and SIGINT simply end it, with exit code 0: there is nothing to finish yet.

    `tidy` is called before. SIGHUP, which would end it too, waits: the kernel keeps it until `hear_reloads`.
    """

    def leave(_signal: int, _frame: FrameType | None) -> None:
        tidy()
        leave_at_once(CLEAN)

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


def hear_reloads() -> None:
    """Let a SIGHUP come, and the one that has been waiting."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
