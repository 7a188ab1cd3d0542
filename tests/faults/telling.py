"""`python -m tests.faults.telling --at POINT --file FILE [--names-hang] -- ARGUMENTS`: jingbao, which makes FILE at a point.

It lives on. The points are those of tests/faults/points.py and a few of its own. With `--names-hang` no name is ever looked up:
who asks for one waits.
"""

from __future__ import annotations

import argparse
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.faults.points import named
from tests.faults.striking import Wound, after, before

READY, LOOK_UP, FIRST_LIGHT = "ready", "before a name's look-up", "before first light"
MORE_POINTS: Mapping[str, Wound] = {
    READY: after("scheduler.pulse:Pulse.watching"),
    LOOK_UP: before("socket:getaddrinfo"),
    FIRST_LIGHT: before("console.first_hour:_break"),
}
_FOR_EVER_SECONDS = 600.0


def no_answer(*_: Any, **__: Any) -> None:
    """A resolver that says nothing."""
    time.sleep(_FOR_EVER_SECONDS)
    raise socket.gaierror(socket.EAI_AGAIN, "no answer")


def main() -> None:
    """Set up what the command line says and be jingbao."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.telling", description=__doc__)
    parser.add_argument("--at", required=True)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--names-hang", action="store_true")
    parser.add_argument("arguments", nargs="*")
    told = parser.parse_args()
    if told.names_hang:
        socket.getaddrinfo = no_answer
    wound = MORE_POINTS[told.at] if told.at in MORE_POINTS else named(told.at).wound
    wound(told.file.touch)
    from console.cli import main as jingbao  # as late as the command does, so that reading workers need not load it

    jingbao(told.arguments)


if __name__ == "__main__":
    main()
