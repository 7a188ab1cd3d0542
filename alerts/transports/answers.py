"""What an answer of a mail server means, and what its silence means, by the step of the talk (RFC 5321).

    step                       4xx                 5xx                           silence, a broken line
    connect … sign-in          OutOfReachError     ChannelError                  OutOfReachError
    MAIL                       as below            ChannelError (the sender is   StrainedError
                                                   refused, so is every mail)
    RCPT, DATA                 421, 452, 454:      RefusedError                  StrainedError
                               StrainedError,
                               else TryLaterError
    the text                   as above            RefusedError                  UncertainError

At any step a wanted sign-in (530) is a ChannelError, and a quota that is used up is StrainedError whatever its
code: providers say it with 5xx too, and it passes. 552 at MAIL speaks of this message's size.
"""

from __future__ import annotations

import re
from enum import IntEnum

from alerts.advice import advice
from alerts.transport import OutOfReachError, StrainedError
from core.errors import ChannelError, RefusedError, SendError, TryLaterError, UncertainError
from core.mail_presets import Preset

_SIGN_IN_WANTED = 530
_STRAINED = {421, 452, 454}
_TOO_BIG = 552
# Gmail: 550 5.4.5 Daily user sending limit exceeded; Microsoft: 554 5.2.0 SubmissionQuotaExceeded; QQ: 550 frequency limited.
_QUOTA = re.compile(r"(?i)\b5\.4\.5\b|quota\s*exceeded|sending (limit|quota)|(rate|frequency) limit|too many (mails|messages)")


class Step(IntEnum):
    """Where in the talk we are; what is refused there, in words."""

    CONNECT = 0
    GREETING = 1
    HELLO = 2
    STARTTLS = 3
    SIGN_IN = 4
    MAIL = 5
    RCPT = 6
    DATA = 7
    TEXT = 8

    @property
    def words(self) -> str:
        """The step as an error names it."""
        return _WORDS[self]


_WORDS = {
    Step.CONNECT: "the connection",
    Step.GREETING: "every visitor",
    Step.HELLO: "the greeting",
    Step.STARTTLS: "STARTTLS",
    Step.SIGN_IN: "the sign-in",
    Step.MAIL: "the sender",
    Step.RCPT: "the recipient",
    Step.DATA: "the message",
    Step.TEXT: "the message",
}


class SignInRefusedError(ChannelError):
    """The user's password or token is not taken."""


def words_of(code: int, answer: bytes | str) -> str:
    """An answer in one line of at most 300 characters: `550 5.1.1 no such user`."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"{code} {' '.join(text.split())[:300]}".strip() if code > 0 else f'"{" ".join(text.split())[:100]}"'


def refusal(step: Step, code: int, answer: bytes | str, who: str, provider: Preset | None = None) -> SendError:
    """The error that an answer of 400 and more, or one that makes no sense, is at a step. `who` is the server or address."""
    said = words_of(code, answer)
    kind = _kind(step, code, said)
    verb = "puts off" if issubclass(kind, TryLaterError) else "refuses"
    what = f"{who} {verb} {step.words}: {said.rstrip('.')}."
    return kind(" ".join(filter(None, (what, advice(step.name, code, said, provider)))))


def _kind(step: Step, code: int, said: str) -> type[SendError]:
    if step <= Step.SIGN_IN:
        if 400 <= code < 500:
            return OutOfReachError
        return SignInRefusedError if step is Step.SIGN_IN else ChannelError
    if code == _SIGN_IN_WANTED:
        return ChannelError
    if code in _STRAINED or _QUOTA.search(said):
        return StrainedError
    if code < 400:  # not an answer to what was said: nobody knows what the server made of it
        return UncertainError if step is Step.TEXT else StrainedError
    if code < 500:
        return TryLaterError
    return ChannelError if step is Step.MAIL and code != _TOO_BIG else RefusedError


def reason_of(error: Exception, patience_seconds: float) -> str:
    """Why a line broke, in people's words: the system's, without its numbers."""
    if isinstance(error, TimeoutError):
        return f"no answer within {patience_seconds:g} seconds"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__).rstrip(".")


def silence(step: Step, reason: str, who: str, provider: Preset | None = None) -> SendError:
    """The error that a broken line, or none, is at a step."""
    if step is Step.TEXT:
        return UncertainError(f"the line to {who} broke before it confirmed the message: {reason}")
    if step > Step.SIGN_IN:
        return StrainedError(f"{who} fell silent at {step.name}: {reason}")
    what = "cannot be reached" if step is Step.CONNECT else f"fell silent at {step.words}"
    return OutOfReachError(" ".join(filter(None, (f"{who} {what}: {reason}.", advice(step.name, 0, reason, provider)))))
