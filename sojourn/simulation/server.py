"""The Temporal server of a test run: a real one, on which waits take no time."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from temporalio.testing import WorkflowEnvironment

from sojourn.temporal.binary import SEARCH_ATTRIBUTES, find_temporal_binary

_DYNAMIC_CONFIG = {
    # Both spellings of the switch: the CLI renamed it, and unknown keys are ignored.
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "system.workflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"10ms"',
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
    "matching.enableFairness": "true",
}


@asynccontextmanager
async def start_server(*, continue_after: int | None = None) -> AsyncIterator[WorkflowEnvironment]:
    """Start a Temporal server with virtual time, kept in memory. One serves all scenarios of a run.

    Args:
        continue_after: History events after which Temporal suggests a new run; its own default if left out.

    Raises:
        TemporalMissingError: There is no `temporal` program.
    """
    config = dict(_DYNAMIC_CONFIG)
    if continue_after is not None:
        config["limit.historyCount.suggestContinueAsNew"] = str(continue_after)
    arguments = [
        word for pair in config.items() for word in ("--dynamic-config-value", f"{pair[0]}={pair[1]}")
    ]
    for name, kind in SEARCH_ATTRIBUTES.items():
        arguments += ["--search-attribute", f"{name}={kind}"]
    binary = find_temporal_binary()
    with _silence():
        environment = await WorkflowEnvironment.start_time_skipping_v2(
            dev_server_existing_path=binary, dev_server_extra_args=arguments
        )
    async with environment:
        yield environment


@contextmanager
def _silence() -> Iterator[None]:
    """Let processes that are started meanwhile write nothing: the server greets on standard output, for good."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(number, os.dup(number)) for number in (1, 2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        for number, _ in kept:
            os.dup2(nothing, number)
        yield
    finally:
        os.close(nothing)
        for number, copy in kept:
            os.dup2(copy, number)
            os.close(copy)
