"""An instance that is asked in the midst of its waking up goes on with the right time.

The query reaches a worker together with what woke the instance, and before the workflow task that belongs to it. It is
brought about here: nobody works when the instance is asked, and then its timer fires, and then a worker comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import (
    UnsandboxedWorkflowRunner,
    Worker,
    WorkflowInstance,
    WorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from sojourn.client import JourneyClient
from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from sojourn.temporal import task_time
from tests.workflows.racing import fired, replays
from tests.workflows.support import compiled, project, running

LONG, SOON = timedelta(days=20), timedelta(days=1)

JOURNEY = """
journey: j
entry: {event: entered}
steps:
  nap: {wait: {for: 20d}}
  rest: {wait: {until: "${entry.due}"}}
"""


@workflow.defn(name="plain")
class Plain:
    """A host's own workflow beside the journeys."""

    @workflow.run
    async def run(self, due: str) -> None:
        """Wait, and then until a moment."""
        await workflow.sleep(LONG)
        await workflow.sleep(datetime.fromisoformat(due) - workflow.now())

    @workflow.query
    def state(self) -> dict[str, Any]:
        """Return something."""
        return {"step": "plain"}


@workflow.defn(name="plain", sandboxed=False)
class Unsandboxed(Plain):
    """The same, outside the sandbox."""

    @workflow.run
    async def run(self, due: str) -> None:
        """Wait, and then until a moment."""
        await Plain.run(self, due)


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The instances that were asked too early so far."""
    seen: list[str] = []
    early = task_time._TaskTimeInstance._early

    def counted(self: Any, act: Any) -> bool:
        found = early(self, act)
        if found:
            seen.append(self.get_info().workflow_id)
        return found

    monkeypatch.setattr(task_time._TaskTimeInstance, "_early", counted)
    return seen


@contextlib.asynccontextmanager
async def hosting(client: Client, queue: str, plain: type, runner: WorkflowRunner) -> AsyncIterator[None]:
    """Run a host's worker, which has journeys as well."""
    plugin = JourneyPlugin(register_activities=False, register_workflows=True)
    async with Worker(client, task_queue=queue, workflows=[plain], plugins=[plugin], workflow_runner=runner):
        yield


async def ask_early(
    temporal: WorkflowEnvironment, handle: WorkflowHandle[Any, Any], question: Coroutine[Any, Any, Any]
) -> asyncio.Task[Any]:
    """Ask an instance that nobody works for, and let its timer fire then; return the question."""
    asking = asyncio.ensure_future(question)
    await asyncio.sleep(0.3)  # it is at the server, and nothing shows that
    await fired(temporal, handle)
    return asking


async def lengths(handle: WorkflowHandle[Any, Any]) -> list[timedelta]:
    """Return how long an instance's timers are."""
    history = await handle.fetch_history()
    started = (
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    )
    return list(started)


async def begun(handle: WorkflowHandle[Any, Any], wait: int) -> timedelta:
    """Wait until an instance has begun its first or second wait; return how long that is."""
    while len(timers := await lengths(handle)) < wait:
        await asyncio.sleep(0.02)
    return timers[wait - 1]


def due() -> str:
    """Return the moment until which instances wait that wake up in twenty days."""
    return (datetime.now(UTC) + LONG + SOON).isoformat()


@pytest.mark.parametrize("sandboxed", [True, False])
async def test_a_journey_goes_on_with_its_own_time(
    temporal: WorkflowEnvironment, client: Client, unique: str, refused: list[str], sandboxed: bool
) -> None:
    """Its next wait ends at its moment and not twenty days later; who asked is answered all the same."""
    loaded = project(JOURNEY)
    with temporal.with_time_skipping_disabled():
        async with running(client, loaded, queue=unique, sandboxed=sandboxed) as worker:
            handle = await worker.start(compiled(loaded), {"customerId": "ann", "due": due()})
            await begun(handle, 1)
        asking = await ask_early(temporal, handle, handle.query(names.QUERY_STATE))
        async with running(client, loaded, queue=unique, sandboxed=sandboxed):
            length = await begun(handle, 2)
            answer = await asking
        await replays(handle)
        await handle.terminate()
    assert SOON - timedelta(hours=2) < length <= SOON
    assert refused == [handle.id]
    assert answer["step"] == "rest"


async def test_who_has_a_client_without_the_plugin_is_answered(
    temporal: WorkflowEnvironment, client: Client, unique: str, refused: list[str]
) -> None:
    """A `JourneyClient` asks again by itself."""
    loaded = project(JOURNEY)
    journeys = JourneyClient(Client(**{**client.config(), "interceptors": []}), task_queue=unique)
    with temporal.with_time_skipping_disabled():
        async with running(client, loaded, queue=unique) as worker:
            handle = await worker.start(compiled(loaded), {"customerId": "ann", "due": due()})
            await begun(handle, 1)
        state = journeys.state("j", handle.id.removeprefix("j:"))
        asking = await ask_early(temporal, handle, state)
        async with running(client, loaded, queue=unique):
            assert (await asking).step == "rest"
        await handle.terminate()
    assert refused == [handle.id]


@pytest.mark.parametrize("plain", [Plain, Unsandboxed])
@pytest.mark.parametrize("runner", [SandboxedWorkflowRunner(), UnsandboxedWorkflowRunner()], ids=type)
async def test_so_does_a_workflow_of_the_host(
    temporal: WorkflowEnvironment,
    client: Client,
    unique: str,
    refused: list[str],
    plain: type,
    runner: WorkflowRunner,
) -> None:
    """A workflow that shares the worker has the right time, whatever runs it."""
    with temporal.with_time_skipping_disabled():
        async with hosting(client, unique, plain, runner):
            handle: WorkflowHandle[Any, Any] = await client.start_workflow(
                "plain", due(), id=f"plain-{unique}", task_queue=unique
            )
            await begun(handle, 1)
        asking = await ask_early(temporal, handle, handle.query(names.QUERY_STATE))
        async with hosting(client, unique, plain, runner):
            length = await begun(handle, 2)
            assert await asking == {"step": "plain"}
        await handle.terminate()
    assert SOON - timedelta(hours=2) < length <= SOON
    assert refused == [handle.id]


def test_other_plugins_find_the_sandbox() -> None:
    """What runs instances in Temporal's sandbox is one, with its settings; and nothing is put around it twice."""
    sandbox = SandboxedWorkflowRunner()
    ours = task_time.with_task_time(sandbox)
    assert isinstance(ours, SandboxedWorkflowRunner)
    assert ours.restrictions == sandbox.restrictions
    assert task_time.with_task_time(ours) is ours
    around = task_time.with_task_time(UnsandboxedWorkflowRunner())
    assert task_time.with_task_time(around) is around


class Doing(WorkflowInstance):
    """Does nothing, and does it well."""

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Return a success."""
        done = WorkflowActivationCompletion(run_id=act.run_id)
        done.successful.SetInParent()
        return done

    def get_serialization_context(self, command_info: Any) -> Any:
        """Return nothing."""

    def get_external_store_context(self, command_info: Any) -> Any:
        """Return nothing."""

    def get_info(self) -> Any:
        """Return nothing."""


def tries(run: str, began: int, moments: list[float], patch: pytest.MonkeyPatch) -> list[bool]:
    """Return whether a run is refused at tries that find more events at the same time, in nanoseconds."""
    refusals = []
    for moment in moments:
        patch.setattr(time, "monotonic", lambda moment=moment: moment)
        instance = task_time._TaskTimeInstance(Doing())  # a refused one leaves the memory, and comes anew
        for length in (3, 7):
            act = WorkflowActivation(
                run_id=run, history_length=length, jobs=[WorkflowActivationJob(fire_timer={})]
            )
            act.timestamp.FromNanoseconds(began)
            done = instance.activate(act)
        refusals.append(done.failed.failure.application_failure_info.type == names.QUERY_TOO_EARLY)
    return refusals


def test_a_server_whose_clock_went_back_holds_nobody_up(unique: str) -> None:
    """What has the time of the task before, and a time that is not past, goes on when it was tried for a while."""
    hour = timedelta(hours=1) // timedelta(microseconds=1) * 1000
    with pytest.MonkeyPatch.context() as patch:
        ahead = tries(f"{unique}-back", time.time_ns() + hour, [5.0, 6.0, 14.9, 15.0, 16.0], patch)
        # Its next task has another time, and starts anew.
        again = tries(f"{unique}-back", time.time_ns() + 2 * hour, [17.0, 28.0], patch)
        past = tries(f"{unique}-past", time.time_ns() - hour, [5.0, 15.0, 100.0], patch)
    assert ahead == [True, True, True, False, False]
    assert again == [True, False]
    assert past == [True, True, True]
