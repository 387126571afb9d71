"""The revision: one number that grows whenever something changes that processes hold in memory."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from sojourn.store.errors import StoreError
from sojourn.store.tables import meta

_ONLY_ROW = 1


def read_revision(connection: Connection) -> int:
    """Return the current revision.

    Raises:
        StoreError: The database was never migrated.
    """
    revision = (connection.execute(select(meta.c.revision))).scalar()
    if revision is None:
        raise StoreError("the database is empty: migrate it first")
    return int(revision)


def lock_revision(connection: Connection) -> int:
    """Return the current revision and keep all other publishers waiting until the transaction ends."""
    # SQLite's transaction has the write lock already and knows no FOR UPDATE: it is left out there.
    revision = (connection.execute(select(meta.c.revision).with_for_update())).scalar_one()
    return int(revision)


def bump_revision(connection: Connection) -> None:
    """Make every process read again what it holds in memory."""
    connection.execute(update(meta).where(meta.c.id == _ONLY_ROW).values(revision=meta.c.revision + 1))
