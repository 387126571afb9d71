"""The tables are made when a process starts, however many start at once."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from sojourn.store import Store, StoreError
from sojourn.store.entries.records import Claim
from sojourn.store.migrate import alembic_config
from sojourn.store.tables import metadata
from tests.store.databases import OpenStore

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

MIGRATE = """
import asyncio, sys
from sojourn.store import Store

async def main():
    store = await Store.open(sys.argv[1])
    await store.migrate()
    print(await store.revision())
    await store.close()

asyncio.run(main())
"""


async def test_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    """Nothing is left for Alembic to change once the migrations have run."""
    context = {"compare_type": True}
    differences = await store.database.write(
        lambda connection: compare_metadata(MigrationContext.configure(connection, opts=context), metadata)
    )
    assert differences == []


async def test_migrating_again_changes_nothing(open_store: OpenStore) -> None:
    """A second start finds everything done, and the data still there."""
    store = await open_store()
    await store.create_key("one", ["read"])
    await store.migrate()
    assert [key.label for key in await store.list_keys()] == ["one"]


async def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    """Two processes on one empty database all start, and agree on the result."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            MIGRATE,
            database_url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    answers = await asyncio.gather(*(process.communicate() for process in processes))
    assert [
        (out.strip(), process.returncode) for process, (out, _) in zip(processes, answers, strict=True)
    ] == [(b"1", 0)] * 2, answers


async def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    """Code that does not know the tables' version says so and leaves them alone."""
    newer = text("UPDATE alembic_version SET version_num = '9999'")
    await store.database.write(lambda connection: connection.execute(newer))
    with pytest.raises(StoreError, match="newer version of Sojourn"):
        await store.migrate()


async def test_an_empty_database_says_that_it_must_be_migrated(database_url: str) -> None:
    """Asking before migrating is an error that says what to do, not an empty catalogue."""
    store = await Store.open(database_url)
    try:
        with pytest.raises(StoreError, match="none of Sojourn's tables"):
            await store.catalog()
    finally:
        await store.close()


def test_migrations_are_in_the_package() -> None:
    """What setuptools must ship: the environment, the template and the versions."""
    folder = Path(sys.modules["sojourn.store"].__file__ or "").parent / "migrations"
    assert (folder / "env.py").exists()
    assert (folder / "script.py.mako").exists()
    assert list((folder / "versions").glob("0001_*.py"))


OLD_ROWS = (
    "INSERT INTO entries (journey, profile, event_id, workflow_id, version, entered_at, state, closed, token,"
    " lease_until) VALUES"
    " ('welcome', 'ada', 'e-1', 'welcome:ada', 1, '2026-03-01 12:00:00', 'entered', false, NULL, NULL),"
    " ('welcome', 'bob', 'e-2', 'welcome:bob', 2, '2026-03-01 12:00:00', 'reserved', false, 'token', 17.5)",
    "INSERT INTO handled_events (journey, profile, event_id, at) VALUES"
    " ('welcome', 'ada', 'e-1', '2026-03-01 12:00:00')",
)


async def test_entries_from_before_second_keys_are_kept(database_url: str) -> None:
    """They are those of journeys without one, a reservation that was under way among them."""
    store = await Store.open(database_url, lease=15.0)

    def earlier(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "0003")
        for statement in OLD_ROWS:
            connection.execute(text(statement))

    await store.database.write(earlier)
    await store.migrate()
    look = await store.ledger.look("welcome", "ada", "e-1")
    assert look.handled
    assert look.entry is not None
    assert (look.entry.per, look.entry.workflow_id, look.entry.closed) == ("", "welcome:ada", False)
    reserved = (await store.ledger.look("welcome", "bob")).entry
    assert reserved is not None
    assert (reserved.token, reserved.stale) == ("token", True)
    # The same profile may have more entries now, and only one without a second key.
    claim = Claim(
        "welcome", "ada", "e-3", "welcome:ada=o-1", 1, NOON, allow=True, after=0, per="o-1", most=10
    )
    assert (await store.ledger.reserve(claim)).kind == "reserved"
    assert (await store.ledger.reserve(replace(claim, per="", event_id="e-4"))).kind == "inside"
    assert [entry.per for entry in await store.ledger.inside("welcome", "ada")] == ["", "o-1"]
    await store.close()
