"""How instances end, and what operators may do to them."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from sojourn.workflows.engine.values import moment
from tests.workflows.support import Runner, compiled, failure, project, running, signal, steps, until_waiting

NAPS = """
journey: j
entry: {event: entered}
timeout: 10d
steps:
  nap: {wait: {for: 3d}}
  again:
    condition: [{when: now > journey.entered_at, next: nap}]
"""


async def test_an_instance_ends_as_timed_out(temporal: WorkflowEnvironment) -> None:
    """At the journey's timeout, in the middle of a wait, without a timer of its own."""
    loaded = project(NAPS)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded))
        result = await handle.result()
        assert result["outcome"] == "timed_out"
        assert steps(result) == ["nap", "again"] * 3 + ["nap"]
        timers = [
            event
            async for event in handle.fetch_history_events()
            if event.HasField("timer_started_event_attributes")
        ]
        assert len(timers) == 4


async def test_an_instance_entered_when_it_was_started(temporal: WorkflowEnvironment) -> None:
    """Its life and `journey.entered_at` count from the entry, not from when a worker came to it."""
    loaded = project("{journey: j, entry: {event: entered}, steps: {done: {end: '${journey.entered_at}'}}}")
    queue = f"late-{uuid.uuid4().hex[:12]}"
    handle = await Runner(temporal.client, queue).start(compiled(loaded))
    await asyncio.sleep(0.2)
    async with running(temporal.client, loaded, queue=queue):
        result = await handle.result()
    started = (await handle.describe()).start_time
    assert result["entered_at"] == moment(started)
    assert datetime.fromisoformat(result["text"]) == started
    assert result["ended_at"] > result["entered_at"]


async def test_a_wait_without_timeout_ends_with_the_journeys(temporal: WorkflowEnvironment) -> None:
    """Waiting for what never comes ends after the 91 days that are the default."""
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {listen: {wait_for: [{event: answered}]}}}"
    )
    async with running(temporal.client, loaded) as runner:
        result = await (await runner.start(compiled(loaded))).result()
    assert result["outcome"] == "timed_out"
    assert result["steps"][0]["duration"] == pytest.approx(91 * 86_400, abs=60)


async def test_rounds_are_bounded(temporal: WorkflowEnvironment) -> None:
    """A loop that would go round for ever fails with the step and the number."""
    loaded = project(NAPS.replace("3d", "1s").replace("10d", "90d"))
    async with running(temporal.client, loaded) as runner:
        error = await failure(await runner.start(compiled(loaded) | {"max_visits": 5}))
    assert error.details[0]["error"]["code"] == "refused"
    assert "more than 5 times" in str(error)


async def test_an_operator_pauses_and_resumes(temporal: WorkflowEnvironment) -> None:
    """Paused, an instance begins no step; what fell due happens when it is resumed."""
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {listen: {wait_for: [{event: answered}]}, done: {end: done}}}"
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "listen")
            await handle.signal("pause")
            await signal(handle, "answered")
            state = await handle.query("state")
            assert state["status"] == "paused"
            assert state["step"] == "done"
            await handle.signal("resume")
            assert (await handle.result())["text"] == "done"


async def test_an_operator_exits_an_instance_with_a_reason(temporal: WorkflowEnvironment) -> None:
    """The signal `exit` ends it at once; its text is in the outcome."""
    loaded = project(NAPS)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            await handle.signal("exit", "wrong audience")
            result = await handle.result()
    assert (result["outcome"], result["text"]) == ("exited", "wrong audience")


async def test_cancelling_in_temporal_stops_an_instance_with_its_trace(temporal: WorkflowEnvironment) -> None:
    """A cancellation is an end like others: the steps taken are in the result."""
    loaded = project(NAPS)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            await handle.cancel()
            result = await handle.result()
    assert result["outcome"] == "stopped"
    assert steps(result) == ["nap"]


ONE_STEP = {
    "name": "x",
    "version": 1,
    "first": "a",
    "format": 1,
    "steps": {"a": {"kind": "end", "label": None, "outcome": "over"}},
}


@pytest.mark.parametrize(
    ("input_", "says"),
    [
        (None, "JSON object"),
        (5, "JSON object"),
        ({}, "definition"),
        ({"definition": {"name": "x", "version": 1, "first": "a", "steps": {}, "format": 99}}, "format 99"),
        ({"definition": {"name": "x", "version": 1, "first": "a", "steps": {}, "format": 1}}, "no step `a`"),
        ({"definition": ONE_STEP}, "`key`"),
    ],
)
async def test_a_bad_start_fails_the_workflow_at_once(
    temporal: WorkflowEnvironment, unique: str, input_: object, says: str
) -> None:
    """It does not stay running with failing tasks, and the failure says what is wrong."""
    loaded = project(NAPS)
    async with running(temporal.client, loaded) as runner:
        handle = await temporal.client.start_workflow(
            "sojourn.Journey", input_, id=unique, task_queue=runner.queue
        )
        error = await failure(handle)
        assert error.type == "sojourn.BadInput"
        assert says in error.message
        assert (await handle.describe()).status == WorkflowExecutionStatus.FAILED


async def test_a_start_without_input_fails_at_once(temporal: WorkflowEnvironment, unique: str) -> None:
    """Also without any argument, or with two."""
    loaded = project(NAPS)
    async with running(temporal.client, loaded) as runner:
        for index, arguments in enumerate(([], [{}, {}])):
            handle = await temporal.client.start_workflow(
                "sojourn.Journey", args=arguments, id=f"{unique}-{index}", task_queue=runner.queue
            )
            assert (await failure(handle)).type == "sojourn.BadInput"
