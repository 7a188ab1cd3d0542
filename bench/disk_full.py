"""A disk that fills under the real daemon: does collecting stop alone, does reading go on, and how soon does it resume?

    python -m bench.disk_full [--rounds N] [--megabytes N] [--seed N]

Needs the right to mount a file system in memory (root, or a user namespace of one's own). A newsroom of one outlet publishes
without end; each round fills the disk to a random point beyond the reserve, looks whether reading works, and makes room.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from aiohttp import web

from core.clock import WallClock
from storage.disk import free_bytes
from tests.newsroom.daemon import Jingbao
from tests.newsroom.proxy import playing

if TYPE_CHECKING:
    from collections.abc import Iterator

RESERVE_MB = 6
HOST = "presses.test"
PATIENCE_SECONDS = 60.0


class Presses:
    """An outlet with a new story a second."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def numbers(self) -> Iterator[int]:
        """What is out, newest first."""
        newest = int(time.monotonic() - self.began) + 5
        return iter(range(newest, max(newest - 25, 0), -1))

    async def answer(self, request: web.Request) -> web.Response:
        """The feed, or a page of some 40 KB that gzip cannot make small."""
        if request.path == "/robots.txt":
            return web.Response(status=404)
        if request.path == "/feed":
            items = "".join(
                f"<item><title>{title(n)}</title><link>http://{HOST}/{n}</link><guid>{n}</guid></item>" for n in self.numbers()
            )
            return web.Response(text=f"<rss version='2.0'><channel>{items}</channel></rss>", content_type="application/rss+xml")
        number = int(request.path.strip("/"))
        noise = random.Random(number).randbytes(15_000).hex()
        parts = (f"<p>{title(number)}, part {part}: engineers trained model {part * number}.</p>" for part in range(30))
        head, body = f"<title>{title(number)}</title>", f"<article>{''.join(parts)}</article><!--{noise}-->"
        text = f"<html><head>{head}</head><body>{body}</body></html>"
        return web.Response(text=text, content_type="text/html")


def title(number: int) -> str:
    return f"DeepSeek opens language model {number} in Hangzhou"


@contextmanager
def tiny_disk(megabytes: int) -> Iterator[Path]:
    """A file system in memory, gone with the context."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def configuration(folder: Path, proxy: str) -> dict[str, object]:
    source = {"key": "presses", "name": "Presses", "kind": "feed", "language": "en", "url": f"http://{HOST}/feed"}
    return {
        "data_dir": str(folder / "data"),
        "keep": {"reserve_mb": RESERVE_MB},
        "network": {"proxy": proxy},
        "collection": {"tick_seconds": 0.5},
        "sources": {"catalogue": "none", "add": [source | {"interval_minutes": 1 / 12, "delay_seconds": 0}]},
    }


async def until(jingbao: Jingbao, waiting: bool) -> float:
    """Seconds until `status` says that the disk is short, or no longer; raises TimeoutError after a minute.

    On a disk without a byte left the daemon cannot write down that it waits: that nothing grows shows it.
    """
    began = time.monotonic()
    while (await jingbao.ask("status"))["disk"]["short"] is not waiting:
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError(f"short was not {waiting} within {PATIENCE_SECONDS:g} s")
        await asyncio.sleep(0.5)
    return time.monotonic() - began


async def articles(jingbao: Jingbao) -> int:
    return int((await jingbao.ask("status"))["articles"]["total"])


async def one_round(jingbao: Jingbao, folder: Path, chance: random.Random) -> dict[str, float]:
    """Fill, read, make room, and wait for the next article."""
    ballast = folder / "ballast"
    share = chance.choice((0.3, 0.7, 1.0))  # of the reserve: a little short, very short, and not a byte left
    free = free_bytes(folder)
    try:
        with ballast.open("wb", buffering=0) as file:
            left = free - int((1 - share) * RESERVE_MB * 1e6)
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 16)))
    except OSError:
        pass  # not a byte is left
    stopped = await until(jingbao, waiting=True)
    held = await articles(jingbao)
    found = await jingbao.ask("search", "deepseek")
    await asyncio.sleep(12)  # a look of the daemon's, and a run of the source
    held = await articles(jingbao)
    await asyncio.sleep(10)
    grew = await articles(jingbao) - held
    ballast.unlink()
    began = time.monotonic()
    await until(jingbao, waiting=False)
    while await articles(jingbao) <= held:
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError("nothing new came within a minute of there being room")
        await asyncio.sleep(0.5)
    return {"share": share, "stopped": stopped, "found": bool(found), "grew": grew, "resumed": time.monotonic() - began}


async def campaign(rounds: int, megabytes: int, seed: int) -> None:
    chance, presses = random.Random(seed), Presses()
    app = web.Application()
    app.router.add_get("/{path:.*}", presses.answer)
    with tiny_disk(megabytes) as folder:
        async with playing(app) as proxy:
            await rounds_on(folder, proxy.url, rounds, chance)


async def rounds_on(folder: Path, proxy: str, rounds: int, chance: random.Random) -> None:
    """Run the daemon on the disk, a round after the other, and tell each."""
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(configuration(folder, proxy)))
    jingbao = Jingbao(config, WallClock())
    with tempfile.TemporaryDirectory() as logs:
        log = Path(logs) / "log"
        async with jingbao.running(log):
            while not (folder / "data" / "jingbao.sqlite3").exists() or not await articles(jingbao):  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.5)
            for number in range(rounds):
                print(f"round {number + 1}: {await one_round(jingbao, folder, chance)}", flush=True)
        bugs = log.read_text().count("Traceback")
    print(f"articles {await articles(jingbao)}; {await verdict(jingbao)}; bugs in the log: {bugs}")


async def verdict(jingbao: Jingbao) -> str:
    """What doctor says of the database."""
    return "; ".join(finding["what"] for finding in await jingbao.ask("doctor") if finding["subject"] == "database")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(campaign(given.rounds, given.megabytes, given.seed))


if __name__ == "__main__":
    main()
