"""What an HTTP status means here: a document, nothing new, or a named outcome."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from core.errors import FetchError
from core.outcomes import Outcome

LONGEST_PAUSE_SECONDS = 24 * 3600.0
TOO_MANY_PAUSE_SECONDS = 300.0
"""The pause after a 429 that names none, or one of nothing: who says "too many" means more than one request."""
# Headers by which a service says that its answer is a test for people, whatever the status (Cloudflare, AWS WAF).
_CHALLENGES = {"cf-mitigated": {"challenge"}, "x-amzn-waf-action": {"challenge", "captcha"}}
_GONE = {404, 410}
# Too early, timed out, too many: as passing as a 5xx.
_PASSING = {408, 425, 429}


def judge_status(status: int, headers: Mapping[str, str], host: str, now: datetime) -> None:
    """Do nothing for 2xx and 304; `headers` have lower-case names.

    Raises FetchError: gone (404, 410), blocked (401, 403, 451, other refusals, challenges), failed (408, 425, 429, 5xx
    and what is no answer at all), with retry_after_seconds where the server asked for a pause.
    """
    if any(headers.get(name, "").strip().lower() in values for name, values in _CHALLENGES.items()):
        raise FetchError(Outcome.BLOCKED, f"{host} answered with a test for people ({status}).", status=status)
    if 200 <= status < 300 or status == 304:
        return
    raise FetchError(
        _outcome(status),
        f"{host} answered {status} {_phrase(status)}".rstrip() + ".",
        status=status,
        retry_after_seconds=_pause(status, headers, now),
    )


def _pause(status: int, headers: Mapping[str, str], now: datetime) -> float | None:
    if status not in _PASSING and status < 500:
        return None
    asked = retry_after(headers, now)
    return TOO_MANY_PAUSE_SECONDS if not asked and status == 429 else asked


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The pause in seconds that Retry-After asks for (RFC 9110, 10.2.3), 0 to 24 h; None if absent or unreadable.

    A date is counted from the server's own Date, so that a wrong clock on either side does no harm, or from `now`.
    """
    value = headers.get("retry-after", "").strip()
    numbers = [number.strip() for number in value.split(",")]  # the header came more than once
    if value.isascii() and all(number.isdigit() for number in numbers):
        return min(max(float(number[:9]) for number in numbers), LONGEST_PAUSE_SECONDS)
    until = _http_date(value)
    if until is None:
        return None
    seconds = (until - (_http_date(headers.get("date", "")) or now)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _outcome(status: int) -> Outcome:
    if status in _GONE:
        return Outcome.GONE
    if 400 <= status < 500 and status not in _PASSING:
        return Outcome.BLOCKED
    return Outcome.FAILED


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
