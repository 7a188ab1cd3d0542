"""`jingbao init` asks four things, tries each, and writes a configuration the daemon takes; nothing secret stands in it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from console.cli import run
from console.first_config import Answers, rendered, shipped
from console.settings import load_settings
from console.surroundings import local_language, local_zone, provider_for
from core import secrets
from core.located_yaml import read_located_yaml
from tests.console.terminal import play
from tests.newsroom.mailbox import mailbox

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Answers("ann@example.org", "zh", "Europe/Berlin", "mainland", "https://example.org/monitor")


@pytest.fixture(autouse=True)
def nobody_here(monkeypatch) -> None:
    for name in ("JINGBAO_CONFIG", "EMAIL", "LANG", "LC_ALL", "LC_MESSAGES", "JINGBAO_SMTP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def test_the_shipped_file_is_the_one_at_the_top() -> None:
    assert shipped() == (ROOT / "config.yaml").read_text(encoding="utf-8")


def test_answers_are_put_into_the_shipped_text_and_nothing_else_changes() -> None:
    before, after = shipped().splitlines(), rendered(ANSWERS, shipped()).splitlines()

    changed = [line for line in after if line not in before]
    assert [line.partition("#")[0].rstrip() for line in changed] == [
        "location: mainland",
        "  contact: https://example.org/monitor",
        "    addresses: [ann@example.org]",
        "    language: zh",
        "    zone: Europe/Berlin",
    ]
    assert [line for line in before if "#" in line and line.partition("#")[2] not in rendered(ANSWERS, shipped())] == []
    assert len(after) == len(before)


def test_every_section_of_the_shipped_file_is_there_and_so_are_its_rules(tmp_path: Path) -> None:
    assert run(["init", "--yes", str(tmp_path / "config.yaml")]) == 0

    written = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    ours, theirs = (read_located_yaml(text, "x").value for text in (written, shipped()))
    assert list(ours) == list(theirs)
    assert ours["rules"] == theirs["rules"]


def test_a_file_in_another_style_is_edited_too() -> None:
    text = rendered(ANSWERS, "# mine\nreaders:\n- key: me\n  addresses: [a@example.org]\nrules: []\n")

    value = read_located_yaml(text, "x").value
    assert value["location"] == "mainland"
    assert value["network"] == {"contact": "https://example.org/monitor"}
    assert value["readers"][0]["addresses"] == ["ann@example.org"]
    assert text.startswith("# mine\n")


def test_without_a_terminal_it_takes_defaults_and_options(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    options = ["--address", "ann@example.org", "--send", "smtp.example.org:465", "--user", "ann", "--location", "outside"]
    assert run(["init", *options]) == 0

    config = load_settings(tmp_path / "config.yaml").config
    assert (config.readers[0].addresses, config.readers[0].zone, config.location) == (("ann@example.org",), "Asia/Tokyo", "outside")
    assert config.mail.smtp is not None
    assert (config.mail.smtp.host, config.mail.smtp.port, config.mail.smtp.security) == ("smtp.example.org", 465, "tls")
    assert (config.mail.sender, config.network.contact) == ("ann@example.org", "ann@example.org")
    assert stat.S_IMODE((tmp_path / "config.yaml").stat().st_mode) == 0o600
    assert "jingbao run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "answer", "said"),
    [
        ("--address", "nobody", "expected a mail address"),
        ("--zone", "Asia/Peking", "IANA name"),
        ("--language", "fr", "expected one of en, zh"),
        ("--send", "pigeon", 'no provider "pigeon"'),
        ("--location", "moon", "expected one of auto"),
        ("--contact", "me", "a mail address or a page"),
    ],
)
def test_an_option_that_will_not_do_is_wrong_use_and_nothing_is_written(option, answer, said, tmp_path, capsys) -> None:
    assert run(["init", "--yes", option, answer, str(tmp_path / "config.yaml")]) == 2

    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_unless_forced_and_then_kept(tmp_path: Path, capsys) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("# mine\n", encoding="utf-8")
    assert run(["init", "--yes", str(path)]) == 1
    assert "init --force" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "# mine\n"

    for kept in ("config.yaml.bak", "config.yaml.bak2"):
        assert run(["init", "--yes", "--force", str(path)]) == 0
        assert (tmp_path / kept).exists()
    assert (tmp_path / "config.yaml.bak").read_text(encoding="utf-8") == "# mine\n"


def test_a_result_with_faults_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("# mine\n", encoding="utf-8")
    monkeypatch.setattr("console.commands.init.shipped", lambda: "readers: {}\nrules: [{name: x}]\n")

    assert run(["init", "--yes", "--force", str(path)]) == 78
    assert [each.name for each in tmp_path.iterdir()] == ["config.yaml"]
    assert path.read_text(encoding="utf-8") == "# mine\n"


def test_on_a_terminal_each_answer_is_tried_and_asked_again_and_a_test_mail_is_sent(tmp_path: Path) -> None:
    with mailbox() as box:
        code, shown = play(
            ["init"],
            [
                ("Mail address", "ann"),
                ("expected a mail address", ""),
                ("Mail address", "ann@reader.test"),
                ("Language", ""),
                ("Time zone", "Peking"),
                ("Time zone", ""),
                ("Send by", "127.0.0.1:1"),
                ("Encryption", "none"),
                ("User", ""),
                ("Sender", "jingbao@reader.test"),
                ("again, folder", "again"),
                ("Send by", f"{box.host}:{box.port}"),
                ("Encryption", "none"),
                ("User", ""),
                ("Sender", "jingbao@reader.test"),
                ("auto, outside or mainland", "mainland"),
                ("A mail address, or a page", ""),
            ],
            tmp_path,
            {},
        )

    assert code == 0, shown
    assert [mail.recipients for mail in box.received] == [("ann@reader.test",)] or len(box.received) == 1
    config = load_settings(tmp_path / "config.yaml").config
    assert (config.readers[0].zone, config.location, config.network.contact) == ("Asia/Shanghai", "mainland", "ann@reader.test")
    assert config.mail.smtp is not None
    assert config.mail.smtp.port == box.port
    assert "That did not work" in shown


def test_a_password_goes_into_a_file_of_its_own_and_is_found_there(tmp_path: Path, monkeypatch) -> None:
    code, shown = play(
        ["init", "--address", "ann@qq.com", "--language", "zh", "--contact", "ann@qq.com", "--location", "mainland"],
        [
            ("Time zone", ""),
            ("Send by", "localhost:1"),
            ("Encryption", "none"),
            ("User", "ann"),
            ("Password", "swordfish-7391"),
            ("Sender", ""),
            ("again, folder", "keep"),
        ],
        tmp_path,
        {},
    )

    assert code == 0, shown
    assert "swordfish-7391" not in shown
    assert "swordfish-7391" not in (tmp_path / "config.yaml").read_text(encoding="utf-8")
    secret = tmp_path / "secrets" / "JINGBAO_SMTP_PASSWORD"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    load_settings(tmp_path / "config.yaml")
    assert secrets.look_up("JINGBAO_SMTP_PASSWORD", {}) == "swordfish-7391"


def test_the_questions_are_in_the_language_of_the_locale(tmp_path: Path) -> None:
    code, shown = play(
        ["init"],
        [("邮箱地址", "lin@reader.test"), ("邮件自身用语", ""), ("时区", ""), ("寄信方式", "folder"), ("auto、outside", "outside"), ("邮箱地址或网页", "")],
        tmp_path,
        {"LANG": "zh_CN.UTF-8"},
    )  # fmt: skip

    assert code == 0, shown
    config = load_settings(tmp_path / "config.yaml").config
    assert (config.readers[0].language, config.mail.smtp) == ("zh", None)
    assert "初报" in shown


def test_what_the_machine_suggests(tmp_path: Path) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/Europe/Berlin")

    assert local_zone({"TZ": "Asia/Tokyo"}, link) == "Asia/Tokyo"
    assert local_zone({"TZ": ":nonsense"}, link) == "Europe/Berlin"
    assert local_zone({}, tmp_path / "nothing") == "UTC"
    assert [local_language({"LANG": locale}) for locale in ("zh_CN.UTF-8", "de_DE", "")] == ["zh", "en", "en"]
    assert local_language({"LANG": "de_DE", "LC_ALL": "zh_TW"}) == "zh"
    assert [provider_for(address) for address in ("a@QQ.com", "a@gmail.com", "a@example.org")] == ["qq", "gmail", ""]
