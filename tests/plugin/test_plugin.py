"""`JourneyPlugin` on clients, workers and replayers, beside what a host already has."""

from __future__ import annotations

import dataclasses

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn.activities import AddressGuard, Calls, StaticEndpoints, Transport
from sojourn.plugin import JourneyPlugin
from tests.workflows.support import Runner, Shop, compiled, project

LOADED = project("{journey: j, entry: {event: entered}, steps: {a: {set: {x: 1}}, b: {end: '${steps.a.x}'}}}")


@workflow.defn
class HostWorkflow:
    """A workflow of the host's own."""

    @workflow.run
    async def run(self) -> str:
        """Return at once."""
        return "host"


def calls() -> Calls:
    """Return what performs the calls of the tests' project."""
    return Calls(StaticEndpoints(LOADED.endpoints))


async def connect(temporal: WorkflowEnvironment, **options) -> Client:
    """Return a client of the tests' server with options of its own."""
    return await Client.connect(temporal.client.service_client.config.target_host, **options)


async def test_a_client_with_the_plugin_makes_its_workers_journey_workers(
    temporal: WorkflowEnvironment, unique: str
) -> None:
    """One line at the client; the host's own workflows run beside journeys."""
    client = await connect(temporal, plugins=[JourneyPlugin(calls=calls())])
    async with Worker(client, task_queue=unique, workflows=[HostWorkflow]):
        assert await client.execute_workflow(HostWorkflow.run, id=unique, task_queue=unique) == "host"
        handle = await Runner(client, unique).start(compiled(LOADED))
        assert (await handle.result())["text"] == "1"


async def test_workflows_and_activities_can_be_apart(temporal: WorkflowEnvironment, unique: str) -> None:
    """One fleet runs journeys, another one performs their calls: fetches too, where they are ordinary activities."""
    shop = Shop()
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  ask: {fetch: crm, with: {id: a}, on_error: wrong}
  mail: {action: send, with: {to: x, data: 1}, on_error: wrong}
  done: {end: done}
  wrong: {end: wrong}
""",
        shop,
    )
    client = await connect(temporal)
    transport = Transport(AddressGuard(["127.0.0.1"]))
    only_workflows = JourneyPlugin(register_activities=False)
    only_activities = JourneyPlugin(
        calls=Calls(StaticEndpoints(loaded.endpoints), transport=transport), register_workflows=False
    )
    async with (
        Worker(client, task_queue=unique, plugins=[only_workflows]),
        Worker(client, task_queue=unique, plugins=[only_activities]),
    ):
        handle = await Runner(client, unique).start(compiled(loaded), local_fetch=False)
        assert (await handle.result())["text"] == "done"
    shop.close()
    assert [call["method"] for call in shop.calls] == ["GET", "POST"]


async def test_the_host_may_use_another_data_converter(temporal: WorkflowEnvironment, unique: str) -> None:
    """The plugin leaves the converter alone, and works with pydantic's."""
    client = await connect(
        temporal, data_converter=pydantic_data_converter, plugins=[JourneyPlugin(calls=calls())]
    )
    assert client.data_converter is pydantic_data_converter
    async with Worker(client, task_queue=unique):
        handle = await Runner(client, unique).start(compiled(LOADED))
        assert (await handle.result())["text"] == "1"


def test_contradictions_are_refused_at_construction() -> None:
    """Each message says what to write instead."""
    with pytest.raises(ValueError, match="register_activities=False"):
        JourneyPlugin()
    with pytest.raises(ValueError, match="nothing to register"):
        JourneyPlugin(register_workflows=False, register_activities=False)


async def test_given_twice_it_registers_once(temporal: WorkflowEnvironment, unique: str) -> None:
    """The same plugin on client and worker is a mistake that the SDK warns of, and that harms nothing."""
    plugin = JourneyPlugin(calls=calls())
    client = await connect(temporal, plugins=[plugin])
    with pytest.warns(UserWarning, match="plugin"):
        worker = Worker(client, task_queue=unique, plugins=[plugin])
    async with worker:
        handle = await Runner(client, unique).start(compiled(LOADED))
        assert (await handle.result())["text"] == "1"


def test_only_a_sandboxed_runner_is_extended() -> None:
    """It keeps its other restrictions; another one runs workflows as it did, and only their time is looked after."""
    from temporalio.worker import UnsandboxedWorkflowRunner
    from temporalio.worker.workflow_sandbox import (
        SandboxedWorkflowRunner,
        SandboxMatcher,
        SandboxRestrictions,
    )

    from sojourn import plugin
    from sojourn.temporal.task_time import TaskTimeRunner

    around = plugin._runner(UnsandboxedWorkflowRunner())
    assert isinstance(around, TaskTimeRunner)
    assert isinstance(around._runner, UnsandboxedWorkflowRunner)
    own = dataclasses.replace(SandboxRestrictions.default, invalid_modules=SandboxMatcher())
    extended = plugin._runner(SandboxedWorkflowRunner(restrictions=own))
    assert isinstance(extended, SandboxedWorkflowRunner)
    assert "sojourn" in extended.restrictions.passthrough_modules
    assert extended.restrictions.invalid_modules is own.invalid_modules
    with pytest.raises(ValueError, match="no workflow runner"):
        plugin._runner(None)
