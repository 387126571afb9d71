"""How several things are brought to an instance in one workflow task: they come while no worker runs journeys."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from sojourn.activities import AddressGuard, Calls, StaticEndpoints, Transport
from sojourn.contract import names
from sojourn.definitions import Project
from sojourn.plugin import JourneyPlugin
from tests.workflows.support import Runner, compiled, event, finish, fire, until_waiting

Handle = WorkflowHandle[Any, dict[str, Any]]


@contextlib.asynccontextmanager
async def journeys(client: Client, queue: str, cached: int) -> AsyncIterator[None]:
    """Run a worker that runs journeys, and performs no calls."""
    plugin = JourneyPlugin(register_activities=False)
    failing: dict[str, Any] = {"workflow_failure_exception_types": [Exception]}
    async with Worker(client, task_queue=queue, plugins=[plugin], max_cached_workflows=cached, **failing):
        yield


@contextlib.asynccontextmanager
async def calls(client: Client, loaded: Project, queue: str) -> AsyncIterator[None]:
    """Run a worker that performs calls, and no journeys."""
    performer = Calls(StaticEndpoints(loaded.endpoints), transport=Transport(AddressGuard(["127.0.0.1"])))
    plugin = JourneyPlugin(calls=performer, register_workflows=False)
    async with Worker(client, task_queue=queue, plugins=[plugin]):
        yield


async def in_one_task(
    temporal: WorkflowEnvironment,
    queue: str,
    loaded: Project,
    at: str | None,
    meanwhile: Callable[[Handle], Awaitable[None]],
    cached: int,
) -> tuple[Handle, dict[str, Any]]:
    """Let an instance come to a step, do something while no worker runs journeys, and let it go on to its end."""
    with temporal.with_time_skipping_disabled():
        if at is None:
            handle = await Runner(temporal.client, queue).start(compiled(loaded))
        else:
            async with journeys(temporal.client, queue, cached):
                handle = await Runner(temporal.client, queue).start(compiled(loaded))
                await until_waiting(handle, at)
        await meanwhile(handle)
        async with journeys(temporal.client, queue, cached):
            result = await asyncio.wait_for(finish(temporal, handle), 30)
    await replays(handle)
    return handle, result


async def replays(handle: Handle) -> None:
    """Check that the history of an instance leads the code to the same commands again."""
    replayer = Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)])
    await replayer.replay_workflow(await handle.fetch_history())


async def types(handle: Handle) -> list[str]:
    """Return the kinds of events of an instance's history."""
    return [
        EventType.Name(one.event_type).removeprefix("EVENT_TYPE_")
        async for one in handle.fetch_history_events()
    ]


async def fired(temporal: WorkflowEnvironment, handle: Handle) -> datetime:
    """Let the timer fire of an instance for which no time passed until now; return when it has."""
    await fire(temporal, handle)
    while True:
        async for one in handle.fetch_history_events():
            if one.HasField("timer_fired_event_attributes"):
                return one.event_time.ToDatetime(UTC)
        await asyncio.sleep(0.02)


async def send(handle: Handle, name: str, at: datetime, **data: Any) -> None:
    """Send an event that says when it happened."""
    await handle.signal(names.SIGNAL_EVENT, event(name, data) | {"time": at.isoformat()})
