"""A database's tables: whose they are, and bringing them to this version's by Alembic's scripts in migrations/.

Forward only, and in one transaction: killed in the middle, a database is as it was.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, text

from core.errors import UnfitError
from storage.schema import setting

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_MIGRATIONS = Path(__file__).parent / "migrations"
OURS = {"article", "address", "source"}
"""Tables that every version has."""
_ALEMBIC = "alembic_version"
CREATED = "archive.created"
"""The setting that holds when the archive began; it also tells two archives apart."""


class Tables(StrEnum):
    """Whose tables a database has."""

    NONE = "none"
    OLDER = "older"
    PRESENT = "present"
    NEWER = "newer"
    FOREIGN = "foreign"


def state_of(connection: Connection) -> Tables:
    """Whose tables the database has."""
    tables = set(inspect(connection).get_table_names()) - {_ALEMBIC}
    if not tables:
        return Tables.NONE
    if not tables >= OURS:
        return Tables.FOREIGN
    known, last = revisions(), revision_of(connection)
    if last is not None and last not in known:
        return Tables.NEWER
    return Tables.PRESENT if last == known[-1] else Tables.OLDER


def refuse(state: Tables, name: str) -> None:
    """Raise UnfitError if tables of this state are not ours to touch; `name` is what people know the database by."""
    if state is Tables.FOREIGN:
        raise UnfitError(f"The database {name} belongs to another program. Name another one in storage.url.")
    if state is Tables.NEWER:
        message = f"The database {name} was written by a newer jingbao (this version knows its tables up to {revisions()[-1]})."
        raise UnfitError(f"{message} Install that version again, or restore a backup this one made: jingbao restore FILE")


def bring_up_to_date(connection: Connection, now: datetime) -> None:
    """Make the tables in an empty database, or run the migrations an older one lacks."""
    state = state_of(connection)
    if state is Tables.PRESENT:
        return
    _run_migrations(connection)
    if state is Tables.NONE:
        connection.execute(insert(setting), {"key": CREATED, "value": now.isoformat()})


def make_tables(connection: Connection, revision: str) -> None:
    """Make the tables as they were after a migration, in an empty database."""
    _run_migrations(connection, revision)


def revision_of(connection: Connection) -> str | None:
    """The last migration the database has had, or None."""
    if not inspect(connection).has_table(_ALEMBIC):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def revisions() -> list[str]:
    """The revisions of this version, oldest first, by the names of the scripts: Alembic itself starts slowly."""
    return sorted(script.name.partition("_")[0] for script in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _run_migrations(connection: Connection, revision: str = "head") -> None:
    from alembic import command  # noqa: PLC0415  (a third of the start-up time, wanted once in a version's life)
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
