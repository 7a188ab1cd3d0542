"""A command on a terminal of its own (a pty): what it shows, and answers typed when its questions come."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMAND = Path(sys.executable).with_name("jingbao")
_PATIENCE_SECONDS = 30.0


def play(arguments: Sequence[str], talk: Sequence[tuple[str, str]], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run jingbao in `folder`, and answer each question (a part of its text) in turn; gives the exit code and all it showed.

    Raises AssertionError if a question does not come.
    """
    ours, theirs = pty.openpty()
    told = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "COLUMNS": "200", "TZ": "Asia/Shanghai", **environment}
    process = subprocess.Popen(
        [COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=told, start_new_session=True
    )
    os.close(theirs)
    shown, seen = "", 0
    try:
        for question, answer in talk:
            shown = _read(ours, shown, lambda text, q=question, behind=seen: text.find(q, behind) >= 0)
            assert question in shown[seen:], f"no question {question!r} in:\n{shown[seen:]}"
            seen = len(shown)
            os.write(ours, f"{answer}\n".encode())
        shown = _read(ours, shown, lambda _: False)
        return process.wait(_PATIENCE_SECONDS), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r\n", "\n")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def _read(terminal: int, shown: str, enough) -> str:
    """All shown until it is enough, or the other side has ended."""
    ends = time.monotonic() + _PATIENCE_SECONDS
    while not enough(shown) and time.monotonic() < ends:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # Linux says so when the last process has closed its side
            return shown
        if not piece:
            return shown
        shown += piece.decode("utf-8", "replace")
    return shown
