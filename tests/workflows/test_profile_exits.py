"""Exit criteria that name the profile: at once, in order, and without loss where it cannot be read."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.workflows.profiles import Kept
from tests.workflows.support import Shop, compiled, project, running, signal, state_of, until_waiting
from tests.workflows.test_profile import CACHED, replays

WAITS = """
journey: j
entry: {event: entered}
call_timeout: 1s
exit_when:
  - {event: answered, when: profile.leaves}
  - {event: other, when: event.amount == 9}
steps:
  listen: {wait_for: [{event: answered, next: told}, {event: other, next: done}], timeout: {after: 5d, next: late}}
  told: {set: {n: "${default(steps.told.n, 0) + 1}"}, next: listen}
  late: {end: late}
  done: {end: "${default(steps.told.n, 0)}"}
"""
PATIENT = WAITS.replace("call_timeout: 1s", "call_timeout: 20s")
"""Where the profile can be read: a busy machine must not make it an undecided exit."""


@CACHED
async def test_an_exit_sees_the_profile_behind_its_event(
    temporal: WorkflowEnvironment, kept: Kept, cached: int
) -> None:
    """An event that does not fit goes to the steps in its order; once the profile says so, the next one ends it."""
    loaded = project(PATIENT)
    await kept.put("ann", leaves=False)
    async with running(temporal.client, loaded, cached=cached, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            await signal(handle, "answered", event_id="a1")
            await signal(handle, "answered", event_id="a2")
            while (await state_of(handle))["steps"][-1:] == [] or len((await state_of(handle))["steps"]) < 4:
                await asyncio.sleep(0.02)
            await kept.put("ann", leaves=True)
            await signal(handle, "answered", event_id="a3")
            result = await handle.result()
    assert (result["outcome"], result["text"]) == ("exited", "answered when profile.leaves")
    assert [record["step"] for record in result["steps"]] == ["listen", "told", "listen", "told", "listen"]
    await replays(handle)


@pytest.mark.parametrize("kind", ["send", "crm"])
async def test_an_exit_ends_a_call_in_flight(
    temporal: WorkflowEnvironment, shop: Shop, kept: Kept, kind: str
) -> None:
    """The profile is read beside an action or a fetch that hangs."""
    release = shop.hang()
    call = (
        "{action: send, with: {to: x, data: 1}, on_error: done}"
        if kind == "send"
        else "{fetch: crm, with: {id: x}, on_error: done}"
    )
    loaded = project(
        f"""
journey: j
entry: {{event: entered}}
exit_when: [{{event: other, when: profile.leaves}}]
steps:
  call: {call}
  done: {{end: done}}
""",
        shop,
    )
    await kept.put("ann", leaves=True)
    async with running(temporal.client, loaded, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            while not shop.calls:
                await asyncio.sleep(0.02)
            await signal(handle, "other")
            result = await handle.result()
        release.set()
    assert (result["outcome"], result["text"]) == ("exited", "other when profile.leaves")
    await replays(handle)


@CACHED
async def test_an_exit_that_cannot_be_decided_neither_blocks_nor_is_lost(
    temporal: WorkflowEnvironment, kept: Kept, cached: int
) -> None:
    """Steps go on with the event, and the instance ends when the profile can be read."""
    loaded = project(WAITS)
    await kept.put("ann", leaves=True)
    kept.broken = ConnectionError()
    async with running(temporal.client, loaded, cached=cached, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            await signal(handle, "answered", event_id="a1")
            while "told" not in [record["step"] for record in (await state_of(handle))["steps"]]:
                await asyncio.sleep(0.02)
            await signal(handle, "answered", event_id="a2")
            while [record["step"] for record in (await state_of(handle))["steps"]].count("told") < 2:
                await asyncio.sleep(0.02)
            kept.broken = None
            result = await handle.result()
    assert (result["outcome"], result["text"]) == ("exited", "answered when profile.leaves")
    assert any("decided later" in record["result"] for record in result["steps"])
    await replays(handle)


async def test_an_undecided_exit_goes_on_in_a_new_run(temporal: WorkflowEnvironment, kept: Kept) -> None:
    """It is carried over a continue-as-new, and decided there."""
    loaded = project(WAITS)
    await kept.put("ann", leaves=True)
    kept.broken = ConnectionError()
    async with running(temporal.client, loaded, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            await signal(handle, "answered", event_id="a1")
            number = 0
            while (await handle.describe()).run_id == handle.first_execution_run_id:
                number += 1
                await signal(handle, "entered", event_id=f"n{number}")
                await state_of(handle)
            kept.broken = None
            result = await handle.result()
    assert (result["outcome"], result["text"]) == ("exited", "answered when profile.leaves")


async def test_another_exit_need_not_wait_for_the_profile(temporal: WorkflowEnvironment, kept: Kept) -> None:
    """While one criterion is being decided, one that needs no profile takes effect at once."""
    loaded = project(WAITS)
    kept.gate.clear()
    async with running(temporal.client, loaded, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            kept.asked.clear()
            await signal(handle, "answered", event_id="a1")
            await asyncio.wait_for(kept.asked.wait(), 20)
            await signal(handle, "other", {"amount": 9}, "o1")
            result = await handle.result()
        kept.gate.set()
    assert result["text"] == "other when event.amount == 9"
