"""The connection to the database: SQLite in WAL mode, or PostgreSQL."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
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
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sojourn.store.errors import StoreError, StoreUnavailable

BUSY_TIMEOUT = 30.0
"""Seconds for which a writer waits for another one to finish, on SQLite."""

SQLITE_READERS = 2
"""Threads that read from SQLite."""

CONNECT_TIMEOUT = 5.0
"""Seconds after which a PostgreSQL that does not answer counts as unreachable."""

Answer = TypeVar("Answer")
Work: TypeAlias = Callable[[Connection], Answer]
"""What is done with a connection."""

_BEGIN = "sojourn_begin"
_NO_TABLE = re.compile(r"no such table|relation .* does not exist")


def database_url(url: str) -> URL:
    """Return the SQLAlchemy URL, with its driver, of a database.

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
        return parsed.set(drivername="sqlite")
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+asyncpg")
    raise StoreError(f"{backend!r} is not supported: write sqlite:///PATH or postgresql://USER@HOST/DATABASE")


class Database:
    """The database, with the ways in which the store uses it.

    Work on it is an ordinary function of a connection, not a coroutine: on SQLite the whole of it runs in a
    thread, since a change of thread costs more than a statement; on PostgreSQL SQLAlchemy runs it on the event
    loop, and it waits there without blocking.
    """

    def __init__(self, url: str) -> None:
        self.url = database_url(url)
        self._backend = _Sqlite(self.url) if self.url.get_backend_name() == "sqlite" else _Postgres(self.url)

    @property
    def sqlite(self) -> bool:
        """Whether this is SQLite."""
        return isinstance(self._backend, _Sqlite)

    @property
    def engine(self) -> Engine:
        """The engine, as synchronous code and SQLAlchemy's events see it."""
        return self._backend.engine

    async def read(self, work: Work[Answer]) -> Answer:
        """Do work in which each statement stands alone.

        Raises:
            StoreUnavailable: The database cannot be reached.
        """
        with _translated():
            return await self._backend.read(work)

    async def snapshot(self, work: Work[Answer]) -> Answer:
        """Do work whose statements all see the database as of one moment.

        Raises:
            StoreUnavailable: The database cannot be reached.
        """
        with _translated():
            return await self._backend.snapshot(work)

    async def write(self, work: Work[Answer]) -> Answer:
        """Do work in a transaction: committed at the end, undone by an exception.

        On SQLite it holds the write lock from the start, so that what it read stays true until it commits.

        Raises:
            StoreUnavailable: The database cannot be reached, or stayed locked.
        """
        with _translated():
            return await self._backend.write(work)

    async def close(self) -> None:
        """Close all connections."""
        await self._backend.close()


class _Sqlite:
    """One thread that writes, as SQLite has one writer at a time, and a few that read."""

    def __init__(self, url: URL) -> None:
        self.engine = _sqlite_engine(url)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sojourn-store-write")
        self._readers = ThreadPoolExecutor(SQLITE_READERS, thread_name_prefix="sojourn-store-read")

    async def read(self, work: Work[Answer]) -> Answer:
        return await self._in(self._readers, work, {_BEGIN: None})

    async def snapshot(self, work: Work[Answer]) -> Answer:
        return await self._in(self._readers, work, {_BEGIN: "BEGIN"})

    async def write(self, work: Work[Answer]) -> Answer:
        return await self._in(self._writer, work, {_BEGIN: "BEGIN IMMEDIATE"})

    async def close(self) -> None:
        for pool in (self._writer, self._readers):
            await asyncio.to_thread(pool.shutdown)
        self.engine.dispose()

    async def _in(self, pool: ThreadPoolExecutor, work: Work[Answer], options: dict[str, Any]) -> Answer:
        def run() -> Answer:
            with self.engine.connect().execution_options(**options) as connection, connection.begin():
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(pool, run)


class _Postgres:
    """A pool of connections."""

    def __init__(self, url: URL) -> None:
        self._engine = _postgres_engine(url)
        self.engine = self._engine.sync_engine

    async def read(self, work: Work[Answer]) -> Answer:
        return await self._at("AUTOCOMMIT", work)

    async def snapshot(self, work: Work[Answer]) -> Answer:
        return await self._at("REPEATABLE READ", work)

    async def write(self, work: Work[Answer]) -> Answer:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()

    async def _at(self, level: Any, work: Work[Answer]) -> Answer:
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level=level)
            return await connection.run_sync(work)


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


def _sqlite_engine(url: URL) -> Engine:
    path = Path(url.database or "")
    if not path.parent.is_dir():
        raise StoreError(
            f"the folder {path.parent} of the database does not exist: make it, or set SOJOURN_DATABASE"
        )
    # As many connections as threads; each is used by one thread at a time.
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT}, pool_size=SQLITE_READERS + 1, max_overflow=0
    )

    @event.listens_for(engine, "connect")
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

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get(_BEGIN)
        if statement is not None:
            connection.exec_driver_sql(statement)

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


def ping(connection: Connection) -> None:
    """Ask the database for nothing, to see that it answers."""
    connection.execute(text("SELECT 1"))
