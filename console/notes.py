"""What is no fault of a configuration and yet, most likely, not meant: told by `config check` and `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alerts.transports.chosen import TOKEN_FILE
from core.config import Config
from core.redaction import inline_secrets, secret_names
from core.secrets import how_to_give, look_up, open_to_others


def notes_on(config: Config, path: Path) -> list[str]:
    """All notes on a sound configuration that stands in `path`, each one line without a full stop."""
    return [*_nobody_reads(config), *_missing_secrets(config), *_in_the_clear(config), *_open_file(config, path)]


def _nobody_reads(config: Config) -> Iterator[str]:
    rules = sum(rule.enabled for rule in config.rules)
    if rules and not config.readers:
        told = f"{'a rule is' if rules == 1 else f'{rules} rules are'} on, but there is no reader, so nothing will be mailed"
        yield f"{told}; name one under `readers`"


def _missing_secrets(config: Config) -> Iterator[str]:
    """Secrets without which no mail leaves. An application's own secret is not among them: few have one."""
    oauth = config.mail.smtp.oauth if config.mail.smtp else None
    spared = {oauth.client_secret_env} if oauth else set()
    if oauth and (config.data_dir / TOKEN_FILE).is_file():
        spared.add(oauth.refresh_token_env)
    for name in secret_names(config):
        if name not in spared and not _found(name):
            yield f"no mail can leave: the secret {name} is not to be found from here; {how_to_give(name)}"


def _found(name: str) -> bool:
    try:
        return bool(look_up(name))
    except (OSError, UnicodeError):
        return False


def _in_the_clear(config: Config) -> Iterator[str]:
    note = clear_password(config)
    if note:
        yield note


def clear_password(config: Config) -> str:
    """That a password crosses the net unencrypted; empty if none does."""
    smtp = config.mail.smtp
    if smtp is None or not smtp.in_the_clear:
        return ""
    what = f"the password of {smtp.user} crosses the net to {smtp.host} unencrypted"
    return f"mail.smtp.security is none, so {what}; use tls or starttls"


def _open_file(config: Config, path: Path) -> Iterator[str]:
    if any(inline_secrets(config)) and path.exists() and open_to_others(path):
        yield f"{path} holds secrets and can be read by every user of this machine: chmod 600 {path}"
