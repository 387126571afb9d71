"""Fixtures of the lifecycle tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.lifecycle.support import Place, deployed
from tests.store.databases import database_url, open_store, postgres_url, store

__all__ = ["database_url", "open_store", "postgres_url", "store"]


@pytest.fixture
async def place(temporal: WorkflowEnvironment, tmp_path: Path) -> AsyncIterator[Place]:
    """A deployment without workers, in which time goes as it does outside."""
    with temporal.with_time_skipping_disabled():
        async with deployed(temporal.client, f"sqlite:///{tmp_path}/sojourn.db") as made:
            yield made


@pytest.fixture(params=[True, False], ids=["search attributes", "without"])
async def either(
    request: pytest.FixtureRequest, temporal: WorkflowEnvironment, tmp_path: Path
) -> AsyncIterator[Place]:
    """A deployment whose instances have search attributes, and one whose instances have none."""
    with temporal.with_time_skipping_disabled():
        url = f"sqlite:///{tmp_path}/sojourn.db"
        async with deployed(temporal.client, url, search_attributes=request.param) as made:
            yield made
