"""The command line as people and programs use it: exit codes, clear errors, JSON."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli import COMMANDS, run
from core.article import DateOrigin, Draft, Fingerprint, Judgement, Precision, Published, Relevance, TextExtent
from core.language import Language
from core.outcomes import Outcome
from crawler.collect import Collector, RunReport
from lexicon.mentions import MentionFinder
from lexicon.watchlist import load_watchlist
from storage import addresses, articles
from storage.addresses import Ending
from storage.archive import Archive
from tests.databases import only

NOW = datetime(2026, 1, 20, 9, 0, tzinfo=UTC)
URL = "https://news.example/deepseek"
CONFIG = """\
readers:
  - {key: ann, addresses: [ann@example.org], zone: Asia/Shanghai}
rules:
  - {name: models, title: Models, query: "@deepseek", when: daily 08:00}
  - {name: robots, query: robots, when: now, enabled: false}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("JINGBAO_CONFIG", str(path))
    monkeypatch.setenv("JINGBAO_CLOCK", "2026-01-20T10:00:00Z@0.000001")
    monkeypatch.setenv("COLUMNS", "200")
    return path


@pytest.fixture
def url(config: Path, database: str, database_url: str, monkeypatch) -> str:
    """Where the commands' archive is: where config.yaml says, or on a server that the environment names."""
    if database == "postgres":
        monkeypatch.setenv("JINGBAO__STORAGE__URL", database_url)
        return database_url
    (config.parent / "data").mkdir()
    return f"sqlite:///{config.parent / 'data' / 'jingbao.sqlite3'}"


@pytest.fixture
def article(url: str) -> int:
    """An archive with one article, kept an hour ago."""
    title, text = "DeepSeek \x1b[31mopens\x1b[0m weights 深度求索", "DeepSeek opened the weights of a model.\n芯片很贵。"
    published = Published(NOW, Precision.MINUTE, DateOrigin.FEED, "UTC", True)
    draft = Draft(URL, title, text, "", Language.EN, TextExtent.FULL, "", published=published)
    mentions = MentionFinder(load_watchlist()).find(title, text)
    verdict = Relevance(True, ("names DeepSeek",))
    judgement = Judgement(verdict, mentions, Fingerprint(b"0" * 16, b"", (), 40))
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        number = articles.insert(
            tx, draft, judgement, source="qbitai", outlet="News", canonical_url=URL, discovered=NOW, watchlist_version="x"
        )
        addresses.record(tx, URL, Ending(Outcome.NEW, "names DeepSeek", article_id=number), url=URL, source="qbitai", now=NOW)
    return number


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str, capsys) -> None:
    assert run([name, "--help"]) == 0

    told = capsys.readouterr().out
    assert name == "config" or f"jingbao {name}" in told


def test_a_search_gives_json_to_programs(article: int, capsys) -> None:
    assert run(["search", "@deepseek 芯片", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert [each["id"] for each in found["articles"]] == [article]
    assert found["total"] == 1


def test_a_title_cannot_send_control_sequences_to_the_terminal(article: int, capsys) -> None:
    for command in (["search", "deepseek"], ["show", str(article)], ["explain", str(article)], ["status"]):
        assert run(command) == 0
        assert "\x1b[31mopens" not in capsys.readouterr().out


def test_nothing_found_is_exit_code_3(article: int, capsys) -> None:
    assert run(["search", "nowhere"]) == 3
    assert run(["show", "4711"]) == 3
    assert run(["explain", "https://news.example/never-seen"]) == 3
    assert "4711" in capsys.readouterr().err


def test_a_query_with_an_error_says_where_and_what_would_work(config: Path, capsys) -> None:
    assert run(["search", "chips AND (huawei"]) == 2

    told = capsys.readouterr().err
    assert "^" in told


def test_a_faulty_configuration_starts_nothing_and_tells_all(config: Path, capsys) -> None:
    config.write_text("readers: [{key: A B, addresses: []}]\nrules: [{name: x, query: '(', when: never}]\nsorces: {}\n")

    assert run(["run"]) == 78

    told = capsys.readouterr().err
    assert "readers[0].key" in told
    assert "rules[0].when" in told
    assert 'Did you mean "sources"?' in told
    assert not (config.parent / "data").exists()


def test_a_bad_query_in_a_rule_is_a_fault_of_the_configuration(config: Path, capsys) -> None:
    config.write_text(CONFIG + "  - {name: bad, query: '@depseek', when: now}\nsources: {enable: [qbita]}\n")

    assert run(["config", "check", "--json"]) == 78

    told = json.loads(capsys.readouterr().out)
    assert any("rules[2].query" in line and "deepseek" in line for line in told["problems"])
    assert any("sources.enable[0]" in line and "qbitai" in line for line in told["problems"])


def test_a_sound_configuration_is_told_so(config: Path, capsys) -> None:
    assert run(["config", "check", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["sources"], told["readers"], told["rules_on"], told["rules_off"]) == (79, 1, 1, 1)


def test_the_history_of_an_article_can_be_asked_by_number_or_address(article: int, capsys) -> None:
    assert run(["explain", str(article), "--json"]) == 0
    by_number = json.loads(capsys.readouterr().out)
    assert run(["explain", URL + "?utm_source=x", "--json"]) == 0
    by_address = json.loads(capsys.readouterr().out)

    assert by_number == by_address
    assert by_number["addresses"][0]["history"][0]["outcome"] == "new"


def test_a_trial_tells_what_would_have_been_mailed(article: int, capsys) -> None:
    assert run(["alerts", "test", "weights", "--since", "7d", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [item["id"] for mail in told["mails"] for item in mail["items"]] == [article]


def test_alerts_lists_rules_on_and_off(config: Path, capsys) -> None:
    assert run(["alerts", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert [(rule["name"], rule["on"], rule["when"]) for rule in told] == [("models", True, "daily 08:00"), ("robots", False, "now")]


def test_an_export_is_whole_or_not_there(article: int, tmp_path: Path, capsys) -> None:
    target = tmp_path / "out.csv"

    assert run(["export", "deepseek", "--format", "csv", "--out", str(target)]) == 0

    assert len(target.read_text(encoding="utf-8").splitlines()) >= 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_commands_that_look_at_everything_work_on_both_databases(article: int, tmp_path: Path, capsys) -> None:
    assert run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["articles"]["total"] == 1
    assert run(["sources", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 79
    run(["doctor"])
    assert "whole, 1 article" in capsys.readouterr().out
    assert run(["backup", str(tmp_path / "backup.sqlite3"), "--json"]) == 0
    assert (tmp_path / "backup.sqlite3").stat().st_size > 10_000


def test_sources_and_doctor_answer_before_anything_was_collected(config: Path, capsys) -> None:
    assert run(["sources", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 79
    assert run(["doctor", "--json"]) == 0


@only("sqlite")
def test_a_damaged_database_is_refused_with_advice_and_left_as_it_is(article: int, config: Path, capsys) -> None:
    database = config.parent / "data" / "jingbao.sqlite3"
    database.write_bytes(b"this is no database" * 100)
    before = database.read_bytes()

    assert run(["search", "deepseek"]) == 1

    assert "jingbao.sqlite3" in capsys.readouterr().err
    assert database.read_bytes() == before


def test_the_configuration_may_be_named_before_or_after_the_command(config: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("JINGBAO_CONFIG", str(tmp_path / "absent.yaml"))

    for arguments in (["--config", str(config), "alerts"], ["alerts", "--config", str(config)], ["alerts", f"--config={config}"]):
        assert run([*arguments, "--json"]) == 0
    assert run(["alerts", "--json"]) == 78


def test_a_search_marks_the_names_of_a_concept_and_says_how_to_go_on(article: int, url: str, config: Path, capsys) -> None:
    with Archive.open(url, NOW) as archive, archive.write() as tx:
        draft = Draft(URL + "2", "DeepSeek again", "Of DeepSeek's model.", "", Language.EN, TextExtent.FULL, "")
        judgement = Judgement(Relevance(True, ()), frozenset({"deepseek"}), Fingerprint(b"1" * 16, b"", (), 40))
        articles.insert(
            tx, draft, judgement, source="qbitai", outlet="News", canonical_url=URL + "2", discovered=NOW, watchlist_version="x"
        )

    assert run(["--config", str(config), "search", "@deepseek", "--limit", "1", "--order", "newest"]) == 0

    shown = capsys.readouterr()
    assert "DeepSeek opened the weights" in shown.out or "Of DeepSeek's model" in shown.out
    following = shlex.split(shown.err.partition("The next ones: jingbao ")[2])
    assert following[:5] == ["--config", str(config), "search", "--limit", "1"]
    assert run(following) == 0
    assert capsys.readouterr().out.splitlines()[0] != shown.out.splitlines()[0]


def test_one_source_s_bug_does_not_end_the_others(config: Path, capsys, monkeypatch, caplog) -> None:
    async def collect(self, source) -> RunReport:
        if source.key == "qbitai":
            raise ZeroDivisionError
        return RunReport(source.key, "ok", 0, {})

    monkeypatch.setattr(Collector, "collect", collect)

    assert run(["collect", "qbitai", "scmp-tech", "--json"]) == 0

    told = {report["source"]: report["result"] for report in json.loads(capsys.readouterr().out)}
    assert told == {"qbitai": "failed", "scmp-tech": "ok"}


def test_a_long_query_is_pointed_at_where_the_trouble_is(config: Path, capsys) -> None:
    assert run(["search", "芯片 " * 30 + "AND AND " + "x " * 30]) == 2

    *_, shown, caret = capsys.readouterr().err.rstrip("\n").split("\n")
    assert len(shown) < 100
    assert caret.strip() == "^"
    assert sum(2 if char >= "\u2e80" else 1 for char in shown[: shown.index("AND AND") + 4]) == len(caret) - 1
