"""What kind of trouble a source is in, so that many can be told together with one piece of advice."""

from __future__ import annotations

import re
from enum import StrEnum

from core.outcomes import Outcome


class Trouble(StrEnum):
    """Why a source gave nothing, as a person would sort it."""

    OFFLINE = "offline"
    PROXY = "proxy"
    NO_NAME = "no-name"
    NO_CONNECTION = "no-connection"
    TOO_SLOW = "too-slow"
    CERTIFICATE = "certificate"
    KEPT_OUT = "kept-out"
    BLOCKED = "blocked"
    GONE = "gone"
    BUSY = "busy"
    UNREADABLE = "unreadable"
    OTHER = "other"


# Our own words for faults on the wire (crawler/net/faults.py), by which they are told apart; tests hold the two together.
_BY_WORDS = (
    (Trouble.PROXY, re.compile(r"^The proxy |expected a proxy")),
    (Trouble.NO_NAME, re.compile(r"^The name \S+ cannot be found")),
    (Trouble.CERTIFICATE, re.compile(r"^The certificate of |^No secure connection to ")),
    (Trouble.BUSY, re.compile(r" answered (?:408|425|429|5\d\d)\b")),
    (Trouble.NO_CONNECTION, re.compile(r"cannot be reached|broke off|closed the connection|ended early|not answer in HTTP")),
)
_BY_OUTCOME = {
    Outcome.REFUSED: Trouble.KEPT_OUT,
    Outcome.BLOCKED: Trouble.BLOCKED,
    Outcome.GONE: Trouble.GONE,
    Outcome.TOO_SLOW: Trouble.TOO_SLOW,
    Outcome.UNREADABLE: Trouble.UNREADABLE,
}


# An HTTP proxy that does not get through says so in the site's place (RFC 9110, 15.6.3 and 15.6.5).
_GATEWAY = re.compile(r" answered 50[24]\b")


def trouble_of(result: str, reason: str, *, proxied: bool = False) -> Trouble:
    """The kind of a failed run: `result` is its Outcome's value or `offline`, `reason` what was said of it.

    `proxied`: the source is asked through a proxy, which then may have spoken in the site's place.
    """
    if proxied and result == Outcome.FAILED and _GATEWAY.search(reason):
        return Trouble.NO_CONNECTION
    if result == Trouble.OFFLINE:
        return Trouble.OFFLINE
    if result in _BY_OUTCOME:
        return _BY_OUTCOME[Outcome(result)]
    if result == Outcome.FAILED:
        return next((trouble for trouble, words in _BY_WORDS if words.search(reason)), Trouble.OTHER)
    return Trouble.OTHER
