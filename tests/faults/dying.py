"""`python -m tests.faults.dying --at POINT [--nth N] -- ARGUMENTS`: the command jingbao, killed by itself at a point (SIGKILL).

With `--count FILE` it lives and appends to FILE the name of each point it reaches, a line each.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tests.faults.points import POINTS, named
from tests.faults.striking import Strike, death


def counting(file: Path) -> None:
    """Set up every point to write its name to `file`, which several threads may do at once."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(name: str) -> Strike:
        return lambda: os.write(descriptor, f"{name}\n".encode()) and None

    for point in POINTS:
        point.wound(note(point.name))


def main() -> None:
    """Set up what the command line says and be jingbao."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.dying", description=__doc__)
    parser.add_argument("--at", default="")
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--count", type=Path)
    parser.add_argument("arguments", nargs="*")
    told = parser.parse_args()
    if told.count:
        counting(told.count)
    if told.at:
        named(told.at).wound(death(told.nth))
    from console.cli import main as jingbao  # as late as the command does, so that reading workers need not load it

    jingbao(told.arguments)


if __name__ == "__main__":
    main()
