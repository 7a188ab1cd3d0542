"""The newsroom: which story of which outlet is out by now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.newsroom.outlets import Issued, Outlet, load_outlets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

LIST_LENGTH = 30


class Newsroom:
    """Outlets that publish over a clock.

    Stories with a negative offset are out from the start. The others follow the day's beginning: `begin_day` says when
    that is, so that whoever plays the day can first wait until every site has been read once.
    """

    def __init__(
        self, now: Callable[[], datetime], *, outlets: Sequence[Outlet] | None = None, day_begins: datetime | None = None
    ) -> None:
        self.now = now
        self.started = now()
        self.day_begins = day_begins
        self.outlets = tuple(outlets if outlets is not None else load_outlets())
        self.visits: Counter[str] = Counter()
        self._by_host = {outlet.host: outlet for outlet in self.outlets}

    def begin_day(self) -> None:
        """Let the day begin now."""
        self.day_begins = self.now()

    def at_host(self, host: str) -> Outlet | None:
        """The outlet that answers at a host name."""
        return self._by_host.get(host)

    def visited(self, outlet: Outlet) -> None:
        """Note that the outlet's list was asked for."""
        self.visits[outlet.key] += 1

    @property
    def all_visited(self) -> bool:
        """Whether every outlet's list has been asked for."""
        return all(self.visits[outlet.key] for outlet in self.outlets)

    def issued(self, outlet: Outlet) -> list[Issued]:
        """What is out by now, newest first."""
        now = self.now()
        out = [issue for issue in self._dated(outlet) if issue.at <= now]
        return sorted(out, key=lambda issue: issue.at, reverse=True)

    def front(self, outlet: Outlet) -> list[Issued]:
        """What the outlet's list shows now, newest first."""
        return self.issued(outlet)[:LIST_LENGTH]

    def article(self, outlet: Outlet, path: str) -> Issued | None:
        """The story at a path, once it is out."""
        url = outlet.url(path)
        return next((issue for issue in self.issued(outlet) if issue.url == url), None)

    def _dated(self, outlet: Outlet) -> list[Issued]:
        old = [Issued.of(outlet, story, self.started + story.at) for story in outlet.stories if story.old]
        if self.day_begins is None:
            return old
        return old + [Issued.of(outlet, story, self.day_begins + story.at) for story in outlet.stories if not story.old]
