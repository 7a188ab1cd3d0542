"""A restore beside the working daemon: it lends the archive, goes on with the restored one, and tells nobody anything twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from core.clock import Clock, WallClock
from tests.newsroom.daemon import Jingbao
from tests.newsroom.mailbox import mailbox
from tests.newsroom.newsroom import Newsroom
from tests.newsroom.proxy import playing
from tests.newsroom.setting import configuration, write_configuration
from tests.newsroom.site import newsroom_app
from tests.test_journey import RULES, alerts, until_logged, until_mailed

pytestmark = pytest.mark.long


async def test_a_daemon_lends_its_archive_to_a_restore_and_goes_on(tmp_path: Path) -> None:
    clock = Clock(WallClock().now(), 60.0, WallClock().started_monotonic)
    newsroom = Newsroom(clock.now)
    async with playing(newsroom_app(newsroom)) as proxy:
        with mailbox() as box:
            values = configuration(newsroom.outlets[:2], proxy=proxy.url, mailbox=box, rules=RULES, interval_minutes=1)
            jingbao = Jingbao(write_configuration(tmp_path, values), clock)
            log, file = tmp_path / "log", tmp_path / "backup.sqlite3"
            async with jingbao.running(log) as daemon:
                while log.read_text(encoding="utf-8").count(" collected ") < 2:  # noqa: ASYNC110  (a file tells nobody)
                    await asyncio.sleep(0.1)
                await jingbao.ask("backup", str(file))
                newsroom.begin_day()
                await until_mailed(box)

                done = await jingbao.ask("restore", str(file), "--yes")
                await until_logged(log, "going on with the archive", daemon)
                await _until_collected_anew(log)

    assert daemon.returncode == 0
    assert done["held"] is None
    assert done["carried"]["messages"] >= 1
    assert Path(done["aside"]).exists()
    told = Counter((mail.recipients, mail.message["Subject"]) for mail in alerts(box))
    assert max(told.values()) == 1
    assert "Traceback" not in log.read_text(encoding="utf-8")


async def _until_collected_anew(log: Path) -> None:
    """Wait until sources have been collected after the archive was given back."""
    while "collected" not in log.read_text(encoding="utf-8").rpartition("going on with the archive")[2]:  # noqa: ASYNC110  (as above)
        await asyncio.sleep(0.1)
