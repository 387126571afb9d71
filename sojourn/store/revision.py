"""The revision: one number that grows whenever something changes that processes hold in memory."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sojourn.store.errors import StoreError
from sojourn.store.tables import meta

_ONLY_ROW = 1


async def read_revision(connection: AsyncConnection) -> int:
    """Return the current revision.

    Raises:
        StoreError: The database was never migrated.
    """
    revision = (await connection.execute(select(meta.c.revision))).scalar()
    if revision is None:
        raise StoreError("the database is empty: migrate it first")
    return int(revision)


async def lock_revision(connection: AsyncConnection) -> int:
    """Return the current revision and keep all other publishers waiting until the transaction ends."""
    # SQLite's transaction has the write lock already and knows no FOR UPDATE: it is left out there.
    revision = (await connection.execute(select(meta.c.revision).with_for_update())).scalar_one()
    return int(revision)


async def bump_revision(connection: AsyncConnection) -> None:
    """Make every process read again what it holds in memory."""
    await connection.execute(update(meta).where(meta.c.id == _ONLY_ROW).values(revision=meta.c.revision + 1))
