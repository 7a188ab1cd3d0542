"""The shape of config.yaml. core/configuration_file.py reads it; docs/reference/configuration.md explains every key."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from core.mail_presets import PRESETS
from core.schedule import Schedule
from core.source import HttpUrl, Key, Model, Proxy, Source, Zone

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgresql+psycopg://")


def _schedule(value: Any) -> Schedule:
    return value if isinstance(value, Schedule) else Schedule.parse(str(value))


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("expected a network or address, as in 192.168.1.0/24 or 192.168.1.20") from None
    return text


def _database_url(text: str) -> str:
    if text.startswith(POSTGRES):
        return _postgres_url(text)
    path = text.removeprefix(SQLITE)
    if text and (path in {text, "", ":memory:"} or "?" in path):
        raise ValueError("expected sqlite:///PATH, or postgresql://USER:PASSWORD@HOST/DATABASE, or nothing")
    return text


def _postgres_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        database, _ = parts.path.removeprefix("/"), parts.port  # a port that is no number raises
    except ValueError:
        database = ""
    if not database or "/" in database:
        raise ValueError("expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE (%40 for an @ in the password)")
    if "password" in parse_qs(parts.query):
        raise ValueError("expected the password between the user and the @, where it is kept out of every message")
    return text


def _mail_address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (at and local and "." in domain + ("." if domain == "localhost" else "")) or any(c.isspace() for c in text):
        raise ValueError("expected a mail address, as in name@example.org")
    if not text.isascii():
        raise ValueError("expected a mail address in ASCII (a domain in other letters in its xn-- form)")
    return text


def _secret_name(text: str) -> str:
    """The name of an environment variable (POSIX.1, 8.1). A secret put here by mistake is not repeated."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        raise ValueError(
            "expected the name a secret is looked up by (letters, digits and _), as in JINGBAO_SMTP_PASSWORD,"
            " and not the secret itself: that goes into the environment or a file of its own"
        )
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".").rpartition(".")[2] == "localhost"


def _preset(name: str) -> str:
    if name and name not in PRESETS:
        raise ValueError(f"expected one of {', '.join(PRESETS)}; without a preset, give host")
    return name


def _each_once(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Domains are the same in capitals (RFC 5321, 2.4); the part before the @ is its server's to compare."""
    seen: set[tuple[str, str]] = set()
    for address in addresses:
        local, _, domain = address.rpartition("@")
        if (local, domain.lower()) in seen:
            raise ValueError(f"the address {address} stands twice")
        seen.add((local, domain.lower()))
    return addresses


def _quiet_hours(text: str) -> str:
    start, dash, end = text.partition("-")
    if text and not (dash and all(_clock_time(part) for part in (start, end))):
        raise ValueError('expected two times of day, as in "22:00-07:00"')
    return text


def _clock_time(text: str) -> bool:
    hour, colon, minute = text.strip().partition(":")
    return bool(colon) and hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60


When = Annotated[
    Schedule, BeforeValidator(_schedule), PlainSerializer(str), Field(json_schema_extra={"type": "string"})
]
Preset = Annotated[str, BeforeValidator(lambda name: str(name) if isinstance(name, int) else name), AfterValidator(_preset)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
SecretName = Annotated[str, AfterValidator(_secret_name)]
Network = Annotated[str, AfterValidator(_network)]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]


class OperatorConfig(Model):
    """Who looks after the installation; without addresses it is the first reader.

    `ping_url` is asked every `ping_minutes` while all is well, so that a service outside notices when jingbao dies.
    """

    addresses: Annotated[tuple[MailAddress, ...], AfterValidator(_each_once)] = ()
    ping_url: HttpUrl | Literal[""] = ""
    ping_minutes: float = Field(default=5, ge=1, le=24 * 60)


class KeepConfig(Model):
    """How long what can be made anew, or is wanted for a time only, is kept. Articles are kept for ever.

    Raw pages go by whole daily files, the oldest first, also where they take more than `max_gb` (0: no bound) or where less
    than `reserve_mb` is free on the disk.
    """

    raw_days: float = Field(default=180, gt=0)
    off_topic_raw_days: float = Field(default=7, gt=0)
    run_days: float = Field(default=90, ge=7)
    version_days: float = Field(default=365, gt=0)
    max_gb: float = Field(default=0, ge=0)
    reserve_mb: float = Field(default=500, ge=0)


class LogConfig(Model):
    """Log lines go to stderr, or to `file`, of which `files` old ones of `max_mb` each are kept."""

    file: str = ""
    max_mb: float = Field(default=10, gt=0)
    files: int = Field(default=5, ge=1, le=100)


class StorageConfig(Model):
    """Where the archive is; an empty `url` is SQLite in the data folder."""

    url: DatabaseUrl = ""


class NetworkConfig(Model):
    """Manners and limits on the net. `contact` (an address or page) is sent with every request."""

    contact: str = ""
    proxy: Proxy = ""
    proxy_groups: dict[str, Proxy] = Field(default_factory=dict)
    ca_file: str = ""
    timeout_seconds: float = Field(default=20, gt=0, le=300)
    max_bytes: int = Field(default=8_000_000, ge=10_000)
    max_redirects: int = Field(default=5, ge=0, le=20)


class SecurityConfig(Model):
    """Networks inside the operator's own that may be reached all the same (198.18.0.0/15 for fake-IP proxies)."""

    allow_networks: tuple[Network, ...] = ()


class CollectionConfig(Model):
    """How collecting goes on."""

    sources_at_once: int = Field(default=4, ge=1, le=32)
    reading_workers: int = Field(default=1, ge=1, le=16)
    document_cpu_seconds: float = Field(default=2.0, gt=0, le=60)
    max_items: int = Field(default=2000, ge=1, le=20_000)
    max_age_days: float = Field(default=30, gt=0)
    tick_seconds: float = Field(default=5, gt=0, le=600)


class SourcesConfig(Model):
    """Which sources: the catalogue's `default`, `all` or `none` of it, then single ones on or off, then one's own."""

    catalogue: Literal["default", "all", "none"] = "default"
    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    add: tuple[Source, ...] = ()


class AlertsConfig(Model):
    """Bounds for all alerts. Nothing published longer ago than `max_age_days` is ever mailed."""

    max_age_days: float = Field(default=3, gt=0)
    items_per_mail: int = Field(default=50, ge=1, le=500)
    link_base: HttpUrl | Literal[""] = ""


class OAuthConfig(Model):
    """How an access token for XOAUTH2 is got: a refresh token is turned into one at the sign-in service (RFC 6749, 6).

    `provider` knows the address and the scope; `token_url` and `scope` stand for another. Both secrets are looked up by name.
    """

    provider: Literal["", "microsoft", "google"] = ""
    client_id: str = Field(min_length=1)
    tenant: str = "common"
    token_url: HttpUrl | Literal[""] = ""
    device_url: HttpUrl | Literal[""] = ""
    scope: str = ""
    client_secret_env: SecretName = "JINGBAO_OAUTH_CLIENT_SECRET"  # noqa: S105  (a variable's name, not a secret)
    refresh_token_env: SecretName = "JINGBAO_OAUTH_REFRESH_TOKEN"  # noqa: S105  (a variable's name, not a secret)

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if not (self.provider or self.token_url):
            raise ValueError("expected a provider (microsoft or google), or a token_url")
        return self


def _with_preset(values: Any) -> Any:
    """Fill in what a preset knows and the file does not say."""
    if not isinstance(values, dict) or not values.get("preset"):
        return values
    preset = PRESETS.get(str(values["preset"]))
    if preset is None:
        return {"host": "unknown", **values}  # the fault is the preset's alone
    known = {"host": preset.host, "port": preset.port, "security": preset.security, "user": preset.user}
    filled = {**known, "auth": "password" if preset.password_works else "xoauth2", **values}
    if preset.oauth and isinstance(oauth := filled.get("oauth"), dict):
        filled["oauth"] = {"provider": preset.oauth, **oauth}
    return filled


class SmtpConfig(Model):
    """A mail server. `preset` fills in a known provider's host, port and security; the password is looked up by name."""

    preset: Preset = ""
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    auth: Literal["password", "xoauth2"] = "password"
    password_env: SecretName = "JINGBAO_SMTP_PASSWORD"  # noqa: S105  (a variable's name, not a password)
    oauth: OAuthConfig | None = None
    timeout_seconds: float = Field(default=30, gt=0, le=300)

    _filled = model_validator(mode="before")(_with_preset)

    @model_validator(mode="after")
    def _can_sign_in(self) -> Self:
        if self.auth == "xoauth2" and not (self.oauth and self.user):
            raise ValueError("auth: xoauth2 needs `user` (the mailbox) and `oauth` (at least its client_id)")
        return self

    @property
    def in_the_clear(self) -> bool:
        """Whether a password or token crosses the net unencrypted: to another machine, that is."""
        return self.security == "none" and bool(self.user) and not _is_loopback(self.host)


class MailApiConfig(Model):
    """A mail service on the web, by its Apprise address (`mailgun://…`), which is a secret and looked up by name."""

    url_env: SecretName = "JINGBAO_MAIL_API_URL"


class MailConfig(Model):
    """How mails leave: by `smtp`, `sendmail` or `api`; without any they are kept as files in the data folder, in `mail/`."""

    sender: MailAddress = "jingbao@localhost"
    sender_name: str = "jingbao"
    smtp: SmtpConfig | None = None
    sendmail: str = ""
    api: MailApiConfig | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("smtp", "sendmail", "api") if getattr(self, name)]
        if len(ways) > 1:
            raise ValueError(f"expected one way of sending, not {len(ways)}: {', '.join(ways)}")
        return self


class Reader(Model):
    """A person who gets mails. Quiet hours (local to `zone`) hold mails back; past `mails_per_day` they fold into a digest."""

    key: Key
    name: str = ""
    addresses: Annotated[tuple[MailAddress, ...], AfterValidator(_each_once)] = Field(min_length=1)
    language: Literal["en", "zh"] = "en"
    zone: Zone = "UTC"
    quiet_hours: Annotated[str, AfterValidator(_quiet_hours)] = ""
    mails_per_day: int = Field(default=12, ge=1, le=1000)

    @property
    def tz(self) -> ZoneInfo:
        """The reader's time zone."""
        return ZoneInfo(self.zone)


class Rule(Model):
    """A standing query. `readers` are keys; empty means every reader. `volume` is its measured rate, for people."""

    name: Key
    title: str = ""
    query: str
    when: When
    readers: tuple[str, ...] = ()
    enabled: bool = True
    volume: str = ""


class Config(Model):
    """All of config.yaml. Relative paths are relative to the file's folder."""

    data_dir: Path = Path("data")
    location: Literal["auto", "mainland", "outside"] = "auto"
    storage: StorageConfig = StorageConfig()
    keep: KeepConfig = KeepConfig()
    operator: OperatorConfig = OperatorConfig()
    log: LogConfig = LogConfig()
    network: NetworkConfig = NetworkConfig()
    security: SecurityConfig = SecurityConfig()
    collection: CollectionConfig = CollectionConfig()
    sources: SourcesConfig = SourcesConfig()
    alerts: AlertsConfig = AlertsConfig()
    mail: MailConfig = MailConfig()
    readers: tuple[Reader, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def database_url(self) -> str:
        """The archive's SQLAlchemy URL."""
        return self.storage.url or f"sqlite:///{self.data_dir / 'jingbao.sqlite3'}"
