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

_INDEX = {
    "sqlite": (
        "CREATE VIRTUAL TABLE article_index USING fts5(title, body, authors, content='', tokenize='ascii')",
        # Each article is a transaction, hence a segment of its own; merging eight at once instead of four costs a fifth less.
        "INSERT INTO article_index(article_index, rank) VALUES ('automerge', 8)",
    ),
}


def upgrade() -> None:
    """Make every table, then the database's own kind of index."""
    for statement in _INDEX[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "item",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("source", "hash"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "message",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("period_key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created", _MOMENT, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", _MOMENT, nullable=False),
        sa.Column("sent", _MOMENT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("message_id"),
        sa.UniqueConstraint("reader", "address", "period_key"),
    )
    op.create_index("message_due", "message", ["state", "next_try"])
    op.create_table(
        "run",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("started", _MOMENT, nullable=False),
        sa.Column("finished", _MOMENT, nullable=True),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("run_source", "run", ["source", "started"])
    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "source",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("next_due", _MOMENT, nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=True),
        sa.Column("baseline_ended", _MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_run", _MOMENT, nullable=True),
        sa.Column("last_good", _MOMENT, nullable=True),
        sa.Column("last_new", _MOMENT, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
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
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("discovered", _MOMENT, nullable=False),
        sa.Column("updated", _MOMENT, nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("outlet", sa.Text(), nullable=False),
        sa.Column("outlet_folded", sa.Text(), nullable=False),
        sa.Column("baseline", sa.Boolean(), nullable=False),
        sa.Column("matched", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("watchlist_version", sa.String(length=16), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("extent", sa.String(length=8), nullable=False),
        sa.Column("extent_reason", sa.Text(), nullable=False),
        sa.Column("published", _MOMENT, nullable=True),
        sa.Column("published_precision", sa.String(length=8), nullable=True),
        sa.Column("published_origin", sa.String(length=8), nullable=True),
        sa.Column("published_zone", sa.Text(), nullable=True),
        sa.Column("published_zone_stated", sa.Boolean(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("canonical_url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
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
        sa.Column("canonical_url", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", _MOMENT, nullable=True),
        sa.Column("article_id", _ID, nullable=True),
        sa.Column("entry_fingerprint", sa.Text(), nullable=False),
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
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("article_id", _ID, nullable=False),
        sa.Column("story_id", _ID, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
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
        sa.Column("entity", sa.String(length=64), nullable=False),
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
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("index_row"),
    )
    op.create_index("version_article", "version", ["article_id"])
    op.create_table(
        "guid",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("address_id", _ID, nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"]),
        sa.PrimaryKeyConstraint("source", "guid"),
    )
    op.create_table(
        "raw_page",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("address_id", _ID, nullable=False),
        sa.Column("fetched", _MOMENT, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
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
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"]),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sighting_address", "sighting", ["address_id"])
