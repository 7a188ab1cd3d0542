"""`make demo`: jingbao at work for a minute, without internet.

Made-up news sites and a mail server run on loopback, on a clock that makes a minute an hour. The very same `jingbao run` that
watches real sites collects them, with the shipped rules and a configuration that says where the sites are. It starts half an
hour before the reader's morning digest.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.box import HORIZONTALS
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from core.clock import Clock, WallClock
from core.schedule import Rhythm, Schedule
from tests.newsroom.daemon import Jingbao, JingbaoFailedError, tail
from tests.newsroom.mailbox import keep, mailbox
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.proxy import playing
from tests.newsroom.setting import READER, configuration, shipped_rules, write_configuration
from tests.newsroom.site import newsroom_app

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence

    from tests.newsroom.mailbox import Mailbox, Received

SPEED = 60.0
SECONDS = 44.0  # then it ends, come what may; stopping takes some more, and the whole is to take a minute at most
BEFORE_DIGEST = timedelta(minutes=28)
STORIES_TAKE = timedelta(minutes=27)  # from the day's beginning to the last story, and a little
LOOK_EVERY_SECONDS = 3.0
EVERYTHING = "lang:zh OR lang:en"
ZONE = ZoneInfo(READER["zone"])
DEFAULT_FOLDER = Path("data/demo")


@dataclass
class Demo:
    """One showing: what runs, and what has been shown so far."""

    newsroom: Newsroom
    jingbao: Jingbao
    box: Mailbox
    digest_at: datetime
    out: Console
    articles: set[int] = field(default_factory=set)
    mails: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    async def play(self, process: Process) -> None:
        """Let the day pass and show what comes, until the morning's digest is there or time is up."""
        loop = asyncio.get_running_loop()
        ends, look_at = loop.time() + SECONDS, 0.0
        while loop.time() < ends and process.returncode is None and not self._complete():
            await asyncio.sleep(0.3)
            self._show_mails()
            if self.newsroom.all_visited and loop.time() >= look_at:
                await self._show_articles()
                look_at = loop.time() + LOOK_EVERY_SECONDS
            if self.newsroom.day_begins is None and self.articles:
                self._begin()
        await asyncio.gather(self._show_articles(), self._count_outcomes())

    async def _count_outcomes(self) -> None:
        status = await self.jingbao.ask("status")
        self.outcomes = {name: count for name, count in status["outcomes"]["counts"].items() if count}

    def _begin(self) -> None:
        self.newsroom.begin_day()
        count = len(self.articles)
        self.out.print(
            f"\n[bold]Every site has been read once[/] ({count} articles so far: kept, never mailed). The day begins.\n"
        )

    def _complete(self) -> bool:
        day = self.newsroom.day_begins
        if day is None or self.newsroom.now() < max(self.digest_at + timedelta(minutes=4), day + STORIES_TAKE):
            return False
        return bool(self.mails)

    async def _show_articles(self) -> None:
        found = await self.jingbao.ask("search", EVERYTHING, "--limit", "200")
        for article in reversed(_articles(found)):
            if article["id"] not in self.articles:
                self.articles.add(article["id"])
                if self.newsroom.day_begins is not None:
                    self._show_article(article)

    def _show_article(self, article: dict[str, Any]) -> None:
        line = Text(f"{self._time()}  ", style="dim")
        line.append(f"{article['outlet']}  ", style="cyan")
        line.append(article["title"], style="default")
        if article.get("copy_of"):
            line.append("  (a reprint)", style="dim")
        self.out.print(line)

    def _show_mails(self) -> None:
        for mail in self.box.received[self.mails :]:
            self.mails += 1
            line = Text(f"{self._time()}  ", style="dim")
            line.append(f"✉  to {', '.join(mail.recipients)}: {mail.subject}", style="bold yellow")
            self.out.print(line)

    def _time(self) -> str:
        return f"{self.newsroom.now().astimezone(ZONE):%H:%M}"


def _articles(found: Any) -> list[dict[str, Any]]:
    """The articles of a search's answer, newest first; none if nothing was found."""
    if found is None:
        return []
    articles: list[dict[str, Any]] = found["articles"] if isinstance(found, dict) else found
    return articles


def morning(rules: Sequence[dict[str, Any]]) -> datetime:
    """The latest morning's first daily digest, in the reader's zone; yesterday's if today's is not long past."""
    daily = [schedule for rule in rules if (schedule := Schedule.parse(str(rule["when"]))).rhythm is Rhythm.DAILY]
    first = min(daily, key=lambda schedule: (schedule.hour, schedule.minute), default=Schedule(Rhythm.DAILY, 8))
    now = WallClock().now().astimezone(ZONE)
    today = now.replace(hour=first.hour, minute=first.minute, second=0, microsecond=0)
    return today if now - today > timedelta(hours=2) else today - timedelta(days=1)


async def show(folder: Path, out: Console) -> int:
    """The whole showing; returns the exit code: 1 if no article or no mail came."""
    rules = shipped_rules()
    digest_at = morning(rules)
    clock = Clock(digest_at - BEFORE_DIGEST, SPEED, WallClock().started_monotonic)
    newsroom = Newsroom(clock.now)
    log = folder / "jingbao.log"
    async with playing(newsroom_app(newsroom)) as proxy:
        with mailbox() as box:
            values = configuration(newsroom.outlets, proxy=proxy.url, mailbox=box, rules=rules, interval_minutes=1.5)
            config = write_configuration(folder, values)
            demo = Demo(newsroom, Jingbao(config, clock), box, digest_at, out)
            _introduce(newsroom, digest_at, out)
            async with demo.jingbao.running(log) as process:
                await demo.play(process)
            return _conclude(demo, config, log)


def _introduce(newsroom: Newsroom, digest_at: datetime, out: Console) -> None:
    out.rule("[bold]jingbao: a minute of demonstration")
    names = ", ".join(outlet.name for outlet in newsroom.outlets)
    out.print(f"{len(newsroom.outlets)} made-up news sites run on this machine: {names}.")
    reader, zone = READER["name"], READER["zone"]
    out.print(
        f"{reader} reads English, lives in {zone}, and gets her digest at {digest_at:%H:%M}. A minute here is an hour there."
    )
    out.print("Starting [bold]jingbao run[/] ...")


def _conclude(demo: Demo, config: Path, log: Path) -> int:
    out, mails = demo.out, demo.box.received
    if not demo.articles or not mails:
        missing = "article" if not demo.articles else "mail"
        out.print(f"\n[bold red]The demonstration failed: no {missing} came.[/] The daemon's last lines ({log}):\n")
        out.print(Text(tail(log)))
        return 1
    keep(mails, config.parent / "mails")
    _show_in_full(_worth_showing(mails), out)
    out.print(
        f"\n[bold green]{len(demo.articles)} articles collected, {len(mails)} mails sent; the daemon was stopped cleanly.[/]"
    )
    told = ", ".join(f"{count} {name}" for name, count in demo.outcomes.items())
    out.print(f"What became of everything seen, poll after poll: {told}.")
    _suggest(config, out)
    return 0


def _worth_showing(mails: Sequence[Received]) -> Received:
    """The longest mail that fits a screen or two, else the shortest."""
    fitting = [mail for mail in mails if len(mail.part("plain").splitlines()) <= 70]
    return max(fitting, key=lambda mail: len(mail.part("plain"))) if fitting else min(mails, key=lambda mail: len(mail.raw))


def _show_in_full(mail: Received, out: Console) -> None:
    head = f"From: {mail.message['From']}\nTo: {mail.message['To']}\nSubject: {mail.subject}\n\n"
    title = "one of the mails, its text part in full"
    out.print()
    out.print(
        Panel(
            Text(head + mail.part("plain").strip()),
            title=title,
            border_style="yellow",
            box=HORIZONTALS,
            width=min(out.width, 110),
        )
    )


def _suggest(config: Path, out: Console) -> None:
    out.print(
        f"The archive, the log and config.yaml are in {config.parent}, the mails (for a browser) in {config.parent / 'mails'}."
    )
    out.print("Try:\n")
    prefix = f".venv/bin/jingbao --config {config}"
    for command in (
        "search '@export-controls'",
        "search '宇树 OR Unitree'",
        "show 1",
        "status",
        "first-light",
        "export 'DeepSeek' --format csv",
    ):
        out.print(Text(f"  {prefix} {command}", style="cyan"), soft_wrap=True)
    out.print("\nAnd for the real news: [bold]make run[/]")


def fresh(folder: Path) -> Path:
    """An empty folder: the demonstration's own is cleared, another one must be new or empty. Raises SystemExit otherwise."""
    if folder == DEFAULT_FOLDER and folder.is_dir():
        shutil.rmtree(folder)
    elif folder.is_dir() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty; name a new folder, so that nothing of yours is overwritten.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def main() -> None:
    """Read the command line, show, and exit with the showing's code."""
    parser = argparse.ArgumentParser(prog="python -m tests.newsroom.demo", description="jingbao at work for a minute, offline.")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the archive is kept (default: data/demo)")
    arguments = parser.parse_args()
    out = Console(highlight=False)
    try:
        sys.exit(asyncio.run(show(fresh(arguments.folder), out)))
    except JingbaoFailedError as error:
        out.print(Text(str(error), style="red"))
        sys.exit(1)


if __name__ == "__main__":
    main()
