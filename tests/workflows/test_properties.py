"""Random journeys and random events, on the real server: what must hold of every instance, whatever it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn.definitions import load_texts
from sojourn.plugin import JourneyPlugin
from tests.workflows.profiles import Kept
from tests.workflows.support import EVENTS, Runner, compiled, finish, running, signal, state_of

KEY = "always-the-same"
NAMES = ("answered", "other")
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
            st.sampled_from(
                ["wait_for", "set", "wait_for", "condition", "split", "wait", "wait_for", "update_profile"]
            ),
            min_size=3,
            max_size=9,
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
    if kind == "wait":
        return {"wait": {"for": draw(st.sampled_from(["1h", "2h", "3d"]))}}
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


async def play(temporal: WorkflowEnvironment, runner: Runner, case: Case) -> tuple[dict[str, Any], list[Any]]:
    """Run a case to its end; returns the result, and the history of each run of the instance."""
    loaded = load_texts(
        {"events.yaml": EVENTS, "journey.yaml": yaml.safe_dump(case.journey, sort_keys=False)}
    )
    assert loaded.ok, "\n".join(map(str, loaded.problems))
    with temporal.with_time_skipping_disabled():
        handle = await runner.start(
            compiled(loaded), {"customerId": "c", "amount": 3}, key=KEY, event_id="entry"
        )
        await state_of(handle)
        for burst in case.bursts:
            for identity, name, amount in burst:
                if (await handle.describe()).status == WorkflowExecutionStatus.RUNNING:
                    data = {"customerId": "c"} | ({} if amount is None else {"amount": amount})
                    await signal(handle, name, data, identity)
                # Each event in a task of its own, so that both runs see the same.
                await state_of(handle)
    result = await finish(temporal, handle)
    histories = []
    run: str | None = handle.first_execution_run_id
    while run:
        history = await temporal.client.get_workflow_handle(handle.id, run_id=run).fetch_history()
        histories.append(history)
        continued = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run = continued.new_execution_run_id or None
    return result, histories


RANDOM = settings(
    max_examples=9,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


async def test_random_journeys_hold_what_every_journey_promises(
    temporal: WorkflowEnvironment, kept: Kept
) -> None:
    """They end, twice with the same trace, once replayed at each task; each history replays; no event counts twice."""
    drawn: list[Case] = []

    @RANDOM
    @given(cases())
    @example(ROUNDS)
    def draw(case: Case) -> None:
        drawn.append(case)

    draw()
    assert len(drawn) == 10
    empty = load_texts({"events.yaml": EVENTS})
    async with (
        running(temporal.client, empty, profiles=kept) as cached,
        running(temporal.client, empty, cached=0, profiles=kept) as replayed,
    ):
        for case in drawn:
            random = any(
                step.get("split", {}).get("by") == "random" for step in case.journey["steps"].values()
            )
            await kept.erase(KEY)
            result, histories = await play(temporal, cached, case)
            check_trace(case, result)
            await kept.erase(KEY)
            again, _ = await play(temporal, replayed, case)
            check_trace(case, again)
            if not random:
                assert without_times(again) == without_times(result)
            replayer = Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)])
            for history in histories:
                await replayer.replay_workflow(history)
