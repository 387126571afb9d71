"""Bringing the tables up to date when a process starts."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, text

from sojourn.store.database import Database
from sojourn.store.errors import StoreError

FOLDER = Path(__file__).with_name("migrations")

_LOCK = 0x50704A6F75726E
"""Number of the PostgreSQL advisory lock that processes take before they migrate."""


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration: the migrations in the package, on this connection."""
    config = Config()
    config.set_main_option("script_location", FOLDER.as_posix().replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database) -> None:
    """Bring the tables to this version of Sojourn, in one transaction.

    Processes that start together wait for each other: the first one migrates, the others find it done.

    Raises:
        StoreError: The database was made by a newer version.
        StoreUnavailable: The database cannot be reached.
    """

    def upgrade(connection: Connection) -> None:
        # On SQLite the transaction itself is the lock.
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        command.upgrade(alembic_config(connection), "head")

    try:
        await database.write(upgrade)
    except CommandError as error:
        if "locate revision" not in str(error):
            raise
        raise StoreError(
            "the database was migrated by a newer version of Sojourn: install that version, or set"
            " SOJOURN_DATABASE to another database"
        ) from error
