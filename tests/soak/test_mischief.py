"""What goes wrong in a soak is what was meant to: each way of a site, and each mood of the mail server."""

from __future__ import annotations

import json
import random
import smtplib
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bench.soak import mischief as ways
from bench.soak.journal import Journal, Plan, add
from bench.soak.mischief import MOODS, WAYS, Mischief, MoodyMailbox
from core.clock import WallClock
from tests.newsroom.mailbox import mailbox

LETTER = "Message-ID: <one@soak.test>\nSubject: one\n\ntext\n"


@pytest.fixture(autouse=True)
def hurried(monkeypatch) -> None:
    monkeypatch.setattr(ways, "HANG_SECONDS", 0.0)


async def asked(kind: str) -> tuple[int, bytes] | None:
    """What a site in trouble answers; None if it hangs up."""
    mischief = Mischief(random.Random(1))
    app = web.Application(middlewares=[mischief.middleware])
    app.router.add_get("/{path:.*}", lambda _request: _said("as always"))
    mischief.begin("127.0.0.1", kind, 600)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/a"
        async with aiohttp.ClientSession(auto_decompress=False) as session, session.get(url, allow_redirects=False) as answer:
            return answer.status, await answer.read()
    except aiohttp.ClientError:
        return None
    finally:
        await runner.cleanup()


async def _said(text: str) -> web.Response:
    return web.Response(text=text)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("down", 503), ("busy", 429), ("shut", 403), ("garbage", 200), ("bomb", 200), ("round", 302)]
    + [(kind, None) for kind in ("silent", "reset", "half")],
)
async def test_a_site_misbehaves_as_told(kind, status) -> None:
    answer = await asked(kind)

    assert (answer and answer[0]) == status
    assert answer is None or answer[1] != b"as always"


def test_every_way_is_tried_here_but_the_slow_one() -> None:
    assert WAYS.keys() == {"down", "busy", "shut", "garbage", "bomb", "round", "silent", "reset", "half", "slow"}


def test_one_host_misbehaves_and_another_does_not_until_all_do() -> None:
    mischief = Mischief(random.Random(1))
    mischief.begin("one.test", "down", 600)
    mischief.begin("two.test", "down", -1)

    assert [mischief.of(host) for host in ("one.test", "two.test", "three.test")] == ["down", "", ""]
    mischief.begin("*", "reset", 600)
    assert [mischief.of(host) for host in ("one.test", "three.test")] == ["reset", "reset"]


@pytest.mark.parametrize(("mood", "notes"), [("", [True]), ("swallow", [False]), *[(m, []) for m in MOODS if m != "swallow"]])
def test_the_mail_server_writes_down_what_it_took_and_whether_it_said_so(tmp_path: Path, mood, notes) -> None:
    box = MoodyMailbox(tmp_path / "mails.jsonl", WallClock())
    box.begin(mood, 600)
    with mailbox(box):
        said = True
        try:
            with smtplib.SMTP(box.host, box.port, timeout=10) as talk:
                talk.sendmail("jingbao@soak.test", ["ada@soak.test"], LETTER)
        except (smtplib.SMTPException, OSError):
            said = False

    file = tmp_path / "mails.jsonl"
    noted = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    assert said is (mood == "")
    assert [line["answered"] for line in noted] == notes
    assert all(line["message_id"] == "<one@soak.test>" for line in noted)


def test_a_folder_goes_on_after_the_last_thing_written_in_it_and_keeps_its_plan(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert journal.plan(Plan(seed=7)) == Journal(tmp_path).plan(Plan(seed=8)) == Plan(seed=7)

    add(journal.samples, {"at": "2026-04-01T10:00:00+00:00"})
    add(journal.mails, {"at": "2026-04-01T10:00:05+00:00"})
    with journal.faults.open("a", encoding="utf-8") as file:
        file.write('{"at": "2026-05-01T')  # the writer was ended here

    assert journal.resumes_at.isoformat() == "2026-04-01T10:00:06+00:00"
