"""What all tests share: one real Temporal server per test process, and free ports."""

from __future__ import annotations

import os
import shutil
import signal
import sysconfig
import uuid
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from sojourn.local.ports import free_port as quiet_port
from sojourn.temporal.ask_again import AskAgain

SUGGESTED = int(os.environ.get("SOJOURN_SUGGESTED", "50"))
"""How long a history is when the server suggests a new run. Small, so that tests begin many; Temporal's own is 4,096."""

DYNAMIC_CONFIG = {
    # Both spellings of the switch: the CLI renamed it, and unknown keys are ignored.
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "system.workflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"10ms"',
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "limit.historyCount.suggestContinueAsNew": str(SUGGESTED),
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
    "matching.enableFairness": "true",
}
SEARCH_ATTRIBUTES = (
    "JourneyName=Keyword",
    "JourneyVersion=Int",
    "JourneyProfile=Keyword",
    "JourneyStep=Keyword",
)


def pytest_configure() -> None:
    """Let the commands that tests start hear Ctrl-C, also where these were started deaf to it (`nohup make test &`)."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def temporal_binary() -> str:
    """Return the path of the `temporal` binary: the one beside the interpreter, or one on the PATH."""
    found = os.environ.get("SOJOURN_TEMPORAL_BINARY") or shutil.which(
        "temporal", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    if not found:
        pytest.fail("no `temporal` binary: install the extra dev-server, or put `temporal` on the PATH")
    return found


def server_arguments() -> list[str]:
    """Return the flags of the tests' server."""
    extra = []
    for key, value in DYNAMIC_CONFIG.items():
        extra += ["--dynamic-config-value", f"{key}={value}"]
    for attribute in SEARCH_ATTRIBUTES:
        extra += ["--search-attribute", attribute]
    return extra


def free_port() -> int:
    """Return a TCP port on which nothing listens at the moment, and hardly will soon."""
    return quiet_port()


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal server on which waits take virtual time. Shared by the tests of one process."""
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=temporal_binary(),
        dev_server_extra_args=server_arguments(),
        interceptors=[AskAgain()],
    )
    async with environment:
        yield environment


@pytest.fixture(scope="session")
async def client(temporal: WorkflowEnvironment) -> Client:
    """A client of the shared server, without plugins."""
    return temporal.client


@pytest.fixture
def unique() -> str:
    """A short text that no other test uses: for task queues, profile keys and event ids."""
    return uuid.uuid4().hex[:12]
