"""Moving instances to a newer version: from which waits, with what they carry, and what stands against it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from tests.workflows.support import (
    Runner,
    compiled,
    finish,
    project,
    running,
    signal,
    state_of,
    until_waiting,
)

FIRST = """
journey: j
entry: {event: entered}
steps:
  note: {set: {amount: "${entry.amount}"}}
  listen:
    wait_for: [{event: answered, when: event.amount > 10, next: big}]
    timeout: {after: 1d, next: late}
  big: {end: "first, ${steps.note.amount}"}
  late: {end: first late}
"""
SECOND = """
journey: j
entry: {event: entered}
steps:
  note: {set: {amount: "${entry.amount}"}}
  listen:
    wait_for: [{event: answered, when: event.amount > 5, next: big}, {event: other, next: other}]
    timeout: {after: 2d, next: late}
  big: {end: "second, ${steps.note.amount}"}
  other: {end: second other}
  late: {end: second late}
"""


def version(text: str, number: int = 2) -> dict[str, Any]:
    """A compiled journey as another version."""
    return {**compiled(project(text)), "version": number}


async def start(
    temporal: WorkflowEnvironment, runner: Runner, *arguments: Any, **options: Any
) -> WorkflowHandle[Any, dict[str, Any]]:
    """Start an instance for which no time passes by itself."""
    with temporal.with_time_skipping_disabled():
        return await runner.start(*arguments, **options)


async def move(handle: WorkflowHandle[Any, Any], definition: dict[str, Any]) -> Any:
    """What an instance answers to a move."""
    return await handle.execute_update(names.UPDATE_MOVE, {"definition": definition})


async def refused(handle: WorkflowHandle[Any, Any], definition: dict[str, Any]) -> dict[str, Any]:
    """Why an instance cannot be moved; the query says the same."""
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await move(handle, definition)
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == names.ERROR_NOT_MOVED
    detail = dict(cause.details[0])
    asked = await handle.query(names.QUERY_MOVABLE, {"definition": definition})
    assert asked["obstacle"] == {"code": detail["code"], "message": detail["message"]}
    return detail


@pytest.mark.parametrize("cached", [1000, 0])
@pytest.mark.parametrize("searchable", [True, False])
async def test_an_instance_goes_on_in_the_new_version(
    temporal: WorkflowEnvironment, cached: int, searchable: bool
) -> None:
    """It knows what it knew, waits until when it waited, and what comes is judged by the new version."""
    loaded = project(FIRST)
    async with running(temporal.client, loaded, cached=cached) as runner:
        handle = await start(
            temporal,
            runner,
            compiled(loaded),
            {"customerId": "a", "amount": 3},
            key="a",
            searchable=searchable,
        )
        before = await until_waiting(handle, "listen")
        asked = await handle.query(names.QUERY_MOVABLE, {"definition": version(SECOND)})
        assert asked == {"profile": "a", "version": 1, "obstacle": None}
        answer = await move(handle, version(SECOND))
        assert answer == {"profile": "a", "version": 1, "to": 2}
        after = await until_waiting(handle, "listen")
        assert after["version"] == 2
        assert after["until"] == before["until"]
        assert after["waiting_for"] == ["answered", "other"]
        assert (await refused(handle, version(SECOND)))["code"] == "already"
        found = await handle.describe()
        if searchable:
            shown = {pair.key.name: pair.value for pair in found.typed_search_attributes}
            assert (shown[names.SEARCH_VERSION], shown[names.SEARCH_STEP]) == (2, "listen")
        await signal(handle, "answered", {"amount": 6})
        result = await handle.result()
        first = (await handle.describe()).raw_description.workflow_execution_info.first_run_id
        histories = [
            await temporal.client.get_workflow_handle(handle.id, run_id=run).fetch_history()
            for run in (first, found.run_id)
        ]
    assert (result["text"], result["version"]) == ("second, 3", 2)
    moved = next(record for record in result["steps"] if record["kind"] == "move")
    assert (moved["step"], moved["result"]) == ("listen", "from version 1 to version 2")
    for history in histories:
        await Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)]).replay_workflow(
            history
        )


async def test_the_deadline_of_the_wait_is_kept(temporal: WorkflowEnvironment) -> None:
    """The wait ends a day after it began, as it stood, and takes the new version's path."""
    loaded = project(FIRST)
    async with running(temporal.client, loaded) as runner:
        handle = await start(temporal, runner, compiled(loaded), {"customerId": "a", "amount": 3})
        before = await until_waiting(handle, "listen")
        await move(handle, version(SECOND))
        assert (await until_waiting(handle, "listen"))["until"] == before["until"]
        result = await finish(temporal, handle)
    assert result["text"] == "second late"
    # The new version's wait would end a day later.
    behind = datetime.fromisoformat(result["steps"][-1]["at"]) - datetime.fromisoformat(before["until"])
    assert timedelta() <= behind < timedelta(hours=1)


async def test_events_around_a_move_are_kept(temporal: WorkflowEnvironment) -> None:
    """What comes behind the move, before the new run has begun, is offered to the new version."""
    loaded = project(FIRST)
    async with running(temporal.client, loaded) as runner:
        handle = await start(temporal, runner, compiled(loaded), {"customerId": "a", "amount": 3})
        await until_waiting(handle, "listen")
        await signal(handle, "answered", {"amount": 1}, "seen")
        await state_of(handle)
        await move(handle, version(SECOND))
        await signal(handle, "answered", {"amount": 100}, "seen")
        await signal(handle, "answered", {"amount": 7}, "new")
        result = await handle.result()
    assert result["text"] == "second, 3"
    assert result["dropped"] == 0


async def test_a_paused_instance_stays_paused(temporal: WorkflowEnvironment) -> None:
    """Moving it does not let it go on."""
    loaded = project(FIRST)
    async with running(temporal.client, loaded) as runner:
        handle = await start(temporal, runner, compiled(loaded), {"customerId": "a", "amount": 3})
        await until_waiting(handle, "listen")
        await handle.signal(names.SIGNAL_PAUSE)
        await move(handle, version(SECOND))
        state = await until_waiting(handle, "listen")
        assert (state["status"], state["version"]) == ("paused", 2)
        await signal(handle, "other")
        await handle.signal(names.SIGNAL_RESUME)
        result = await handle.result()
    assert result["text"] == "second other"


REFUSALS = [
    ("step", SECOND.replace("listen:", "hear:"), "which version 2 has not"),
    ("step", FIRST.replace("wait_for: [{event: answered, when: event.amount > 10, next: big}]", "wait: {for: 1h}").replace("    timeout: {after: 1d, next: late}\n", "    next: big\n").replace("  late: {end: first late}\n", ""), "which is wait in version 2"),
    ("events", SECOND.replace("answered, when: event.amount > 5", "other").replace(", {event: other, next: other}", "").replace("  other: {end: second other}\n", ""), "for answered, for which version 2 does not"),
    ("timeout", SECOND.replace("    timeout: {after: 2d, next: late}\n", "").replace("  late: {end: second late}\n", ""), "has no timeout in version 2"),
    ("result", SECOND.replace("steps:\n", "steps:\n  more: {set: {x: 1}}\n").replace("{end: second late}", '{end: "${steps.more.x}"}'), "late needs the result of more"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text", "says"), REFUSALS, ids=[f"{i}-{row[0]}" for i, row in enumerate(REFUSALS)]
)
async def test_what_stands_against_a_move(
    temporal: WorkflowEnvironment, code: str, text: str, says: str
) -> None:
    """The instance says why it cannot be moved, and goes on as before."""
    loaded = project(FIRST)
    async with running(temporal.client, loaded) as runner:
        handle = await start(temporal, runner, compiled(loaded), {"customerId": "a", "amount": 3})
        await until_waiting(handle, "listen")
        found = await refused(handle, version(text))
        await signal(handle, "answered", {"amount": 11})
        result = await handle.result()
    assert found["code"] == code
    assert says in found["message"]
    assert result["text"] == "first, 3"


async def test_what_is_no_newer_version_is_refused(temporal: WorkflowEnvironment) -> None:
    """An older one, another journey, and what this worker could not run."""
    loaded = project(FIRST)
    async with running(temporal.client, loaded) as runner:
        handle = await start(
            temporal, runner, {**compiled(loaded), "version": 3}, {"customerId": "a", "amount": 3}
        )
        await until_waiting(handle, "listen")
        for definition in (
            version(SECOND, 2),
            {**version(SECOND, 4), "name": "k"},
            {**version(SECOND, 4), "format": 9},
            {**version(SECOND, 4), "workflow": "k"},
        ):
            assert (await refused(handle, definition))["code"] == "invalid"
        await signal(handle, "answered", {"amount": 11})
        await handle.result()


async def test_lifetime_of_the_new_version(temporal: WorkflowEnvironment) -> None:
    """An instance that would be too old at once is not moved."""
    loaded = project(FIRST)
    async with running(temporal.client, loaded) as runner:
        handle = await start(temporal, runner, compiled(loaded), {"customerId": "a", "amount": 3})
        await until_waiting(handle, "listen")
        found = await refused(handle, {**version(SECOND), "timeout": 0})
        await signal(handle, "answered", {"amount": 11})
        await handle.result()
    assert found["code"] == "lifetime"
