"""`test-email`, `config show` and `config schema` as people and programs use them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.cli import run
from tests.canaries import CANARIES, PING_URL
from tests.newsroom.mailbox import let_talks_end, mailbox

READERS = "readers: [{key: ann, addresses: [ann@example.org]}, {key: bob, addresses: [bob@example.org]}]\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch):
    def to(text: str) -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(READERS + text, encoding="utf-8")
        monkeypatch.setenv("JINGBAO_CONFIG", str(path))
        monkeypatch.setenv("JINGBAO_CLOCK", "2026-01-20T10:00:00Z@0.000001")
        monkeypatch.setenv("COLUMNS", "200")
        return path

    return to


def smtp(port: int, more: str = "") -> str:
    return f"mail: {{sender: news@example.org, smtp: {{host: 127.0.0.1, port: {port}, security: none, user: ann{more}}}}}\n"


def test_a_test_mail_shows_the_talk_without_the_password(write, capsys) -> None:
    with mailbox() as box:
        write(smtp(box.port))
        assert run(["test-email"]) == 0
    told = capsys.readouterr().out

    assert box.received[0].recipients == ("ann@example.org",)
    assert "S: 220" in told
    assert "C: AUTH PLAIN •••" in told
    assert "C: rcpt TO:<ann@example.org>" in told
    assert CANARIES["JINGBAO_SMTP_PASSWORD"] not in told


def test_a_test_mail_goes_to_the_reader_or_address_that_is_named(write, capsys) -> None:
    with mailbox() as box:
        write(smtp(box.port))
        assert run(["test-email", "--reader", "bob"]) == 0
        assert run(["test-email", "--to", "cem@example.org", "--json"]) == 0
    capsys.readouterr()

    assert [mail.recipients for mail in box.received] == [("bob@example.org",), ("cem@example.org",)]


def test_a_refused_test_mail_ends_with_1_and_says_what_to_do(write, capsys) -> None:
    with mailbox() as box:
        box.refuse = "550 5.7.26 unauthenticated sender"
        write(smtp(box.port))
        assert run(["test-email", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)

    assert not report["ok"]
    assert "SPF" in report["fault"]
    assert report["talk"][0]["who"] == "-"
    assert any(line["text"].startswith("550 5.7.26") for line in report["talk"])


def test_a_failed_test_mail_is_told_to_people_too(write, capsys) -> None:
    write(smtp(9))
    assert run(["test-email"]) == 1

    assert "Not sent" in capsys.readouterr().out


def test_without_a_way_of_sending_the_file_is_named(write, capsys, tmp_path) -> None:
    write("")
    assert run(["test-email"]) == 0

    assert str(tmp_path / "data" / "mail") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--to", "nobody"], 2, "expected a mail address"),
        (["--reader", "cem"], 3, "ann, bob"),
        (["--sign-in"], 2, "xoauth2"),
    ],
)
def test_wrong_use_of_test_email_is_told(write, capsys, arguments, code, told) -> None:
    write("")
    assert run(["test-email", *arguments]) == code

    assert told in capsys.readouterr().err


def test_without_readers_an_address_is_asked_for(write, capsys, tmp_path) -> None:
    write("").write_text("data_dir: data\n")
    assert run(["test-email"]) == 2

    assert "--to" in capsys.readouterr().err


def test_who_cannot_be_signed_in_is_told(write, capsys) -> None:
    write(
        "mail: {smtp: {host: 127.0.0.1, user: a, auth: xoauth2, oauth: {client_id: x, token_url: 'http://127.0.0.1:9/t',"
        " device_url: 'http://127.0.0.1:9/d'}}}\n"
    )
    assert run(["test-email", "--sign-in"]) == 1

    assert "cannot be reached" in capsys.readouterr().err


def test_the_configuration_in_force_is_shown_without_secrets(write, capsys, monkeypatch) -> None:
    monkeypatch.setenv("JINGBAO__ALERTS__ITEMS_PER_MAIL", "7")
    write(smtp(587) + f"operator: {{ping_url: '{PING_URL}'}}\nnetwork: {{proxy: 'http://me:canary-inline@127.0.0.1:1'}}\n")
    assert run(["config", "show"]) == 0
    told = capsys.readouterr().out
    assert run(["config", "show", "--json"]) == 0
    program = json.loads(capsys.readouterr().out)

    assert "canary" not in told
    assert "ping_url: •••" in told
    assert "items_per_mail: 7" in told
    assert "JINGBAO_SMTP_PASSWORD: in the environment" in told
    assert program["set"]["alerts.items_per_mail"] == "JINGBAO__ALERTS__ITEMS_PER_MAIL"
    assert program["set"]["network.proxy"] == "file"
    assert "network.timeout_seconds" not in program["set"]
    assert program["config"]["network"]["proxy"] == "http://me:•••@127.0.0.1:1"


def test_the_schema_is_json_schema_with_every_section(capsys) -> None:
    assert run(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)

    assert {"mail", "network", "rules"} <= set(schema["properties"])


def test_doctor_notes_a_secret_that_everybody_can_read(write, capsys, monkeypatch, tmp_path) -> None:
    file = tmp_path / "password.secret"
    file.write_text("x" * 10)
    file.chmod(0o644)
    monkeypatch.delenv("JINGBAO_SMTP_PASSWORD")
    monkeypatch.setenv("JINGBAO_SMTP_PASSWORD_FILE", str(file))
    with mailbox() as box:
        write(smtp(box.port))
        run(["doctor"])
    told = capsys.readouterr().out

    assert f"chmod 600 {file}" in told
    assert "takes the sign-in" in told


def test_the_talk_ends_with_the_verdict(write, capsys) -> None:
    """What the goodbye says, in a thread of its own, does not run into what comes next."""
    with mailbox() as box:
        write(smtp(box.port))
        assert run(["test-email"]) == 0
    let_talks_end()

    assert "QUIT" not in capsys.readouterr().out.upper()


def test_a_password_in_the_clear_is_noted_where_it_leaves_the_machine(write, capsys) -> None:
    write(smtp(2525).replace("127.0.0.1", "mail.example.org"))
    assert run(["config", "check"]) == 0
    assert "crosses the net to mail.example.org unencrypted" in capsys.readouterr().out

    write(smtp(2525))
    assert run(["config", "check"]) == 0
    assert "unencrypted" not in capsys.readouterr().out


def test_a_secret_that_is_nowhere_is_noted_with_the_file_to_put_it_into(write, capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("JINGBAO_SMTP_PASSWORD")
    write(smtp(2525))
    assert run(["config", "check"]) == 0
    told = capsys.readouterr().out
    assert str(tmp_path / "secrets" / "JINGBAO_SMTP_PASSWORD") in told
    assert "then restart" not in told

    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "JINGBAO_SMTP_PASSWORD").write_text("swordfish-7395")
    assert run(["config", "check"]) == 0
    assert "no mail can leave" not in capsys.readouterr().out


def test_an_open_file_that_holds_secrets_is_noted(write, capsys) -> None:
    path = write("network: {proxy: 'http://me:canary-inline@127.0.0.1:1'}\n")
    path.chmod(0o644)
    assert run(["config", "check"]) == 0
    assert f"chmod 600 {path}" in capsys.readouterr().out

    path.chmod(0o600)
    assert run(["config", "check"]) == 0
    assert "chmod" not in capsys.readouterr().out
    write("").chmod(0o644)
    assert run(["config", "check"]) == 0
    assert "chmod" not in capsys.readouterr().out
