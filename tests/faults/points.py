"""The named points of an article's road at which a process is killed: what each means, and where in the program it lies.

`moment` is when in the small world's day (tests/faults/world.py) the road leads past a point. At a point with `window` the mail
server has the mail and the archive does not say so yet: there, and nowhere else, a mail may go out twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.faults.striking import (
    TEXT,
    Wound,
    after,
    answered,
    at_commit,
    before,
    half_of_the_text,
    migration_statement,
    saying,
    torn_record,
    unflushed_record,
    whole_text,
)

MomentName = Literal["first", "day", "morning"]


@dataclass(frozen=True, slots=True)
class Point:
    """A point, and how a process is made to strike there. `daemon_alone`: the road without net and workers misses it."""

    name: str
    meaning: str
    wound: Wound
    moment: MomentName = "day"
    window: bool = False
    daemon_alone: bool = False


def _of_kind(kind: str) -> Callable[..., bool]:
    return lambda _client, request: str(request.kind) == kind


def _reads(function: str) -> Callable[..., bool]:
    return lambda _pool, called, *_: called.__name__ == function


def _always(*_: Any, **__: Any) -> bool:
    return True


def _mail(kind: str) -> Callable[..., bool]:
    return lambda _tx, mail, _now: mail.kind == kind


def _around(name: str, what: str, place: str, **more: Any) -> tuple[Point, Point]:
    return (
        Point(f"before {name}", f"about to {what}", before(place), **more),
        Point(f"after {name}", f"has come back from the call to {what}", after(place), **more),
    )


def _around_commit(
    name: str, what: str, place: str, only: Callable[..., Any] = _always, *, window: bool = False, **more: Any
) -> tuple[Point, Point]:
    before_it, after_it = at_commit(place, only, kept=False), at_commit(place, only, kept=True)
    return (
        Point(f"before the commit of {name}", f"{what}, and not committed", before_it, window=window, **more),
        Point(f"after the commit of {name}", f"{what} and committed", after_it, **more),
    )


_OPENING = (
    Point("migration statement", "about to run one statement of a migration", migration_statement, "first"),
    *_around_commit("the tables", "every table is made", "storage.archive:bring_up_to_date", moment="first"),
    Point("lock taken", "the daemon's lock is taken, the archive not opened", after("storage.lock:DaemonLock.acquire"), daemon_alone=True),
    *_around_commit(
        "the interrupted runs", "what a dead process left open is closed", "storage.sources:interrupt_runs"
    ),
)
_LIST = (
    *_around_commit("a run's beginning", "a run is begun", "storage.sources:begin_run"),
    Point("before a list's fetch", "about to fetch a list", before("crawler.net.client:LightClient.fetch", _of_kind("feed")), daemon_alone=True),
    Point("after a list's fetch", "a list is fetched, not read", after("crawler.net.client:LightClient.fetch", _of_kind("feed")), daemon_alone=True),
    Point("after a list's reading", "a list is read, not sorted", after("crawler.reading.workers:ReadingPool.run", _reads("read_feed")), daemon_alone=True),
    *_around_commit("the sorted entries", "a list's entries are sorted", "crawler.collection:triage", daemon_alone=True),
)
_PAGE = (
    Point("before a page's fetch", "about to fetch a page", before("crawler.net.client:LightClient.fetch", _of_kind("page")), daemon_alone=True),
    Point("after a page's fetch", "a page is fetched, not kept", after("crawler.net.client:LightClient.fetch", _of_kind("page")), daemon_alone=True),
    Point("before the raw page", "about to append a page to its WARC file", before("storage.raw:RawPages.append")),
    Point("within the raw page", "half of a WARC record is written", torn_record),
    Point("raw page not flushed", "a WARC record is written, not flushed to the disk", unflushed_record),
    Point("after the raw page", "a page is kept, not read", after("storage.raw:RawPages.append")),
    Point("before extraction", "about to have a page read", before("crawler.reading.workers:ReadingPool.run", _reads("appraise_page")), daemon_alone=True),
    Point("within extraction", "a worker has the page", after("pebble:ProcessPool.schedule", lambda _pool, _function, args, **_: args[1].__name__ == "appraise_page"), daemon_alone=True),
    Point("after extraction", "a page is read and judged", after("crawler.reading.workers:ReadingPool.run", _reads("appraise_page")), daemon_alone=True),
)
_INTAKE = (
    *_around("the decision", "decide whether an article is new", "crawler.intake:decide"),
    *_around("the insert", "insert an article", "storage.articles:insert"),
    Point("within the insert", "an article's row is in, its words, mentions and bands are not", before("storage.articles:_make_findable")),
    *_around("the ledger", "note in the ledger how an address ended", "storage.addresses:record"),
    Point("before the raw page's place", "about to note where a page lies", before("storage.addresses:keep_raw")),
    *_around_commit("an article", "an article with all that is its own is stored", "crawler.intake:_enter"),
    *_around_commit("a changed article", "a new version is stored", "storage.articles:update", moment="morning"),
    *_around_commit("a run's end", "a run is ended, its validators are kept", "storage.sources:finish_run"),
)
_ALERTS = (
    Point("before the match", "about to hold articles against the rules", before("alerts.matching:match_pending")),
    Point("before the matched mark", "matches are kept, articles not marked", before("storage.articles:mark_matched", lambda _tx, ids: ids)),
    *_around_commit("the matches", "matches and marks are kept", "storage.outbox:add_match"),
    Point("before the outbox", "a mail is rendered, not in the outbox", before("storage.outbox:put")),
    Point("after the outbox", "a mail is in the outbox, its matches are not marked", after("storage.outbox:put")),
    *_around_commit("the mails", "mails are in the outbox with their matches' marks", "storage.outbox:put", _mail("now")),
    *_around_commit("the digest", "a digest is in the outbox", "storage.outbox:put", _mail("digest"), moment="morning"),
    Point("after the claim", "due mails are read from the outbox", after("storage.outbox:due_messages", giving=bool)),
)
_SENDING = (
    Point("before the connection", "about to call the mail server", before("smtplib:SMTP.connect")),
    Point("after the greeting", "the mail server has greeted", answered("EHLO")),
    Point("before MAIL", "about to name the sender", saying("MAIL")),
    Point("after MAIL", "the sender is accepted", answered("MAIL")),
    Point("before RCPT", "about to name the recipient", saying("RCPT")),
    Point("after RCPT", "the recipient is accepted", answered("RCPT")),
    Point("before DATA", "about to announce the text", saying("DATA")),
    Point("after DATA", "the text is asked for", answered("DATA")),
    Point("within the text", "half of the text is on the line", half_of_the_text),
    Point("after the text", "the text is on the line, its answer not read", whole_text, window=True),
    Point("after 250", "the mail server has said 250", answered(TEXT), window=True),
    Point("before the sent mark", "about to mark a mail as sent", before("storage.outbox:mark_sent"), window=True),
    *_around_commit("the sent mark", "a mail is marked as sent", "storage.outbox:mark_sent", window=True),
)
POINTS = (*_OPENING, *_LIST, *_PAGE, *_INTAKE, *_ALERTS, *_SENDING)


def named(name: str) -> Point:
    """The point of this name. Raises KeyError."""
    return {point.name: point for point in POINTS}[name]
