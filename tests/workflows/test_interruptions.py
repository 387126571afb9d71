"""Exits, cancellations and pauses, at the moments at which they are hardest to get right."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn.activities import AddressGuard, Calls, StaticEndpoints, Transport
from sojourn.definitions import Project
from sojourn.plugin import JourneyPlugin
from tests.workflows.support import (
    Runner,
    Shop,
    compiled,
    project,
    running,
    signal,
    state_of,
    steps,
    until_waiting,
)

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
    release = shop.hang()
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


async def test_time_that_runs_out_during_a_pause_does_so_behind_it(temporal: WorkflowEnvironment) -> None:
    """A paused instance does not end by itself: it ends when it is resumed."""
    loaded = project(
        "{journey: j, entry: {event: entered}, timeout: 1h, steps: {nap: {wait: {for: 3d}}, done: {end: done}}}"
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            await handle.signal("pause")
        await temporal.fast_forward(handle, timedelta(hours=2))
        with temporal.with_time_skipping_disabled():
            assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
            assert (await state_of(handle))["status"] == "paused"
            await handle.signal("resume")
            assert (await handle.result())["outcome"] == "timed_out"


async def test_a_paused_instance_goes_on_in_a_new_run(temporal: WorkflowEnvironment) -> None:
    """Signals that come during a long pause do not fill one run's history; the pause and the events are kept."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  listen: {wait_for: [{event: answered}]}
  again: {wait_for: [{event: answered, when: event.amount == 7}]}
  done: {end: done}
"""
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "listen")
            await handle.signal("pause")
            await signal(handle, "answered")
            for number in range(25):
                await signal(handle, "answered", {"amount": number % 8}, f"e{number % 8}")
                await state_of(handle)
            assert (await handle.describe()).run_id != handle.first_execution_run_id
            state = await state_of(handle)
            assert (state["status"], state["step"], state["pending"]) == ("paused", "again", 8)
            attributes = (await handle.describe()).search_attributes
            assert attributes["JourneyStep"] == ["listen"]
            await handle.signal("resume")
            result = await handle.result()
    assert result["text"] == "done"
    assert steps(result) == ["listen", "again", "done"]


async def test_a_fetch_that_is_under_way_ends_with_the_instance(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """A look-up is a local activity: a cancellation reaches it at the latest when it answers, and nothing follows."""
    release = shop.hang()
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  ask: {fetch: crm, with: {id: a}, on_error: wrong}
  nap: {wait: {for: 1h}}
  wrong: {end: wrong}
""",
        shop,
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            while not shop.calls:
                await asyncio.sleep(0.02)
            await handle.cancel()
            release.set()
            result = await asyncio.wait_for(handle.result(), 20)
    assert result["outcome"] == "stopped"
    assert steps(result)[-1] in ("ask", "nap")
