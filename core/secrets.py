"""Secrets: where they are looked up, and that they are never shown.

A secret has a name and is looked for in the environment variable NAME, then in the file that NAME_FILE names, then in
systemd's credentials ($CREDENTIALS_DIRECTORY/NAME, systemd.exec(5)), then in the folder `secrets` beside config.yaml. Whatever
has been looked up, and what `keep_hidden` was told, `mask` takes out of every text; all ways out of the program (log lines,
errors, the terminal) go through it.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "•••"
_SHORTEST = 4
"""Shorter ones are not taken out: `ab` would be found in every other line."""
_PIECE = 16
"""Keys of services are at least so long; the shorter pieces of an address are names and hosts."""

# RFC 3986, 3.2.1: what stands between a scheme and the @; and the header an access token travels in (RFC 6750, 2.1).
_USERINFO = re.compile(r"(?<=://)([^\s/?#@:]*):[^\s/?#@]+@")
_HOST = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}")
_BEARER = re.compile(r"(?i)(auth(?:orization)?['\"]?\s*[:=]\s*['\"]?(?:bearer|basic))\s+[^\s'\",\x01]+")

_hidden: set[str] = set()
_beside: Path | None = None
_pattern: re.Pattern[str] | None = None


def look_up(name: str, environment: Mapping[str, str] | None = None) -> str:
    """The secret of this name, or an empty text if it is nowhere. It is hidden from then on.

    Line ends behind it are left out. Raises OSError if a file that is named cannot be read, UnicodeError if it is no text.
    """
    given = os.environ if environment is None else environment
    value = given.get(name, "")
    file = None if value else file_of(name, given)
    if file is not None:
        value = file.read_text(encoding="utf-8")
    value = value.rstrip("\r\n")
    keep_hidden([value])
    return value


def file_of(name: str, environment: Mapping[str, str] | None = None) -> Path | None:
    """The file a secret would be read from: named by NAME_FILE, a credential of systemd, or one beside config.yaml; or None."""
    given = os.environ if environment is None else environment
    if named := given.get(f"{name}_FILE", ""):
        return Path(named)
    folder = given.get("CREDENTIALS_DIRECTORY", "")
    places = [Path(folder, each) for each in (name, name.lower())] if folder else []
    if _beside is not None:
        places.append(_beside / name)
    return next((place for place in places if place.is_file()), None)


def look_beside(config_file: Path) -> None:
    """Look for secrets also in the folder `secrets` beside this configuration, a file each, as `jingbao init` writes them."""
    global _beside  # noqa: PLW0603  (one process has one configuration)
    _beside = config_file.resolve().parent / "secrets"


def how_to_give(name: str) -> str:
    """What an operator can do about a missing secret."""
    file = f"the file {_beside / name}" if _beside is not None else f"a file {name} in the folder `secrets` beside config.yaml"
    return (
        f"put it into {file} (chmod 600), or set the environment variable {name}, or let {name}_FILE name a file that"
        f" holds it, or give it to the service with systemd's LoadCredential={name}:FILE"
    )


def open_to_others(path: Path) -> bool:
    """Whether a file can be read by more than its owner and group. Raises OSError if it is not there."""
    return bool(path.stat().st_mode & 0o004)


def keep_hidden(secrets: Iterable[str]) -> None:
    """Take these out of every text from now on, also as they look in URLs, in JSON and in base64."""
    global _pattern  # noqa: PLW0603  (one process has one set of secrets)
    fresh = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)} - _hidden
    if fresh:
        _hidden.update(fresh)
        _pattern = re.compile("|".join(re.escape(form) for form in sorted(_hidden, key=len, reverse=True)))


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode("utf-8", "surrogateescape")).decode()
    return {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], encoded}


def password_of(url: str) -> set[str]:
    """The password in an address, as it stands there and as it is meant; empty if there is none."""
    try:
        password = urlsplit(url).password or ""
    except ValueError:
        return {url}
    return {password, unquote(password)} - {""}


def secrets_of_url(url: str) -> set[str]:
    """What must not be shown of an address that is a secret: all of it, its password, and each piece that may be a key."""
    pieces = (piece for piece in re.split(r"[/?&=:@#]", url) if len(piece) >= _PIECE and not _HOST.fullmatch(piece))
    return {url, *password_of(url), *pieces} - {""}


def mask(text: str) -> str:
    """`text` without any secret that is known, any password in a URL, any bearer token."""
    if _pattern is not None:
        text = _pattern.sub(HIDDEN, text)
    return _BEARER.sub(rf"\1 {HIDDEN}", _USERINFO.sub(rf"\1:{HIDDEN}@", text))
