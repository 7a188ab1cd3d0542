"""What of a configuration must not be shown, and the configuration as it may be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from core.secrets import HIDDEN, file_of, keep_hidden, mask, password_of, secrets_of_url

if TYPE_CHECKING:
    from core.config import Config
    from core.source import Source

SECRET_KEYS = frozenset(
    {
        ("operator", "ping_url"),
        ("storage", "url"),
        ("network", "proxy"),
        ("network", "proxy_groups"),
        ("mail", "smtp", "user"),
        ("mail", "smtp", "password_env"),
        ("mail", "smtp", "oauth", "refresh_token_env"),
        ("mail", "smtp", "oauth", "client_secret_env"),
        ("mail", "api", "url_env"),
    }
)
"""Keys under which a secret may stand in the file, or be put by mistake: what is faulty there is not repeated in the error."""
_SOURCES_SECRETS = {"headers", "proxy", "body"}
"""Keys of a source's entry of which the same holds."""
# Headers that tell nothing of who asks (RFC 9110; Fetch's sec-…); of any other the value may be a key.
_OPEN_HEADERS = re.compile(
    r"(?i)accept(-.*)?|cache-control|content-type|dnt|origin|pragma|referer|sec-.*|user-agent|x-requested-with"
)
_TELLING_NAME = r"[\w.-]*(?:token|secret|passw|pwd|auth(?!or)|signature|credential|session|jwt|api_?key)[\w.-]*"
# Whole names, too short to be sought inside others.
_SHORT_NAME = r"(?:[\w.-]*[_.-])?(?:key|sig|sign|sid|pass|hmac)"
_PARAMETER = re.compile(rf"(?i)(?<=[?&;])({_TELLING_NAME}|{_SHORT_NAME})=([^&;#\s'\"]+)")
_LEAST_SURE = 6
"""A shorter value of a parameter may be a common word, and would be found in every other text."""


def is_secret_key(path: tuple[str | int, ...]) -> bool:
    """Whether a value at this place of the file is not repeated."""
    if path[:1] == ("sources",) and _SOURCES_SECRETS & set(path):
        return True
    return any(path[:length] in SECRET_KEYS for length in (2, 3, 4))


def masked_url(url: str) -> str:
    """An address without its password, and without the values of parameters whose names say that they are secret."""
    return mask(_PARAMETER.sub(rf"\1={HIDDEN}", url))


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
    keep_hidden(inline_secrets(config))


def inline_secrets(config: Config) -> Iterator[str]:
    """All that is secret and stands in the configuration itself, in every form it may be met in."""
    if config.operator.ping_url:
        yield from secrets_of_url(config.operator.ping_url)
    for url in (config.storage.url, config.network.proxy, *config.network.proxy_groups.values()):
        yield from password_of(url)
    for source in config.sources.add:
        yield from _of_source(source)


def _of_source(source: Source) -> Iterator[str]:
    """What in a source's own entry is secret: headers that say who asks, passwords and keys in its addresses."""
    for name, value in source.headers.items():
        if not _OPEN_HEADERS.fullmatch(name):
            yield value
            yield from (piece for piece in re.split(r"[\s;,=]+", value) if len(piece) > _LEAST_SURE and re.search(r"\d", piece))
    pages = source.api.pages if source.api else ()
    for url in (source.url, source.proxy, *source.listing.pages, *pages):
        yield from password_of(url)
        yield from keys_of_url(url)


def keys_of_url(url: str) -> set[str]:
    """The values of an address's parameters that are secret by their names; words that may be meant otherwise are left out."""
    values = {found[2] for found in _PARAMETER.finditer(url)}
    sure = {value for value in values if len(value) > _LEAST_SURE and not value.isalpha()}
    return sure | {unquote_plus(value) for value in sure}


def shown(config: Config) -> dict[str, Any]:
    """The whole configuration as values for JSON and YAML, defaults filled in, without secrets."""
    hide_secrets_of(config)
    values: dict[str, Any] = _masked(config.model_dump(mode="json"))
    if config.operator.ping_url:
        values["operator"]["ping_url"] = HIDDEN
    for source in values["sources"]["add"]:
        source["headers"] = {name: _shown_header(name, value) for name, value in source["headers"].items()}
    return values


def _shown_header(name: str, value: str) -> str:
    return value if _OPEN_HEADERS.fullmatch(name) else HIDDEN


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner) for inner in value]
    return masked_url(value) if isinstance(value, str) else value
