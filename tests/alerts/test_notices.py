"""The operator is told once of each change, many together, nothing of sources in the first day, and nobody is flooded."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts.desk import Desk
from alerts.notices import NOTICES_A_DAY, OPERATOR, Trouble, make_notices, operator_of
from alerts.outbox import withdraw_gone
from core.config import Config
from core.standing import Standing
from lexicon.watchlist import load_watchlist
from storage import outbox, settings, sources, standings
from storage.archive import Archive, Transaction
from storage.outbox import Pause
from storage.upgrade import CREATED
from tests.builders import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANN = {"key": "ann", "addresses": ["ann@example.org"], "zone": "Asia/Shanghai"}
NAMES = {f"s{number}": f"Source {number}" for number in range(60)}


class Office:
    """An archive of some days' age, in which sources stand so and so, and a round of notices after the other."""

    def __init__(self, tx: Transaction, **config: Any) -> None:
        self.tx = tx
        self.config = Config(**({"readers": [ANN]} | config))
        self.troubles: list[Trouble] = []
        self.now = NOW

    def stand(self, key: str, standing: Standing, reason: str = "it says so") -> None:
        standings.set_standing(self.tx, key, standing, reason, self.now)

    def later(self, span: timedelta) -> list[str]:
        """What is told by then: the round comes every ten minutes."""
        told = []
        for _ in range(int(span / timedelta(minutes=10))):
            self.now += timedelta(minutes=10)
            told += [
                f"{point.subject} {'over' if point.is_over else point.standing or 'begun'}"
                for point in make_notices(self.tx, self.config, NAMES, self.troubles, self.now)
            ]
        return told

    def mails(self) -> list[outbox.Message]:
        return outbox.latest_messages(self.tx, 100)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Weeks go by here; what it asks of a database shows in one test on both."""
    with _office(f"sqlite:///{tmp_path / 'a.sqlite3'}") as opened:
        yield opened


@contextmanager
def _office(url: str) -> Iterator[Office]:
    with Archive.open(url, NOW - 3 * DAY) as archive, archive.write() as tx:
        settings.put(tx, CREATED, (NOW - 3 * DAY).isoformat())  # a server's databases here are copies of one
        sources.ensure(tx, NAMES, NOW - 3 * DAY)
        for key in NAMES:
            run = sources.begin_run(tx, key, NOW - 3 * DAY)
            sources.finish_run(tx, run, NOW - 3 * DAY, result=sources.OK, next_due=NOW)
            standings.set_standing(tx, key, Standing.OK, "", NOW - 3 * DAY)
        yield Office(tx)


def test_on_both_databases_the_same_is_told_at_the_same_time(database_url: str) -> None:
    with _office(database_url) as office:
        office.stand("s1", Standing.BROKEN, "no \x00 answer")
        office.troubles.append(Trouble("Disk", "disk", "The disk is full.", NOW))
        told = office.later(3 * HOUR)
        office.stand("s1", Standing.OK)

        assert sorted(told) == ["Disk begun", "Source 1 broken"]
        assert office.later(DAY) == ["Source 1 over"]
        assert len(office.mails()) == 2


def test_a_source_is_told_of_once_and_once_more_when_it_is_well(office: Office) -> None:
    office.stand("s1", Standing.BROKEN)
    assert office.later(DAY) == ["Source 1 broken"]
    office.stand("s1", Standing.OK)
    assert office.later(HOUR) == []
    assert office.later(DAY) == ["Source 1 over"]
    assert office.later(2 * DAY) == []
    assert len(office.mails()) == 2


def test_what_is_well_again_before_it_was_told_is_not_told(office: Office) -> None:
    office.troubles = []
    office.stand("s1", Standing.BROKEN)
    office.stand("s1", Standing.OK)

    assert office.later(DAY) == []


def test_what_comes_together_is_one_mail_and_the_rest_of_the_day_is_another(office: Office) -> None:
    for number in range(50):
        office.stand(f"s{number}", Standing.QUIET)
    assert len(office.later(HOUR)) == 50
    assert len(office.mails()) == 1
    for number in range(50, 60):
        office.stand(f"s{number}", Standing.DEGRADED)
        assert office.later(HOUR) == []
    assert len(office.mails()) == 1
    assert len(office.later(DAY)) == 10
    assert len(office.mails()) == 2


def test_a_source_that_changes_every_three_hours_for_a_week_does_not_flood(office: Office) -> None:
    for _ in range(7 * 4):
        for standing in (Standing.BROKEN, Standing.OK):
            office.stand("s1", standing)
            office.later(3 * HOUR)

    assert len(office.mails()) <= 8


@pytest.mark.parametrize("standing", [Standing.NEW, Standing.PAUSED, Standing.OUT_OF_REACH, Standing.OK])
def test_what_is_no_trouble_is_not_told(office: Office, standing: Standing) -> None:
    office.stand("s1", standing)

    assert office.later(DAY) == []


def test_nothing_is_told_of_sources_in_the_first_day_of_an_archive_or_of_a_source(tmp_path: Path) -> None:
    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", NOW) as archive, archive.write() as tx:
        sources.ensure(tx, ["s1"], NOW)
        sources.begin_run(tx, "s1", NOW)
        office = Office(tx)
        office.stand("s1", Standing.BROKEN)
        assert office.later(DAY - HOUR) == []
        assert office.later(2 * HOUR) == ["Source 1 broken"]
        sources.ensure(tx, ["s2"], office.now)
        sources.begin_run(tx, "s2", office.now)
        office.stand("s2", Standing.BROKEN)
        assert office.later(DAY - HOUR) == []
        assert office.later(2 * HOUR) == ["Source 2 broken"]


def test_a_trouble_is_told_when_it_begins_and_when_it_ends(office: Office) -> None:
    office.troubles = [Trouble("The disk fills", "disk", "full in five days", NOW)]
    assert office.later(DAY) == ["The disk fills begun"]
    office.troubles = []
    assert office.later(DAY) == ["The disk fills over"]
    assert office.later(DAY) == []


def test_a_trouble_that_comes_and_goes_is_told_a_few_times_a_day(office: Office) -> None:
    for number in range(100):
        office.troubles = [] if number % 2 else [Trouble("Lag", "lag", "late", office.now)]
        office.later(timedelta(minutes=10))

    assert len(office.mails()) <= NOTICES_A_DAY


def test_a_pause_of_mail_is_told_after_it_if_it_was_long(office: Office) -> None:
    for hours, told in ((0.5, []), (3, ["Mail was paused over"])):
        since = office.now
        outbox.set_pause(office.tx, Pause("refused", since, since + HOUR, 1))
        office.troubles = [Trouble("Mail was paused", "mail", "refused", since, patience=HOUR)]
        assert office.later(hours * HOUR) == []
        outbox.set_pause(office.tx, None)
        office.troubles = []
        assert office.later(HOUR) == told


def test_without_an_address_things_are_told_in_the_log_alone(office: Office, caplog) -> None:
    caplog.set_level("INFO", "jingbao")
    office.config = Config()
    office.stand("s1", Standing.BROKEN)

    assert office.later(DAY) == ["Source 1 broken"]
    assert office.mails() == []
    assert "nobody to tell" in caplog.text


def test_a_notice_goes_to_the_operator_in_the_first_readers_language() -> None:
    zh = ANN | {"language": "zh"}
    given = operator_of(Config(operator={"addresses": ["op@example.org"]}, readers=[zh]))
    alone = operator_of(Config(operator={"addresses": ["op@example.org"]}))

    assert given
    assert (given.addresses, given.language, given.zone) == (("op@example.org",), "zh", "Asia/Shanghai")
    assert alone
    assert alone.language == "en"
    assert operator_of(Config()) is None


@pytest.mark.parametrize(("language", "says"), [("en", "Caixin: refuses"), ("zh", "拒绝访问")])
def test_the_mail_says_what_and_why_in_both_parts(office: Office, language: str, says: str) -> None:
    office.config = Config(readers=[ANN | {"language": language}], operator={"addresses": ["a@example.org", "b@example.org"]})
    office.stand("s1", Standing.BLOCKED, "caixin.test answered <403> Forbidden.")
    office.now += HOUR
    make_notices(office.tx, office.config, {"s1": "Caixin"}, (), office.now)
    mails = office.mails()
    message = email.message_from_bytes(mails[0].content, policy=email.policy.default)
    text, html = (message.get_body((part,)).get_content() for part in ("plain", "html"))

    assert {mail.address for mail in mails} == {"a@example.org", "b@example.org"}
    assert {(mail.reader, mail.kind) for mail in mails} == {(OPERATOR, "notice")}
    assert message["List-Id"] == "<operator.jingbao.localhost>"
    assert says in text
    assert says in html
    assert "caixin.test answered <403> Forbidden." in text
    assert "&lt;403&gt;" in html
    assert "jingbao sources s1" in text
    assert "2026-11-24 16:00" in text


async def test_notices_are_withdrawn_only_if_the_operators_address_is_gone(tmp_path: Path) -> None:
    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", NOW) as archive:
        config = Config(readers=[ANN])
        with archive.write() as tx:
            make_notices(tx, config, {}, [Trouble("Disk", "disk", "", NOW)], NOW)
        await withdraw_gone(archive, Desk.of(config, load_watchlist()))
        with archive.read() as tx:
            assert [mail.state for mail in outbox.latest_messages(tx, 9)] == ["waiting"]
        other = Config(readers=[ANN], operator={"addresses": ["op@example.org"]})
        await withdraw_gone(archive, Desk.of(other, load_watchlist()))
        with archive.read() as tx:
            assert [mail.state for mail in outbox.latest_messages(tx, 9)] == ["withdrawn"]


def test_a_source_in_its_first_day_does_not_hasten_what_is_told_of_others(office: Office) -> None:
    names = {**NAMES, "fresh": "Fresh"}
    sources.ensure(office.tx, ["fresh"], office.now)
    sources.begin_run(office.tx, "fresh", office.now)
    office.stand("fresh", Standing.BROKEN)
    office.now += HOUR
    office.stand("s1", Standing.BROKEN)

    def told(after: timedelta) -> list[str]:
        return [point.source for point in make_notices(office.tx, office.config, names, [], office.now + after)]

    assert told(timedelta(minutes=1)) == []
    assert told(timedelta(minutes=11)) == ["s1"]


def test_a_clock_that_was_ahead_for_a_while_silences_nobody(office: Office) -> None:
    office.now += 365 * DAY
    for number in range(NOTICES_A_DAY):
        office.troubles = [Trouble(f"T{number}", f"k{number}", "x", office.now, patience=timedelta())]
        office.later(HOUR)
    office.stand("s1", Standing.BROKEN)
    office.now -= 365 * DAY
    office.troubles = [Trouble("The disk is full", "disk-full", "x", office.now + 300 * DAY)]

    told = office.later(HOUR)
    assert "The disk is full begun" in told
    assert "Source 1 broken" in told
