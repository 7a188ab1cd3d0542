"""`python -m tests.newsroom serve`: the made-up sites and a mailbox, to point a jingbao at, until interrupted."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from core.clock import VARIABLE, clock_from_environment
from tests.newsroom.mailbox import mailbox
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.proxy import playing
from tests.newsroom.setting import configuration, shipped_rules, write_configuration
from tests.newsroom.site import newsroom_app


async def serve(folder: Path, port: int) -> None:
    """Serve until cancelled; the day begins at once."""
    out = Console(soft_wrap=True)
    clock = clock_from_environment()
    newsroom = Newsroom(clock.now, day_begins=clock.now())
    async with playing(newsroom_app(newsroom), port) as proxy:
        with mailbox() as box:
            settings = configuration(newsroom.outlets, proxy=proxy.url, mailbox=box, rules=shipped_rules(), interval_minutes=2)
            config = write_configuration(folder, settings)
            out.print(f"The newsroom is behind the proxy {proxy.url}, mails go to {box.host}:{box.port}.")
            for outlet in newsroom.outlets:
                out.print(f"  {outlet.name:24} {outlet.url(outlet.source['url'])}")
            out.print(f"Collect it with:\n  {VARIABLE}='{clock.shared()}' jingbao run --config {config}")
            await asyncio.Event().wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.newsroom", description=__doc__)
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("--port", type=int, default=0, help="the proxy's port; 0 takes a free one")
    parser.add_argument("--folder", type=Path, default=Path("data/newsroom"), help="where config.yaml is written")
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.folder, arguments.port))


if __name__ == "__main__":
    main()
