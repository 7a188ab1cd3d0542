"""`python -m bench.soak --minutes N --folder F`: soak, or go on with the soak in F; then tell figures and draw them."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.soak.journal import Journal, Plan
from bench.soak.report import report
from bench.soak.world import soak


def main() -> None:
    """Read the command line, soak, and tell; exit code 1 if a promise did not hold."""
    made = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="0: only tell what the folder holds (30)")
    parser.add_argument("--folder", type=Path, default=Path("data/soak"), help="goes on with what it holds (data/soak)")
    parser.add_argument("--seed", type=int, default=made.seed)
    parser.add_argument("--sources", type=int, default=made.sources)
    parser.add_argument("--speed", type=float, default=made.speed, help=f"of the set clock ({made.speed:g})")
    parser.add_argument("--rate", type=float, default=made.crawls_a_second, help=f"crawls a second ({made.crawls_a_second:g})")
    asked = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's, on connections that end as was meant
    folder, wanted = asked.folder.resolve(), Plan(asked.seed, asked.sources, asked.speed, asked.rate)
    if asked.minutes > 0:
        with suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(_until_told(soak(folder, asked.minutes * 60, wanted)))
    journal = Journal(folder)
    told = report(journal, journal.plan(wanted))
    (folder / "report.txt").write_text(told.text + "\n", encoding="utf-8")
    print(told.text)
    sys.exit(bool(told.faults))


async def _until_told(soaking: Coroutine[Any, Any, None]) -> None:
    """Ended early by SIGTERM as by Ctrl-C: the daemon is stopped, and what was measured is told."""
    task = asyncio.ensure_future(soaking)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task


if __name__ == "__main__":
    main()
