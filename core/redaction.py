"""What of a configuration must not be shown, and the configuration as it may be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.secrets import HIDDEN, file_of, keep_hidden, mask, password_of, secrets_of_url

if TYPE_CHECKING:
    from core.config import Config

SECRET_KEYS = frozenset(
    {
        ("operator", "ping_url"),
        ("storage", "url"),
        ("network", "proxy"),
        ("network", "proxy_groups"),
        ("mail", "smtp", "password_env"),
        ("mail", "api", "url_env"),
    }
)
"""Keys under which a secret may stand in the file, or be put by mistake: what is faulty there is not repeated in the error."""


def secret_names(config: Config) -> tuple[str, ...]:
    """The names by which this configuration's secrets are looked up."""
    mail = config.mail
    names: list[str] = []
    if mail.smtp is not None and mail.smtp.auth == "password" and mail.smtp.user:
        names.append(mail.smtp.password_env)
    if mail.smtp is not None and mail.smtp.auth == "xoauth2" and mail.smtp.oauth is not None:
        names += [mail.smtp.oauth.refresh_token_env, mail.smtp.oauth.client_secret_env]
    if mail.api is not None:
        names.append(mail.api.url_env)
    return tuple(names)


def secret_files(config: Config, environment: Mapping[str, str] | None = None) -> dict[str, Path]:
    """The files that secrets are read from, by their names."""
    given = os.environ if environment is None else environment
    found = {name: file_of(name, given) for name in secret_names(config) if not given.get(name)}
    return {name: path for name, path in found.items() if path is not None}


def hide_secrets_of(config: Config) -> None:
    """Let no text show what in this configuration is secret."""
    keep_hidden(_inline(config))


def _inline(config: Config) -> Iterator[str]:
    if config.operator.ping_url:
        yield from secrets_of_url(config.operator.ping_url)
    for url in (config.storage.url, config.network.proxy, *config.network.proxy_groups.values()):
        yield from password_of(url)


def shown(config: Config) -> dict[str, Any]:
    """The whole configuration as values for JSON and YAML, defaults filled in, without secrets."""
    hide_secrets_of(config)
    values: dict[str, Any] = _masked(config.model_dump(mode="json"))
    if config.operator.ping_url:
        values["operator"]["ping_url"] = HIDDEN
    return values


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return mask(value) if isinstance(value, str) else value
