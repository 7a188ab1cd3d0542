from __future__ import annotations

import email
import socket
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from alerts.transport import OutOfReachError, Parcel
from alerts.transports.folder import FolderTransport
from alerts.transports.smtp import SmtpTransport
from core.config import SmtpConfig
from core.errors import ChannelError, RefusedError, TryLaterError, UncertainError

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def parcel(recipient: str = "ann@example.org") -> Parcel:
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "芯片 news"
    message.set_content(".a line that begins with a dot\n..and one with two\n", cte="quoted-printable")
    message.add_alternative("<p>芯片</p>", subtype="html")
    return Parcel(7, "jingbao@example.org", recipient, NOW, message.as_bytes())


def to(port: int, **options) -> SmtpConfig:
    return SmtpConfig(host="127.0.0.1", port=port, **{"security": "none", "timeout_seconds": 20, **options})


async def test_a_mail_arrives_byte_for_byte(mail_server):
    server = mail_server()
    sent = parcel()
    await SmtpTransport(to(server.port)).send(sent)

    assert server.taken == [("ann@example.org", sent.content)]


@pytest.mark.parametrize(
    ("step", "answer", "error"),
    [
        ("MAIL", "421 closing", TryLaterError),
        ("MAIL", "451 later", TryLaterError),
        ("MAIL", "530 sign in first", ChannelError),
        ("MAIL", "550 not as this sender", ChannelError),
        ("MAIL", "552 too big", RefusedError),
        ("RCPT", "421 closing", TryLaterError),
        ("RCPT", "450 mailbox busy", TryLaterError),
        ("RCPT", "451 greylisted", TryLaterError),
        ("RCPT", "452 too many", TryLaterError),
        ("RCPT", "550 no such user", RefusedError),
        ("RCPT", "554 no", RefusedError),
        ("RCPT", "drop", TryLaterError),
        ("DATA", "421 closing", TryLaterError),
        ("DATA", "451 later", TryLaterError),
        ("DATA", "452 full", TryLaterError),
        ("DATA", "552 too big", RefusedError),
        ("DATA", "554 looks like spam", RefusedError),
        ("DATA", "drop", UncertainError),
        ("DATA", "drop after", UncertainError),
    ],
)
async def test_every_refusal_means_what_its_step_says(mail_server, step, answer, error):
    server = mail_server({step: answer})
    with pytest.raises(error) as raised:
        await SmtpTransport(to(server.port)).send(parcel())

    assert issubclass(raised.type, error)


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([b"421 busy"], OutOfReachError),
        ([b"554 no service for you"], ChannelError),
        ([b"220 hello", b"502 no EHLO", b"550 no HELO"], ChannelError),
        ([b"220 hello", b"250-me\r\n250 STARTTLS", b"454 no TLS just now"], OutOfReachError),
        ([b"220 hello", b"250-me\r\n250 STARTTLS", b"501 no"], ChannelError),
        ([b"not a mail server"], ChannelError),
        ([], OutOfReachError),
        ([b"220 hello"], TryLaterError),
    ],
)
async def test_a_server_that_will_not_begin_concerns_every_mail(saying, lines, error):
    with saying(lines) as port, pytest.raises(error):
        await SmtpTransport(to(port, security="starttls")).send(parcel())


async def test_a_server_that_is_not_there_is_out_of_reach():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OutOfReachError, match=f"127.0.0.1:{port}"):
        await SmtpTransport(to(port)).send(parcel())


async def test_a_server_that_hangs_after_its_greeting_is_given_up_after_the_timeout(saying):
    with saying([b"220-hello"]) as port, pytest.raises(TryLaterError):
        await SmtpTransport(to(port, timeout_seconds=0.2)).send(parcel())


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_mail_travels_encrypted_when_the_certificate_is_trusted(mail_server, authority, security):
    server = mail_server(security=security)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    await SmtpTransport(to(server.port, security=security), trust).send(parcel())

    assert len(server.taken) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_untrusted_certificate_sends_nothing(mail_server, security):
    server = mail_server(security=security)
    with pytest.raises(ChannelError, match="certificate"):
        await SmtpTransport(to(server.port, security=security)).send(parcel())

    assert server.taken == []


async def test_without_starttls_on_offer_nothing_is_sent_in_the_clear(mail_server):
    server = mail_server()
    with pytest.raises(ChannelError, match="STARTTLS"):
        await SmtpTransport(to(server.port, security="starttls")).send(parcel())

    assert server.taken == []


@pytest.mark.parametrize(("password", "works"), [("correct horse", True), ("wrong", False), ("wrong 密码", False)])
async def test_a_wrong_password_is_a_matter_of_the_channel(mail_server, monkeypatch, password, works):
    server = mail_server(signs_in=True)
    monkeypatch.setenv("TEST_PASSWORD", password)
    transport = SmtpTransport(to(server.port, user="jingbao", password_env="TEST_PASSWORD"))
    if works:
        await transport.send(parcel())
    else:
        with pytest.raises(ChannelError, match=r"535|ASCII") as raised:
            await transport.send(parcel())
        assert password not in str(raised.value).replace("password is wrong", "")

    assert len(server.taken) == works


async def test_a_missing_password_names_the_variable_to_set(mail_server, monkeypatch):
    monkeypatch.delenv("TEST_PASSWORD", raising=False)
    server = mail_server(signs_in=True)
    with pytest.raises(ChannelError, match="TEST_PASSWORD"):
        await SmtpTransport(to(server.port, user="jingbao", password_env="TEST_PASSWORD")).send(parcel())

    assert server.sessions == 0


async def test_an_address_that_cannot_be_written_is_refused_alone(mail_server):
    server = mail_server()
    with pytest.raises(RefusedError):
        await SmtpTransport(to(server.port)).send(parcel("安@example.org"))


async def test_a_kept_mail_can_be_read_by_mail_programs_and_browsers(tmp_path):
    folder = tmp_path / "mail"
    transport = FolderTransport(folder)
    await transport.send(parcel())
    await transport.send(parcel())

    names = sorted(path.name for path in folder.iterdir())
    assert names == ["20260302T080000Z-000007.eml", "20260302T080000Z-000007.html"]
    assert email.message_from_bytes((folder / names[0]).read_bytes())["Subject"]
    assert "芯片" in (folder / names[1]).read_text(encoding="utf-8")


async def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path):
    (tmp_path / "mail").write_text("a file is in the way")
    with pytest.raises(TryLaterError, match="mail"):
        await FolderTransport(tmp_path / "mail").send(parcel())


async def test_a_greeting_offers_no_mail_and_fails_as_sending_would(mail_server):
    server = mail_server()
    await SmtpTransport(to(server.port)).greet()
    assert server.taken == []

    with pytest.raises(ChannelError, match="password"):
        await SmtpTransport(to(server.port, user="ann", password_env="JINGBAO_NO_SUCH_PASSWORD")).greet()


async def test_a_greeting_says_when_nobody_is_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    with pytest.raises(OutOfReachError, match=str(port)):
        await SmtpTransport(to(port)).greet()


def test_where_the_secret_is_the_user_too_it_need_not_stand_in_the_configuration() -> None:
    postmark = SmtpTransport(SmtpConfig.model_validate({"preset": "postmark"}))
    with_own_user = SmtpTransport(SmtpConfig.model_validate({"preset": "postmark", "user": "mine"}))

    assert postmark._user("the-token") == "the-token"
    assert with_own_user._user("the-token") == "mine"
