"""The end of a daemon in the middle of sending, with a real archive."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime
from pathlib import Path

from alerts.outbox import send_due
from alerts.transport import Parcel
from scheduler.daemon import CLEAN, Daemon
from scheduler.duties import Job
from storage import outbox
from storage.archive import Archive
from storage.outbox import NewMessage
from tests.scheduler.rounds import Rounds, no_reload

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


class SlowServer:
    """A way out that takes a message only when told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.taken: list[str] = []

    async def send(self, parcel: Parcel) -> None:
        self.begun.set()
        await self.go_on.wait()
        self.taken.append(parcel.recipient)


async def test_a_daemon_that_ends_settles_the_message_under_way_and_begins_no_other(tmp_path: Path) -> None:
    server, asked = SlowServer(), asyncio.Event()
    with Archive.open(f"sqlite:///{tmp_path / 'jingbao.sqlite3'}", NOW) as archive:
        with archive.write() as tx:
            for name in ("ann", "bob"):
                outbox.put(tx, NewMessage(name, f"{name}@example.org", "now", "k", f"<{name}@x>", "news", b"news"), NOW)

        async def send() -> None:
            await send_due(archive, server, "jingbao@example.org", NOW, stopping=asked.is_set)

        duties = dataclasses.replace(Rounds().duties(), jobs=(Job("send", send),), wrap_up=asked.set)
        daemon = Daemon(duties, no_reload)
        running = asyncio.create_task(daemon.run())
        await server.begun.wait()
        daemon.stop()
        await asked.wait()
        server.go_on.set()
        code = await running

        with archive.read() as tx:
            states = {each.reader: str(each.state) for each in outbox.latest_messages(tx, 10)}

    assert code == CLEAN
    assert server.taken == ["ann@example.org"]
    assert states == {"ann": "sent", "bob": "waiting"}
