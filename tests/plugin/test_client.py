"""`JourneyClient`, and `sojourn.external` in workflows of the host's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn import Event, external, journey
from sojourn.client import JourneyClient, NoInstance
from sojourn.plugin import JourneyPlugin
from sojourn.workflows.authoring.events import EventError
from tests.plugin.support import Deployment, deployment


class Visited(Event, name="visited.shop", key="customer_id"):
    """Somebody came."""

    customer_id: str


class Bought(Event, name="bought.shop", key="customer_id"):
    """Somebody bought."""

    customer_id: str
    total: float = 0


@journey.defn(name="shop-visit", entry=Visited, reentry_after=timedelta(0))
class ShopVisit:
    """Waits for a purchase."""

    @journey.run
    async def run(self, visit: Visited) -> str:
        """Wait."""
        bought = await journey.wait_for(Bought, timeout=timedelta(days=30))
        return f"spent {bought.total:g}" if bought else "gone"


@workflow.defn
class HostWorkflow:
    """A workflow of the host's own that starts, signals and waits for a journey."""

    @workflow.run
    async def run(self, customer: str, queue: str) -> list[Any]:
        """Use each function once."""
        sent = await external.send(Visited(customer_id=customer), task_queue=queue)
        again = await external.send(Visited(customer_id=customer), id=sent.id, task_queue=queue)
        await external.pause(ShopVisit, customer)
        await external.resume(ShopVisit, customer)
        await external.signal(ShopVisit, customer, Bought(customer_id=customer, total=7))
        outcome = await external.result(ShopVisit, customer, task_queue=queue)
        try:
            await external.exit(ShopVisit, customer)
        except external.NoInstance:
            gone = True
        try:
            await external.result("shop-visit", "nobody", task_queue=queue)
        except external.NoInstance:
            return [sent.status, sent.instances[0].effect, again.status, outcome.outcome, outcome.text, gone]
        return []


@workflow.defn
class BadSender:
    """Sends what is no event."""

    @workflow.run
    async def run(self, queue: str) -> None:
        """Send it."""
        await external.send("visited.shop", {"customer_id": "x"}, id="x" * 300, task_queue=queue)


@pytest.fixture
async def host(tmp_path: Path) -> Any:
    """A deployment with both kinds of journeys."""
    async with deployment(tmp_path) as opened:
        await opened.publish(journeys=[ShopVisit])
        yield opened


async def test_a_service_sends_asks_steers_and_waits(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """Each method once, on a YAML journey by its name and on a Python one by its class."""
    client = JourneyClient(temporal.client, task_queue=host.queue)
    async with host.worker(temporal.client, journeys=[ShopVisit]):
        with temporal.with_time_skipping_disabled():
            for one, first, second in (
                ("visit", ("visited", {"customerId": unique}), ("bought", {"customerId": unique})),
                (ShopVisit, (Visited(customer_id=unique),), (Bought(customer_id=unique, total=3),)),
            ):
                sent = await client.send(*first, id=f"{unique}-{one}")
                assert (sent.status, sent.instances[0].effect) == ("accepted", "started")
                assert (await client.send(*first, id=f"{unique}-{one}")).status == "duplicate"
                await client.pause(one, unique)
                state = await client.state(one, unique)
                assert (state.status, len(state.waiting_for)) == ("paused", 1)
                assert state.until is not None
                await client.resume(one, unique)
                await client.signal(one, unique, *second)
                outcome = await client.result(one, unique)
                assert outcome.outcome == "completed"
                assert outcome.text in ("bought", "spent 3")
                assert [step.kind for step in outcome.steps][:1] == ["wait_for"]
                with pytest.raises(NoInstance):
                    await client.pause(one, unique)
                with pytest.raises(NoInstance):
                    await client.state(one, unique)
                again = await client.send(*first)
                assert again.protected
                await client.exit(one, unique, "asked to")
                outcome = await client.result(one, unique)
                assert (outcome.outcome, outcome.text) == ("exited", "asked to")


async def test_an_instance_that_is_terminated_has_an_outcome(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """As in the API: stopped."""
    client = JourneyClient(temporal.client, task_queue=host.queue)
    async with host.worker(temporal.client):
        with temporal.with_time_skipping_disabled():
            await client.send("visited", {"customerId": unique})
            await client.handle("visit", unique).terminate("enough")
            assert (await client.result("visit", unique)).outcome == "stopped"


async def test_an_id_that_another_workflow_has_is_told(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """And its result is not taken for an answer."""
    client = JourneyClient(temporal.client, task_queue=host.queue)
    await temporal.client.start_workflow("Another", id=unique, task_queue=f"{unique}-none")
    with pytest.raises(ValueError, match="type Another runs under the event's id"):
        await client.send("visited", {"customerId": unique}, id=unique)
    await temporal.client.get_workflow_handle(unique).terminate()


async def test_what_is_no_event_is_refused_before_it_is_sent(temporal: WorkflowEnvironment) -> None:
    """With what to give instead."""
    client = JourneyClient(temporal.client)
    with pytest.raises(TypeError, match="leave out data"):
        await client.send(Visited(customer_id="x"), {"more": 1})
    with pytest.raises(TypeError, match="nothing that JSON can hold"):
        await client.send("visited", {"x": object()})
    with pytest.raises(TypeError, match="instance of an event class"):
        await client.send(Visited)  # type: ignore[arg-type]
    with pytest.raises(EventError):
        await client.send(Event())
    with pytest.raises(ValueError, match="no name of a journey"):
        client.handle("a:b", "x")
    with pytest.raises(ValueError, match="key is empty"):
        client.handle("visit", "")


@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_host_workflow_starts_signals_and_waits(
    temporal: WorkflowEnvironment, host: Deployment, unique: str, cached: int
) -> None:
    """Sandboxed, from memory and replayed; and its history replays."""
    worker = host.worker(
        temporal.client, journeys=[ShopVisit], workflows=[HostWorkflow], max_cached_workflows=cached
    )
    async with worker:
        with temporal.with_time_skipping_disabled():
            found = await temporal.client.execute_workflow(
                HostWorkflow.run, args=[unique, host.queue], id=f"host-{unique}", task_queue=host.queue
            )
    assert found == ["accepted", "started", "duplicate", "completed", "spent 7", True]
    history = await temporal.client.get_workflow_handle(f"host-{unique}").fetch_history()
    plugin = JourneyPlugin(register_activities=False)
    await Replayer(workflows=[HostWorkflow], plugins=[plugin]).replay_workflow(history)


async def test_a_host_workflow_hears_what_is_wrong_with_its_event(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """As an `ApplicationError` of its own, and not as a child's failure."""
    async with host.worker(temporal.client, workflows=[BadSender]):
        with pytest.raises(WorkflowFailureError) as failure:
            await temporal.client.execute_workflow(
                BadSender.run, host.queue, id=unique, task_queue=host.queue
            )
    assert isinstance(failure.value.cause, ApplicationError)
    assert failure.value.cause.type == "sojourn.BadInput"
