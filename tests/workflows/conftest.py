"""Fixtures of the workflow tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sojourn.store import Store
from tests.workflows.profiles import Kept
from tests.workflows.support import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A real HTTP server that plays the other side."""
    server = Shop()
    yield server
    server.close()


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    """The profiles of a real store in a SQLite file."""
    store = await Store.open(f"sqlite:///{tmp_path}/sojourn.db")
    await store.migrate()
    yield Kept(store)
    await store.close()
