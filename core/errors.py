"""The family of errors.

JingbaoError
├── ConfigError        the configuration cannot be used           exit 78
├── QueryError         a query cannot be read; knows the place    exit 2
├── NotFoundError      nothing by that name or number             exit 3
│   └── NoArchiveError     there is no archive yet
├── BusyError          another daemon holds the archive           exit 75
├── StorageError       the database refused; try again or look    exit 75, or 1 where only a person can mend it
│   ├── DamagedError       the archive is damaged or lost             exit 1
│   ├── UnfitError         none that this version can work on         exit 1
│   ├── OlderArchiveError  it has the tables of an older version      exit 75
│   └── RestoredError      a backup took the archive's place          exit 75
├── FetchError         the net did not give a document; names its outcome
├── ReadingError       a document could not be read; names its outcome
└── SendError          a mail was not taken
    ├── TryLaterError      4xx, timeouts, connection trouble: the same mail again later
    ├── RefusedError       5xx for this address: do not try again by itself
    ├── UncertainError     the line broke after DATA: it may have arrived
    └── ChannelError       sign-in or set-up is wrong: pause all sending

A person reads the message: what happened, to what, what to do. Errors of foreign libraries are translated at a room's wall.
One bad feed, page or recipient is an outcome, never a crash; a programming error is not in this family and is a crash.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from core.secrets import mask

if TYPE_CHECKING:
    from core.outcomes import Outcome


_AROUND = 40


class JingbaoError(Exception):
    """Anything that can go wrong and that a person can do something about."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        """The message, without any secret: it is shown, logged and kept in the archive."""
        return mask(super().__str__())


class ConfigError(JingbaoError):
    """The configuration cannot be used; `problems` holds every fault found, one line each."""

    exit_code = 78

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class QueryError(JingbaoError):
    """A query cannot be read.

    `position` is the 0-based character where the trouble starts, `hint` what would work there.
    """

    exit_code = 2

    def __init__(self, message: str, query: str, position: int, hint: str = "") -> None:
        self.message = message
        self.query = query
        self.position = position
        self.hint = hint
        super().__init__(f"{message} (at character {position + 1}){'. ' + hint if hint else ''}")

    def pointed(self) -> str:
        """The message in three lines: of a long query only what is near the place, a caret under it."""
        start = max(self.position - _AROUND, 0)
        end = self.position + _AROUND
        before, after = "…" * (start > 0), "…" * (end < len(self.query))
        shown = before + re.sub(r"\s", " ", self.query[start:end]) + after
        # Han characters take two columns.
        width = sum(2 if ord(char) >= 0x2E80 else 1 for char in shown[: len(before) + self.position - start])
        return f"{self}\n  {shown}\n  {' ' * width}^"


class NotFoundError(JingbaoError):
    """Nothing by that name, number or address."""

    exit_code = 3


class NoArchiveError(NotFoundError):
    """There is no archive yet where the configuration says."""


class BusyError(JingbaoError):
    """Another daemon already works on this archive."""

    exit_code = 75


class StorageError(JingbaoError):
    """The database or the raw-page folder refused."""

    exit_code = 75


class DamagedError(StorageError):
    """The archive is damaged, or what was one is gone: only a person can mend that, and nothing is made in its place."""

    exit_code = 1


class UnfitError(StorageError):
    """A database this version cannot work on (another program's, a newer version's, a copy not whole yet): no waiting helps."""

    exit_code = 1


class OlderArchiveError(StorageError):
    """The archive has an older version's tables. It passes: the daemon's start, or `jingbao upgrade`, brings it up to date."""


class RestoredError(StorageError):
    """A backup took the archive's place since it was opened: what was under way is given up, and can begin again."""


class FetchError(JingbaoError):
    """No document came from the net; `outcome` is the name it is counted under.

    `retry_after_seconds` is set where the server asked for a pause (RFC 9110, Retry-After).
    """

    def __init__(self, outcome: Outcome, reason: str, *, status: int = 0, retry_after_seconds: float | None = None) -> None:
        self.outcome = outcome
        self.reason = reason
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        super().__init__(reason)


class ReadingError(JingbaoError):
    """A fetched document could not be read; `outcome` is the name it is counted under."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        self.outcome = outcome
        self.reason = reason
        super().__init__(reason)

    def __reduce__(self) -> tuple[type[ReadingError], tuple[Outcome, str]]:
        """Carried whole out of a reading worker."""
        return (type(self), (self.outcome, self.reason))


class SendError(JingbaoError):
    """A mail was not taken by the mail server."""


class TryLaterError(SendError):
    """A passing refusal: 4xx, a timeout, no connection."""


class RefusedError(SendError):
    """A lasting refusal of this message or address: 5xx."""


class UncertainError(SendError):
    """The line broke after the message was handed over and before the server's answer: it may have arrived."""


class ChannelError(SendError):
    """Signing in or the set-up of sending is wrong: every further try would fail alike."""
