"""The archive's first tables and its full-text index.

A migration is written once and never changed: databases that ran it are out there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)
_BYTEWISE = "C"
_TEXT = sa.Text().with_variant(sa.Text(collation=_BYTEWISE), "postgresql")


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation=_BYTEWISE), "postgresql")


_INDEX = {
    "sqlite": (
        "CREATE VIRTUAL TABLE article_index USING fts5(title, body, authors, content='', tokenize='ascii')",
        # Each article is a transaction, hence a segment of its own; merging eight at once instead of four costs a fifth less.
        "INSERT INTO article_index(article_index, rank) VALUES ('automerge', 8)",
    ),
    "postgresql": (
        # A text too long for a tsvector has none; its words are kept as texts and looked through (storage/search/tsvector.py).
        """CREATE TABLE article_index (
            index_row bigint PRIMARY KEY, tokens tsvector,
            long_title text COLLATE "C", long_body text COLLATE "C", long_authors text COLLATE "C")""",
        "CREATE INDEX article_index_tokens ON article_index USING gin (tokens)",
        "CREATE INDEX article_index_long ON article_index (index_row) WHERE tokens IS NULL",
    ),
}


def upgrade() -> None:
    """Make every table, then the database's own kind of index."""
    for statement in _INDEX[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "item",
        sa.Column("source", _name(64), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("source", "hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "message",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("reader", _name(64), nullable=False),
        sa.Column("address", _TEXT, nullable=False),
        sa.Column("kind", _name(12), nullable=False),
        sa.Column("period_key", _TEXT, nullable=False),
        sa.Column("message_id", _TEXT, nullable=False),
        sa.Column("subject", _TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("state", _name(12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", _MOMENT, nullable=False),
        sa.Column("sent", _MOMENT, nullable=True),
        sa.Column("last_error", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
        sa.UniqueConstraint("reader", "address", "period_key"),
    )
    op.create_index("message_due", "message", ["state", "next_try"])
    op.create_table(
        "run",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("source", _name(64), nullable=False),
        sa.Column("started", _MOMENT, nullable=False),
        sa.Column("finished", _MOMENT, nullable=True),
        sa.Column("result", _name(20), nullable=False),
        sa.Column("detail", _TEXT, nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("run_source", "run", ["source", "started"])
    op.create_table(
        "setting",
        sa.Column("key", _name(64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "source",
        sa.Column("key", _name(64), nullable=False),
        sa.Column("next_due", _MOMENT, nullable=False),
        sa.Column("etag", _TEXT, nullable=False),
        sa.Column("last_modified", _TEXT, nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=True),
        sa.Column("baseline_ended", _MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_run", _MOMENT, nullable=True),
        sa.Column("last_good", _MOMENT, nullable=True),
        sa.Column("last_new", _MOMENT, nullable=True),
        sa.Column("last_error", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("source_due", "source", ["next_due"])
    op.create_table(
        "story",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("opened", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "article",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("index_row", sa.BigInteger(), nullable=False),
        sa.Column("story_id", _ID, nullable=False),
        sa.Column("copy_of", _ID, nullable=True),
        sa.Column("language", _name(8), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("discovered", _MOMENT, nullable=False),
        sa.Column("updated", _MOMENT, nullable=True),
        sa.Column("source", _name(64), nullable=False),
        sa.Column("outlet", _TEXT, nullable=False),
        sa.Column("outlet_folded", _TEXT, nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.Column("matched", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("watchlist_version", _name(16), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("extent", _name(8), nullable=False),
        sa.Column("extent_reason", _TEXT, nullable=False),
        sa.Column("published", _MOMENT, nullable=True),
        sa.Column("published_precision", _name(8), nullable=True),
        sa.Column("published_origin", _name(8), nullable=True),
        sa.Column("published_zone", _TEXT, nullable=True),
        sa.Column("published_zone_stated", sa.Boolean(), nullable=True),
        sa.Column("url", _TEXT, nullable=False),
        sa.Column("canonical_url", _TEXT, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("credit", _TEXT, nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("summary", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["copy_of"], ["article.id"]),
        sa.ForeignKeyConstraint(["story_id"], ["story.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("canonical_url"),
        sa.UniqueConstraint("index_row"),
    )
    op.create_index("article_at", "article", ["at"])
    op.create_index("article_discovered", "article", ["discovered"])
    op.create_index("article_source", "article", ["source", "at"])
    op.create_index("article_story", "article", ["story_id"])
    op.create_index("article_text_hash", "article", ["text_hash"])
    op.create_index(
        "article_unmatched", "article", ["id"], sqlite_where=sa.text("matched = 0"), postgresql_where=sa.text("NOT matched")
    )
    op.create_index("article_watchlist", "article", ["watchlist_version"])
    op.create_table(
        "address",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("canonical_url", _TEXT, nullable=False),
        sa.Column("url", _TEXT, nullable=False),
        sa.Column("source", _name(64), nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.Column("outcome", _name(20), nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", _MOMENT, nullable=True),
        sa.Column("article_id", _ID, nullable=True),
        sa.Column("entry_fingerprint", _TEXT, nullable=False),
        sa.Column("entry", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("canonical_url"),
    )
    op.create_index("address_article", "address", ["article_id"])
    op.create_index(
        "address_retry",
        "address",
        ["next_try"],
        sqlite_where=sa.text("next_try IS NOT NULL"),
        postgresql_where=sa.text("next_try IS NOT NULL"),
    )
    op.create_table(
        "band",
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("article_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"]),
        sa.PrimaryKeyConstraint("hash", "article_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("band_article", "band", ["article_id"])
    op.create_table(
        "match",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("rule", _name(64), nullable=False),
        sa.Column("reader", _name(64), nullable=False),
        sa.Column("article_id", _ID, nullable=False),
        sa.Column("story_id", _ID, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("state", _name(12), nullable=False),
        sa.Column("message_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"]),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("rule", "reader", "article_id"),
    )
    op.create_index("match_article", "match", ["article_id"])
    op.create_index("match_story", "match", ["reader", "rule", "story_id"])
    op.create_index("match_waiting", "match", ["reader", "state"])
    op.create_table(
        "mention",
        sa.Column("entity", _name(64), nullable=False),
        sa.Column("article_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"]),
        sa.PrimaryKeyConstraint("entity", "article_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("mention_article", "mention", ["article_id"])
    op.create_table(
        "version",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("article_id", _ID, nullable=False),
        sa.Column("index_row", sa.BigInteger(), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("title", _TEXT, nullable=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("summary", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("index_row"),
    )
    op.create_index("version_article", "version", ["article_id"])
    op.create_table(
        "guid",
        sa.Column("source", _name(64), nullable=False),
        sa.Column("guid", _TEXT, nullable=False),
        sa.Column("address_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"]),
        sa.PrimaryKeyConstraint("source", "guid"),
    )
    op.create_table(
        "raw_page",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("address_id", _ID, nullable=False),
        sa.Column("fetched", _MOMENT, nullable=False),
        sa.Column("file", _TEXT, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("raw_page_address", "raw_page", ["address_id"])
    op.create_table(
        "sighting",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("address_id", _ID, nullable=False),
        sa.Column("run_id", _ID, nullable=True),
        sa.Column("source", _name(64), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("outcome", _name(20), nullable=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sighting_address", "sighting", ["address_id"])
