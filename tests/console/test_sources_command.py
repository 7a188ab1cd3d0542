"""`jingbao sources`: how each stands, one of them whole, pauses; `status` and `doctor` say the same."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from console.cli import run
from console.settings import Settings, load_settings
from console.workshop import begin_archive
from core.outcomes import Outcome
from core.standing import Standing, Yield
from crawler.dispatch import OFFLINE_SINCE
from storage import settings as facts
from storage import sources, standings

CONFIG = """\
sources:
  catalogue: none
  add:
    - {key: daily, name: Daily, kind: feed, language: en, url: "http://127.0.0.1:9/feed"}
    - {key: weekly, name: Weekly, kind: feed, language: en, url: "http://127.0.0.1:9/weekly"}
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("JINGBAO_CONFIG", str(path))
    settings = load_settings(path)
    now = settings.clock.now()
    with begin_archive(settings) as archive, archive.write() as tx:
        sources.ensure(tx, ["daily", "weekly"], now)
        number = sources.begin_run(tx, "daily", now)
        due = now + timedelta(hours=1)
        sources.finish_run(tx, number, now, result=Outcome.BLOCKED, next_due=due, detail="it answered 403", yields=Yield(3))
        standings.set_standing(tx, "daily", Standing.BLOCKED, "it answered 403", now)
    return settings


def told(capsys, *arguments: str):
    capsys.readouterr()
    assert run([*arguments, "--json"]) in {0, 1}
    return json.loads(capsys.readouterr().out)


def test_each_source_is_listed_with_its_standing_reason_and_times(settings: Settings, capsys) -> None:
    (blocked,) = told(capsys, "sources", "--standing", "blocked")

    assert (blocked["key"], blocked["standing"], blocked["reason"]) == ("daily", "blocked", "it answered 403")
    assert blocked["since"]
    assert blocked["next_due"]
    assert [row["key"] for row in told(capsys, "sources", "--standing", "new")] == ["weekly"]


def test_one_source_is_told_whole_with_its_runs(settings: Settings, capsys) -> None:
    whole = told(capsys, "sources", "daily")

    assert [(each["result"], each["detail"], each["yields"]["listed"]) for each in whole["runs"]] == [
        ("blocked", "it answered 403", 3)
    ]
    assert run(["sources", "daily"]) == 0
    assert "it answered 403" in capsys.readouterr().out


def test_a_source_that_moved_for_good_or_whose_server_lies_is_told_with_what_to_do(settings: Settings, capsys) -> None:
    lying = sources.Validators('"e"', lying=True)
    now = settings.clock.now()
    with begin_archive(settings) as archive, archive.write() as tx:
        for key, days in (("daily", 3), ("weekly", 1)):
            number = sources.begin_run(tx, key, now)
            sources.finish_run(tx, number, now, result="ok", next_due=now, validators=lying)
            standings.note_move(tx, key, "https://new.test/feed", now - timedelta(days=days))
    shown = []
    for key in ("daily", "weekly"):
        assert run(["sources", key]) == 0
        shown.append(" ".join(capsys.readouterr().out.split()))

    assert "redirected for good to https://new.test/feed: change its address in" in shown[0]
    assert "redirected" not in shown[1]
    assert all("asked for the whole list every time" in each for each in shown)
    assert told(capsys, "sources", "daily")["moved_to"] == "https://new.test/feed"


def test_an_unknown_key_is_refused_with_the_nearest(settings: Settings, capsys) -> None:
    assert run(["sources", "dayly"]) == 3
    assert '"daily"' in capsys.readouterr().err


def test_a_source_is_paused_and_resumed(settings: Settings, capsys) -> None:
    assert run(["sources", "pause", "daily", "--for", "3d"]) == 0
    assert told(capsys, "sources", "daily")["standing"] == "paused"
    assert run(["sources", "pause", "weekly"]) == 0
    assert told(capsys, "sources", "weekly")["next_due"] is None
    assert run(["sources", "resume", "daily"]) == 0
    assert told(capsys, "sources", "daily")["standing"] == "new"
    assert run(["sources", "pause", "daily", "--for", "3d", "--until", "2026-12-24"]) == 2


def test_status_and_doctor_agree(settings: Settings, capsys) -> None:
    status = told(capsys, "status")
    findings = {each["subject"]: each for each in told(capsys, "doctor")}

    assert status["sources"]["standing"] == {"new": 1, "blocked": 1}
    assert status["sources"]["troubles"]["daily"]["reason"] == "it answered 403"
    assert "daily" in findings["sources"]["what"] or "none of the 1 asked" in findings["sources"]["what"]


def test_being_offline_is_shown_everywhere(settings: Settings, capsys) -> None:
    with begin_archive(settings) as archive, archive.write() as tx:
        facts.put(tx, OFFLINE_SINCE, {"direct": (settings.clock.now() - timedelta(hours=2)).isoformat()})

    assert "direct" in told(capsys, "status")["sources"]["offline_since"]
    assert {each["subject"]: each["state"] for each in told(capsys, "doctor")}["sources"] == "fault"
    assert run(["status"]) == 0
    assert "Offline" in capsys.readouterr().out
    assert run(["sources"]) == 0
    assert "Offline (direct)" in capsys.readouterr().out
