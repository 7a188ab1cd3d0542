"""Summer time begins and ends, and clocks are set: each period gives one mail and each story is told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts.desk import Desk
from alerts.digests import make_due
from alerts.matching import match_pending
from core.config import Config
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist
from storage import outbox
from storage.archive import Archive
from tests.builders import keep

STEP = timedelta(minutes=30)
DAY = timedelta(days=1)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'a.sqlite3'}", datetime(2026, 1, 1, tzinfo=UTC)) as opened:
        yield opened


def desk(zone: str, when: str) -> Desk:
    config = {
        "readers": [{"key": "ann", "addresses": ["ann@example.org"], "zone": zone}],
        "rules": [{"name": "chips", "query": "chip", "when": when}],
    }
    return Desk.of(Config.model_validate(config), load_watchlist(), MentionFinder(load_watchlist()))


async def live(archive: Archive, of: Desk, moments: list[datetime], *, news: bool = True) -> list[datetime]:
    """Let it be each of these moments, with news at each; gives when mails were made."""
    for number, now in enumerate(moments):

        def begin(tx, number=number, now=now) -> None:
            if news and number % 3 == 0:
                keep(tx, f"A chip {number} of {now}", at=now)
            match_pending(tx, of, now)

        await archive.writing(begin)
        await make_due(archive, of, now)
    with archive.read() as tx:
        return sorted(mail.created for mail in outbox.latest_messages(tx, 1000))


@pytest.mark.parametrize(
    ("zone", "day", "when", "due"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "daily 02:30", "01:30"),  # there is no such hour: the moment after the gap
        ("Europe/Berlin", date(2026, 10, 25), "daily 02:30", "00:30"),  # there are two: the first
        ("Europe/Berlin", date(2026, 3, 29), "daily 08:00", "06:00"),
        ("America/New_York", date(2026, 3, 8), "daily 02:30", "07:30"),
        ("America/New_York", date(2026, 11, 1), "daily 01:30", "05:30"),
        ("America/New_York", date(2026, 11, 1), "daily 08:00", "13:00"),
    ],
)
async def test_a_local_day_that_is_shorter_or_longer_has_one_digest(archive, zone: str, day: date, when: str, due: str) -> None:
    """`due` is in UTC."""
    local = ZoneInfo(zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=local).astimezone(UTC)
    moments = [midnight + number * STEP for number in range(-8, 56)]

    made = await live(archive, desk(zone, when), moments)

    days = Counter(moment.astimezone(local).date() for moment in made)
    assert days[day] == 1
    assert set(days.values()) == {1}
    assert f"{day} {due}" in [f"{moment:%Y-%m-%d %H:%M}" for moment in made]


@pytest.mark.parametrize("jump", [DAY, -DAY])
@pytest.mark.parametrize("when", ["daily 08:00", "hourly", "now"])
async def test_a_clock_that_is_set_by_a_day_and_back_tells_nothing_twice(archive, jump: timedelta, when: str) -> None:
    of, noon = desk("Europe/Berlin", when), datetime(2026, 3, 3, 12, 10, tzinfo=UTC)
    usual = [noon + number * STEP for number in range(8)]
    kept = len(usual)
    with_jump = [*usual, *(moment + jump for moment in usual), *(moment + 8 * STEP for moment in usual)]

    await live(archive, of, with_jump)
    await live(archive, of, [max(with_jump) + DAY + number * STEP for number in range(4)], news=False)

    with archive.read() as tx:
        mails = outbox.latest_messages(tx, 1000)
        states = Counter(match.state for number in range(1, kept + 1) for match in outbox.matches_of(tx, number))
    assert len({mail.period_key for mail in mails}) == len(mails)
    assert states.total() == kept, "no news is lost, none is told twice"
    assert states[outbox.MatchState.WAITING] == 0
