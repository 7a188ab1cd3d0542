"""First light comes once, to every reader, when the first round is through or has taken twenty minutes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console.cli import run
from console.duties import open_duties
from console.first_hour import LONGEST_ROUND, Dawn, arrive
from console.settings import Settings, load_settings
from console.troubles import collect_troubles
from console.workshop import begin_archive, workshop
from core.clock import Clock
from core.outcomes import Outcome
from crawler.net.pace import Pace
from crawler.standpoint import standpoint
from storage import articles, outbox, sources
from storage import settings as facts
from storage.archive import Archive
from storage.outbox import MatchState
from tests.builders import NOW, keep

CONFIG = """\
location: {location}
readers:
  - {{key: ann, addresses: [ann@example.org, ann@example.net]}}
  - {{key: lin, addresses: [lin@example.org], language: zh}}
rules: [{{name: chips, query: chip, when: now}}]
sources:
  catalogue: none
  add:
    - {{key: near, name: Near, kind: feed, language: en, url: "http://near.example/feed"}}
    - {{key: far, name: Far, kind: feed, language: en, url: "http://far.example/feed", reach: not-from-mainland}}
"""


def settings_at(folder: Path, minutes: float = 0, location: str = "auto") -> Settings:
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(location=location), encoding="utf-8")
    return replace(load_settings(path), clock=Clock(NOW + timedelta(minutes=minutes), 1e-9, 0))


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with begin_archive(settings_at(tmp_path)) as opened:
        yield opened


async def look(archive: Archive, settings: Settings) -> list[tuple[str, str]]:
    """One turn of matching and of first light; gives the mails of first light there are then, by reader and address."""
    duties = await open_duties(settings, archive, Pace())
    for name in ("match", "place", "first-light"):
        job = duties.job(name)
        assert job is not None
        await job.work()
    await duties.close()
    return told(archive)


def told(archive: Archive) -> list[tuple[str, str]]:
    with archive.read() as tx:
        mails = outbox.latest_messages(tx, 50)
    return sorted((mail.reader, mail.address) for mail in mails if mail.kind == "first-light")


@dataclass
class Watch:
    """One daemon's look-out for first light, at the minutes it is told."""

    archive: Archive
    folder: Path
    dawn: Dawn = field(default_factory=Dawn)

    async def at(self, minutes: float) -> list[tuple[str, str]]:
        async with workshop(settings_at(self.folder, minutes), self.archive) as shop:
            await self.dawn.watch(shop)
        return told(self.archive)


def ran(archive: Archive, key: str, result: str = sources.OK, detail: str = "") -> None:
    with archive.write() as tx:
        number = sources.begin_run(tx, key, NOW)
        sources.finish_run(tx, number, NOW, result=result, next_due=NOW + timedelta(minutes=30), detail=detail)


EVERYBODY = [("ann", "ann@example.net"), ("ann", "ann@example.org"), ("lin", "lin@example.org")]


async def test_it_waits_until_every_source_has_come_to_an_end_and_comes_once(archive: Archive, tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    assert await look(archive, settings) == []
    ran(archive, "near")
    assert await look(archive, settings) == []
    ran(archive, "far", Outcome.FAILED, "far.example cannot be reached: timed out.")
    assert await look(archive, settings) == EVERYBODY
    assert await look(archive, settings_at(tmp_path, 600)) == EVERYBODY


async def test_after_twenty_minutes_of_work_it_comes_with_what_there_is(archive: Archive, tmp_path: Path) -> None:
    await arrive(archive, settings_at(tmp_path))
    ran(archive, "near")
    minutes = LONGEST_ROUND.total_seconds() / 60
    daemon = Watch(archive, tmp_path)

    assert await daemon.at(0) == []
    assert await daemon.at(minutes - 1) == []
    assert await daemon.at(minutes) == EVERYBODY


async def test_mails_of_it_that_are_there_are_no_fault(archive: Archive, tmp_path: Path) -> None:
    """A restore may bring the mails without the mark."""
    ran(archive, "near")
    ran(archive, "far")
    settings = settings_at(tmp_path)
    assert await look(archive, settings) == EVERYBODY
    with archive.write() as tx:
        facts.put(tx, facts.FIRST_LIGHT, {"began": NOW.isoformat(), "told": None})
    assert await look(archive, settings) == EVERYBODY
    with archive.read() as tx:
        assert facts.get(tx, facts.FIRST_LIGHT)["told"]


async def test_a_time_in_which_no_daemon_worked_does_not_count(archive: Archive, tmp_path: Path) -> None:
    """Stopped at once and started an hour later, it asks its sources before it tells of them."""
    await arrive(archive, settings_at(tmp_path))
    assert await Watch(archive, tmp_path).at(1) == []

    later = Watch(archive, tmp_path)
    assert await later.at(60) == []
    ran(archive, "near")
    assert await later.at(79) == []
    assert await later.at(80) == EVERYBODY


async def test_nothing_is_told_while_no_source_has_come_to_an_end(archive: Archive, tmp_path: Path) -> None:
    await arrive(archive, settings_at(tmp_path))
    daemon = Watch(archive, tmp_path)

    assert await daemon.at(0) == []
    assert await daemon.at(60) == []
    ran(archive, "near")
    assert await daemon.at(61) == EVERYBODY


async def test_sources_out_of_reach_are_not_waited_for_and_not_asked(archive: Archive, tmp_path: Path) -> None:
    settings = settings_at(tmp_path, location="mainland")
    await look(archive, settings)
    with archive.read() as tx:
        assert standpoint(tx).unreachable == {"far"}
        assert sources.due(tx, NOW + timedelta(hours=1), 10, {"near", "far"}) == ["near"]
    ran(archive, "near")

    assert await look(archive, settings) == EVERYBODY


async def test_what_the_first_round_brought_is_matched_first_and_stays_unmailed(archive: Archive, tmp_path: Path) -> None:
    await look(archive, settings_at(tmp_path))
    with archive.write() as tx:
        keep(tx, "A chip is made", at=NOW, source="near", baseline=True)
    for key in ("near", "far"):
        ran(archive, key)
    await look(archive, settings_at(tmp_path))

    with archive.read() as tx:
        mail = next(mail for mail in outbox.latest_messages(tx, 9) if mail.address == "ann@example.org")
        assert outbox.match_counts(tx, NOW - timedelta(days=1)) == {("chips", MatchState.BASELINE): 2}
    assert b"1 match waiting, not mailed: baseline" in mail.content


async def test_an_archive_that_has_worked_before_is_past_its_first_light(archive: Archive, tmp_path: Path) -> None:
    with archive.write() as tx:
        number = keep(tx, "A chip is made")
        outbox.add_match(tx, rule="chips", reader="ann", article_id=number, story_id=1, at=NOW, state=MatchState.TOLD)
        articles.mark_matched(tx, [number])

    assert await look(archive, settings_at(tmp_path)) == []
    assert await look(archive, settings_at(tmp_path, 60)) == []


async def test_the_log_is_told_in_one_line_and_a_terminal_the_whole(archive: Archive, tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.INFO, "jingbao"):
        for key in ("near", "far"):
            await look(archive, settings_at(tmp_path))
            ran(archive, key)
        await look(archive, settings_at(tmp_path))

    told = [record for record in caplog.records if record.getMessage() == "first light"]
    assert [record.jingbao_fields["answered"] for record in told] == [2, 2]
    assert "All 2 sources have answered." in told[0].jingbao_text
    assert "This mail comes once" not in told[0].jingbao_text
    assert "2 个来源全部有应答。" in told[1].jingbao_text


async def test_the_command_shows_it_again_as_things_are_now(archive: Archive, tmp_path: Path, capsys) -> None:
    config = ["--config", str(tmp_path / "config.yaml")]
    settings_at(tmp_path)
    await look(archive, settings_at(tmp_path))
    ran(archive, "near")

    assert run([*config, "first-light"]) == 0
    assert "1 of 2 sources have answered." in capsys.readouterr().out
    assert run([*config, "first-light", "--reader", "lin"]) == 0
    assert "2 个来源中，1 个已有应答。" in capsys.readouterr().out
    assert run([*config, "first-light", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"]["pending"] == ["Far"]
    assert run([*config, "first-light", "--reader", "nobody"]) == 2


async def test_doctor_does_not_call_well_what_first_light_tells_of(archive: Archive, tmp_path: Path, capsys) -> None:
    config = ["--config", str(tmp_path / "config.yaml")]
    await look(archive, settings_at(tmp_path))
    ran(archive, "near")
    ran(archive, "far", Outcome.FAILED, "far.example cannot be reached: Connection refused.")
    run([*config, "doctor"])

    told = capsys.readouterr().out
    assert "none needs a look" not in told
    assert "1 of 2 asked gave nothing the last time: far" in told


@pytest.mark.parametrize(("speed", "behind"), [(1e-9, True), (3600.0, False)])
async def test_a_clock_that_runs_fast_does_not_make_collecting_late(archive: Archive, tmp_path: Path, speed: float, behind: bool) -> None:
    await look(archive, settings_at(tmp_path))
    settings = settings_at(tmp_path)
    later = NOW + timedelta(hours=8)
    with archive.read() as tx:
        found = collect_troubles(replace(settings, clock=Clock(later, speed, 0)), tx, later)

    assert ("backlog" in {each.key for each in found}) is behind


async def test_status_counts_from_the_first_run_of_a_young_archive(archive: Archive, tmp_path: Path, monkeypatch, capsys) -> None:
    settings_at(tmp_path)
    ran(archive, "near")
    monkeypatch.setenv("JINGBAO_CLOCK", f"{(NOW + timedelta(hours=2)).isoformat()}@0.000001")

    assert run(["--config", str(tmp_path / "config.yaml"), "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["outcomes"]
    assert (datetime.fromisoformat(told["since"]), told["runs"]) == (NOW, 1)
