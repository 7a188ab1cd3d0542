"""`python -m bench.real [feeds] [successive] [january] [--minutes N]`: prints tables and writes data/real/report.md."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from bench.real import feeds, january, successive
from bench.real.report import Report
from tests.newsroom.captured import captured_folder
from tests.newsroom.daemon import JingbaoFailedError

FOLDER = Path("data/real")
PARTS = ("feeds", "successive", "january")


async def measure(parts: list[str], minutes: float, folder: Path, report: Report) -> None:
    """Run the parts one after the other; `minutes` is shared out among those that need a clock."""
    if "feeds" in parts:
        await feeds.measure(report)
    if "successive" in parts:
        await successive.measure(report, folder / "successive", minutes / 3)
    if "january" in parts:
        await january.measure(report, folder / "january", minutes * 2 / 3)


def main() -> None:
    """Measure what is asked for; exit code 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.real", description="jingbao on captured feeds and pages.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all if none is named")
    parser.add_argument("--minutes", type=float, default=9, help="real time for the parts that play a clock")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where archives, mails and the report are kept")
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if not captured_folder().is_dir():
        sys.exit(f"The captured data is not at {captured_folder()}; name its parent in JINGBAO_SHARED.")
    for part in parts:
        shutil.rmtree(arguments.folder / part, ignore_errors=True)
    report = Report(arguments.folder / "report.md")
    try:
        asyncio.run(measure(parts, arguments.minutes, arguments.folder, report))
    except JingbaoFailedError as error:
        sys.exit(f"The measurement failed: {error}")
    sys.exit(report.conclude())


if __name__ == "__main__":
    main()
