"""The connection to the database: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from sojourn.store.errors import StoreError, StoreUnavailable

BUSY_TIMEOUT = 30.0
"""Seconds for which a writer waits for another one to finish, on SQLite."""

CONNECT_TIMEOUT = 5.0
"""Seconds after which a PostgreSQL that does not answer counts as unreachable."""

_NO_TABLE = re.compile(r"no such table|relation .* does not exist")
_WRITE = "sojourn_write"
_AUTOCOMMIT = "sojourn_autocommit"


def database_url(url: str) -> URL:
    """Return the SQLAlchemy URL, with its asynchronous driver, of a database.

    Args:
        url: `sqlite:///PATH` (four slashes for an absolute path) or `postgresql://USER@HOST/DATABASE`.

    Raises:
        StoreError: It is neither, or a SQLite database in memory, which processes could not share.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            f"{url!r} is not a database URL: write sqlite:///PATH or postgresql://USER@HOST/DATABASE"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise StoreError("a SQLite database needs a file: write sqlite:///sojourn.db")
        return parsed.set(drivername="sqlite+aiosqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+asyncpg")
    raise StoreError(f"{backend!r} is not supported: write sqlite:///PATH or postgresql://USER@HOST/DATABASE")


class Database:
    """An engine with the two ways in which the store uses it: reading and writing."""

    def __init__(self, url: str) -> None:
        self.url = database_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(self.url) if self.sqlite else _postgres_engine(self.url)
        # SQLite has one writer at a time: waiting here is cheaper, and fairer, than its polling.
        self._writer = asyncio.Lock() if self.sqlite else None

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for migrations and tests."""
        return self._engine

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection on which each statement stands alone.

        Raises:
            StoreUnavailable: The database cannot be reached.
        """
        with _translated():
            async with self._engine.connect() as connection:
                options = {_AUTOCOMMIT: True} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
                yield await connection.execution_options(**options)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection whose statements all see the database as of one moment.

        Raises:
            StoreUnavailable: The database cannot be reached.
        """
        with _translated():
            async with self._engine.connect() as connection:
                if not self.sqlite:
                    connection = await connection.execution_options(isolation_level="REPEATABLE READ")
                async with connection.begin():
                    yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: committed at the end, undone by an exception.

        On SQLite it holds the write lock from the start, so that what it read stays true until it commits.

        Raises:
            StoreUnavailable: The database cannot be reached, or stayed locked.
        """
        with _translated():
            if self._writer is None:
                async with self._engine.begin() as connection:
                    yield connection
                return
            async with self._writer, self._engine.connect() as connection:
                connection = await connection.execution_options(**{_WRITE: True})
                async with connection.begin():
                    yield connection

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


class _translated:  # noqa: N801 - reads as a statement
    """Turns the driver's errors about the database itself into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            return
        reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        if isinstance(error, OperationalError | ProgrammingError) and _NO_TABLE.search(reason):
            raise StoreError("the database has none of Sojourn's tables yet: start the API once") from error
        if _unreachable(error):
            raise StoreUnavailable(
                f"the database cannot be reached: {reason or type(error).__name__}"
            ) from error


def _unreachable(error: BaseException) -> bool:
    if isinstance(error, IntegrityError | DataError | ProgrammingError | InternalError | NotSupportedError):
        return False
    if isinstance(error, DBAPIError | PoolTimeout | OSError | TimeoutError):
        return True
    # What asyncpg says before there is a connection does not pass through SQLAlchemy.
    return type(error).__module__.startswith("asyncpg.")


def _sqlite_engine(url: URL) -> AsyncEngine:
    path = Path(url.database or "")
    if not path.parent.is_dir():
        raise StoreError(
            f"the folder {path.parent} of the database does not exist: make it, or set SOJOURN_DATABASE"
        )
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT}, pool_size=4, max_overflow=4)

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # No transactions of the driver's own making: `_begin` says which kind we want.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
        _set_wal(cursor)
        # With WAL, "normal" can lose the last commits in a power cut, never the database's integrity, and
        # nothing in a crash of the process.
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(_AUTOCOMMIT):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITE) else "BEGIN")

    return engine


def _set_wal(cursor: Any) -> None:
    # The change of mode does not wait for other processes as ordinary statements do, so we do.
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _postgres_engine(url: URL) -> AsyncEngine:
    try:
        import asyncpg  # noqa: F401 - an extra
    except ImportError:
        raise StoreError("PostgreSQL needs the driver asyncpg: install sojourn[postgres]") from None
    return create_async_engine(url, pool_size=8, max_overflow=8, connect_args={"timeout": CONNECT_TIMEOUT})


async def ping(database: Database) -> None:
    """Ask the database for nothing, to see that it answers.

    Raises:
        StoreUnavailable: It does not.
    """
    async with database.read() as connection:
        await connection.execute(text("SELECT 1"))
