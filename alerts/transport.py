"""A way out for a finished message, as the outbox knows it. The ways themselves are in alerts/transports/.

What a failure means is said by its class, and alerts/outbox.py acts on it:

    OutOfReachError   nobody is there, whatever the mail          all sending pauses, soon tried again
    ChannelError      sign-in or set-up is wrong                  all sending pauses, seldom tried again
    RefusedError      this address or this message, for good      shown to the operator
    UncertainError    handed over, and no answer came             tried twice more, under the same Message-ID
    StrainedError     the server is short of something just now   as TryLaterError; twice in a row as OutOfReachError
    TryLaterError     this message, for now                       tried again at growing gaps
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from core.errors import TryLaterError


class OutOfReachError(TryLaterError):
    """The mail server is not there or asks to come back later, whatever the mail: the next would fare no better now."""


class StrainedError(TryLaterError):
    """The server went silent or short of something while it was told of a message.

    Whether that is this message's fault or would meet every other is seen only from the next.
    """


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message ready to leave: `number` is its row in the outbox, `content` the whole of it with CRLF line ends."""

    number: int
    sender: str
    recipient: str
    created: datetime
    content: bytes


class Transport(Protocol):
    """A way out. `send` returns once the message is taken, or raises one of the SendError family.

    It may be cancelled, and then ends within a second or two: with CancelledError if the message was surely not taken, else
    with UncertainError.
    """

    async def send(self, parcel: Parcel) -> None:
        """Hand one message over."""
        ...
