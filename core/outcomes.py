"""The named ends of an address: everything seen ends in exactly one of these, and each is counted."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one entry in one run. seen = the sum of all of these, per run and source."""

    NEW = "new"
    """Stored as a new article, the first of its story."""
    COPY = "copy"
    """Stored as an article that copies another outlet's text (a wire reprint); shares its story."""
    UPDATED = "updated"
    """An article already held has changed; its new version is stored, nothing is announced again."""
    DUPLICATE = "duplicate"
    """The same article of the same outlet under another address or GUID; the address is remembered, nothing is stored."""
    UNCHANGED = "unchanged"
    """Known from an earlier run; not fetched again."""
    OFF_TOPIC = "off-topic"
    """Not coverage of China's AI sector, by title and summary or by its text."""
    TOO_OLD = "too-old"
    """Published before the archive's horizon (collection.max_age_days)."""
    UNREADABLE = "unreadable"
    """Fetched, but no article could be read from it: no text, a gate page, not HTML, broken."""
    TOO_BIG = "too-big"
    """Past a limit of size, depth or count."""
    TOO_SLOW = "too-slow"
    """Past a limit of time, on the net or in the reading worker."""
    BLOCKED = "blocked"
    """robots.txt forbids it, or the site refuses (401, 403, 451, a challenge), and its list says too little to keep."""
    REFUSED = "refused"
    """Not fetched for safety: an address inside the operator's network, a scheme that is not http(s), a broken link."""
    GONE = "gone"
    """404 or 410."""
    FAILED = "failed"
    """A passing fault (network, 5xx, 429): tried again later, with growing gaps."""

    @property
    def stored(self) -> bool:
        """Whether an article row was written or changed."""
        return self in {Outcome.NEW, Outcome.COPY, Outcome.UPDATED}

    @property
    def passing(self) -> bool:
        """Whether the address is worth another try."""
        return self in {Outcome.FAILED, Outcome.TOO_SLOW}
