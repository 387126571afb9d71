"""What an instance carries over: runs of every release's state continue in the code of today."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio import workflow
from temporalio.common import TypedSearchAttributes

from sojourn.workflows.engine import limits, snapshot
from sojourn.workflows.engine.endings import StepError, TooManyVisits
from sojourn.workflows.engine.instance import Instance
from sojourn.workflows.engine.state import State
from sojourn.workflows.start import parse_start

CARRIED = Path(__file__).parent / "carried"
RECORDS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(CARRIED.rglob("*.json"))}


def scenario_start() -> dict[str, Any]:
    """Return the recorded start input of a scenario, whose clock asks nothing of Temporal."""
    start: dict[str, Any] = copy.deepcopy(RECORDS["scenario"]["next_start"])
    return start


def loaded(start: dict[str, Any]) -> State:
    """Return the state that a run with this start input begins with."""
    return State(parse_start(json.loads(json.dumps(start))))


@pytest.fixture
def outside_temporal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let instances be made outside a workflow, at the moment of the records."""
    info = SimpleNamespace(
        typed_search_attributes=TypedSearchAttributes([]),
        workflow_id="j-ann-1",
        workflow_start_time=datetime(2026, 5, 1, 9, 30, tzinfo=UTC),
    )
    monkeypatch.setattr(workflow, "info", lambda: info)
    monkeypatch.setattr(workflow, "now", lambda: datetime(2026, 5, 1, 9, 30, 5, 123456, tzinfo=UTC))


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
@pytest.mark.usefixtures("outside_temporal")
def test_a_recorded_state_is_read_whole(record: dict[str, Any]) -> None:
    """A run that begins with it answers queries as recorded, and would carry over the same."""
    instance = Instance(parse_start(json.loads(json.dumps(record["next_start"]))))
    assert json.loads(json.dumps(snapshot.take(instance), default=str)) == record["state"]
    carried = instance.state.carry()
    assert json.loads(json.dumps(carried)) == record["next_start"]


def test_types_survive() -> None:
    """Timestamps and durations come back as such, and a wait keeps its moment."""
    state = loaded(scenario_start())
    assert state.results["compute"]["length"] == timedelta(hours=2)
    assert state.results["compute"]["at"].tzinfo is not None
    assert list(state.results["compute"]["z"]) == ["b", "a"]
    assert state.position.waits
    assert state.position.until == state.position.began + timedelta(hours=3)  # type: ignore[operator]
    assert state.inbox.knows("e0")
    assert state.inbox.knows("e5")
    assert not state.inbox.knows("e6")


def test_states_of_releases_before_profiles_operations_and_lengths_are_read() -> None:
    """They have no undecided events, `paused` is a boolean, and a position has no length."""
    start = scenario_start()
    del start["state"]["undecided"], start["state"]["position"]["length"]
    start["state"]["paused"] = True
    state = loaded(start)
    assert not state.undecided
    assert state.position.length is None
    assert state.pauses.reasons == ["instance"]


@pytest.mark.parametrize("field", sorted(RECORDS["scenario"]["next_start"]["state"]))
def test_every_field_is_carried(field: str) -> None:
    """A field that a run is started with is in what it carries over, as it was: none is lost on the way."""
    start = scenario_start()
    assert json.loads(json.dumps(loaded(start).next_start()))["state"][field] == start["state"][field]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
RESULTS = st.dictionaries(
    st.sampled_from(["listen", "again", "done"]),
    JSON
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(min_value=timedelta(days=-999), max_value=timedelta(days=999)),
)


@given(
    results=RESULTS,
    visits=st.lists(st.sampled_from(["compute", "listen", "again"]), max_size=8),
    notes=st.lists(st.text(max_size=10), max_size=25),
    failing=st.booleans(),
)
def test_whatever_an_instance_did_survives_a_new_run(
    results: dict[str, Any], visits: list[str], notes: list[str], failing: bool
) -> None:
    """Loading what was dumped gives the same state again, after any steps, results, notes and errors."""
    state = loaded(scenario_start())
    state.approach("compute")
    for step in visits:
        state.approach(step)
        state.come_to(step, "set")
        state.leave("set", "set", "listen")
    for step, result in results.items():
        state.keep(step, result)
    for note in notes:
        state.note(note)
    if failing:
        state.fail("again", StepError("network", "no answer", body=results))
    again = loaded(state.next_start())
    assert again.next_start() == state.next_start()
    assert {step: again.results[step] for step in results} == results
    assert again.last_error == state.last_error
    assert again.trace.count == state.trace.count
    assert again.position == state.position


def test_a_visit_under_way_is_not_counted_again() -> None:
    """A continued run is at the same visit; the next time at the step is a new one."""
    state = loaded(scenario_start())
    began = state.position.began
    assert not state.come_to("listen", "wait_for")
    assert (state.position.visit, state.position.began) == (1, began)
    state.leave("wait_for", "timeout", "listen")
    assert state.come_to("listen", "wait_for")
    assert state.position.visit == 2
    assert not state.position.waits


def test_a_step_can_be_visited_only_so_often() -> None:
    """The visit beyond the limit is refused, and is the one that is recorded."""
    start = scenario_start()
    start["definition"]["max_visits"] = 1
    state = loaded(start)
    state.leave("wait_for", "timeout", "compute")
    with pytest.raises(TooManyVisits, match="more than 1 times") as caught:
        state.come_to("compute", "set")
    assert caught.value.code == "refused"
    assert state.position.visit == 2


def test_notes_are_bounded_and_counted() -> None:
    """The trace takes 20 of them, in all runs together."""
    state = loaded(scenario_start())
    for number in range(15):
        state.note(f"note {number}")
    state = loaded(state.next_start())
    for number in range(15):
        state.note(f"later {number}")
    assert state.notes == 31
    assert sum(record["kind"] == "note" for record in state.trace.entries) == 20


def test_what_is_carried_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the bound the oldest makes room; if nothing is left that could, there is no new run."""
    start = scenario_start()
    state = loaded(start)
    for number in range(900):
        state.approach("compute")
        state.come_to("compute", "set")
        state.leave("set", f"{number} {'x' * 250}", "listen")
    monkeypatch.setattr(limits, "CARRIED_BYTES", 60_000)
    carried = state.carry()
    assert carried is not None
    kept = carried["state"]["trace"]
    assert limits.TRACE_KEPT <= len(kept) < 200
    assert kept[-1]["seq"] == carried["state"]["trace_count"]
    monkeypatch.setattr(limits, "CARRIED_BYTES", 1_000)
    assert state.carry() is None
    assert not state.undecided


@pytest.mark.parametrize("value", [float("inf"), float("nan"), {"a": [float("-inf")]}, int, {1: object()}])
def test_a_result_that_cannot_be_carried_is_refused(value: Any) -> None:
    """With the code that its step gives, and nothing of it is kept."""
    state = loaded(scenario_start())
    with pytest.raises(StepError, match="cannot be kept") as caught:
        state.keep("again", value, "expression")
    assert caught.value.code == "expression"
    assert "again" not in state.results
