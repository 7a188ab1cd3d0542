"""Which way the configuration has chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.transports.api import ApiTransport
from alerts.transports.folder import FolderTransport
from alerts.transports.sendmail import SendmailTransport
from alerts.transports.smtp import SmtpTransport
from alerts.transports.talk import Hear, to_nobody
from alerts.transports.xoauth2 import AccessTokens, RefreshTokens

if TYPE_CHECKING:
    from pathlib import Path

    from alerts.transport import Transport
    from core.config import Config, OAuthConfig

TOKEN_FILE = "oauth-token.json"  # noqa: S105  (a file's name)


def transport_of(config: Config, hear: Hear = to_nobody) -> Transport:
    """The way mails leave by this configuration; `hear` is told each line of the talk, where the way has one."""
    mail = config.mail
    if mail.smtp is not None:
        return SmtpTransport(mail.smtp, tokens=access_tokens(config), hear=hear)
    if mail.sendmail:
        return SendmailTransport(mail.sendmail, hear=hear)
    if mail.api is not None:
        return ApiTransport(mail.api.url_env, mail.sender_name, hear)
    return FolderTransport(mail_folder(config))


def mail_folder(config: Config) -> Path:
    """Where mails are kept while no way of sending is set."""
    return config.data_dir / "mail"


def access_tokens(config: Config) -> AccessTokens | None:
    """The access tokens for the configured mailbox; None if it is signed in to by password."""
    smtp = config.mail.smtp
    if smtp is None or smtp.auth != "xoauth2" or smtp.oauth is None:
        return None
    return AccessTokens(smtp.oauth, refresh_tokens(config, smtp.oauth), config.network.proxy)


def refresh_tokens(config: Config, oauth: OAuthConfig) -> RefreshTokens:
    """Where the refresh token is kept."""
    return RefreshTokens(oauth, config.data_dir / TOKEN_FILE)
