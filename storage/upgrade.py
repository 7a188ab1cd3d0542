"""Bringing a database to this version's tables: forward only, in one transaction, by Alembic's scripts in migrations/."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, text

from core.errors import StorageError
from storage.schema import setting

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).parent / "migrations"
_OURS = {"article", "address", "source"}


def is_up_to_date(connection: Connection) -> bool:
    """Whether the database has this version's tables."""
    tables = set(inspect(connection).get_table_names())
    return tables >= _OURS and _present_revision(connection, tables) == _revisions()[-1]


def bring_up_to_date(connection: Connection, now: datetime) -> None:
    """Make the tables in an empty database, or run the migrations an older one lacks.

    Raises StorageError if the database belongs to another program or to a newer jingbao.
    """
    known = _revisions()
    tables = set(inspect(connection).get_table_names())
    present = _present_revision(connection, tables)
    if tables and not tables >= _OURS:
        raise StorageError(f"{_name(connection)} belongs to another program. Name another one in storage.url.")
    if present == known[-1]:
        return
    if present is not None and present not in known:
        message = f"{_name(connection)} was written by a newer jingbao (tables {present}; this version knows {known[-1]})."
        raise StorageError(f"{message} Upgrade this one, or restore a backup made by it.")
    _run_migrations(connection)
    if not tables:
        connection.execute(insert(setting), {"key": "archive.created", "value": now.isoformat()})


def _revisions() -> list[str]:
    """The revisions of this version, oldest first, by the names of the scripts: Alembic itself starts slowly."""
    return sorted(script.name.partition("_")[0] for script in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _present_revision(connection: Connection, tables: set[str]) -> str | None:
    if "alembic_version" not in tables:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run_migrations(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  (a third of the start-up time, wanted once in a version's life)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _name(connection: Connection) -> str:
    return f"The database {connection.engine.url.render_as_string()}"
