"""Sending over a real archive and a real mail server, with every fault the server can show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.desk import Desk
from alerts.outbox import AWAY_GAPS, RETRY_GAPS, SETUP_GAPS, UNCERTAIN_GAP, resume, send_due, withdraw_gone
from alerts.transport import OutOfReachError, Parcel
from alerts.transports.smtp import SmtpTransport
from core.config import Config, SmtpConfig
from core.errors import ChannelError, DamagedError, RefusedError, RestoredError, StorageError, TryLaterError, UncertainError
from lexicon.watchlist import load_watchlist
from storage import outbox
from storage.archive import Archive
from storage.outbox import Message, MessageState, NewMessage, Pause

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
SENDER = "jingbao@example.org"


@pytest.fixture
def archive(database_url: str) -> Iterator[Archive]:
    with Archive.open(database_url, NOW) as opened:
        yield opened


class Scripted:
    """A way out that ends each try as told, by address; what is not told arrives."""

    def __init__(self, endings: dict[str, list[Exception | None]] | None = None) -> None:
        self.endings = endings or {}
        self.arrived: list[str] = []

    async def send(self, parcel: Parcel) -> None:
        name = parcel.recipient.partition("@")[0]
        endings = self.endings.get(name, [])
        ending = endings.pop(0) if endings else None
        if ending:
            raise ending
        self.arrived.append(name)


def put(archive: Archive, *names: str, at: datetime = NOW) -> None:
    with archive.write() as tx:
        for name in names:
            content = f"Message-ID: <{name}@example.org>\r\n\r\nnews\r\n".encode()
            mail = NewMessage(name, f"{name}@example.org", "now", f"now {name}", f"<{name}@example.org>", "news", content)
            outbox.put(tx, mail, at)


def look(archive: Archive, name: str) -> Message:
    with archive.read() as tx:
        return next(each for each in outbox.latest_messages(tx, 100) if each.reader == name)


def states(archive: Archive) -> dict[str, int]:
    with archive.read() as tx:
        return outbox.message_counts(tx)


async def test_a_sent_message_is_marked_and_never_sent_again(archive):
    put(archive, "ann", "bob")
    transport = Scripted()
    first = await send_due(archive, transport, SENDER, NOW)
    again = await send_due(archive, transport, SENDER, NOW + timedelta(days=1))

    assert (first.sent, again.sent) == (2, 0)
    assert transport.arrived == ["ann", "bob"]


async def test_one_bad_address_never_holds_up_the_others(archive, mail_server):
    server = mail_server({"RCPT bad@example.org": "550 no such user", "RCPT slow@example.org": "451 greylisted"})
    put(archive, "bad", "slow", "ann")
    transport = SmtpTransport(SmtpConfig(host="127.0.0.1", port=server.port, security="none"))
    done = await send_due(archive, transport, SENDER, NOW)

    assert (done.sent, done.failed, done.paused) == (1, 2, "")
    assert [address for address, _ in server.taken] == ["ann@example.org"]
    assert look(archive, "bad").state is MessageState.REFUSED
    assert "no such user" in look(archive, "bad").last_error
    assert look(archive, "slow").state is MessageState.WAITING


async def test_a_passing_refusal_is_tried_again_by_growing_gaps_for_five_days(archive):
    put(archive, "ann")
    transport = Scripted({"ann": [TryLaterError("451 later")] * 100})
    tries, now = [], NOW
    while look(archive, "ann").state is MessageState.WAITING:
        now = look(archive, "ann").next_try
        tries.append(now)
        await send_due(archive, transport, SENDER, now - timedelta(seconds=1))
        await send_due(archive, transport, SENDER, now)
    gaps = [later - earlier for earlier, later in pairwise(tries)]

    assert tuple(gaps[: len(RETRY_GAPS)]) == RETRY_GAPS
    assert set(gaps[len(RETRY_GAPS) :]) == {timedelta(hours=4)}
    assert timedelta(days=5) <= tries[-1] - NOW < timedelta(days=5, hours=4)
    assert look(archive, "ann").state is MessageState.EXPIRED
    assert look(archive, "ann").attempts == len(tries)


async def test_a_mail_that_may_have_arrived_is_tried_twice_more_under_its_message_id(archive, mail_server):
    server = mail_server({"DATA": "drop after"})
    put(archive, "ann")
    transport = SmtpTransport(SmtpConfig(host="127.0.0.1", port=server.port, security="none"))
    for pass_ in range(6):
        await send_due(archive, transport, SENDER, NOW + pass_ * UNCERTAIN_GAP)
        await send_due(archive, transport, SENDER, NOW + pass_ * UNCERTAIN_GAP + timedelta(minutes=14))

    assert len(server.taken) == 3
    assert len(set(server.taken)) == 1
    assert look(archive, "ann").state is MessageState.UNCONFIRMED


async def test_an_uncertain_mail_that_is_confirmed_is_sent(archive):
    put(archive, "ann")
    transport = Scripted({"ann": [TryLaterError("451"), UncertainError("broke"), TryLaterError("451"), None]})
    for hour in range(4):
        await send_due(archive, transport, SENDER, NOW + timedelta(hours=hour))

    assert look(archive, "ann").state is MessageState.SENT


@pytest.mark.parametrize("error", [ChannelError("535 wrong password"), OutOfReachError("nobody there")])
async def test_trouble_with_the_server_pauses_everything_and_costs_no_mail_a_try(archive, error):
    put(archive, "ann", "bob")
    transport = Scripted({"ann": [error]})
    done = await send_due(archive, transport, SENDER, NOW)
    meanwhile = await send_due(archive, transport, SENDER, NOW + timedelta(seconds=59))

    assert done.paused == meanwhile.paused == str(error)
    assert transport.arrived == []
    assert look(archive, "ann").attempts == look(archive, "bob").attempts == 0

    after = await send_due(archive, transport, SENDER, NOW + timedelta(minutes=15))
    assert after.sent == 2
    with archive.read() as tx:
        assert outbox.pause(tx) is None


async def test_a_wrong_password_is_not_hammered_and_never_given_up(archive):
    put(archive, "ann")
    transport = Scripted({"ann": [ChannelError("535 wrong password")] * 1000})
    probes = []
    for minute in range(0, 7 * 24 * 60, 5):
        before = len(transport.endings["ann"])
        await send_due(archive, transport, SENDER, NOW + timedelta(minutes=minute))
        probes += [minute] if len(transport.endings["ann"]) < before else []

    assert probes[:4] == [0, 15, 75, 315]
    assert max(later - earlier for earlier, later in pairwise(probes)) == 240
    with archive.read() as tx:
        halt = outbox.pause(tx)
    assert halt is not None
    assert (halt.reason, halt.since) == ("535 wrong password", NOW)
    assert look(archive, "ann").state is MessageState.WAITING


async def test_an_operator_who_mended_the_setup_need_not_wait(archive):
    put(archive, "ann")
    transport = Scripted({"ann": [ChannelError("535 wrong password")]})
    await send_due(archive, transport, SENDER, NOW)
    with archive.write() as tx:
        resume(tx)

    assert (await send_due(archive, transport, SENDER, NOW)).sent == 1


async def test_a_bug_with_one_message_leaves_the_others_theirs(archive, caplog):
    put(archive, "ann", "bob")
    transport = Scripted({"ann": [ZeroDivisionError("a bug")]})
    done = await send_due(archive, transport, SENDER, NOW)

    assert (done.sent, done.failed) == (1, 1)
    assert look(archive, "ann").state is MessageState.WAITING
    assert "please report" in caplog.text


async def test_quiet_hours_hold_a_mail_in_the_outbox_too(archive):
    put(archive, "ann", "bob")
    transport = Scripted()
    await send_due(archive, transport, SENDER, NOW, quiet={"ann"})
    await send_due(archive, transport, SENDER, NOW + timedelta(hours=8))

    assert transport.arrived == ["bob", "ann"]


async def test_a_pass_that_is_asked_to_stop_ends_between_messages(archive):
    put(archive, "ann", "bob", "cem")
    transport = Scripted()
    done = await send_due(archive, transport, SENDER, NOW, stopping=lambda: len(transport.arrived) == 2)

    assert done.sent == 2
    assert states(archive) == {"sent": 2, "waiting": 1}


async def test_a_pause_written_by_a_clock_that_was_wrong_does_not_hold(archive):
    put(archive, "ann")
    with archive.write() as tx:
        outbox.set_pause(tx, Pause("nobody there", NOW + timedelta(days=300), NOW + timedelta(days=301), 0))

    assert (await send_due(archive, Scripted(), SENDER, NOW)).sent == 1


def test_no_gap_is_longer_than_the_outbox_takes_for_possible():
    assert max(*RETRY_GAPS, *SETUP_GAPS, *AWAY_GAPS, UNCERTAIN_GAP) <= outbox.FURTHEST_TRY


async def test_mails_to_a_reader_or_an_address_taken_out_are_withdrawn(archive):
    put(archive, "ann", "bob", "cem")
    readers = [{"key": "ann", "addresses": ["ann@example.org"]}, {"key": "bob", "addresses": ["bob@new.example.org"]}]
    desk = Desk.of(Config.model_validate({"readers": readers}), load_watchlist())
    await withdraw_gone(archive, desk)
    transport = Scripted()
    await send_due(archive, transport, SENDER, NOW)

    assert transport.arrived == ["ann"]
    assert states(archive) == {"sent": 1, "withdrawn": 2}
    assert look(archive, "bob").last_error == "bob@example.org of the reader bob is no longer in the configuration"


ENDINGS = st.sampled_from(
    [None, TryLaterError("4"), RefusedError("5"), UncertainError("?"), ChannelError("c"), OutOfReachError("o")]
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(ENDINGS, max_size=6), min_size=1, max_size=4))
def test_whatever_the_server_does_every_mail_ends_in_a_named_state(tmp_path_factory, scripts):
    """Nothing is sent twice unless it was uncertain; nothing waits for ever once the server is well."""
    folder = tmp_path_factory.mktemp("outbox")
    transport = Scripted({f"r{number}": list(endings) for number, endings in enumerate(scripts)})

    async def play(archive: Archive) -> None:
        put(archive, *transport.endings)
        for hour in range(24 * 3):
            await send_due(archive, transport, SENDER, NOW + timedelta(hours=hour))

    with Archive.open(f"sqlite:///{folder / 'a.sqlite3'}", NOW) as archive:
        asyncio.run(play(archive))
        ended = states(archive)

    assert set(ended) <= {"sent", "refused", "unconfirmed"}
    assert sum(ended.values()) == len(scripts)
    assert len(transport.arrived) == len(set(transport.arrived)) == ended.get("sent", 0)


@pytest.fixture
def refusals(archive, monkeypatch):
    """A list of errors: each write of the archive takes one of them and raises it, until none is left."""
    errors: list[StorageError] = []
    writing = archive.writing

    async def refuse(work):
        if errors:
            raise errors.pop()
        return await writing(work)

    monkeypatch.setattr(archive, "writing", refuse)
    monkeypatch.setattr("alerts.outbox.WRITE_PAUSES", (timedelta(),))
    return errors


async def test_a_mail_whose_sent_mark_is_refused_is_not_sent_again_but_marked_later(archive, refusals):
    put(archive, "ann", "bob")
    transport = Scripted()
    refusals += [StorageError("locked")] * 5

    await send_due(archive, transport, SENDER, NOW)

    assert transport.arrived == ["ann", "bob"]
    assert states(archive) == {"sent": 2}


async def test_a_pause_that_cannot_be_written_is_written_later_and_nothing_is_tried_meanwhile(archive, refusals):
    put(archive, "ann", "bob")
    refusals += [StorageError("locked")] * 5

    done = await send_due(archive, Scripted({"ann": [ChannelError("wrong password")]}), SENDER, NOW)

    assert done.paused == "wrong password"
    with archive.read() as tx:
        assert outbox.pause(tx) is not None


async def test_a_stop_ends_the_waiting_for_a_mark(archive, refusals):
    put(archive, "ann")
    refusals += [StorageError("locked")] * 5
    transport = Scripted()

    with pytest.raises(StorageError):
        await send_due(archive, transport, SENDER, NOW, stopping=lambda: bool(transport.arrived))

    assert len(refusals) == 4


async def test_a_reload_begins_no_other_mail_but_waits_for_the_mark_of_the_one_under_way(archive, refusals, caplog):
    """The mark given up, the mail would go once more; and nothing is said of it before it is kept."""
    caplog.set_level("INFO")
    put(archive, "ann", "bob")
    refusals += [StorageError("locked")] * 5
    transport = Scripted()

    await send_due(archive, transport, SENDER, NOW, wrapping_up=lambda: bool(transport.arrived))

    assert transport.arrived == ["ann"]
    assert states(archive) == {"sent": 1, "waiting": 1}
    assert [record.message for record in caplog.records].count("sent") == 1


@pytest.mark.parametrize("error", [DamagedError("damaged"), RestoredError("restored")])
async def test_what_only_a_person_can_mend_is_not_waited_for(archive, refusals, error):
    put(archive, "ann")
    refusals += [StorageError("never reached"), error]

    with pytest.raises(type(error)):
        await send_due(archive, Scripted(), SENDER, NOW)

    assert len(refusals) == 1


def test_a_mail_marked_as_sent_twice_has_been_tried_once(archive):
    put(archive, "ann")
    for _ in range(2):
        with archive.write() as tx:
            outbox.mark_sent(tx, look(archive, "ann").id, NOW)

    assert look(archive, "ann").attempts == 1
