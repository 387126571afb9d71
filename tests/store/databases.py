"""Databases for tests: a new one for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from sojourn.store import Store
from tests.store import postgres

OpenStore = Callable[..., Awaitable[Store]]
"""Opens another connection to the test's database; closed when the test ends."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL; skips where there can be none."""
    reason = postgres.why_not()
    if reason:
        pytest.skip(reason)
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/sojourn.db"
    return await new_postgres(request.getfixturevalue("postgres_url"))


async def new_postgres(server: str) -> str:
    """Make a database on a server; returns its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = create_async_engine(f"{server}/postgres".replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return f"{server}/{name}"


@pytest.fixture
async def open_store(database_url: str) -> AsyncIterator[OpenStore]:
    """Opens stores on the test's database, migrated, as many as a test wants processes."""
    async with AsyncExitStack() as stack:

        async def opener(**options: Any) -> Store:
            store = await Store.open(database_url, **options)
            stack.push_async_callback(store.close)
            await store.migrate()
            return store

        yield opener


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    """A store on a new database."""
    return await open_store(catalog_refresh=0.05)
