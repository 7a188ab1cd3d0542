"""Sending by a sendmail program, by a mail service over HTTPS; which way is chosen."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from alerts.transport import OutOfReachError, Parcel, StrainedError
from alerts.transports.api import ApiTransport
from alerts.transports.chosen import access_tokens, transport_of
from alerts.transports.folder import FolderTransport
from alerts.transports.sendmail import SendmailTransport
from alerts.transports.smtp import SmtpTransport
from alerts.trying import test_message as mail_for_testing
from alerts.trying import try_sending, way_of
from core.config import Config
from core.errors import ChannelError, RefusedError, TryLaterError, UncertainError

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CONFIG = Config.model_validate({"mail": {"sender": "news@mg.example.org"}})


def parcel(recipient: str = "ann@example.org") -> Parcel:
    return Parcel(3, "news@mg.example.org", recipient, NOW, mail_for_testing(CONFIG, recipient, NOW).as_bytes())


# sendmail


def program(folder: Path, body: str) -> str:
    file = folder / "sendmail"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return str(file)


async def test_a_sendmail_program_gets_the_envelope_and_the_mail_with_its_own_line_ends(tmp_path) -> None:
    heard = []
    path = program(tmp_path, f'echo "$@" > {tmp_path}/told; cat > {tmp_path}/mail')
    sent = parcel("-oops@example.org")
    await SendmailTransport(path, heard.append).send(sent)

    assert (tmp_path / "told").read_text() == "-i -f news@mg.example.org -- -oops@example.org\n"
    assert (tmp_path / "mail").read_bytes() == sent.content.replace(b"\r\n", b"\n")
    assert [line.who for line in heard] == ["C", "S"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (os.EX_TEMPFAIL, TryLaterError),
        (os.EX_UNAVAILABLE, TryLaterError),
        (os.EX_NOUSER, RefusedError),
        (os.EX_DATAERR, RefusedError),
        (os.EX_CONFIG, ChannelError),
        (os.EX_USAGE, ChannelError),
        (1, TryLaterError),
    ],
)
async def test_an_exit_code_means_what_sysexits_says(tmp_path, code, error) -> None:
    path = program(tmp_path, f"cat > /dev/null; echo no such mailbox >&2; exit {code}")
    with pytest.raises(error, match=f"{code}: no such mailbox") as raised:
        await SendmailTransport(path).send(parcel())

    assert raised.type is error


async def test_a_program_that_does_not_read_is_judged_by_its_exit_code(tmp_path) -> None:
    big = Parcel(1, "a@example.org", "b@example.org", NOW, b"x" * 3_000_000)
    with pytest.raises(ChannelError, match="78"):
        await SendmailTransport(program(tmp_path, "exit 78")).send(big)


async def test_a_program_that_is_not_there_names_its_key(tmp_path) -> None:
    with pytest.raises(ChannelError, match=r"mail\.sendmail"):
        await SendmailTransport(str(tmp_path / "absent")).send(parcel())


async def test_a_program_that_hangs_is_killed_and_its_mail_uncertain(tmp_path) -> None:
    with pytest.raises(UncertainError, match="did not end"):
        await SendmailTransport(program(tmp_path, "exec sleep 60"), timeout_seconds=0.1).send(parcel())


async def test_a_program_that_is_given_up_is_killed(tmp_path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    sending = asyncio.ensure_future(SendmailTransport(program(tmp_path, f"echo > {started}; exec sleep 60")).send(parcel()))
    await asyncio.to_thread(started.read_text)
    sending.cancel()
    with pytest.raises(UncertainError, match="killed"):
        await sending


# A mail service over HTTPS


class Service(ThreadingHTTPServer):
    """Answers `status` to every POST; `drop` closes the line instead."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.drop, self.hold = 200, False, threading.Event()
        self.hold.set()
        self.asked = threading.Event()
        self.posts: list[dict[str, list[str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posts.append(json.loads(body) if body.startswith("{") else parse_qs(body))
        self.server.asked.set()
        self.server.hold.wait(20)
        if self.server.drop:
            self.connection.close()
            return
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b'{"message": "as the service says"}')

    def log_message(self, *_) -> None:
        """Say nothing."""


@contextmanager
def answering() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def service(monkeypatch) -> Iterator[Service]:
    from apprise.plugins import mailgun, resend

    with answering() as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(mailgun, "MAILGUN_API_LOOKUP", dict.fromkeys(mailgun.MAILGUN_API_LOOKUP, url))
        monkeypatch.setattr(resend.NotifyResend, "notify_url", url)
        monkeypatch.setenv("TEST_URL", "mailgun://news@mg.example.org/0123456789abcdef0123456789abcdef-0000aaaa-1111bbbb")
        yield server


async def test_a_mail_service_gets_the_html_the_subject_and_our_message_id(service) -> None:
    heard, sent = [], parcel()
    await ApiTransport("TEST_URL", "My news", heard.append).send(sent)
    (post,) = service.posts

    assert post["to"] == ["ann@example.org"]
    assert post["from"] == ["My news <news@mg.example.org>"]
    assert post["subject"] == ["jingbao: a test mail / 测试邮件"]
    assert "测试邮件" in post["html"][0]
    assert post["h:Message-ID"] == ["<test.20260302T080000000000@mg.example.org>"]
    assert "attachment" not in post
    assert [line.who for line in heard] == ["C", "S"]
    assert not any("0123456789abcdef" in line.text for line in heard)


async def test_a_service_that_takes_no_headers_gets_the_mail_all_the_same(service, monkeypatch) -> None:
    monkeypatch.setenv("TEST_URL", "resend://re_0123456789abcdef:news@mg.example.org")
    await ApiTransport("TEST_URL").send(parcel())

    assert service.posts[0]["to"] == "ann@example.org"
    assert "headers" not in service.posts[0]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RefusedError),
        (401, ChannelError),
        (402, ChannelError),
        (403, ChannelError),
        (404, ChannelError),
        (422, RefusedError),
        (429, OutOfReachError),
        (500, StrainedError),
        (503, StrainedError),
    ],
)
async def test_a_service_s_status_decides(service, status, error) -> None:
    service.status = status
    with pytest.raises(error, match=f"answers {status}.*as the service says") as raised:
        await ApiTransport("TEST_URL").send(parcel())

    assert raised.type is error


async def test_a_service_that_takes_the_mail_and_drops_the_line_leaves_it_uncertain(service) -> None:
    service.drop = True
    with pytest.raises(UncertainError):
        await ApiTransport("TEST_URL").send(parcel())


async def test_a_service_that_is_not_there_is_out_of_reach(service) -> None:
    service.shutdown()
    service.server_close()
    with pytest.raises(OutOfReachError):
        await ApiTransport("TEST_URL").send(parcel())


@pytest.mark.parametrize(("answered", "error"), [(True, None), (False, UncertainError)])
async def test_a_request_that_is_given_up_ends_in_what_is_known_of_it(service, monkeypatch, answered, error) -> None:
    monkeypatch.setattr("alerts.transports.api._CANCELLED_SECONDS", 10 if answered else 0.01)
    service.hold.clear()
    sending = asyncio.ensure_future(ApiTransport("TEST_URL").send(parcel()))
    await asyncio.to_thread(service.asked.wait, 20)
    sending.cancel()
    if answered:
        service.hold.set()
    if error is None:
        await sending
    else:
        with pytest.raises(error):
            await sending


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "TEST_URL_FILE"),
        ("tgram://123:abc/chat", "no address of a mail service"),
        ("mailgun://nobody", "cannot read"),
        ("mailgun://news@mg.example.org/0123456789abcdef0123456789abcdef-0000aaaa-1111bbbb/me@example.org", "leave them out"),
    ],
)
async def test_an_address_that_cannot_serve_is_told_without_its_secrets(monkeypatch, url, told) -> None:
    monkeypatch.setenv("TEST_URL", url)
    with pytest.raises(ChannelError, match=told) as raised:
        await ApiTransport("TEST_URL").send(parcel())

    assert "0123456789abcdef" not in str(raised.value)


async def test_an_address_in_a_file_that_is_not_there_is_told(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("TEST_URL", raising=False)
    monkeypatch.setenv("TEST_URL_FILE", str(tmp_path / "absent"))
    with pytest.raises(ChannelError, match="cannot be read"):
        await ApiTransport("TEST_URL").send(parcel())


async def test_apprise_s_own_lines_which_hold_whole_mails_reach_no_log(service) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        await ApiTransport("TEST_URL").send(parcel())
    finally:
        logging.getLogger().removeHandler(handler)

    assert "Mailgun" not in stream.getvalue()


# Which way


def config(tmp_path: Path, **mail) -> Config:
    return Config.model_validate({"data_dir": str(tmp_path), "mail": mail})


def test_the_way_that_is_set_is_taken_and_a_folder_otherwise(tmp_path) -> None:
    smtp = {"host": "mail.example.org", "user": "ann"}
    oauth = {"auth": "xoauth2", "oauth": {"provider": "google", "client_id": "x"}}
    ways = [
        ({}, FolderTransport, "files in"),
        ({"smtp": smtp}, SmtpTransport, "signed in as ann by password"),
        ({"smtp": {"host": "mail.example.org"}}, SmtpTransport, "mail.example.org:587 (starttls)"),
        ({"smtp": smtp | oauth}, SmtpTransport, "xoauth2"),
        ({"sendmail": "/usr/sbin/sendmail"}, SendmailTransport, "/usr/sbin/sendmail"),
        ({"api": {}}, ApiTransport, "JINGBAO_MAIL_API_URL"),
    ]
    for mail, kind, told in ways:
        made = config(tmp_path, **mail)
        assert type(transport_of(made)) is kind
        assert told in way_of(made)
    assert access_tokens(config(tmp_path, smtp=smtp | oauth)) is not None
    assert access_tokens(config(tmp_path, smtp=smtp)) is None


async def test_a_test_mail_into_the_folder_tells_its_file(tmp_path) -> None:
    report = await try_sending(config(tmp_path), "ann@example.org", NOW)

    assert report.ok
    assert Path(report.place).read_bytes().count(b"Message-ID") == 1


async def test_a_test_mail_tells_the_talk_as_it_is_held_and_the_fault(tmp_path, monkeypatch) -> None:
    heard = []
    made = config(tmp_path, smtp={"host": "127.0.0.1", "port": 9, "security": "none"})
    report = await try_sending(made, "ann@example.org", NOW, heard.append)

    assert not report.ok
    assert "mail.smtp.port" in report.fault
    assert tuple(heard) == report.talk != ()
