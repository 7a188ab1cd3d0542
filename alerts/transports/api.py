"""Sending by a mail service over HTTPS, where the ports of SMTP are shut. Apprise speaks to the services.

Apprise takes a subject, a text and one recipient, not a finished message: the HTML part is sent, and of the headers what the
service lets through. Mailgun, SparkPost and SMTP2GO take ours, Message-ID among them; the others make their own, so that a
second copy of an uncertain mail cannot be known by it there (docs/design/alerts.md).
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from alerts.transport import OutOfReachError, StrainedError
from alerts.transports.talk import Hear, Said, to_nobody
from alerts.transports.threads import in_thread
from core.errors import ChannelError, RefusedError, SendError, UncertainError
from core.secrets import how_to_give, keep_hidden, look_up, mask, secrets_of_url

if TYPE_CHECKING:
    from alerts.transport import Parcel

SERVICES = ("brevo", "mailersend", "mailgun", "postmark", "resend", "sendgrid", "sendpulse", "ses", "smtp2go", "sparkpost")
"""Those of Apprise's services that carry mail to any address."""
_TAKE_HEADERS = {"mailgun", "smtp2go", "sparkpost"}
_HEADERS = ("Message-ID", "In-Reply-To", "References", "List-Id", "List-Unsubscribe", "Auto-Submitted")
_CONNECT_SECONDS, _ANSWER_SECONDS = 15.0, 60.0
_CANCELLED_SECONDS = 2.0
_STATUS = re.compile(r"error=(\d{3})\b")
_REASON = re.compile(r"(?s)^(?:Response Details:\s*|Socket Exception: )(.*)")
# What requests and urllib3 say where no connection came about; nothing was handed over then.
_NOT_CONNECTED = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ProxyError|SSLError|Failed to (establish|resolve)|refused"
)
_LOG = logging.getLogger("apprise")


@dataclass(frozen=True, slots=True)
class ApiTransport:
    """The mail service whose Apprise address is the secret named `url_env`."""

    url_env: str
    sender_name: str = "jingbao"
    hear: Hear = to_nobody

    async def send(self, parcel: Parcel) -> None:
        """Hand one message to the service, in a thread. A request cannot be taken back: cancelled, its end is unknown."""
        plugin = self._service(parcel.recipient)
        message = message_from_bytes(parcel.content, policy=policy.default)
        if hasattr(plugin, "headers"):
            plugin.headers = {name: "".join(str(message[name]).splitlines()) for name in _HEADERS if message[name]}
        work = in_thread(partial(self._post, plugin, message))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            await asyncio.wait({work}, timeout=_CANCELLED_SECONDS)
            if not work.done():
                raise UncertainError("the mail service was given up before it answered") from None
        work.result()

    def _service(self, recipient: str) -> Any:
        """Apprise's plug-in for the address, with this one recipient. Raises ChannelError if the address cannot be used."""
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415  (takes half a second, and few send this way)

        _quiet()
        url = self._url()
        scheme = url.partition("://")[0].lower()
        if scheme not in SERVICES:
            raise ChannelError(f'{self.url_env} is no address of a mail service ("{mask(scheme)[:20]}"): {", ".join(SERVICES)}')
        joined = f"{url}{'&' if '?' in url else '?'}format=html&overflow=upstream&to={quote(recipient)}"
        plugin: Any = Apprise.instantiate(joined, asset=AppriseAsset(app_id=self.sender_name))
        if plugin is None:
            raise ChannelError(f"{self.url_env}: Apprise cannot read this {scheme}:// address; see its page on {scheme}")
        if len(plugin.targets) != 1:
            raise ChannelError(f"{self.url_env} names recipients: leave them out, each mail has its own")
        plugin.socket_connect_timeout, plugin.socket_read_timeout = _CONNECT_SECONDS, _ANSWER_SECONDS
        return plugin

    def _url(self) -> str:
        try:
            url = look_up(self.url_env)
        except (OSError, UnicodeError) as error:
            raise ChannelError(f"the secret {self.url_env} cannot be read from its file: {error}") from error
        if not url:
            raise ChannelError(f"no address of a mail service: {how_to_give(self.url_env)}")
        keep_hidden(secrets_of_url(url))
        return url

    def _post(self, plugin: Any, message: EmailMessage) -> None:
        html = message.get_body(("html", "plain"))
        body = html.get_content() if html is not None else ""
        self.hear(Said(0.0, "C", f"POST to {plugin.service_name}: {len(body):,} characters of HTML"))
        with _Lines() as lines:
            taken = plugin.notify(body=body, title=str(message["Subject"]), body_format="html")
        status, reason = lines.answer()
        self.hear(Said(0.0, "S", "taken" if taken else f"{status or 'no answer'} {reason}"))
        if not taken:
            raise _failure(str(plugin.service_name), status, reason)


def _quiet() -> None:
    """Apprise's lines hold whole mails and answers: they are read here, and go nowhere else."""
    _LOG.propagate = False
    _LOG.setLevel(logging.DEBUG)


class _Lines(logging.Handler):
    """What Apprise logs in this thread while it sends: the only place where it says why it failed."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._thread = threading.get_ident()
        self._said: list[str] = []

    def __enter__(self) -> Self:
        _LOG.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _LOG.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._said.append(record.getMessage())

    def answer(self) -> tuple[int, str]:
        """The HTTP status, 0 if there was none, and what was said beside it."""
        statuses = [int(found[1]) for line in self._said if (found := _STATUS.search(line))]
        reasons = [found[1] for line in self._said if (found := _REASON.match(line))]
        return (statuses or [0])[-1], mask(" ".join((reasons or [""])[-1].split()))[:300]


def _failure(service: str, status: int, reason: str) -> SendError:
    if status == 0:
        if not reason or _NOT_CONNECTED.search(reason):
            return OutOfReachError(f"{service} cannot be reached over HTTPS: {reason or 'no reason was given'}")
        return UncertainError(f"the line to {service} broke before it confirmed the message: {reason}")
    said = f"{service} answers {status}: {reason}"
    if status in {401, 402, 403, 404}:
        return ChannelError(f"{said}. The key, the sending domain or the account's credit: see the service's page")
    if status == 429:
        return OutOfReachError(said)
    return StrainedError(said) if status >= 500 or status == 408 else RefusedError(said)
