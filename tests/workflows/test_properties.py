"""Random journeys and random events, on the real server: what must hold of every instance, whatever it runs.

`SOJOURN_EXAMPLES=200` draws so many journeys, other ones each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn.contract import names
from sojourn.definitions import Project, load_texts
from sojourn.plugin import JourneyPlugin
from tests.workflows.drawing import NAMES, ORDERS, ROUNDS, Case, cases
from tests.workflows.profiles import Kept
from tests.workflows.support import EVENTS, Runner, Shop, compiled, finish, running, signal, state_of

KEY = "always-the-same"

TARGET = """\
journey: k
entry: {event: entered}
steps:
  done: {end: done}
"""


class Door:
    """Stands in the place of admission: it refuses a jump with the amount 9."""

    async def jump(self, _client: Any, _target: str, _key: str, _id: str, _time: Any, data: Any) -> Any:
        """Answer a jump."""
        if data["amount"] == 9:
            return {"effect": "refused", "reason": "reentry_refused", "message": "only once"}
        return {"effect": "started", "journey": "k", "version": 1}


def check_trace(case: Case, result: dict[str, Any]) -> None:
    """Check what must hold of every trace."""
    records = result["steps"]
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    assert all(record["duration"] >= 0 for record in records)
    visits: dict[str, int] = {}
    expected: str | None = "s0"
    endings = 0
    for record in records:
        if record["kind"] == "note":
            continue
        assert record["step"] == expected, "each step is the one that the step before named"
        if record["kind"] in ("exited", "timed_out"):
            endings += 1
            expected = None
            continue
        visits[record["step"]] = visits.get(record["step"], 0) + 1
        assert record["visit"] == visits[record["step"]]
        expected = record["next"]
    assert expected is None
    assert (endings == 1) == (result["outcome"] in ("exited", "timed_out"))
    # Waits that an event ended: no more than there were events, of each name, by their ids.
    ended = [record["result"] for record in records if record["kind"] == "wait_for"]
    first_named: dict[str, str] = {}
    for identity, name, _ in (one for burst in case.bursts for one in burst):
        first_named.setdefault(identity, name)
    for name in NAMES:
        assert ended.count(name) <= sum(1 for first in first_named.values() if first == name)


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without what differs from run to run."""
    records = [
        {field: record[field] for field in record if field not in ("at", "duration")}
        for record in result["steps"]
    ]
    return {field: result[field] for field in ("outcome", "text", "dropped")} | {"steps": records}


async def ended(temporal: WorkflowEnvironment, handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    """Return the result of an instance, also of one that fails."""
    try:
        return await finish(temporal, handle)
    except WorkflowFailureError as failure:
        cause = failure.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == names.ERROR_JOURNEY_FAILED, cause
    return dict(cause.details[0])


async def still(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until an instance does nothing but wait: what comes during a call could come behind it as well."""
    for _ in range(400):
        state = await state_of(handle)
        idle = state["waiting_for"] or state["until"] or state["status"] == "paused"
        if idle or (await handle.describe()).status != WorkflowExecutionStatus.RUNNING:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"the instance stands still at {state['step']}")


def check_history(history: WorkflowHistory) -> None:
    """Check that no timer is left behind: each has fired or was cancelled, also where the run ends with an exit."""
    started, over = set(), set()
    for one in history.events:
        if one.HasField("timer_started_event_attributes"):
            started.add(one.timer_started_event_attributes.timer_id)
        if one.HasField("timer_fired_event_attributes"):
            over.add(one.timer_fired_event_attributes.timer_id)
        if one.HasField("timer_canceled_event_attributes"):
            over.add(one.timer_canceled_event_attributes.timer_id)
    assert started == over


def load(case: Case, endpoints: str) -> Project:
    """Return the project of a case."""
    journey = yaml.safe_dump(case.journey, sort_keys=False)
    loaded = load_texts(
        {"events.yaml": EVENTS, "endpoints.yaml": endpoints, "journey.yaml": journey, "k.yaml": TARGET}
    )
    assert loaded.ok, "\n".join(map(str, loaded.problems))
    return loaded


def data_of(amount: int | None) -> dict[str, Any]:
    """Return an event's data; some have no amount."""
    return {"customerId": "c"} | ({} if amount is None else {"amount": amount})


async def play(
    temporal: WorkflowEnvironment, runner: Runner, case: Case, endpoints: str
) -> tuple[dict[str, Any], list[WorkflowHistory]]:
    """Run a case to its end; returns the result, and the history of each run of the instance."""
    loaded = load(case, endpoints)
    with temporal.with_time_skipping_disabled():
        handle = await runner.start(
            compiled(loaded), {"customerId": "c", "amount": 3}, key=KEY, event_id="entry"
        )
        await still(handle)
        for burst in case.bursts:
            for identity, name, amount in burst:
                if (await handle.describe()).status != WorkflowExecutionStatus.RUNNING:
                    break
                if name in ORDERS:
                    await handle.signal(name)
                else:
                    await signal(handle, name, data_of(amount), identity)
                # Each event in a task of its own, so that both runs see the same.
                await still(handle)
        with contextlib.suppress(RPCError):  # it has ended already
            await handle.signal("resume")
    result = await ended(temporal, handle)
    return result, await histories_of(temporal, handle)


async def play_at_once(
    temporal: WorkflowEnvironment, case: Case, endpoints: str, cached: int, kept: Kept
) -> tuple[dict[str, Any], list[WorkflowHistory]]:
    """Let all that is sent come before a worker does, so that one task brings it; returns as `play`."""
    loaded = load(case, endpoints)
    with temporal.with_time_skipping_disabled():
        queue = f"at-once-{uuid.uuid4().hex}"
        handle = await Runner(temporal.client, queue).start(
            compiled(loaded), {"customerId": "c", "amount": 3}, key=KEY, event_id="entry"
        )
        for identity, name, amount in (one for burst in case.bursts for one in burst):
            if name in ORDERS:
                await handle.signal(name)
            else:
                await signal(handle, name, data_of(amount), identity)
        await handle.signal("resume")
    async with running(temporal.client, loaded, queue=queue, cached=cached, profiles=kept, jumps=Door()):
        result = await ended(temporal, handle)
    return result, await histories_of(temporal, handle)


async def histories_of(
    temporal: WorkflowEnvironment, handle: WorkflowHandle[Any, Any]
) -> list[WorkflowHistory]:
    """Return the history of each run of an instance."""
    histories = []
    run: str | None = handle.first_execution_run_id
    while run:
        history = await temporal.client.get_workflow_handle(handle.id, run_id=run).fetch_history()
        histories.append(history)
        continued = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run = continued.new_execution_run_id or None
    return histories


EXAMPLES = int(os.environ.get("SOJOURN_EXAMPLES", "9"))
RANDOM = settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES == 9,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def endpoints() -> Iterator[str]:
    """A source and two actions, one of them throttled; what asks for `bad` gets an error."""
    shop = Shop(
        answers=lambda call: (404 if "bad" in f"{call['path']} {call['body']}" else 200, {"ok": True})
    )
    base = f"http://127.0.0.1:{shop.port}"
    yield f"""{shop.endpoints()}---
action: slowly
method: POST
url: {base}/slowly
throttle: {{calls: 200, per: 1s}}
parameters: {{to: {{type: string}}, data: {{}}}}
body: {{to: "${{to}}", data: "${{data}}"}}
"""
    shop.close()


def differs_by_chance(case: Case) -> bool:
    """Say whether two runs of a journey may differ: where it draws, or goes by the time of day."""
    steps = case.journey["steps"].values()
    return any(
        step.get("split", {}).get("by") == "random"
        or "time_condition" in step
        or "until_time" in step.get("wait", {})
        for step in steps
    )


def drawn_cases() -> list[Case]:
    """Draw the cases of a run of the tests."""
    drawn: list[Case] = []

    @RANDOM
    @given(cases())
    @example(ROUNDS)
    def draw(case: Case) -> None:
        drawn.append(case)

    draw()
    assert len(drawn) == EXAMPLES + 1
    return drawn


async def check(case: Case, played: list[tuple[dict[str, Any], list[WorkflowHistory]]]) -> None:
    """Check what must hold of an instance that was played several times."""
    replayer = Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)])
    for result, histories in played:
        check_trace(case, result)
        for history in histories:
            check_history(history)
            await replayer.replay_workflow(history)
    if not differs_by_chance(case):
        first, *others = [without_times(result) for result, _ in played]
        assert all(other == first for other in others), yaml.safe_dump(case.journey)


async def test_random_journeys_hold_what_every_journey_promises(
    temporal: WorkflowEnvironment, kept: Kept, endpoints: str
) -> None:
    """They end, twice with the same trace, once replayed at each task; each history replays; no event counts twice."""
    empty = load_texts({"events.yaml": EVENTS, "endpoints.yaml": endpoints})
    async with (
        running(temporal.client, empty, profiles=kept, jumps=Door()) as cached,
        running(temporal.client, empty, cached=0, profiles=kept, jumps=Door()) as replayed,
    ):
        for case in drawn_cases():
            played = []
            for runner in (cached, replayed):
                await kept.erase(KEY)
                played.append(await play(temporal, runner, case, endpoints))
            await check(case, played)


async def test_the_same_holds_where_one_task_brings_all_events(
    temporal: WorkflowEnvironment, kept: Kept, endpoints: str
) -> None:
    """Events, exits and pauses that came before a worker did have the order in which they came, each time."""
    for case in drawn_cases():
        played = []
        for cached in (1000, 0):
            await kept.erase(KEY)
            played.append(await play_at_once(temporal, case, endpoints, cached, kept))
        await check(case, played)
