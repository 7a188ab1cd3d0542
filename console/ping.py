"""The dead-man ping: while all is well a service outside is asked for an address, so that it notices when jingbao dies.

The address may hold a secret, so it is written nowhere. It passes the guard like any other: a service inside the operator's own
network has to be named in security.allow_networks.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from core.document import DocumentKind, Request
from core.errors import FetchError
from core.log import values
from core.secrets import keep_hidden, secrets_of_url
from crawler.net.address import host_of
from crawler.net.manners import DIRECT
from scheduler.heartbeat import Heartbeat, heartbeat_file
from storage import settings as facts

if TYPE_CHECKING:
    from console.settings import Settings
    from crawler.net.manners import Manners
    from storage.archive import Archive

log = logging.getLogger("jingbao.operator")

_KEY = "ping.last"


class Ping:
    """Asks operator.ping_url; says in the log when that begins to fail and when it works again."""

    def __init__(self, settings: Settings, archive: Archive, manners: Manners) -> None:
        self._settings = settings
        self._archive = archive
        self._manners = manners
        self._works = True
        keep_hidden(secrets_of_url(settings.config.operator.ping_url))

    @property
    def every(self) -> timedelta:
        """How often."""
        return timedelta(minutes=self._settings.config.operator.ping_minutes)

    async def send(self) -> None:
        """Ask once, if an address is set and the daemon is well: it can write its archive, and its loop does not hang.

        Raises StorageError if it cannot write, and then has asked nothing.
        """
        url = self._settings.config.operator.ping_url
        beat = Heartbeat.read(heartbeat_file(self._settings.config.data_dir))
        if not url or (beat and beat.trouble):
            return
        now = self._settings.clock.now()
        await self._archive.writing(lambda tx: facts.put(tx, _KEY, now.isoformat()))
        proxy = "" if self._manners.proxy == DIRECT else self._manners.proxy
        # Asked as a feed is: an address that the operator named, which no robots.txt concerns.
        request = Request(url=url, kind=DocumentKind.FEED, source="ping", proxy=proxy, delay_seconds=0)
        try:
            await self._manners.client.fetch(request)
        except FetchError as error:
            self._say(works=False, reason=error.reason.replace(url, host_of(url)))
        else:
            self._say(works=True)

    def _say(self, *, works: bool, reason: str = "") -> None:
        if works and not self._works:
            log.info("ping works again")
        if self._works and not works:
            log.warning("ping fails", extra=values(reason=reason))
        self._works = works
