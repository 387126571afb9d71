"""Fixtures of the workflow tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workflows.support import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A real HTTP server that plays the other side."""
    server = Shop()
    yield server
    server.close()
