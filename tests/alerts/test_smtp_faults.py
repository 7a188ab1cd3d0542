"""Every fault at every step of the talk with a mail server: what it means, what becomes of the mail, and of the others'."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts import outbox as sending
from alerts.outbox import send_due
from alerts.transport import OutOfReachError, Parcel, StrainedError
from alerts.transports.smtp import SmtpTransport
from core.config import SmtpConfig
from core.errors import ChannelError, RefusedError, SendError, TryLaterError, UncertainError
from storage import outbox
from storage.archive import Archive
from storage.outbox import Message, MessageState, NewMessage
from tests.alerts.scripted import STEPS, scripted
from tests.newsroom.mailbox import let_talks_end

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
SENDER = "jingbao@example.org"
CODES = (421, 450, 451, 452, 454, 535, 550, 552, 554)
SETUP = ("GREETING", "HELLO", "SIGN_IN")
SILENCES = ("hang", "drop")
FAULTS = (*(f"{code} no" for code in CODES), *SILENCES, "garbage")


@pytest.fixture
def archive(tmp_path: Path):
    with Archive.open(f"sqlite:///{tmp_path / 'jingbao.sqlite3'}", NOW) as opened:
        yield opened


@pytest.fixture(autouse=True)
def password(monkeypatch):
    monkeypatch.setenv("JINGBAO_SMTP_PASSWORD", "correct horse")


def patience(fault: str) -> float:
    """Seconds for each step: few only where the server hangs, since the test has to sit them out."""
    return 0.5 if fault == "hang" else 20


def transport(port: int, timeout: float = 20) -> SmtpTransport:
    return SmtpTransport(SmtpConfig(host="127.0.0.1", port=port, security="none", user="jingbao", timeout_seconds=timeout))


def parcel() -> Parcel:
    return Parcel(1, SENDER, "ann@example.org", NOW, b"Message-ID: <1@example.org>\r\n\r\nnews\r\n")


def put(archive: Archive, *names: str, at: datetime = NOW) -> None:
    with archive.write() as tx:
        for name in names:
            identifier = f"<{name}@example.org>"
            content = f"Message-ID: {identifier}\r\n\r\nnews\r\n".encode()
            outbox.put(tx, NewMessage(name, f"{name}@example.org", "now", f"now {name}", identifier, "news", content), at)


def look(archive: Archive, name: str) -> Message:
    with archive.read() as tx:
        return next(each for each in outbox.latest_messages(tx, 1000) if each.reader == name)


def paused(archive: Archive) -> bool:
    with archive.read() as tx:
        return outbox.pause(tx) is not None


def meaning(step: str, fault: str) -> type[SendError]:
    """The table of reliability, written a second time: by step, then by what came."""
    code = int(fault[:3]) if fault[:3].isdigit() else 0
    if step in SETUP:
        passing = 400 <= code < 500 or fault in SILENCES
        return OutOfReachError if passing else ChannelError
    if not code:
        return UncertainError if step == "TEXT" else StrainedError
    if code in {421, 452, 454}:
        return StrainedError
    if code < 500:
        return TryLaterError
    return ChannelError if step == "MAIL" and code != 552 else RefusedError


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_answer_at_every_step_means_what_the_table_says(step: str, fault: str) -> None:
    with scripted({step: fault}) as server, pytest.raises(SendError) as raised:
        await transport(server.port, patience(fault)).send(parcel())

    expected = meaning(step, fault)
    assert raised.type is expected or (expected is ChannelError and issubclass(raised.type, ChannelError))
    assert server.taken == []


@pytest.mark.parametrize("step", ["RCPT", "DATA", "TEXT"])
async def test_one_bad_address_holds_up_no_other(archive, step: str) -> None:
    """Whatever the server says of the bad one, the pass goes on, and the others arrive in it."""
    for fault in FAULTS:
        name = fault.replace(" ", "-")
        put(archive, f"bad-{name}", f"ann-{name}", f"bob-{name}")
        with scripted({step: fault}, only=f"bad-{name}@example.org") as server:
            done = await send_due(archive, transport(server.port, patience(fault)), SENDER, NOW)

        assert (done.sent, done.failed, done.paused) == (2, 1, ""), fault
        assert [address for address, _ in server.taken] == [f"ann-{name}@example.org", f"bob-{name}@example.org"]
        assert look(archive, f"bad-{name}").state in {MessageState.WAITING, MessageState.REFUSED, MessageState.UNCERTAIN}


@pytest.mark.parametrize("step", [step for step in STEPS if step != "TEXT"])
async def test_when_the_server_is_well_again_every_mail_it_did_not_refuse_arrives_once(archive, step: str) -> None:
    for number, fault in enumerate(FAULTS):
        now = NOW + timedelta(hours=5 * number)
        put(archive, f"ann-{number}", f"bob-{number}", f"cem-{number}", at=now)
        with scripted({step: fault}) as server:
            await send_due(archive, transport(server.port, patience(fault)), SENDER, now)
            server.faults.clear()
            for hour in (1, 2):
                await send_due(archive, transport(server.port), SENDER, now + timedelta(hours=hour))

        refused = 3 if meaning(step, fault) is RefusedError else 0
        assert len(server.taken) == len(set(server.taken)) == 3 - refused, fault
        assert not paused(archive)


@pytest.mark.parametrize("fault", ["drop", "hang", "garbage"])
async def test_a_mail_whose_end_is_unknown_is_sent_again_with_the_same_message_id(archive, fault: str) -> None:
    put(archive, "ann")
    with scripted({"TEXT": fault}) as server:
        await send_due(archive, transport(server.port, patience(fault)), SENDER, NOW)
        uncertain = look(archive, "ann").state
        server.faults.clear()
        await send_due(archive, transport(server.port), SENDER, NOW + timedelta(minutes=15))

    assert uncertain is MessageState.UNCERTAIN
    assert look(archive, "ann").state is MessageState.SENT
    assert server.handed_over == [("ann@example.org", "Message-ID: <ann@example.org>")] * 2


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
@pytest.mark.parametrize("fault", ["421 closing", "452 no room", "drop"])
async def test_two_mails_in_a_row_that_a_server_has_no_breath_for_pause_sending(archive, step: str, fault: str) -> None:
    names = [f"reader{number}" for number in range(10)]
    put(archive, *names)
    with scripted({step: fault}) as server:
        done = await send_due(archive, transport(server.port), SENDER, NOW)

    assert server.sessions == 2
    assert done.paused
    assert sum(look(archive, name).attempts for name in names) == 2


async def test_a_server_that_is_down_for_a_day_loses_nothing_and_is_asked_at_growing_gaps(archive) -> None:
    """Mails go on being made; the pause and its reason are told; all arrive within an hour of the server's return."""
    with scripted() as server:
        port = server.port
    began, now, probes = NOW, NOW, 0
    while now < began + timedelta(days=1):
        put(archive, f"r{(now - began) // timedelta(minutes=10)}", at=now)
        probes += await _probed(archive, port, now)
        now += timedelta(minutes=10)
    with archive.read() as tx:
        halt = outbox.pause(tx)
    with scripted(port=port) as server:
        while now <= began + timedelta(hours=25):
            await send_due(archive, transport(port), SENDER, now, limit=1000)
            now += timedelta(minutes=10)
    with archive.read() as tx:
        counts = outbox.message_counts(tx)

    assert counts == {"sent": 144}
    assert len(set(server.taken)) == len(server.taken) == 144
    assert probes <= 27  # after 0, 1, 6 and 21 minutes, then once an hour
    assert halt is not None
    assert halt.since == began
    assert f"127.0.0.1:{port}" in halt.reason


async def _probed(archive: Archive, port: int, now: datetime) -> bool:
    """One pass; whether the server was asked in it."""
    with archive.read() as tx:
        before = outbox.pause(tx)
    await send_due(archive, transport(port), SENDER, now)
    with archive.read() as tx:
        return outbox.pause(tx) != before


async def test_a_refused_sign_in_costs_one_try_a_probe(archive) -> None:
    """A server that counts wrong passwords counts one each time: other mechanisms are not tried with the same password."""
    put(archive, "ann")
    with scripted({"HELLO": "250-me\r\n250 AUTH PLAIN LOGIN CRAM-MD5", "SIGN_IN": "535 no"}) as server:
        for minute in range(60):
            await send_due(archive, transport(server.port), SENDER, NOW + timedelta(minutes=minute))

    assert sum(line.startswith("AUTH") for line in server.heard) == 2
    assert paused(archive)


@pytest.mark.parametrize("step", STEPS)
async def test_a_stop_does_not_wait_for_a_server_that_hangs(archive, monkeypatch, step: str) -> None:
    """Up to the text the mail stays as it was, and costs no try; once it was handed over, its end is unknown."""
    monkeypatch.setattr(sending, "STOP_PATIENCE", 0.01)  # one look
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.01)
    put(archive, "ann")
    with scripted({step: "hang"}) as server:
        await send_due(archive, transport(server.port, timeout=300), SENDER, NOW, stopping=server.hanging.is_set)
    ann = look(archive, "ann")

    assert (ann.state, ann.attempts) == ((MessageState.UNCERTAIN, 1) if step == "TEXT" else (MessageState.WAITING, 0))
    assert not paused(archive)


async def test_a_reload_lets_a_slow_server_take_its_time(archive, monkeypatch) -> None:
    monkeypatch.setattr(sending, "STOP_PATIENCE", 0.01)  # one look
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.01)
    put(archive, "ann")
    looks = 0

    class Slow:
        async def send(self, _parcel: Parcel) -> None:
            while looks < 5:  # noqa: ASYNC110  (the test's own steps)
                await asyncio.sleep(0)

    def wrapping_up() -> bool:
        return looks > 0

    def stopping() -> bool:
        nonlocal looks
        looks += 1
        return False

    await send_due(archive, Slow(), SENDER, NOW, wrapping_up=wrapping_up, stopping=stopping)

    assert look(archive, "ann").state is MessageState.SENT


async def test_a_mail_that_is_taken_while_a_stop_waits_is_marked_as_sent(archive) -> None:
    put(archive, "ann", "bob")
    with scripted() as server:
        await send_due(archive, transport(server.port), SENDER, NOW, stopping=lambda: server.sessions > 0)

    assert look(archive, "ann").state is MessageState.SENT
    assert look(archive, "bob").state is MessageState.WAITING


async def test_a_server_that_drips_is_given_up_as_a_whole() -> None:
    """Each line comes in time, the answer never ends."""
    with scripted({"GREETING": "\r\n".join(["220-and"] * 400_000)}) as server, pytest.raises(OutOfReachError):
        await transport(server.port, timeout=0.05).send(parcel())


async def test_a_cancelled_try_ends_although_the_server_does_not() -> None:
    with scripted({"MAIL": "hang"}) as server:
        trying = asyncio.ensure_future(transport(server.port, timeout=300).send(parcel()))
        await asyncio.to_thread(server.hanging.wait)
        trying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trying


@pytest.mark.parametrize(
    "said",
    ["550 5.4.5 Daily user sending limit exceeded", "554 5.2.0 SubmissionQuotaExceededException", "550 Mail frequency limited"],
)
async def test_a_quota_that_is_used_up_loses_no_mail_although_it_is_said_with_5xx(archive, said: str) -> None:
    put(archive, "ann")
    with scripted({"TEXT": said}) as server:
        await send_due(archive, transport(server.port), SENDER, NOW)

    assert look(archive, "ann").state is MessageState.WAITING


async def test_a_stop_that_meets_a_name_still_being_looked_up_does_not_wait_for_it(archive, monkeypatch) -> None:
    """Nothing can break such a wait off: its thread is left behind, and cuts the line itself when it has one at last."""
    looked_up, go_on = threading.Event(), threading.Event()

    def slow(*_args, **_more) -> socket.socket:
        looked_up.set()
        go_on.wait(20)
        return socket.socket()

    monkeypatch.setattr("alerts.transports.talk.socket.create_connection", slow)
    monkeypatch.setattr("alerts.transports.smtp._CUT_SECONDS", 0.01)
    monkeypatch.setattr(sending, "STOP_PATIENCE", 0.01)  # one look
    monkeypatch.setattr(sending, "LOOK_SECONDS", 0.01)
    put(archive, "ann")
    await send_due(archive, transport(9), SENDER, NOW, stopping=looked_up.is_set)
    go_on.set()
    let_talks_end()

    assert (look(archive, "ann").state, look(archive, "ann").attempts) == (MessageState.WAITING, 0)


async def test_a_name_that_is_looked_up_for_ever_is_given_up_as_a_whole(monkeypatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr("alerts.transports.talk.socket.create_connection", lambda *_args, **_more: go_on.wait(20))
    monkeypatch.setattr("alerts.transports.smtp._CUT_SECONDS", 0.01)
    with pytest.raises(OutOfReachError, match="the whole took too long"):
        await transport(9, 0.01).send(parcel())
    go_on.set()


async def test_a_program_that_ends_in_mid_mail_leaves_it_as_it_was(archive) -> None:
    """The loop itself is cancelled: nothing is written, as after a kill."""
    put(archive, "ann")
    with scripted({"RCPT": "hang"}) as server:
        passing = asyncio.ensure_future(send_due(archive, transport(server.port), SENDER, NOW))
        await asyncio.to_thread(server.hanging.wait)
        passing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await passing

    assert look(archive, "ann").attempts == 0


async def test_a_password_whose_file_is_gone_is_a_matter_of_the_channel(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("JINGBAO_SMTP_PASSWORD")
    monkeypatch.setenv("JINGBAO_SMTP_PASSWORD_FILE", str(tmp_path / "absent"))
    with pytest.raises(ChannelError, match="cannot be read"):
        await transport(9).send(parcel())


async def test_a_server_without_sign_in_and_one_without_ehlo_are_told_apart() -> None:
    with scripted({"HELLO": "250 me"}) as server, pytest.raises(ChannelError, match="offers no sign-in"):
        await transport(server.port).send(parcel())
