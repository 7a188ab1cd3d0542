"""The archive's tables, for SQLite and PostgreSQL alike. How they hang together: docs/design/archive.md.

Types of columns are in columns.py. Work still to do is a mark on its row, never a comparison of ids or times, because
neither commits in order. The full-text index is not here: it differs by database (storage/search/).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from storage.columns import AnyJson, AnyText, UtcDateTime

metadata = MetaData()

# SQLite gives out row numbers only to INTEGER PRIMARY KEY, not to BIGINT.
_Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[Any]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


source = Table(  # what the archive remembers of a source between runs; what a source *is* stands in the configuration
    "source",
    metadata,
    Column("key", AnyText(64), primary_key=True),
    Column("next_due", UtcDateTime, nullable=False),
    Column("etag", AnyText, nullable=False, default=""),
    Column("last_modified", AnyText, nullable=False, default=""),
    Column("body_hash", LargeBinary),
    Column("baseline_ended", UtcDateTime),
    Column("failures", Integer, nullable=False, default=0),  # in a row
    Column("last_run", UtcDateTime),
    Column("last_good", UtcDateTime),
    Column("last_new", UtcDateTime),
    Column("last_error", AnyText, nullable=False, default=""),
    Column("standing", AnyText(16), nullable=False, default="new", server_default="new"),  # a Standing (core/standing.py)
    Column("standing_reason", AnyText, nullable=False, default="", server_default=""),
    Column("standing_since", UtcDateTime),
    Column("told_standing", AnyText(16), nullable=False, default="", server_default=""),  # what the operator was told last
    Column("rhythm", AnyJson, nullable=False, default=list, server_default="[]"),  # moments at which it had news, oldest first
    Column("yields", AnyJson, nullable=False, default=list, server_default="[]"),  # of its latest runs that read something
    Column("came_whole", UtcDateTime),  # when its list last came whole, not as a 304
    Column("lying", Boolean, nullable=False, default=False, server_default=false()),  # its server said 304 of what had changed
    Column("moved_to", AnyText, nullable=False, default="", server_default=""),  # where its list is redirected for good
    Column("moved_since", UtcDateTime),
)
Index("source_due", source.c.next_due)

item = Table(  # raw feed items already read, by hash: what makes delta parsing possible
    "item",
    metadata,
    Column("source", AnyText(64), primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
    Column("last_seen", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

run = Table(  # one collection of one source
    "run",
    metadata,
    _id(),
    Column("source", AnyText(64), nullable=False),
    Column("started", UtcDateTime, nullable=False),
    Column("finished", UtcDateTime),
    Column("result", AnyText(20), nullable=False, default="running"),  # ok | unchanged | an Outcome's value | running
    Column("detail", AnyText, nullable=False, default=""),
    Column("seen", Integer, nullable=False, default=0),  # entries, counted as they were read
    Column("counts", AnyJson, nullable=False, default=dict),  # Outcome value -> entries, counted as they ended; sums to `seen`
    Column("yields", AnyJson, nullable=False, default=dict, server_default="{}"),  # what the stored ones held: text, date
)
Index("run_source", run.c.source, run.c.started)
Index("run_started", run.c.started)
_OPEN = run.c.finished.is_(None)
Index("run_open", run.c.id, sqlite_where=_OPEN, postgresql_where=_OPEN)  # what a dead daemon left

address = Table(  # every address ever seen, by canonical URL, and where it stands
    "address",
    metadata,
    _id(),
    Column("canonical_url", AnyText, nullable=False, unique=True),
    Column("url", AnyText, nullable=False),
    Column("source", AnyText(64), nullable=False),
    Column("title", AnyText, nullable=False, default=""),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("outcome", AnyText(20), nullable=False),
    Column("reason", AnyText, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_try", UtcDateTime),  # set while the outcome is a passing one
    Column("article_id", _Id, ForeignKey("article.id")),
    Column("entry_fingerprint", AnyText, nullable=False, default=""),
    Column("entry", AnyJson(none_as_null=True)),  # what its list said, kept while another try is to come
)
Index("address_article", address.c.article_id)
Index(
    "address_retry",
    address.c.next_try,
    sqlite_where=address.c.next_try.is_not(None),
    postgresql_where=address.c.next_try.is_not(None),
)

sighting = Table(  # an address's history, for `explain`: one row per change of outcome and per source that carried it
    "sighting",
    metadata,
    _id(),
    Column("address_id", _Id, ForeignKey("address.id"), nullable=False),
    Column("run_id", _Id, ForeignKey("run.id")),
    Column("source", AnyText(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", AnyText(20), nullable=False),
    Column("reason", AnyText, nullable=False, default=""),
)
Index("sighting_address", sighting.c.address_id)
Index("sighting_run", sighting.c.run_id)  # for forgetting runs

guid = Table(  # a feed's own name for an item, one more key by which it is known again
    "guid",
    metadata,
    Column("source", AnyText(64), primary_key=True),
    Column("guid", AnyText, primary_key=True),
    Column("address_id", _Id, ForeignKey("address.id"), nullable=False),
)
Index("guid_address", guid.c.address_id)

raw_page = Table(  # where a fetched page lies in the WARC files
    "raw_page",
    metadata,
    _id(),
    Column("address_id", _Id, ForeignKey("address.id"), nullable=False),
    Column("fetched", UtcDateTime, nullable=False),
    Column("file", AnyText, nullable=False),  # relative to the raw folder
    Column("offset", BigInteger, nullable=False),
    Column("bytes", Integer, nullable=False),
)
Index("raw_page_address", raw_page.c.address_id)
Index("raw_page_file", raw_page.c.file)  # files go whole

story = Table(
    "story",
    metadata,
    _id(),
    Column("opened", UtcDateTime, nullable=False),
)

article = Table(  # short columns first: a condition on one behind the text would read the text's pages too
    "article",
    metadata,
    _id(),
    Column("index_row", BigInteger, nullable=False, unique=True),  # row of the full-text index; ordered by time (see search)
    Column("story_id", _Id, ForeignKey("story.id"), nullable=False),
    Column("copy_of", _Id, ForeignKey("article.id")),
    Column("language", AnyText(8), nullable=False),
    Column("at", UtcDateTime, nullable=False),  # published, never after discovered; discovered where unknown
    Column("discovered", UtcDateTime, nullable=False),
    Column("updated", UtcDateTime),
    Column("source", AnyText(64), nullable=False),
    Column("outlet", AnyText, nullable=False),
    Column("outlet_folded", AnyText, nullable=False),  # what `source:` compares
    Column("baseline", Boolean, nullable=False),
    Column("matched", Boolean, nullable=False, default=False, server_default=false()),  # the alerts' mark
    Column("watchlist_version", AnyText(16), nullable=False),
    Column("text_hash", LargeBinary, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("extent", AnyText(8), nullable=False),
    Column("extent_reason", AnyText, nullable=False, default=""),
    Column("published", UtcDateTime),
    Column("published_precision", AnyText(8)),
    Column("published_origin", AnyText(8)),
    Column("published_zone", AnyText),
    Column("published_zone_stated", Boolean),
    Column("url", AnyText, nullable=False),
    Column("canonical_url", AnyText, nullable=False, unique=True),
    Column("title", AnyText, nullable=False),
    Column("authors", AnyJson, nullable=False),
    Column("credit", AnyText, nullable=False, default=""),
    Column("reasons", AnyJson, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("summary", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
)
Index("article_story", article.c.story_id)
Index("article_at", article.c.at)
Index("article_discovered", article.c.discovered)
Index("article_source", article.c.source, article.c.at)
Index("article_text_hash", article.c.text_hash)
Index("article_watchlist", article.c.watchlist_version)
# Each reference has an index: whenever a row goes, PostgreSQL looks whether another refers to it.
_COPIES = article.c.copy_of.is_not(None)
Index("article_copies", article.c.copy_of, sqlite_where=_COPIES, postgresql_where=_COPIES)
Index("article_unmatched", article.c.id, sqlite_where=~article.c.matched, postgresql_where=~article.c.matched)

version = Table(  # what an article said before it was changed
    "version",
    metadata,
    _id(),
    Column("article_id", _Id, ForeignKey("article.id"), nullable=False),
    Column("index_row", BigInteger, nullable=False, unique=True),  # the row it had in the index; never given out again
    Column("until", UtcDateTime, nullable=False),
    Column("title", AnyText, nullable=False),
    Column("text", AnyText, nullable=False),
    Column("summary", AnyText, nullable=False),
)
Index("version_article", version.c.article_id)
NOT_EMPTIED = text("title <> ''")
"""As a literal, so that SQLite sees a query's condition in its partial index."""
Index("version_until", version.c.until, sqlite_where=NOT_EMPTIED, postgresql_where=NOT_EMPTIED)  # for forgetting versions

mention = Table(
    "mention",
    metadata,
    Column("entity", AnyText(64), primary_key=True),
    Column("article_id", _Id, ForeignKey("article.id"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("mention_article", mention.c.article_id)

band = Table(  # MinHash bands of articles of the recent window: the look-up of near-copies
    "band",
    metadata,
    Column("hash", BigInteger, primary_key=True),
    Column("article_id", _Id, ForeignKey("article.id"), primary_key=True),
    sqlite_with_rowid=False,
)
Index("band_article", band.c.article_id)

match = Table(  # a rule found an article for a reader; `message_id` is empty until it is put into a mail
    "match",
    metadata,
    _id(),
    Column("rule", AnyText(64), nullable=False),
    Column("reader", AnyText(64), nullable=False),
    Column("article_id", _Id, ForeignKey("article.id"), nullable=False),
    Column("story_id", _Id, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("state", AnyText(12), nullable=False),  # a MatchState (storage/outbox.py)
    Column("message_id", _Id, ForeignKey("message.id")),
    UniqueConstraint("rule", "reader", "article_id"),
)
Index("match_waiting", match.c.reader, match.c.state)
Index("match_story", match.c.reader, match.c.rule, match.c.story_id)
Index("match_article", match.c.article_id)
_MAILED = match.c.message_id.is_not(None)
Index("match_message", match.c.message_id, sqlite_where=_MAILED, postgresql_where=_MAILED)

message = Table(  # the outbox: a mail to one address; `message_id` (the header) is stored before the first try
    "message",
    metadata,
    _id(),
    Column("reader", AnyText(64), nullable=False),
    Column("address", AnyText, nullable=False),
    Column("kind", AnyText(12), nullable=False),  # now | digest
    Column("period_key", AnyText, nullable=False),  # makes one digest of one period unique
    Column("message_id", AnyText, nullable=False, unique=True),
    Column("subject", AnyText, nullable=False),
    Column("content", LargeBinary, nullable=False),  # the whole message as sent (RFC 5322)
    Column("created", UtcDateTime, nullable=False),
    Column("state", AnyText(12), nullable=False),  # a MessageState (storage/outbox.py)
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_try", UtcDateTime, nullable=False),
    Column("sent", UtcDateTime),
    Column("last_error", AnyText, nullable=False, default=""),
    UniqueConstraint("reader", "address", "period_key"),
)
Index("message_due", message.c.state, message.c.next_try)

setting = Table(  # small facts of the archive itself: versions, the mail channel's pause, dates of upkeep
    "setting",
    metadata,
    Column("key", AnyText(64), primary_key=True),
    Column("value", AnyJson, nullable=False),
)
