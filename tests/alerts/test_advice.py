"""The usual mistakes with the usual providers are named where they show: in the error itself."""

from __future__ import annotations

import errno
import os
import smtplib
from pathlib import Path

import pytest

from alerts.advice import advice
from alerts.transport import Parcel
from alerts.transports.answers import Step, reason_of, refusal, silence
from alerts.transports.sendmail import SendmailTransport
from core.config import Config, MailConfig, SmtpConfig
from core.configuration_file import load_config
from core.errors import ConfigError, SendError
from core.mail_presets import PRESETS, provider_of
from tests.builders import NOW


@pytest.mark.parametrize(
    ("host", "step", "code", "said", "told"),
    [
        ("smtp.qq.com", Step.SIGN_IN, 535, "Login fail. Account is abnormal, service is not open", "authorisation code (授权码)"),
        ("smtp.163.com", Step.SIGN_IN, 535, "Error: authentication failed", "authorisation code (授权码)"),
        ("smtp.126.com", Step.SIGN_IN, 550, "User has no permission", "authorisation code (授权码)"),
        ("smtp.exmail.qq.com", Step.SIGN_IN, 535, "authentication failed", "客户端专用密码"),
        ("smtp.gmail.com", Step.SIGN_IN, 535, "5.7.8 Username and Password not accepted", "app password"),
        ("smtp.gmail.com", Step.SIGN_IN, 534, "5.7.9 Application-specific password required", "app password"),
        ("smtp.office365.com", Step.SIGN_IN, 535, "5.7.139 Authentication unsuccessful, basic authentication is disabled", "xoauth2"),
        ("smtp.office365.com", Step.MAIL, 530, "5.7.57 Client not authenticated to send mail", "xoauth2"),
        ("smtp-mail.outlook.com", Step.SIGN_IN, 535, "5.7.3 Authentication unsuccessful", "xoauth2"),
        ("smtp.sendgrid.net", Step.SIGN_IN, 535, "Authentication failed: Bad username / password", 'the user is "apikey"'),
        ("mail.example.org", Step.SIGN_IN, 535, "5.7.8 no", "app password or authorisation code"),
        ("smtp.gmail.com", Step.TEXT, 550, "5.7.26 Your email has been blocked because the sender is unauthenticated", "SPF"),
        ("mail.example.org", Step.TEXT, 550, "5.7.1 SPF check failed", "DKIM"),
        ("smtp.163.com", Step.MAIL, 553, "Mail from must equal authorized user", "the signed-in account's own address"),
        ("smtp.qq.com", Step.MAIL, 501, "mail from address must be same as authorization user", "own address"),
        ("smtp.office365.com", Step.TEXT, 554, "5.2.252 SendAsDenied; a@x not allowed to send as b@x", "own address"),
        ("mail.example.org", Step.RCPT, 554, "5.7.1 Relay access denied", "sign-in"),
        ("mail.example.org", Step.RCPT, 550, "5.1.1 no such user", "Check the address"),
        ("smtp.163.com", Step.TEXT, 554, "DT:SPM 163 smtp5", "spam"),
        ("email-smtp.eu-west-1.amazonaws.com", Step.TEXT, 554, "Message rejected: Email address is not verified", "provider opens it"),
        ("mail.example.org", Step.MAIL, 530, "5.7.0 Authentication required", "mail.smtp.user"),
    ],
)
def test_a_refusal_names_the_usual_mistake(host: str, step: Step, code: int, said: str, told: str) -> None:
    error = refusal(step, code, said, f"the mail server {host}:587", provider_of(host))

    assert told in str(error)
    assert said.rsplit(maxsplit=1)[-1] in str(error)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("no answer within 30 seconds", "mail.api"),
        ("Network is unreachable", "look at its network"),
        ("Connection refused", "mail.smtp.port"),
        ("Name or service not known", "misspelt"),
    ],
)
def test_a_port_that_is_shut_a_wrong_port_and_a_wrong_name_are_told_apart(reason: str, told: str) -> None:
    assert told in str(silence(Step.CONNECT, reason, "the mail server x:25"))


def test_what_passes_by_itself_asks_for_no_hand() -> None:
    assert advice("RCPT", 451, "greylisted") == ""
    assert advice("TEXT", 552, "too big") == ""


def test_every_preset_can_be_used_and_is_known_again_by_its_host() -> None:
    for name, preset in PRESETS.items():
        sign_in = {} if preset.password_works else {"oauth": {"client_id": "x"}}
        smtp = SmtpConfig.model_validate({"preset": name, "user": "ann@example.org", **sign_in})

        assert (smtp.host, smtp.port, smtp.security) == (preset.host, preset.port, preset.security)
        assert smtp.security != "none"
        assert provider_of(preset.host) is preset
    assert provider_of("mail.example.org") is None
    assert provider_of("notqq.com") is None


def test_the_file_goes_before_a_preset_and_a_preset_may_look_like_a_number() -> None:
    smtp = SmtpConfig.model_validate({"preset": 163, "host": "smtp.yeah.net", "user": "ann@yeah.net"})
    assert (smtp.host, smtp.port, smtp.preset) == ("smtp.yeah.net", 465, "163")

    microsoft = SmtpConfig.model_validate({"preset": "outlook", "user": "a@outlook.com", "oauth": {"client_id": "x"}})
    assert microsoft.auth == "xoauth2"
    assert microsoft.oauth is not None
    assert microsoft.oauth.provider == "microsoft"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mail: {smtp: {preset: gmial}}", "mail.smtp.preset: expected one of gmail"),
        ("mail: {smtp: {host: x}, sendmail: /usr/sbin/sendmail}", "mail: expected one way of sending, not 2: smtp, sendmail"),
        ("mail: {smtp: {preset: outlook, user: a@outlook.com}}", "needs `user`"),
        ("mail: {smtp: {host: x, user: a, auth: xoauth2, oauth: {client_id: x}}}", "provider (microsoft or google)"),
    ],
)
def test_ways_of_sending_that_cannot_work_are_faults_of_the_file(tmp_path, text: str, told: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path / "config.yaml", environment={})
    (problem,) = raised.value.problems

    assert told in problem


def test_mails_are_kept_as_files_while_no_way_is_set() -> None:
    assert (MailConfig().smtp, MailConfig().sendmail, MailConfig().api) == (None, "", None)
    assert Config().mail == MailConfig()


async def test_the_systems_errors_are_told_in_words_and_no_sentence_ends_twice() -> None:
    assert reason_of(TimeoutError("timed out"), 30) == "no answer within 30 seconds"
    assert reason_of(OSError(errno.ENETUNREACH, "Network is unreachable"), 30) == "Network is unreachable"
    assert "look at its network" in advice("CONNECT", 0, "Network is unreachable")
    assert reason_of(smtplib.SMTPServerDisconnected("Connection unexpectedly closed."), 30) == "Connection unexpectedly closed"
    assert ".." not in str(refusal(Step.MAIL, 550, b"Not allowed to send as that.", "the mail server a:25"))


@pytest.mark.parametrize("code", [os.EX_UNAVAILABLE, os.EX_CONFIG, os.EX_TEMPFAIL, os.EX_NOPERM])
async def test_an_exit_code_of_sendmail_says_where_to_look(code: int, tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text(f"#!/bin/sh\ncat > /dev/null\nexit {code}\n")
    program.chmod(0o755)
    with pytest.raises(SendError) as raised:
        await SendmailTransport(str(program)).send(Parcel(1, "a@example.org", "b@example.org", NOW, b"x"))

    assert len(str(raised.value).partition(f"ended with {code}. ")[2]) > 10
