"""What is left of an instance that a worker dropped from its memory reaches into no other instance.

A worker ends the code of an instance that it makes room of. When it stops it forgets the others as they are, and so it
does behind a deadlock: Python's collector ends their code at some later moment, which may lie in the midst of a
workflow task of another instance.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn import Event, journey, names
from sojourn.plugin import JourneyPlugin
from sojourn.workflows.authoring.define import settings_of
from tests.workflows.racing import Handle
from tests.workflows.support import Runner, Shop, compiled, project, signal, state_of, until_waiting

ENTRY = {"customerId": "ann", "customer_id": "ann"}

IN_YAML = """
journey: j
entry: {event: entered}
steps:
  listen:
    wait_for: [{event: answered}]
    timeout: {after: 1h, next: late}
  call: {action: send, with: {to: ann, data: 1}}
  late: {end: late}
"""


class Came(Event, name="entered", key="customer_id"):
    """What begins the journey in Python."""

    customer_id: str


class Answered(Event, name="answered", key="customer_id"):
    """What it waits for."""

    customer_id: str


@journey.defn(name="in-python", entry=Came)
class InPython:
    """A journey whose code is in the midst of two blocks when it is dropped."""

    @journey.run
    async def run(self, came: Came) -> None:
        """Wait in a step."""
        async with journey.step("listen"):
            await journey.wait_for(Answered)
        async with journey.step("call"):
            await journey.act("send", to=came.customer_id, data=1)


@workflow.defn
class Collecting:
    """Has Python collect what is left, in the midst of its own code or while its condition is looked at."""

    @workflow.run
    async def run(self, in_condition: bool) -> int:
        """Return how many callbacks the collection added to this workflow's event loop."""
        added: list[int] = []

        def collect() -> bool:
            ready: Any = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
            before = len(ready)
            gc.collect()
            added.append(len(ready) - before)
            return True

        if in_condition:
            await workflow.wait_condition(collect)
        else:
            collect()
        return added[0]


async def waits(handle: Handle) -> None:
    """It waits for an event."""
    await until_waiting(handle, "listen")


async def calls(handle: Handle) -> None:
    """A call is under way, which no worker makes."""
    await waits(handle)
    await signal(handle, "answered", ENTRY)
    while (await state_of(handle))["step"] != "call":
        await asyncio.sleep(0.05)


async def pauses(handle: Handle) -> None:
    """A step is over, and the next may not begin."""
    await waits(handle)
    await handle.signal(names.SIGNAL_PAUSE)
    await signal(handle, "answered", ENTRY)
    assert (await state_of(handle))["status"] == "paused"


@pytest.mark.parametrize("in_condition", [True, False], ids=["in-condition", "in-code"])
@pytest.mark.parametrize("kind", ["YAML", "Python"])
@pytest.mark.parametrize("brought", [waits, calls, pauses])
async def test_what_is_left_of_a_dropped_instance_reaches_no_other(
    temporal: WorkflowEnvironment,
    shop: Shop,
    unique: str,
    monkeypatch: pytest.MonkeyPatch,
    brought: Callable[[Handle], Awaitable[None]],
    kind: str,
    in_condition: bool,
) -> None:
    """Neither while the worker looks at a condition, nor while other code runs."""
    told: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: told.append(f"{what.object}: {what.exc_value!r}"))
    in_python = {**settings_of(InPython).definition(), "version": 1}
    definition = compiled(project(IN_YAML, shop)) if kind == "YAML" else in_python
    worker = Worker(
        temporal.client,
        task_queue=unique,
        workflows=[Collecting, InPython],
        plugins=[JourneyPlugin(register_activities=False)],
        max_cached_workflows=0,
        # It forgets instances as they are: what it does with those in its memory when it stops.
        disable_safe_workflow_eviction=True,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    gc.collect()
    gc.disable()
    try:
        async with worker:
            with temporal.with_time_skipping_disabled():
                handle = await Runner(temporal.client, unique).start(definition, ENTRY)
                await brought(handle)
                await handle.terminate()
            assert any(inspect.iscoroutine(one) and one.__name__ == "_walk" for one in gc.get_objects())
            added = await temporal.client.execute_workflow(
                Collecting.run, in_condition, id=f"{unique}-collecting", task_queue=unique
            )
    finally:
        gc.enable()
    assert told == []
    assert added == 0
