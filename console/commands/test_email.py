"""`jingbao test-email`: one real mail by the configured way, and what was said."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alerts.transports.chosen import refresh_tokens
from alerts.transports.sign_in import sign_in
from alerts.trying import TestReport, try_sending, way_of
from console.commands.options import json_option
from console.notes import clear_password
from console.settings import Settings, load_settings
from console.terminal import out, plain, print_json, talk
from core.errors import NotFoundError

if TYPE_CHECKING:
    from alerts.transports.talk import Said

HELP = """\
Send a test mail by the way that config.yaml sets, and show the talk with the mail server: lines of the server begin with S,
ours with C; passwords and tokens are left out. If it fails, what to do is said, and the exit code is 1. Nothing waits in the
outbox for it, and a daemon that runs goes on undisturbed.

\b
Examples:
  jingbao test-email                          to the first reader
  jingbao test-email --reader ann
  jingbao test-email --to me@example.org
  jingbao test-email --sign-in                sign in to a Microsoft mailbox first, once (mail.smtp.auth: xoauth2)
"""


@click.command(help=HELP)
@click.option("--to", metavar="ADDRESS", help="An address of your own; else the first reader's.")
@click.option("--reader", metavar="KEY", help="A reader of config.yaml.")
@click.option("--sign-in", "signing_in", is_flag=True, help="Sign in with a browser first, and keep the refresh token.")
@json_option
@click.pass_obj
def command(config_path: Path | None, to: str | None, reader: str | None, signing_in: bool, as_json: bool) -> int:
    """Print how it fared."""
    settings = load_settings(config_path)
    recipient = _recipient(settings, to, reader)
    if signing_in:
        _sign_in(settings)
    if note := clear_password(settings.config):
        talk.print(plain(f"Mind: {note}.", "yellow"), soft_wrap=True)
    if not as_json:
        out.print(plain(f"A test mail to {recipient} by {way_of(settings.config)}", "bold"), soft_wrap=True)
    report = asyncio.run(try_sending(settings.config, recipient, settings.clock.now(), None if as_json else _show))
    if as_json:
        print_json(asdict(report))
    else:
        _conclude(report)
    return 0 if report.ok else 1


def _recipient(settings: Settings, to: str | None, reader: str | None) -> str:
    readers = {each.key: each for each in settings.config.readers}
    if to is not None:
        if "@" not in to.strip("@") or not to.isprintable() or " " in to:
            raise click.BadParameter(f"{to!r}: expected a mail address, as in name@example.org", param_hint="--to")
        return to
    if reader is not None and reader not in readers:
        raise NotFoundError(f'No reader has the key "{reader}". There are: {", ".join(readers) or "none"}.')
    if not readers:
        raise click.UsageError("config.yaml names no reader: give an address with --to")
    return readers[reader or next(iter(readers))].addresses[0]


def _sign_in(settings: Settings) -> None:
    smtp = settings.config.mail.smtp
    if smtp is None or smtp.auth != "xoauth2" or smtp.oauth is None:
        raise click.UsageError("--sign-in is for mail.smtp.auth: xoauth2; config.yaml sets another way")

    def show(page: str, code: str) -> None:
        what = f"Open {page} in any browser, sign in as {smtp.user}, and type the code {code}"
        talk.print(plain(what, "bold"), soft_wrap=True)
        talk.print("Waiting …")

    token = asyncio.run(sign_in(smtp.oauth, show, settings.config.network.proxy))
    tokens = refresh_tokens(settings.config, smtp.oauth)
    tokens.keep(token)
    talk.print(plain(f"Signed in; the refresh token is kept in {tokens.file}", "green"), soft_wrap=True)


def _show(line: Said) -> None:
    style = {"S": "cyan", "C": "", "-": "dim"}[line.who]
    out.print(plain(f"{line.seconds:7.2f} s  {line.who}: {line.text}", style), soft_wrap=True)


def _conclude(report: TestReport) -> None:
    if not report.ok:
        out.print(plain(f"✗ Not sent, after {report.seconds:.1f} s: {report.fault}", "bold red"), soft_wrap=True)
    elif report.place:
        out.print(plain(f"✓ Kept as {report.place}, with an .html file beside it", "green"), soft_wrap=True)
    else:
        out.print(plain(f"✓ Taken after {report.seconds:.1f} s, as {report.message_id}", "green"), soft_wrap=True)
        out.print("If it does not come, look into the spam folder: docs/guides/alerts-and-mail.md says what keeps mails out.")
