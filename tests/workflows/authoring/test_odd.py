"""What a Python journey's code may do, and what it cannot do whatever it tries."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from sojourn.workflows.authoring.define import settings_of
from tests.workflows.authoring import odd
from tests.workflows.support import Shop, failure, project, running, signal, until_waiting

YAML = """
journey: j
entry: {event: entered}
steps:
  done: {end: done}
"""


def definition(body: type) -> dict[str, Any]:
    """Return a journey as it is published."""
    return {**settings_of(body).definition(), "version": 1}


def passed(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return step, kind and result of each record of a trace."""
    return [(record["step"], record["kind"], record["result"]) for record in result["steps"]]


async def test_nothing_is_called_behind_an_exit(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Neither `except Exception` nor `finally` stops an exit criterion, or calls behind it."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Swallows]) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition(odd.Swallows))
            await until_waiting(handle, "wait_for-answered")
            await signal(handle, "other")
            result = await handle.result()
    assert (result["outcome"], result["text"], shop.calls) == ("exited", "other", [])


async def test_the_end_of_the_time_is_not_swallowed(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """A journey that catches everything still ends when its time is over."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Swallows]) as runner:
        result = await (await runner.start(definition(odd.Swallows))).result()
    assert (result["outcome"], shop.calls) == ("timed_out", [])


async def test_a_cancelled_journey_is_stopped(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Cancelling it in Temporal stops it, and calls nothing."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Swallows]) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition(odd.Swallows))
            await until_waiting(handle, "wait_for-answered")
            await handle.cancel()
            result = await handle.result()
    assert (result["outcome"], shop.calls) == ("stopped", [])


async def test_an_exit_of_the_code(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """It ends at the step that asks for it, and what stands in a `finally` is not called."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Leaves]) as runner:
        result = await (await runner.start(definition(odd.Leaves))).result()
    assert (result["outcome"], result["text"], shop.calls) == ("exited", "had enough", [])
    assert passed(result) == [("goodbye", "exited", "had enough")]


async def test_a_generator_of_the_code_ends_with_a_call(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """What the code closes itself may do steps, unlike what Python's collector ends."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Closes]) as runner:
        result = await (await runner.start(definition(odd.Closes))).result()
    assert (result["outcome"], [call["body"]["to"] for call in shop.calls]) == ("completed", ["closed"])


async def test_a_circle_ends(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Visits of a step are bounded, also where the code catches the error."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Circles]) as runner:
        error = await failure(await runner.start(definition(odd.Circles)))
    assert "visited more than 1000 times" in str(error)
    assert error.details[0]["error"]["code"] == "refused"


async def test_two_places_at_once(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Two waits side by side are a mistake that says what to write instead, not an instance that hangs."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Gathers]) as runner:
        handle = await runner.start(definition(odd.Gathers))
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert "an instance is at one place at a time, so await each before the next" in str(caught.value.cause)


async def test_temporal_s_own_means(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Own signals, queries, updates, patches and activities work; what fails there fails the instance, with its trace."""
    loaded = project(YAML, shop)
    async with running(temporal.client, loaded, journeys=[odd.OwnWay], activities=[odd.failing]) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition(odd.OwnWay))
            await handle.signal("misuse")
            assert await handle.execute_update("ask", "this is") == "this is own-way"
            (said,) = await handle.query("words")
            assert "was called in the handler of a signal" in said
            await handle.signal("tell", "go")
            error = await failure(handle)
    assert error.details[0]["error"] == {
        "step": "own",
        "code": "failed",
        "status": None,
        "message": "ActivityError: Broken; see the history",
    }
    assert "secret" not in str(error.details)
    assert isinstance(error, ApplicationError)
    assert shop.calls == []


@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_long_life(temporal: WorkflowEnvironment, shop: Shop, cached: int) -> None:
    """New runs get what the code carries, the trace and events that came meanwhile; ids count once over all of them."""
    loaded = project(YAML, shop)
    async with running(temporal.client, loaded, journeys=[odd.LivesLong], cached=cached) as runner:
        # Otherwise the waits' time could be over before the events are sent.
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition(odd.LivesLong))
            for _ in range(3):
                await signal(handle, "answered", event_id="same")
            await signal(handle, "answered", event_id="another")
            result = await handle.result()
    assert passed(result) == [
        ("wait_for-answered", "wait_for", "answered"),
        ("wait_for-answered", "wait_for", "answered"),
        ("told", "end", "two rounds"),
    ]
    assert [record["visit"] for record in result["steps"]] == [1, 2, 1]


async def test_clocks_and_decisions(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Times of day are those of the journey's zone, and a stretch says what was decided in it."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Clocks]) as runner:
        result = await (await runner.start(definition(odd.Clocks))).result()
    assert passed(result) == [
        ("morning", "wait", "waited"),
        ("in-time", "time_condition", "true"),
        ("decided", "condition", "branch 1"),
        ("over", "end", "early"),
    ]
    ended = datetime.fromisoformat(result["ended_at"]).astimezone(ZoneInfo("Europe/Paris"))
    assert (ended.hour, ended.minute, ended.weekday() < 5) == (9, 0, True)


async def test_an_event_restarts_a_wait(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """It begins the time again, and the condition of the wait is not asked about it."""
    async with running(temporal.client, project(YAML, shop), journeys=[odd.Renews]) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition(odd.Renews))
            before = await until_waiting(handle, "wait_for-answered")
            await signal(handle, "answered", {"amount": 1})
            await signal(handle, "other", {"amount": 1})
            after = await until_waiting(handle, "wait_for-answered")
            assert after["until"] > before["until"]
            await signal(handle, "answered", {"amount": 9})
            assert (await handle.result())["text"] == "answered"
