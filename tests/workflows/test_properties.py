"""Random journeys and random events, on the real server: what must hold of every instance, whatever it runs.

`SOJOURN_EXAMPLES=200` draws so many journeys, other ones each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle, WorkflowHistory
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn import names
from sojourn.definitions import load_texts
from sojourn.plugin import JourneyPlugin
from tests.workflows.profiles import Kept
from tests.workflows.support import EVENTS, Runner, Shop, compiled, finish, running, signal, state_of

KEY = "always-the-same"
KINDS = (
    *("wait_for", "set", "wait_for", "condition", "split", "wait", "wait_for", "update_profile"),
    *("time_condition", "until_time", "fetch", "action", "throttled"),
)
NAMES = ("answered", "other")
ORDERS = ("pause", "resume")
CONDITIONS = (
    "default(event.amount, 0) > 2",
    "event.amount == entry.amount",
    'size(events) > 1 && has(event.amount) && event.amount > 0',
    "default(event.amount, 0) > default(profile.visits, 0)",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A journey, and what is sent to its instance: bursts of (event id, name, amount)."""

    journey: dict[str, Any]
    bursts: list[list[tuple[str, str, int | None]]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a journey that is valid by construction.

    Steps lead forward only, but for one way back that passes a wait: from the last wait to a step before it. So every
    cycle has a wait in it, and each step is reached by falling through from the one before.
    """
    kinds = draw(
        st.lists(
            st.sampled_from(KINDS),
            min_size=2,
            max_size=14,
        )
    )
    ids = [f"s{index}" for index in range(len(kinds))] + ["last"]
    steps: dict[str, Any] = {}
    for index, kind in enumerate(kinds):
        ahead = ids[index + 1 :]
        # Always also a path to the next step, so that every step is reached.
        steps[ids[index]] = _step(draw, kind, ahead[0], st.sampled_from(ahead), ids[: index + 1])
    steps["last"] = {"end": "${string(size(steps))} ${events['entered'].amount}"}
    journey = {"journey": "j", "entry": {"event": "entered"}, "timeout": "40d", "steps": steps}
    if draw(st.booleans()):
        when = draw(
            st.sampled_from(["event.amount == 9", "event.amount == 9 && default(profile.visits, 0) > 0"])
        )
        journey["exit_when"] = [{"event": "other", "when": when}]
    # Few ids, so that many are sent again; the same id is always the same event.
    pool = [
        (f"e{number}", draw(st.sampled_from(NAMES)), draw(st.sampled_from([1, 3, 5, None, 0, 9])))
        for number in range(5)
    ]
    pool += [(order, order, None) for order in ORDERS]
    burst = st.lists(st.sampled_from(pool), min_size=2, max_size=6)
    return Case(journey, draw(st.lists(burst, min_size=1, max_size=4)))


ROUNDS = Case(
    {
        "journey": "j",
        "entry": {"event": "entered"},
        "steps": {
            "s0": {
                "wait_for": [{"event": "answered", "next": "s0"}, {"event": "other", "next": "last"}],
                "since": "entry",
                "timeout": {"after": "1h", "next": "last"},
            },
            "last": {"end": "${size(events)}"},
        },
    },
    [[(f"e{number}", "answered", number) for number in range(14)], [("e0", "answered", 0)] * 3],
)
"""Enough events for several runs of one instance, and then the first of them again."""


def _step(
    draw: st.DrawFn, kind: str, following: str, ahead: st.SearchStrategy[str], behind: list[str]
) -> dict[str, Any]:
    if kind == "update_profile":
        visits = draw(st.sampled_from(["${default(profile.visits, 0) + 1}", "${entry.amount}", None]))
        return {"update_profile": {"visits": visits}}
    if kind == "set":
        return {
            "set": {
                "n": draw(st.sampled_from(["${now}", "${entry.amount}", "text", "${events}", "${profile}"]))
            }
        }
    if kind == "condition":
        when = draw(
            st.sampled_from(
                [
                    "entry.amount > 2",
                    "size(steps) > 1",
                    "now > journey.entered_at",
                    "default(profile.visits, 0) > 1",
                ]
            )
        )
        return {"condition": [{"when": when, "next": draw(ahead)}], "else": following}
    if kind == "split":
        branches = [{"share": 30, "next": draw(ahead)}, {"share": 70, "next": following}]
        return {"split": {"branches": branches, "by": draw(st.sampled_from(["profile", "random"]))}}
    if kind in ("time_condition", "until_time", "wait"):
        return _timed(draw, kind, following, ahead)
    if kind in ("fetch", "action", "throttled"):
        return _calling(draw, kind, ahead)
    listens = [{"event": name, "next": draw(ahead)} for name in draw(st.sampled_from([NAMES, NAMES[:1]]))]
    for listen in listens:
        if draw(st.booleans()):
            listen["when"] = draw(st.sampled_from(CONDITIONS))
    extra = draw(st.sampled_from(["none", "restart", "back"]))
    if extra == "restart" and len(listens) > 1:
        listens[0] = {"event": listens[0]["event"], "restart": True}
    if extra == "back":
        listens[0]["next"] = draw(st.sampled_from(behind))
    step = {
        "wait_for": listens,
        "timeout": {"after": draw(st.sampled_from(["1h", "5d"])), "next": following},
    }
    return step | ({"since": "entry"} if draw(st.booleans()) else {})


def _timed(draw: st.DrawFn, kind: str, following: str, ahead: st.SearchStrategy[str]) -> dict[str, Any]:
    if kind == "time_condition":
        window = draw(
            st.sampled_from(
                [
                    {"hours": "22:00-06:00"},
                    {"days": ["mon", "tue", "sat"]},
                    {"hours": "08:00-12:00", "days": ["fri"]},
                ]
            )
        )
        return {"time_condition": window, "next": draw(ahead), "else": following}
    if kind == "until_time":
        days = draw(st.sampled_from([{}, {"on": ["mon", "thu"]}]))
        return {"wait": {"until_time": draw(st.sampled_from(["09:00", "02:30"])), **days}}
    return {"wait": {"for": draw(st.sampled_from(["1h", "2h", "3d"]))}}


def _calling(draw: st.DrawFn, kind: str, ahead: st.SearchStrategy[str]) -> dict[str, Any]:
    # Some of these answer with an error.
    amount = draw(st.sampled_from(["${entry.amount}", "bad"]))
    error = {"on_error": draw(ahead)} if draw(st.booleans()) else {}
    if kind == "fetch":
        return {"fetch": "crm", "with": {"id": amount if amount == "bad" else "good"}, **error}
    name = "send" if kind == "action" else "slowly"
    return {"action": name, "with": {"to": "x", "data": amount}, **error}


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


async def play(
    temporal: WorkflowEnvironment, runner: Runner, case: Case, endpoints: str
) -> tuple[dict[str, Any], list[WorkflowHistory]]:
    """Run a case to its end; returns the result, and the history of each run of the instance."""
    loaded = load_texts(
        {
            "events.yaml": EVENTS,
            "endpoints.yaml": endpoints,
            "journey.yaml": yaml.safe_dump(case.journey, sort_keys=False),
        }
    )
    assert loaded.ok, "\n".join(map(str, loaded.problems))
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
                    data = {"customerId": "c"} | ({} if amount is None else {"amount": amount})
                    await signal(handle, name, data, identity)
                # Each event in a task of its own, so that both runs see the same.
                await still(handle)
        with contextlib.suppress(RPCError):  # it has ended already
            await handle.signal("resume")
    result = await ended(temporal, handle)
    histories = []
    run: str | None = handle.first_execution_run_id
    while run:
        history = await temporal.client.get_workflow_handle(handle.id, run_id=run).fetch_history()
        histories.append(history)
        continued = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run = continued.new_execution_run_id or None
    return result, histories


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


async def test_random_journeys_hold_what_every_journey_promises(
    temporal: WorkflowEnvironment, kept: Kept, endpoints: str
) -> None:
    """They end, twice with the same trace, once replayed at each task; each history replays; no event counts twice."""
    drawn: list[Case] = []

    @RANDOM
    @given(cases())
    @example(ROUNDS)
    def draw(case: Case) -> None:
        drawn.append(case)

    draw()
    assert len(drawn) == EXAMPLES + 1
    empty = load_texts({"events.yaml": EVENTS, "endpoints.yaml": endpoints})
    replayer = Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)])
    async with (
        running(temporal.client, empty, profiles=kept) as cached,
        running(temporal.client, empty, cached=0, profiles=kept) as replayed,
    ):
        for case in drawn:
            results = []
            for runner in (cached, replayed):
                await kept.erase(KEY)
                result, histories = await play(temporal, runner, case, endpoints)
                check_trace(case, result)
                results.append(without_times(result))
                for history in histories:
                    check_history(history)
                    await replayer.replay_workflow(history)
            if not differs_by_chance(case):
                assert results[0] == results[1], yaml.safe_dump(case.journey)
