"""The connection: which databases there are, and what an unreachable one looks like."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from sojourn.store import Store, StoreError, StoreUnavailable
from sojourn.store.database import database_url
from tests.conftest import free_port


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "is not a database URL"),
        ("mysql://localhost/x", "is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_other_databases_are_refused_with_what_to_write(url: str, said: str) -> None:
    """The message names the two forms that work."""
    with pytest.raises(StoreError, match=said) as caught:
        database_url(url)
    assert "sqlite:///" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///x.db", "sqlite"),
        ("postgresql://u@h/d", "postgresql+asyncpg"),
        ("postgres://u@h/d", "postgresql+asyncpg"),
        ("postgresql+psycopg://u@h/d", "postgresql+asyncpg"),
    ],
)
def test_the_driver_is_chosen_for_the_user(url: str, driver: str) -> None:
    """People write the URL that they know from elsewhere."""
    assert database_url(url).drivername == driver


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """SQLite's own error would not say which folder."""
    with pytest.raises(StoreError, match="no-such-folder"):
        await Store.open(f"sqlite:///{tmp_path}/no-such-folder/x.db")


async def test_sqlite_runs_in_wal_mode_with_one_writer_at_a_time(tmp_path: Path) -> None:
    """Readers go on while somebody writes, and a writer holds the lock from its first statement."""
    here, there = [await Store.open(f"sqlite:///{tmp_path}/x.db") for _ in range(2)]
    await here.migrate()
    holds, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> list[Any]:
        values = [
            connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "busy_timeout")
        ]
        revision = connection.scalar(text("SELECT revision FROM meta"))
        holds.set()
        go_on.wait(10)
        connection.execute(text(f"UPDATE meta SET revision = {revision + 1}"))
        return values

    add = text("UPDATE meta SET revision = revision + 100")
    writer = asyncio.create_task(here.database.write(slow))
    await asyncio.to_thread(holds.wait, 10)
    other = asyncio.create_task(there.database.write(lambda connection: connection.execute(add)))
    assert await there.revision() == 1
    go_on.set()
    assert await writer == ["wal", 1, 30_000]
    await other
    assert await there.revision() == 102
    await here.close()
    await there.close()


async def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    """What was written before the error is undone."""

    class OopsError(Exception):
        pass

    def fails(connection: Connection) -> None:
        connection.execute(text("UPDATE meta SET revision = 77"))
        raise OopsError

    with pytest.raises(OopsError):
        await store.database.write(fails)
    assert await store.revision() == 1


async def test_an_unreachable_postgresql_is_unavailable() -> None:
    """Nothing listens there: the error says so, and that trying again may help."""
    pytest.importorskip("asyncpg")
    store = await Store.open(f"postgresql://u@127.0.0.1:{free_port()}/x")
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await store.ping()
    with pytest.raises(StoreUnavailable):
        await store.catalog()
    with pytest.raises(StoreUnavailable):
        await store.ledger.look("j", "p", "e")
    await store.close()


async def test_a_database_that_does_not_exist_is_unavailable(postgres_url: str) -> None:
    """PostgreSQL answers, but not with this database: an operator can still make it."""
    store = await Store.open(f"{postgres_url}/never_made")
    with pytest.raises(StoreUnavailable, match="never_made"):
        await store.ping()
    await store.close()


async def test_a_database_file_that_is_none_is_unavailable(tmp_path: Path) -> None:
    """A damaged file does not end in a traceback of the driver's."""
    path = tmp_path / "x.db"
    path.write_bytes(b"this is no database" * 1000)
    store = await Store.open(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="not a database"):
        await store.catalog()
    await store.close()
