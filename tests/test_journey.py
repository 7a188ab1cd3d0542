"""From a site to a mail, as users run it: the real command in its own process, real HTTP, a real database, real SMTP."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from core.clock import Clock, WallClock
from tests.newsroom.daemon import COMMAND, Jingbao
from tests.newsroom.mailbox import Mailbox, Received, mailbox
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.proxy import playing
from tests.newsroom.setting import configuration, write_configuration
from tests.newsroom.site import newsroom_app

RULES = [{"name": "everything", "title": "Everything", "query": "lang:zh OR lang:en", "when": "now"}]


async def until_read_once(newsroom: Newsroom, jingbao: Jingbao) -> dict:
    """Ask for the status until every site has been collected once."""
    while not newsroom.all_visited:  # noqa: ASYNC110  (each question costs a process that takes time from the daemon)
        await asyncio.sleep(0.1)
    while True:
        status = await jingbao.ask("status", "--since", "30d")
        if status["sources"]["answered"] == len(newsroom.outlets):
            return status


def alerts(box: Mailbox) -> list[Received]:
    """The mails that tell news: all but first light."""
    return [mail for mail in box.received if "first-light" not in mail.message["List-Id"]]


async def until_mailed(box: Mailbox) -> None:
    """Wait until a mail has come."""
    while not alerts(box):  # noqa: ASYNC110  (a mail server's thread tells nobody)
        await asyncio.sleep(0.1)


async def test_from_a_site_to_a_mail_with_every_command_working_beside_the_daemon(
    tmp_path: Path, database: str, database_url: str
) -> None:
    """On SQLite where config.yaml says nothing of it, and on PostgreSQL by `storage.url` alone."""
    clock = Clock(WallClock().now(), 60.0, WallClock().started_monotonic)
    newsroom = Newsroom(clock.now)
    async with playing(newsroom_app(newsroom)) as proxy:
        with mailbox() as box:
            values = configuration(newsroom.outlets, proxy=proxy.url, mailbox=box, rules=RULES, interval_minutes=1)
            if database == "postgres":
                values["storage"] = {"url": database_url}
            config = write_configuration(tmp_path, values)
            jingbao = Jingbao(config, clock)
            log = tmp_path / "log"
            async with jingbao.running(log) as daemon:
                first = await until_read_once(newsroom, jingbao)
                assert not alerts(box), "what a first collection brings is never mailed"

                newsroom.begin_day()
                await until_mailed(box)
                found = await jingbao.ask("search", "lang:zh OR lang:en", "--limit", "100")
                second = await start_second(config, jingbao)

                config.write_text("rulse: []\n", encoding="utf-8")
                os.kill(daemon.pid, signal.SIGHUP)
                await until_logged(log, "kept the running configuration", daemon)

    assert daemon.returncode == 0
    assert (first["heartbeat"]["pid"], first["heartbeat"]["trouble"]) == (daemon.pid, "")
    assert "p99" in first["heartbeat"]["lag"]
    assert first["outcomes"]["adds_up"]
    assert first["outcomes"]["counts"]["off-topic"] > 0
    assert {article["language"] for article in found["articles"]} >= {"en", "zh-Hans", "zh-Hant"}
    assert second[0] == 75
    assert str(daemon.pid) in second[1]
    assert sum("first-light" in mail.message["List-Id"] for mail in box.received) == 1
    mail = alerts(box)[0]
    assert mail.recipients == ("ada@reader.test",)
    assert "http" in mail.part("plain")
    assert mail.message["Message-ID"]
    assert "Traceback" not in log.read_text(encoding="utf-8")


async def start_second(config: Path, jingbao: Jingbao) -> tuple[int | None, str]:
    """Start a second daemon on the same archive; gives its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        COMMAND, "--config", config, "run", stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=jingbao._environment()
    )
    _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


async def until_logged(log: Path, words: str, daemon: asyncio.subprocess.Process) -> None:
    """Wait until the daemon has written a line with these words."""
    while words not in log.read_text(encoding="utf-8"):
        assert daemon.returncode is None
        await asyncio.sleep(0.05)
