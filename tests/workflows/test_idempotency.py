"""The key that every attempt of a call carries: the same for one visit of a step, whatever happens to its run."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from sojourn.contract import names
from tests.activities.server import Received, Server, answer
from tests.workflows.support import compiled, project, running, signal, until_waiting

HEADER = "Idempotency-Key"


def keys(server: Server) -> list[str | None]:
    """The keys that arrived, in order."""
    return [request.header(HEADER) for request in server.requests]


def expected(handle: WorkflowHandle[Any, Any], step: str, visits: range) -> list[str]:
    """The keys that an instance's calls are to carry."""
    assert handle.first_execution_run_id
    return [names.idempotency_key(handle.id, handle.first_execution_run_id, step, visit) for visit in visits]


async def reset(
    client: Client, handle: WorkflowHandle[Any, Any], kind: EventType.ValueType, which: int = 0
) -> None:
    """Reset an instance's latest run to the workflow task before an event, as an operator does."""
    run = (await client.get_workflow_handle(handle.id).describe()).run_id
    history = await client.get_workflow_handle(handle.id, run_id=run).fetch_history()
    found = [event.event_id for event in history.events if event.event_type == kind]
    done = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    point = max(e.event_id for e in history.events if e.event_type == done and e.event_id < found[which])
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=run),
            reason="a test",
            workflow_task_finish_event_id=point,
            request_id=f"{handle.id}-{point}-{which}",
        )
    )


LOOP = """
journey: j
entry: {event: entered}
steps:
  listen:
    wait_for: [{event: answered, next: send}, {event: other, next: done}]
    timeout: {after: 30d}
  done: {end: done}
  send: {action: send, next: listen}
---
action: send
url: URL
"""


async def test_keys_are_stable_over_new_runs_and_differ_by_visit(temporal: WorkflowEnvironment) -> None:
    """Each visit of a step has a key of its own, and all of them count from the first run, however many follow."""
    visits = 40
    async with Server([answer({})]) as server:
        loaded = project(LOOP.replace("URL", server.url("/x")))
        async with running(temporal.client, loaded) as runner:
            with temporal.with_time_skipping_disabled():
                handle = await runner.start(compiled(loaded))
                for visit in range(visits):
                    await until_waiting(handle, "listen")
                    await signal(handle, "answered", event_id=f"e{visit}")
                await until_waiting(handle, "listen")
                run = (await temporal.client.get_workflow_handle(handle.id).describe()).run_id
                assert run != handle.first_execution_run_id, "there was no second run; the test shows nothing"
                await signal(handle, "other")
                await handle.result()
    assert keys(server) == expected(handle, "send", range(1, visits + 1))
    assert len(set(keys(server))) == visits


async def test_a_reset_sends_the_same_key_again(temporal: WorkflowEnvironment) -> None:
    """What a reset repeats carries the key that it had, so that the receiver knows it; also after a second one."""
    scheduled = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    async with Server([answer({})]) as server:
        loaded = project(LOOP.replace("URL", server.url("/x")))
        async with running(temporal.client, loaded) as runner:
            with temporal.with_time_skipping_disabled():
                handle = await runner.start(compiled(loaded))
                for number in range(2):
                    await until_waiting(handle, "listen")
                    await signal(handle, "answered", event_id=f"e{number}")
                    await _arrived(server, number + 1)
                latest = temporal.client.get_workflow_handle(handle.id)
                await until_waiting(latest, "listen")
                await reset(temporal.client, handle, scheduled)
                await _arrived(server, 4)  # both events are delivered again
                await until_waiting(latest, "listen")
                await reset(temporal.client, handle, scheduled, 1)
                await _arrived(server, 5)
                await until_waiting(latest, "listen")
                await signal(latest, "answered", event_id="e2")
                await _arrived(server, 6)
                await until_waiting(latest, "listen")
                await signal(latest, "other")
                await latest.result()
    first, second, third = expected(handle, "send", range(1, 4))
    assert keys(server) == [first, second, first, second, second, third]


async def test_a_reset_after_a_new_run_sends_the_same_key(temporal: WorkflowEnvironment) -> None:
    """The first run of all counts also where the run that is reset is a later one."""
    async with Server([answer({})]) as server:
        loaded = project(LOOP.replace("URL", server.url("/x")))
        async with running(temporal.client, loaded) as runner:
            with temporal.with_time_skipping_disabled():
                handle = await runner.start(compiled(loaded))
                latest = temporal.client.get_workflow_handle(handle.id)
                sent = 0
                while sent < 3 or (await latest.describe()).run_id == handle.first_execution_run_id:
                    await until_waiting(latest, "listen")
                    await signal(latest, "answered", event_id=f"e{sent}")
                    sent += 1
                    await _arrived(server, sent)
                    await until_waiting(latest, "listen")
                await signal(latest, "answered", event_id="last")
                await _arrived(server, sent + 1)
                await until_waiting(latest, "listen")
                await reset(temporal.client, handle, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, -1)
                await _arrived(server, sent + 2)
                await until_waiting(latest, "listen")
                await signal(latest, "other")
                await latest.result()
    wanted = expected(handle, "send", range(1, sent + 2))
    assert keys(server) == [*wanted, wanted[-1]]


async def test_two_instances_of_a_profile_have_different_keys(
    temporal: WorkflowEnvironment, unique: str
) -> None:
    """A profile that comes again is another instance: the receiver must not take its calls for the old ones."""
    async with Server([answer({})]) as server:
        loaded = project(
            f"journey: j\nentry: {{event: entered}}\nsteps:\n  send: {{action: send}}\n---\n"
            f"action: send\nurl: {server.url('/x')}\n"
        )
        async with running(temporal.client, loaded) as runner:
            one = await runner.start(compiled(loaded), key=unique)
            await one.result()
            other = await runner.start(compiled(loaded), key=unique)
            await other.result()
    assert keys(server) == expected(one, "send", range(1, 2)) + expected(other, "send", range(1, 2))
    assert len(set(keys(server))) == 2


async def _arrived(server: Server, count: int) -> list[Received]:
    """Wait until so many requests have come."""
    for _ in range(600):
        if len(server.requests) >= count:
            return server.requests
        await asyncio.sleep(0.05)
    raise AssertionError(f"{len(server.requests)} requests came, not {count}")
