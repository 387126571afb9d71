"""Fixtures for pytest. Switch them on in `conftest.py`: `pytest_plugins = ["sojourn.testing.plugin"]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.simulation.actions import FIRST_MOMENT
from sojourn.testing.blocking import Journeys, Portal, opener, server_in_thread
from sojourn.testing.projects import Source


class OpenProject(Protocol):
    """What the fixture `journeys` gives."""

    def __call__(
        self,
        project: Source | None = None,
        *,
        journeys: Sequence[type] = (),
        now: datetime = FIRST_MOMENT,
        mode: str = "test",
        cached: int = 1000,
    ) -> Journeys:
        """Publish a project in a deployment of the test's own.

        Args:
            project: The project's folder, the texts of its files by their paths, or a loaded `Project`. May be left
                out where `journeys` say everything.
            journeys: Classes that were decorated with `journey.defn`, beside those of the folder's Python files. The
                events, sources and actions that their modules name come along.
            now: The moment at which the test begins, an aware `datetime`.
            mode: What expressions see as `journey.mode`.
            cached: How many instances the worker keeps in memory; 0 replays each from its history at every step.

        Raises:
            ValueError: The project has errors; the message names them.
        """
        ...


@pytest.fixture(scope="session")
def sojourn_server() -> Iterator[tuple[Portal, WorkflowEnvironment]]:
    """A real Temporal server on which waits take no time; one for all tests of a process."""
    with server_in_thread() as server:
        yield server


@pytest.fixture
def journeys(sojourn_server: tuple[Portal, WorkflowEnvironment]) -> Iterator[OpenProject]:
    """A function that opens a project in a deployment of the test's own, see `sojourn.testing.Journeys`."""
    with opener(*sojourn_server) as open_project:
        yield open_project
