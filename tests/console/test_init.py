"""`jingbao init` asks four things, tries each, and writes a configuration the daemon takes; nothing secret stands in it."""

from __future__ import annotations

import re
import stat
from dataclasses import asdict
from pathlib import Path

import hypothesis
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alerts.trying import TestReport
from console.asking import Asker, Given
from console.cli import run
from console.first_config import Answers, Before, rendered, shipped
from console.init_wording import INIT_WORDS
from console.mail_interview import API_URL, PASSWORD, REFRESH_TOKEN, MailInterview
from console.provider_wording import PROVIDERS
from console.settings import load_settings
from console.surroundings import local_language, local_zone, provider_for
from core import secrets
from core.located_yaml import read_located_yaml
from core.mail_presets import PRESETS
from tests.console.terminal import play
from tests.newsroom.mailbox import mailbox

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = Answers(("ann@example.org",), "zh", "Europe/Berlin", "mainland", "https://example.org/monitor")


@pytest.fixture(autouse=True)
def nobody_here(monkeypatch) -> None:
    secrets_ = (PASSWORD, API_URL, REFRESH_TOKEN)
    for name in ("JINGBAO_CONFIG", "EMAIL", "LANG", "LC_ALL", "LC_MESSAGES", *secrets_, *(f"{name}_FILE" for name in secrets_)):
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
    path.write_text("nonsense: 1\n", encoding="utf-8")
    monkeypatch.setattr("console.first_config.shipped", lambda: "readers: {}\nrules: [{name: x}]\n")

    assert run(["init", "--yes", "--force", str(path)]) == 78
    assert [each.name for each in tmp_path.iterdir()] == ["config.yaml"]
    assert path.read_text(encoding="utf-8") == "nonsense: 1\n"


MINE = """\
# my own words
location: outside
network: {contact: "https://example.org/me", proxy: "http://127.0.0.1:7890"}
mail:
  sender: ann@example.org
  smtp: {host: mail.example.org, port: 465, security: tls}   # mine
readers:
  - {key: ann, addresses: [ann@example.org, second@example.org], zone: Europe/Berlin}
  - key: bob
    language: zh
    addresses: [bob@example.org]
sources:
  catalogue: none
  add: [{key: mine, name: Mine, kind: feed, language: en, url: "http://mine.example/feed"}]
rules:
  - {name: chips, query: chip, when: now}   # the one I want
"""


def test_forced_it_changes_the_answers_and_leaves_rules_sources_and_all_else(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(MINE, encoding="utf-8")
    before = read_located_yaml(MINE, "x").value
    assert run(["init", "--yes", "--force", "--zone", "Asia/Tokyo", "--address", "new@example.org", str(path)]) == 0

    text = path.read_text(encoding="utf-8")
    after = read_located_yaml(text, "x").value
    first = before["readers"][0] | {"addresses": ["new@example.org", "second@example.org"], "zone": "Asia/Tokyo", "language": "en"}
    assert after == before | {"readers": [first, before["readers"][1]]}
    assert text.startswith("# my own words\n")
    assert "# the one I want" in text
    assert (tmp_path / "config.yaml.bak").read_text(encoding="utf-8") == MINE


def test_forced_without_new_answers_it_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(MINE, encoding="utf-8")
    assert run(["init", "--yes", "--force", str(path)]) == 0

    before, after = (read_located_yaml(text, "x").value for text in (MINE, path.read_text(encoding="utf-8")))
    assert after["readers"][0].pop("language") == "en"
    assert after == before


def test_a_way_of_sending_is_taken_back_by_naming_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(MINE, encoding="utf-8")
    assert run(["init", "--yes", "--force", "--send", "folder", str(path)]) == 0

    assert read_located_yaml(path.read_text(encoding="utf-8"), "x").value["mail"] == {"sender": "ann@example.org"}


def test_a_file_with_faults_is_kept_and_the_shipped_one_filled_in(tmp_path: Path, capsys) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("nonsense: 1\n", encoding="utf-8")
    assert run(["init", "--yes", "--force", str(path)]) == 0

    assert "config check" in capsys.readouterr().err
    assert (tmp_path / "config.yaml.bak").read_text(encoding="utf-8") == "nonsense: 1\n"
    assert load_settings(path).config.rules


KEYS = st.sampled_from(["contact", "language", "zone", "addresses", "location", "x: y", "- key: me", "#", '"', "[a, b]"])


@hypothesis.settings(max_examples=60)
@given(
    st.recursive(st.text(max_size=8) | KEYS, lambda each: st.dictionaries(KEYS, each, max_size=3), max_leaves=8),
    st.lists(st.dictionaries(st.sampled_from(["key", "language", "zone", "name"]), KEYS, max_size=3), max_size=3),
    st.booleans(),
)
def test_answers_alone_change_however_a_file_is_written(network, readers, flow: bool) -> None:
    values = {"rules": [{"name": "x"}], "network": network if isinstance(network, dict) else {}, "readers": readers, "log": {}}
    text = yaml.safe_dump(values, default_flow_style=None if flow else False, allow_unicode=True, sort_keys=False)
    after = read_located_yaml(rendered(ANSWERS, text), "x")

    first = (readers or [{"key": "me"}])[0] | {"addresses": ["ann@example.org"], "language": "zh", "zone": "Europe/Berlin"}
    assert after.problems == []
    assert after.value == values | {
        "location": "mainland",
        "network": values["network"] | {"contact": "https://example.org/monitor"},
        "readers": [first, *readers[1:]],
    }


@pytest.mark.parametrize(("way", "name"), [("gmail", "JINGBAO_SMTP_PASSWORD"), ("api", "JINGBAO_MAIL_API_URL")])
def test_a_secret_that_is_nowhere_is_told_with_where_to_put_it(way: str, name: str, tmp_path: Path, capsys) -> None:
    options = ["--yes", "--address", "ann@example.org", "--send", way, str(tmp_path / "config.yaml")]
    assert run(["init", *options]) == 0

    told = capsys.readouterr().out
    assert "no mail can leave yet" in told
    assert str(tmp_path / "secrets" / name) in told


def test_a_secret_of_the_environment_is_kept_where_the_daemon_finds_it(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("JINGBAO_SMTP_PASSWORD", "swordfish-7392")
    options = ["--address", "ann@example.org", "--send", "GMail", str(tmp_path / "config.yaml")]
    assert run(["init", "--yes", *options]) == 0

    told = capsys.readouterr().out
    assert (tmp_path / "secrets" / "JINGBAO_SMTP_PASSWORD").read_text() == "swordfish-7392\n"
    assert str(tmp_path / "secrets") in told
    assert "no mail can leave yet" not in told
    smtp = load_settings(tmp_path / "config.yaml").config.mail.smtp
    assert smtp is not None
    assert (smtp.preset, smtp.user) == ("gmail", "ann@example.org")


def test_a_password_without_a_user_and_one_in_the_clear_are_told(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("JINGBAO_SMTP_PASSWORD", "swordfish-7393")
    path = str(tmp_path / "config.yaml")
    assert run(["init", "--yes", "--address", "ann@example.org", "--send", "smtp.example.org:465", path]) == 0
    assert "--user says who" in capsys.readouterr().out

    options = ["--address", "ann@example.org", "--send", "smtp.example.org:25", "--user", "ann"]
    assert run(["init", "--yes", "--force", *options, path]) == 0
    assert "unencrypted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--send", "office365"], "--client-id"),
        (["--send", "smtp.example.org:99999"], '"99999" is no port'),
        (["--send", "sendmail"], "no sendmail program"),
        (["--contact", "http://."], "a mail address or a page"),
    ],
)
def test_what_cannot_work_is_wrong_use_and_nothing_is_written(options, told, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("console.mail_interview.sendmail", lambda: "")
    assert run(["init", "--yes", "--address", "ann@example.org", *options, str(tmp_path / "config.yaml")]) == 2

    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_microsofts_mail_is_set_up_with_an_application(tmp_path: Path) -> None:
    options = ["--address", "ann@example.org", "--send", "office365", "--client-id", "1234-abcd", str(tmp_path / "config.yaml")]
    assert run(["init", "--yes", *options]) == 0

    smtp = load_settings(tmp_path / "config.yaml").config.mail.smtp
    assert smtp is not None
    assert smtp.oauth is not None
    assert (smtp.auth, smtp.oauth.client_id, smtp.oauth.tenant) == ("xoauth2", "1234-abcd", "example.org")


def test_microsofts_mail_is_signed_in_to_by_a_browser_then_and_there(tmp_path: Path, monkeypatch, capsys) -> None:
    async def agreed(oauth, show, proxy) -> str:
        show("https://sign-in.example/device", "ABC-123")
        assert (oauth.client_id, oauth.tenant, proxy) == ("1234-abcd", "consumers", "http://127.0.0.1:7890")
        return "refresh-7391-of-ann"

    async def sent(config, recipient, now, hear) -> TestReport:
        assert config.network.proxy == "http://127.0.0.1:7890"
        return TestReport(True, "", recipient, "", (), 0.1)

    answers = iter(["outlook", "1234-abcd", "ann@outlook.com", "consumers", "ann@outlook.com"])
    monkeypatch.setenv("JINGBAO__NETWORK__PROXY", "http://127.0.0.1:7890")
    monkeypatch.setattr("console.mail_interview.sign_in", agreed)
    monkeypatch.setattr("console.mail_interview.try_sending", sent)
    monkeypatch.setattr("click.prompt", lambda *_, **__: next(answers))
    monkeypatch.setattr("click.confirm", lambda *_, **__: True)
    asker = Asker(INIT_WORDS["en"], asks=True)
    mail = MailInterview(asker, Given(), tmp_path, Before(shipped())).section("ann@outlook.com")
    told = capsys.readouterr().err

    assert mail["smtp"] == {"preset": "outlook", "user": "ann@outlook.com", "oauth": {"client_id": "1234-abcd", "tenant": "consumers"}}
    assert asker.secrets == {REFRESH_TOKEN: "refresh-7391-of-ann"}
    assert "https://sign-in.example/device" in told
    assert "ABC-123" in told
    asker.forget()


def test_with_no_client_id_it_goes_back_to_the_choice_of_sending(tmp_path: Path) -> None:
    code, shown = play(
        ["init", "--address", "a@outlook.com", "--language", "en", "--zone", "UTC", "--contact", "a@outlook.com", "--location", "outside"],
        [("Send by", ""), ("client) ID", ""), ("Send by", "Gmail"), ("User", ""), ("Password", ""), ("Send by", "folder")],
        tmp_path,
        {},
    )

    assert code == 0, shown
    assert "entra.microsoft.com" in shown
    assert "wants Microsoft" not in shown
    assert "back to how mails shall be sent" in shown
    assert load_settings(tmp_path / "config.yaml").config.mail.smtp is None


def test_who_leaves_is_told_that_nothing_was_written(tmp_path: Path) -> None:
    code, shown = play(["init"], [("Mail address", "\x04")], tmp_path, {})

    assert code == 130
    assert "Nothing was written." in shown
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_in_a_line(capsys) -> None:
    assert run(["init", "--yes", "/dev/null/x/config.yaml"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_folder_of_secrets_that_was_open_is_shut(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "secrets").mkdir(mode=0o755)
    monkeypatch.setenv("JINGBAO_SMTP_PASSWORD", "swordfish-7394")
    assert run(["init", "--yes", "--address", "ann@qq.com", "--send", "qq", str(tmp_path / "config.yaml")]) == 0

    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_chinese_interview_tells_mistakes_and_providers_in_chinese(tmp_path: Path) -> None:
    code, shown = play(
        ["init", "--language", "zh", "--zone", "Asia/Shanghai", "--location", "mainland", "--contact", "l@qq.com"],
        [("邮箱地址", "lin"), ("应为邮箱地址", "l@qq.com"), ("寄信方式", "smtp.qq.com:x"), ("不是端口", ""), ("登录用户名", ""), ("密码", ""), ("寄信方式", "folder")],
        tmp_path,
        {"LANG": "zh_CN.UTF-8"},
    )  # fmt: skip

    assert code == 0, shown
    assert "授权码（不是登录密码）" in shown
    assert "以文件存于" in shown
    assert "expected" not in shown
    assert "an authorisation code" not in shown


def test_both_languages_know_the_same_phrases_and_every_provider_has_chinese_words() -> None:
    english, chinese = (asdict(INIT_WORDS[language]) for language in ("en", "zh"))
    fields = {name: set(re.findall(r"{\w+}", str(text))) for name, text in english.items()}

    assert {name: set(re.findall(r"{\w+}", str(text))) for name, text in chinese.items()} == fields
    assert set(PROVIDERS["zh"]) == {name for name, preset in PRESETS.items() if preset.password_works}


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
