"""How each source stands, when it has news, what its articles hold; and what rows that go are looked up by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MOMENT = sa.DateTime(timezone=True)
_BYTEWISE = "C"
_TEXT = sa.Text().with_variant(sa.Text(collation=_BYTEWISE), "postgresql")


def _name(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation=_BYTEWISE), "postgresql")


def upgrade() -> None:
    """Add the columns; sources known already begin as new and are judged by their next run."""
    for column in (
        sa.Column("standing", _name(16), nullable=False, server_default="new"),
        sa.Column("standing_reason", _TEXT, nullable=False, server_default=""),
        sa.Column("standing_since", _MOMENT),
        sa.Column("told_standing", _name(16), nullable=False, server_default=""),
        sa.Column("rhythm", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("yields", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("came_whole", _MOMENT),
        sa.Column("lying", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("moved_to", _TEXT, nullable=False, server_default=""),
        sa.Column("moved_since", _MOMENT),
    ):
        op.add_column("source", column)
    op.add_column("run", sa.Column("yields", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index("run_started", "run", ["started"])
    unfinished = sa.text("finished IS NULL")
    op.create_index("run_open", "run", ["id"], sqlite_where=unfinished, postgresql_where=unfinished)
    told = sa.text("title <> ''")
    op.create_index("version_until", "version", ["until"], sqlite_where=told, postgresql_where=told)
    op.create_index("sighting_run", "sighting", ["run_id"])
    op.create_index("raw_page_file", "raw_page", ["file"])
    op.create_index("guid_address", "guid", ["address_id"])
    for name, table, reference in (("article_copies", "article", "copy_of"), ("match_message", "match", "message_id")):
        there = sa.text(f"{reference} IS NOT NULL")
        op.create_index(name, table, [reference], sqlite_where=there, postgresql_where=there)
