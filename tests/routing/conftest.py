"""Fixtures of the routing tests."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn.settings import Settings
from tests.routing.recorder import Recorder
from tests.routing.world import World
from tests.store import databases
from tests.store.databases import OpenStore, open_store, postgres_url

__all__ = ["open_store", "postgres_url"]

both_databases = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
async def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty SQLite database; on PostgreSQL for tests that ask for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/sojourn.db"
    return await databases.new_postgres(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
async def task_queue(client: Client) -> AsyncIterator[str]:
    """A task queue on which a worker runs the recorder."""
    queue = f"routing-{uuid.uuid4().hex[:8]}"
    async with Worker(
        client, task_queue=queue, workflows=[Recorder], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield queue


@pytest.fixture
async def world(client: Client, open_store: OpenStore, task_queue: str, unique: str) -> World:
    """A deployment of the test's own."""
    return World(client, open_store, Settings(task_queue=task_queue), f"j-{unique}")
