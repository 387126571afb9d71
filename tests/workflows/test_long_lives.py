"""Bursts and long lives: what an instance does with more events than one workflow task, or one run, can hold.

`SOJOURN_LONG_LIVES=20000 SOJOURN_SUGGESTED=1000` makes the tests as large as that, with fewer and longer runs, for a
nightly run; they take minutes then, and need `-o timeout=1800`.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from sojourn.workflows.engine import limits
from sojourn.workflows.engine.inbox import Inbox
from sojourn.workflows.engine.messages import parse_event
from tests.conftest import SUGGESTED
from tests.workflows.support import (
    Runner,
    Shop,
    compiled,
    event,
    project,
    running,
    signal,
    state_of,
    until_waiting,
)
from tests.workflows.test_continue_as_new import COUNTER

pytestmark = pytest.mark.slow
SIZE = int(os.environ.get("SOJOURN_LONG_LIVES", "0"))
AT_MOST = SUGGESTED + 10
"""About how long a history is when the tests' server suggests a new run."""


async def send(handle: WorkflowHandle[Any, Any], ids: list[str]) -> None:
    """Send events, 40 at a time."""
    several = asyncio.Semaphore(40)

    async def one(identity: str) -> None:
        async with several:
            await signal(handle, "answered", event_id=identity)

    await asyncio.gather(*map(one, ids))


async def runs(temporal: WorkflowEnvironment, handle: WorkflowHandle[Any, Any]) -> list[tuple[int, int]]:
    """Return of each run of an instance how many events its history has, and how many of them are signals."""
    found, run = [], handle.first_execution_run_id
    while run:
        history = await temporal.client.get_workflow_handle(handle.id, run_id=run).fetch_history()
        signals = sum(one.HasField("workflow_execution_signaled_event_attributes") for one in history.events)
        found.append((len(history.events), signals))
        run = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found


def endless(journey: str = COUNTER) -> dict[str, Any]:
    """Return a journey whose steps may be visited as often as there are events."""
    return {**compiled(project(journey)), "max_visits": 10**6}


async def test_a_burst_to_an_instance_that_waits(temporal: WorkflowEnvironment, unique: str) -> None:
    """What came while no worker ran is more than may be pending, and than one task takes: none is lost or doubled."""
    count = min(SIZE, 9_990) or 1_200
    assert count > limits.EVENTS_IN_TASK > endless()["max_pending"]
    with temporal.with_time_skipping_disabled():
        handle = await Runner(temporal.client, unique).start(endless())
        await send(handle, [f"e{number}" for number in range(count)])
        async with running(temporal.client, project(COUNTER), queue=unique):
            while (state := await state_of(handle))["steps"][-1:] == [] or state["steps"][-1][
                "seq"
            ] < 2 * count + 1:
                await asyncio.sleep(0.1)
            assert (state["dropped"], state["pending"]) == (0, 0)
            await signal(handle, "answered", event_id="e0")
            await signal(handle, "other")
            result = await asyncio.wait_for(handle.result(), 60)
    assert result["text"] == f"{count} true true"
    assert result["dropped"] == 0
    first, *_ = await runs(temporal, handle)
    # The burst, what each portion of it costs, and no more: three events of a task, two of a timer. Each event of the
    # burst is counted when it is taken in, and when it is offered to a wait.
    assert first[0] <= count + 5 * (2 * count // limits.EVENTS_IN_TASK + 2) + 10


async def test_a_long_life(temporal: WorkflowEnvironment, unique: str) -> None:
    """Each event counts once, each is sent twice, the second time much later; no run outgrows the suggestion by much."""
    count, batch = SIZE or 400, 50
    with temporal.with_time_skipping_disabled():
        async with running(temporal.client, project(COUNTER), queue=unique) as runner:
            handle = await runner.start(endless())
            await until_waiting(handle, "listen")
            for start in range(0, count + 200, batch):
                again = [f"e{number}" for number in range(max(0, start - 200), start - 200 + batch)]
                await send(
                    handle, [f"e{number}" for number in range(start, min(start + batch, count))] + again
                )
                # A batch is what comes until the instance has seen it: a flood has no other bound than Temporal's.
                await state_of(handle)
            await signal(handle, "other")
            result = await asyncio.wait_for(handle.result(), 60)
    assert result["text"] == f"{count} true true"
    assert result["dropped"] == 0
    found = await runs(temporal, handle)
    assert len(found) > 3
    # A run is left at the first task behind the suggestion; until then a batch may have come, at four events each.
    assert max(length for length, _ in found) <= AT_MOST + 4 * 2 * batch
    assert sum(signals for _, signals in found) == 2 * count + 1
    last = result["steps"][-1]
    assert last["seq"] == 2 * count + 3, "the sequence counts on where the trace is cut"
    assert len(result["steps"]) == min(last["seq"], limits.TRACE)


async def test_events_that_no_wait_can_take_are_seen(
    temporal: WorkflowEnvironment, shop: Shop, unique: str
) -> None:
    """During a call, what is above `max_pending` is dropped: the state, the details, the trace and the result say so."""
    release = shop.hang()
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {mail: {action: send, with: {to: x, data: 1}},"
        " listen: {wait_for: [{event: answered, when: event.amount == 1}], timeout: {after: 1s}}, done: {end: done}}}",
        shop,
    )
    with temporal.with_time_skipping_disabled():
        async with running(temporal.client, loaded, queue=unique) as runner:
            handle = await runner.start({**compiled(loaded), "max_pending": 3})
            while not shop.calls:
                await asyncio.sleep(0.02)
            await send(handle, [f"e{number}" for number in range(5)])
            state = await state_of(handle)
            release.set()
            result = await asyncio.wait_for(handle.result(), 20)
    assert (state["pending"], state["dropped"], result["dropped"]) == (3, 2, 2)
    (note,) = [
        record for record in result["steps"] if record["kind"] == "note" and "dropped" in record["result"]
    ]
    assert note["step"] == "mail"


def test_ids_are_known_for_as_long_as_is_promised() -> None:
    """The latest 50,000 ids are known again, over a passage too, in a text that leaves room for the rest."""
    inbox = Inbox(["a"], max_pending=100, remember=False)
    for number in range(limits.KNOWN_IDS + 10):
        assert not inbox.knows(f"e{number}")
    entry = parse_event(event("entered", {}, "entry"))
    saved = inbox.dump(entry)
    assert len(saved["known"]) < limits.CARRIED_BYTES / 3
    copy = Inbox(["a"], max_pending=100, remember=False)
    copy.load(saved, entry)
    assert copy.knows("e10")
    assert copy.knows(f"e{limits.KNOWN_IDS + 9}")
    assert not copy.knows("e9")
    while copy.shed():
        pass
    assert copy.knows(f"e{limits.KNOWN_IDS}"), "where room is short, the latest 10,000 are kept in any case"
    assert not copy.knows("e20")
