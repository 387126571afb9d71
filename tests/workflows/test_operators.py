"""What operators see in Temporal's Web UI."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from sojourn.contract.markdown import escape
from sojourn.definitions import load_texts
from sojourn.workflows.authoring.define import settings_of
from tests.workflows.authoring.shop import CartAbandonment
from tests.workflows.support import EVENTS, Shop, compiled, fire, project, running, signal, until_waiting

JOURNEY = """
journey: j
entry: {event: entered}
steps:
  mail: {action: send, with: {to: "${entry.customerId}", data: 1}}
  listen:
    wait_for: [{event: answered}, {event: other}]
    timeout: {after: 2d}
  done: {end: done}
"""


async def metadata(handle) -> WorkflowMetadata:
    """Return what the Web UI asks a workflow for."""
    return await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)


async def test_details_say_where_an_instance_is(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """The step, what it waits for, until when, and the steps so far, without the customer's data."""
    loaded = project(JOURNEY, shop)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), {"customerId": "ann@example.com"})
            state = await until_waiting(handle, "listen")
            answer = await metadata(handle)
            details = answer.current_details
            await handle.terminate()
    assert "**listen**" in details
    assert "waits for answered or other" in details
    assert "until" in details
    assert "| 1 | mail | 200 |" in details
    assert "ann" not in details
    assert state["waiting_for"] == ["answered", "other"]
    described = {signal.name: signal.description for signal in answer.definition.signal_definitions}
    assert set(described) >= {"event", "pause", "resume", "exit"}
    assert all(described[name] for name in ("event", "pause", "resume", "exit"))


STANDING = """
journey: j
entry: {event: entered}
exit_when: [{event: other, when: "profile.left == true"}]
steps:
  wrong: {fetch: crm, with: {id: a}, on_error: nap}
  nap: {wait: {for: 3d}}
  listen:
    wait_for: [{event: answered, when: event.amount == 1}]
  again:
    wait_for: [{event: answered, when: event.amount == 1}, {event: other, restart: true}]
    timeout: {after: 1d}
  done: {end: done}
"""


async def test_details_follow_pauses_and_errors(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Who paused it, also in the middle of a wait; the last error; when the time of a wait without one ends."""
    shop.answers = lambda call: (404, {})
    loaded = project(STANDING, shop)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            waiting = (await metadata(handle)).current_details
            await handle.signal("pause")
            paused = (await metadata(handle)).current_details
            await handle.signal("resume")
            resumed = (await metadata(handle)).current_details
        await fire(temporal, handle)
        with temporal.with_time_skipping_disabled():
            await until_waiting(handle, "listen")
            listening = (await metadata(handle)).current_details
            await signal(handle, "answered", {"amount": 1})
            await until_waiting(handle, "again")
            again = (await metadata(handle)).current_details
            await handle.terminate()
    assert waiting.startswith("**nap**: waits for time to pass, until 20")
    assert "last error: http\\_404 at wrong" in waiting
    assert "**Paused** by an operator" in paused
    assert paused.startswith("**nap**: waits for time to pass, until 20")
    assert resumed == waiting
    assert listening.startswith("**listen**: waits for answered; the journey's own time ends at 20")
    assert again.startswith("**again**: waits for answered; other restarts the timer, until 20")


async def test_details_and_search_say_that_a_call_queues(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """A call that is throttled may wait for hours: where, and for how long at most."""
    # Half a minute, as the server loses a turn that it gives out while it is too busy to say so.
    throttled = shop.endpoints().replace(
        "action: send", "action: send\nthrottle: {calls: 1, per: 30s, expire: 2h}"
    )
    journey = JOURNEY.replace("steps:", "steps:\n  first: {set: {x: 1}}")
    loaded = load_texts({"events.yaml": EVENTS, "endpoints.yaml": throttled, "journey.yaml": journey})
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handles = {
                customer: await runner.start(compiled(loaded), {"customerId": customer})
                for customer in ("ada", "ben")
            }
            # One has its turn at once, and goes on; the other waits for it.
            while not shop.calls:
                await asyncio.sleep(0.02)
            (called,) = shop.calls
            (queued,) = (handles[customer] for customer in handles if customer != called["body"]["to"])
            while "throttled" not in (details := (await metadata(queued)).current_details):
                await asyncio.sleep(0.02)
            attributes = (await queued.describe()).search_attributes
            for handle in handles.values():
                await handle.terminate()
    assert details.startswith(
        "**mail**: calls send, which is throttled: waits for its turn, for at most 7200 seconds"
    )
    assert attributes["JourneyStep"] == ["mail"]


async def test_a_journey_in_python_shows_the_same(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Details, the waiting step, descriptions of signals and queries, and summaries."""
    definition = {**settings_of(CartAbandonment).definition(), "version": 1}
    cart = {"customer_id": "ada", "cart_id": "c1", "items": []}
    async with running(temporal.client, project(JOURNEY, shop), journeys=[CartAbandonment]) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition, cart)
            await until_waiting(handle, "wait_for-order.placed")
            answer = await metadata(handle)
            await handle.signal("pause")
            paused = (await metadata(handle)).current_details
            attributes = (await handle.describe()).search_attributes
            await handle.terminate()
    assert answer.current_details.startswith(
        "**wait\\_for\\-order\\.placed**: waits for order\\.placed, until 20"
    )
    assert "**Paused** by an operator" in paused
    assert (attributes["JourneyName"], attributes["JourneyVersion"]) == (["cart-abandonment"], [1])
    assert attributes["JourneyStep"] == ["wait_for-order.placed"]
    described = [*answer.definition.signal_definitions, *answer.definition.query_definitions]
    assert {one.name for one in described} >= {"event", "pause", "resume", "exit", "state"}
    assert all(one.description for one in described if not one.name.startswith("__"))


async def test_details_say_how_an_instance_ended(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Behind the end they do not go on claiming that something is awaited."""
    loaded = project(JOURNEY, shop)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded))
        await handle.result()
        details = (await metadata(handle)).current_details
    assert details.startswith("**end**: ended as completed\n")
    assert "| 3 | done | done |" in details
    assert "until" not in details


async def test_search_attributes_follow_the_waits(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """`JourneyStep` is the step that waits; an instance started without attributes sets none."""
    loaded = project(JOURNEY, shop)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "listen")
            attributes = (await handle.describe()).search_attributes
            assert attributes["JourneyStep"] == ["listen"]
            assert attributes["JourneyName"] == ["j"]
            bare = await runner.start(compiled(loaded), searchable=False)
            await until_waiting(bare, "listen")
            assert "JourneyStep" not in (await bare.describe()).search_attributes
            await handle.terminate()
            await bare.terminate()


async def test_activities_and_timers_have_summaries(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """The timeline says which step an activity or a timer belongs to."""
    loaded = project(JOURNEY, shop)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded))
        await handle.result()
        summaries = []
        ids = []
        async for event in handle.fetch_history_events():
            if event.HasField("user_metadata") and event.user_metadata.HasField("summary"):
                summaries.append(event.user_metadata.summary.data.decode())
            if event.HasField("activity_task_scheduled_event_attributes"):
                ids.append(event.activity_task_scheduled_event_attributes.activity_id)
    assert any("mail: send" in summary for summary in summaries)
    assert any("listen: waits for answered or other" in summary for summary in summaries)
    assert ids == ["mail#1"]


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "[a](http://b)", "| a | b |", "`x`", "a\n\n# b"]
)
def test_details_are_escaped(hostile: str) -> None:
    """Nothing from outside is Markdown or HTML to the Web UI."""
    escaped = escape(hostile)
    assert "\n" not in escaped
    for position, character in enumerate(escaped):
        if character in "<>[]()|`#":
            assert escaped[position - 1] == "\\"


async def test_the_journey_runs_without_the_sandbox_too(client: Client, shop: Shop) -> None:
    """A host that runs its workers unsandboxed gets the same result."""
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {a: {set: {x: 1}}, b: {end: '${steps.a.x}'}}}", shop
    )
    for sandboxed in (True, False):
        async with running(client, loaded, sandboxed=sandboxed, cached=0) as runner:
            assert (await (await runner.start(compiled(loaded))).result())["text"] == "1"


@pytest.mark.parametrize("character", ["💥", "é", "|", "a"])
async def test_details_stay_small(temporal: WorkflowEnvironment, character: str) -> None:
    """The Web UI carries them in a URL: under 4 kB, in whatever script the steps' results are."""
    listens = "\n".join(
        f'  w{number}: {{wait_for: [{{event: answered, when: \'event.amount > 0 && "{character * 150}" != ""\'}}]}}'
        for number in range(9)
    )
    loaded = project(f"journey: j\nentry: {{event: entered}}\nsteps:\n{listens}")
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "w0")
            for _ in range(12):
                await signal(handle, "answered", {"customerId": "ann"})
            details = (await metadata(handle)).current_details
            await handle.terminate()
    assert 300 < len(details.encode()) < 4000
    assert "ann" not in details
