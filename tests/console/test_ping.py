"""The dead-man ping: asked while all is well, told once when it fails, and its address is told nobody."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from console.ping import Ping
from console.settings import load_settings
from console.workshop import begin_archive
from core.clock import WallClock
from core.errors import StorageError
from core.log import LineFormatter
from crawler.net.manners import Manners
from scheduler.heartbeat import Heartbeat, heartbeat_file
from scheduler.lag import Lag
from tests.crawler.small_site import small_site

SECRET = "b81c1f7a-canary-4d"
CONFIG = """\
operator: {{ping_url: "http://127.0.0.1:{port}/{secret}"}}
security: {{allow_networks: [{allowed}]}}
sources:
  catalogue: none
  add: [{{key: daily, name: Daily, kind: feed, language: en, url: "http://127.0.0.1:9/feed"}}]
"""


def opened(tmp_path: Path, port: int, allowed: str = "127.0.0.1"):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(port=port, secret=SECRET, allowed=allowed), encoding="utf-8")
    settings = load_settings(path)
    manners = Manners.from_config(settings.config, "0", settings.clock)
    archive = begin_archive(settings)
    return Ping(settings, archive, manners), archive, manners


@pytest.mark.parametrize(("phase", "asked"), [("watching", 1), ("ending", 0)])
async def test_it_is_asked_while_the_daemon_is_well(tmp_path: Path, phase: str, asked: int) -> None:
    async with small_site() as site:
        site.bodies[f"/{SECRET}"] = "OK"
        ping, archive, manners = opened(tmp_path, site.port)
        _beat(phase).write(heartbeat_file(tmp_path / "data"))
        await ping.send()
        await manners.close()
        archive.close()

        assert site.asked[f"/{SECRET}"] == asked


async def test_nothing_is_asked_if_the_archive_cannot_be_written(tmp_path: Path, monkeypatch) -> None:
    async def refuse(_: object) -> None:
        raise StorageError("no room left on the disk")

    async with small_site() as site:
        ping, archive, manners = opened(tmp_path, site.port)
        monkeypatch.setattr(archive, "writing", refuse)
        with pytest.raises(StorageError):
            await ping.send()
        await manners.close()
        archive.close()

        assert not site.asked


async def test_a_failure_is_told_once_without_the_address(tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO", "jingbao")
    async with small_site() as site:
        ping, archive, manners = opened(tmp_path, site.port)
        site.statuses[f"/{SECRET}"] = 500
        for _ in range(3):
            await ping.send()
        site.statuses.clear()
        site.bodies[f"/{SECRET}"] = "OK"
        await ping.send()
        await manners.close()
        archive.close()
    lines = [LineFormatter().format(record) for record in caplog.records]

    assert [line.split(" ", 2)[2].partition(" reason=")[0] for line in lines if "ping" in line] == ["ping fails", "ping works again"]
    assert not any(SECRET in line for line in lines)


async def test_a_service_inside_the_own_network_has_to_be_allowed(tmp_path: Path, caplog) -> None:
    async with small_site() as site:
        ping, archive, manners = opened(tmp_path, site.port, allowed="")
        await ping.send()
        await manners.close()
        archive.close()

        assert not site.asked
    assert "security.allow_networks" in "".join(LineFormatter().format(record) for record in caplog.records)


def _beat(phase: str) -> Heartbeat:
    now = WallClock().now().isoformat()
    return Heartbeat(os.getpid(), now, now, time.monotonic(), phase, now, (), "", Lag())
