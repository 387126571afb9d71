"""Exits, cancellations and pauses, at the moments at which they are hardest to get right."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn.activities import AddressGuard, Calls, StaticEndpoints, Transport
from sojourn.definitions import Project
from sojourn.plugin import JourneyPlugin
from tests.workflows.support import Runner, Shop, compiled, project, signal, steps

TWO_CALLS = """
journey: j
entry: {event: entered}
exit_when: [{event: other}]
steps:
  first: {action: send, with: {to: first, data: 1}, on_error: wrong}
  second: {action: send, with: {to: second, data: 2}, on_error: wrong}
  done: {end: done}
  wrong: {end: wrong}
"""


@contextlib.asynccontextmanager
async def only_activities(client: Client, loaded: Project, queue: str) -> AsyncIterator[None]:
    """Run a worker that performs calls, and no journeys."""
    calls = Calls(StaticEndpoints(loaded.endpoints), transport=Transport(AddressGuard(["127.0.0.1"])))
    plugin = JourneyPlugin(calls=calls, register_workflows=False)
    async with Worker(client, task_queue=queue, plugins=[plugin]):
        yield


@contextlib.asynccontextmanager
async def only_workflows(client: Client, queue: str) -> AsyncIterator[None]:
    """Run a worker that runs journeys, and performs no calls."""
    plugin = JourneyPlugin(register_activities=False)
    failing = {"workflow_failure_exception_types": [Exception]}
    async with Worker(client, task_queue=queue, plugins=[plugin], **failing):
        yield


async def exits(handle: WorkflowHandle[Any, Any]) -> None:
    """Send what ends the instance."""
    await signal(handle, "other")


async def is_cancelled(handle: WorkflowHandle[Any, Any]) -> None:
    """Cancel the workflow."""
    await handle.cancel()


async def completed_activities(handle: WorkflowHandle[Any, Any]) -> int:
    """Return how many activities of an instance have ended."""
    return sum(
        [
            event.HasField("activity_task_completed_event_attributes")
            async for event in handle.fetch_history_events()
        ]
    )


@pytest.mark.parametrize(
    ("interrupt", "outcome"), [(exits, "exited"), (is_cancelled, "stopped")], ids=["exit", "cancel"]
)
async def test_an_end_that_comes_together_with_an_answer_is_not_forgotten(
    temporal: WorkflowEnvironment,
    shop: Shop,
    unique: str,
    interrupt: Callable[[WorkflowHandle[Any, Any]], Awaitable[None]],
    outcome: str,
) -> None:
    """Both reach the instance in one workflow task: it ends, and does not make the call behind."""
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def answer(call: dict[str, Any]) -> tuple[int, Any]:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(20)
        return 200, {"ok": True}

    shop.answers = answer
    loaded = project(TWO_CALLS, shop)
    client = temporal.client
    with temporal.with_time_skipping_disabled():
        async with only_activities(client, loaded, unique):
            async with only_workflows(client, unique):
                handle = await Runner(client, unique).start(compiled(loaded))
                while not shop.calls:
                    await asyncio.sleep(0.02)
            # No worker runs journeys now.
            await interrupt(handle)
            release.set()
            while not await completed_activities(handle):
                await asyncio.sleep(0.02)
            async with only_workflows(client, unique):
                result = await asyncio.wait_for(handle.result(), 20)
    assert result["outcome"] == outcome
    assert steps(result) == ["first"]
    assert [call["body"]["to"] for call in shop.calls] == ["first"]
