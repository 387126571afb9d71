"""What is left of an instance that a worker dropped from its memory reaches into no other instance.

A worker ends the code of an instance that it puts out of its memory to make room. When it stops it forgets the others as
they are: Python's collector ends their code at some later moment, which may lie in the midst of a workflow task of
another instance.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn import Event, journey
from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from tests.workflows.authoring.test_odd import definition
from tests.workflows.racing import Handle, types
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


@journey.defn(name="tidies", entry=Came)
class Tidies:
    """A journey that calls whatever happens."""

    @journey.run
    async def run(self, came: Came) -> None:
        """Wait, and call."""
        try:
            with journey.step("listen"):
                await journey.wait_for(Answered)
        finally:
            await journey.act("send", to=came.customer_id, data=1)


@journey.defn(name="collects", entry=Came)
class Collects:
    """A journey in the midst of whose code Python collects what is left."""

    @journey.run
    async def run(self, came: Came) -> str:
        """Collect."""
        gc.collect()
        return "collected"


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


def forgetful(client: Client, queue: str) -> Worker:
    """Return a worker that forgets instances as they are: what others do when they stop."""
    return Worker(
        client,
        task_queue=queue,
        workflows=[Collecting, InPython, Tidies, Collects],
        plugins=[JourneyPlugin(register_activities=False)],
        max_cached_workflows=0,
        disable_safe_workflow_eviction=True,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


@contextlib.contextmanager
def collected_when_told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let Python collect nothing by itself; gives what it could not tell anybody when it did."""
    told: list[str] = []

    def tell(what: Any) -> None:
        if inspect.iscoroutine(what.object):
            told.append(f"{what.object}: {what.exc_value!r}")

    monkeypatch.setattr(sys, "unraisablehook", tell)
    gc.collect()
    gc.disable()
    # What is there already is not looked at: a workflow task has only two seconds.
    gc.freeze()
    try:
        yield told
    finally:
        gc.unfreeze()
        gc.enable()


async def leave_behind(
    temporal: WorkflowEnvironment,
    queue: str,
    body: dict[str, Any],
    brought: Callable[[Handle], Awaitable[None]],
) -> None:
    """Bring an instance somewhere, and leave its code in memory though it is gone."""
    with temporal.with_time_skipping_disabled():
        handle = await Runner(temporal.client, queue).start(body, ENTRY)
        await brought(handle)
        await handle.terminate()
    assert any(inspect.iscoroutine(one) and one.__name__ == "_walk" for one in gc.get_objects())


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
    body = compiled(project(IN_YAML, shop)) if kind == "YAML" else definition(InPython)
    with collected_when_told(monkeypatch) as told:
        async with forgetful(temporal.client, unique):
            await leave_behind(temporal, unique, body, brought)
            added = await temporal.client.execute_workflow(
                Collecting.run, in_condition, id=f"{unique}-collecting", task_queue=unique
            )
    assert (told, added) == ([], 0)


async def test_the_code_of_a_dropped_instance_does_nothing_in_another(
    temporal: WorkflowEnvironment, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call in a `finally` is not made for whoever's code happens to run."""
    with collected_when_told(monkeypatch) as told:
        async with forgetful(temporal.client, unique):
            await leave_behind(temporal, unique, definition(Tidies), waits)
            handle = await Runner(temporal.client, unique).start(definition(Collects), ENTRY)
            result = await handle.result()
    assert not [one for one in await types(handle) if one.startswith("ACTIVITY_")]
    assert (told, result["outcome"], result["text"], result["steps"]) == ([], "completed", "collected", [])
