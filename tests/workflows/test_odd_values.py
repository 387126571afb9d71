"""Values, messages and definitions that are odd: each ends or passes in a way that was thought of.

The tests' workers let an unexpected exception fail the workflow; on a host's worker it would fail one workflow task
again and again, for ever.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.expressions import EvaluationError, compile_template
from sojourn.workflows.engine.values import pack, unpack, weight
from tests.workflows.support import Shop, compiled, event, failure, project, running, signal, steps

BASE = """
journey: j
entry: {event: entered}
timeout: 10d
steps:
  odd: {set: {x: 1}}
  nap: {wait: {for: 1h}}
  mail: {action: send, with: {to: x, data: 1}, on_error: wrong}
  done: {end: done}
  wrong: {end: "${journey.last_error.code}"}
"""


async def run(
    temporal: WorkflowEnvironment, shop: Shop, change: dict[str, dict[str, Any]], data: dict[str, Any]
) -> Any:
    """Run the journey with some of its steps changed; return its handle."""
    loaded = project(BASE, shop)
    definition = copy.deepcopy(compiled(loaded))
    for name, fields in change.items():
        definition["steps"][name] |= fields
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(definition, {"customerId": "ann@example.com", **data})
        try:
            return await handle.result()
        except Exception:
            return (await failure(handle)).details[0]


@pytest.mark.parametrize(
    "data",
    [
        "${now}",
        '${duration("2h")}',
        "${ {2: 'a', true: 'b', 'c': null} }",
        "${type(1)}",
        "${9223372036854775807}",
        "${'\\ud800'}",
    ],
)
async def test_parameters_reach_the_call_as_plain_json(
    temporal: WorkflowEnvironment, shop: Shop, data: str
) -> None:
    """Timestamps, durations, keys that are no text: what expressions give is sent as JSON has it."""
    if "ud800" in data:
        data = "${entry.text}"
    result = await run(
        temporal, shop, {"mail": {"with": {"to": "x", "data": data}}}, {"text": "x\u2028 é 💥"}
    )
    assert result["text"] == "done"
    assert shop.calls[0]["body"]["data"] is not None


@pytest.mark.parametrize("data", ['${double("NaN")}', '${[double("Infinity")]}'])
async def test_parameters_that_json_cannot_hold_are_an_error_of_the_step(
    temporal: WorkflowEnvironment, shop: Shop, data: str
) -> None:
    """Nothing is sent, and the error path is taken."""
    result = await run(temporal, shop, {"mail": {"with": {"to": "x", "data": data}}}, {})
    assert result["text"] == "expression"
    assert not shop.calls


async def test_parameters_too_large_for_a_payload_are_an_error_of_the_step(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """What Temporal would not take is not handed to it."""
    many = "${[" + ",".join(["entry.text"] * 40) + "]}"
    result = await run(temporal, shop, {"mail": {"with": {"to": "x", "data": many}}}, {"text": "é" * 10_000})
    assert result["text"] == "expression"
    assert not shop.calls


@pytest.mark.parametrize(
    ("step", "fields", "says"),
    [
        ("odd", {"values": {"x": '${double("NaN")}'}}, "cannot be kept"),
        ("odd", {"values": {"x": "${type(1)}"}}, "cannot be kept"),
        ("nap", {"for": '${double("NaN")}'}, "expected a duration"),
        ("nap", {"for": "${entry}"}, "expected a duration"),
        ("done", {"outcome": '${[double("NaN")]}'}, "steps.done.end"),
    ],
)
async def test_values_of_no_use_fail_the_step_and_not_the_task(
    temporal: WorkflowEnvironment, shop: Shop, step: str, fields: dict[str, Any], says: str
) -> None:
    """The instance fails with the place, without the customer's data."""
    result = await run(temporal, shop, {step: fields}, {})
    assert result["outcome"] == "failed"
    assert result["error"]["step"] == step
    assert result["error"]["code"] == "expression"
    assert says in result["error"]["message"]
    assert "ann@" not in str(result["error"])


@pytest.mark.parametrize(
    "fields",
    [
        {"for": "${1e300}"},
        {"for": '${double("Infinity")}'},
        {"for": '${duration("2500000h")}'},
        {"for": '${duration("2160h") + duration("1us")}'},
        {"for": None, "until": '${timestamp("9999-12-31T23:59:59Z")}'},
        {"for": None, "until": "9999-12-31T23:59:59-01:00"},
    ],
)
async def test_waits_longer_than_allowed_are_errors(
    temporal: WorkflowEnvironment, shop: Shop, fields: dict[str, Any]
) -> None:
    """No length overflows the calendar: more than 90 days are an error of the step, and so is a text that is no time."""
    loaded = project(BASE, shop)
    definition = copy.deepcopy(compiled(loaded))
    nap = definition["steps"]["nap"] | fields
    definition["steps"]["nap"] = {field: value for field, value in nap.items() if value is not None}
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(definition)
        error = (await failure(handle)).details[0]["error"]
    assert (error["step"], error["code"]) == ("nap", "expression")
    assert "90 days" in error["message"] or "9999" in error["message"]


@pytest.mark.parametrize("length", [0, "${-5}", '${duration("-1h")}', "until"])
async def test_waits_that_are_over_cost_no_timer(
    temporal: WorkflowEnvironment, shop: Shop, length: object
) -> None:
    """Zero, negative and past: the wait is over at once."""
    loaded = project(BASE, shop)
    definition = copy.deepcopy(compiled(loaded))
    nap = definition["steps"]["nap"]
    if length == "until":
        del nap["for"]
        nap["until"] = "0001-01-01T00:00:00Z"
    else:
        nap["for"] = length
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(definition)
        assert (await handle.result())["text"] == "done"
        started = [
            one
            async for one in handle.fetch_history_events()
            if one.HasField("timer_started_event_attributes")
        ]
    assert not started


async def test_an_outcome_is_bounded_and_stays_out_of_trace_and_details(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """A text of a megabyte would not fit into the result, and may be a customer's data."""
    result = await run(temporal, shop, {"done": {"outcome": "${entry.text}"}}, {"text": "secret " * 15_000})
    assert len(result["text"]) == 1000
    assert result["text"].startswith("secret secret")
    assert "secret" not in str(result["steps"])


async def test_the_reason_of_an_exit_is_bounded(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Whatever an operator pastes, the instance ends."""
    loaded = project(BASE, shop)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await handle.signal("exit", "x" * 1_200_000)
            result = await handle.result()
    assert result["outcome"] == "exited"
    assert len(result["text"]) == 1000


@pytest.mark.parametrize(
    "change",
    [
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": "9999-12-31T23:59:59-14:00"},
        {"data": "x" * 1_000_000},
        {"id": "x" * 1_000_000},
        {"data": "deep"},
    ],
    ids=["early", "late", "large", "large-id", "deep"],
)
async def test_events_that_no_instance_can_carry_are_noted_and_ignored(
    temporal: WorkflowEnvironment, change: dict[str, Any]
) -> None:
    """A signal that did not come through the API harms nothing, however strange it is."""
    if change.get("data") == "deep":
        nested: Any = []
        for _ in range(600):
            nested = [nested]
        change = {"data": nested}
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {listen: {wait_for: [{event: answered}]}}}"
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await handle.signal("event", event("answered", {}) | change)
            await signal(handle, "answered")
            result = await handle.result()
    assert [record["kind"] for record in result["steps"]] == ["note", "wait_for"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"first": "nowhere"}, "nowhere"),
        ({"steps": []}, "cannot be run"),
        ({"steps": {"odd": {"kind": "dance"}}}, "dance"),
        ({"steps": {"odd": {"kind": "set", "next": None}}}, "lacks `values`"),
        ({"steps": {"odd": {"kind": "set", "values": {}, "next": "gone"}}}, "gone"),
        ({"steps": {"odd": {"kind": "end", "outcome": "${1 +}"}}}, "cannot be run"),
        (
            {"steps": {"odd": {"kind": "condition", "branches": [{"when": "1 +", "next": None}]}}},
            "cannot be run",
        ),
        ({"steps": {"odd": {"kind": "fetch", "endpoint": "gone", "with": {}, "next": None}}}, "gone"),
        ({"exit_when": [{"event": "other", "when": ")"}]}, "cannot be run"),
        ({"timezone": "${1 +}"}, "cannot be run"),
        ({"steps": {"odd": {"kind": "wait", "next": None}}}, "until"),
        ({"steps": {"odd": {"kind": "wait", "until_time": "9:00", "next": None}}}, "until_time"),
        ({"steps": {"odd": {"kind": "wait", "until_time": "09:00", "on": ["Mon"], "next": None}}}, "days"),
        ({"steps": {"odd": {"kind": "time_condition", "hours": [[540, 540]], "next": None}}}, "hours"),
        ({"steps": {"odd": {"kind": "time_condition", "hours": ["09:00"], "next": None}}}, "cannot be run"),
        ({"steps": {"odd": {"kind": "time_condition", "from": "2026-2-1", "next": None}}}, "cannot be run"),
        ({"steps": {"odd": {"kind": "time_condition", "to": "20260201", "next": None}}}, "to"),
        ({"timeout": 1e300}, "timeout"),
    ],
)
async def test_a_definition_that_cannot_run_fails_at_once(
    temporal: WorkflowEnvironment, shop: Shop, change: dict[str, Any], says: str
) -> None:
    """Started by hand or by a newer API: the failure says what is wrong, and no task fails for ever."""
    loaded = project(BASE, shop)
    async with running(temporal.client, loaded) as runner:
        error = await failure(await runner.start(compiled(loaded) | change))
    assert error.type == "sojourn.BadInput"
    assert says in error.message


async def test_keys_of_any_kind_run(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """A profile key of a thousand characters, or in any script, is a key like others."""
    loaded = project(BASE, shop)
    async with running(temporal.client, loaded) as runner:
        for key in ("k" * 1000, "客户 💥\n", "\x00", "a:b/c?d"):
            result = await (await runner.start(compiled(loaded), key=key)).result()
            assert result["profile"] == key
            assert steps(result) == ["odd", "nap", "mail", "done"]


@pytest.mark.parametrize(
    "text", ["${ {2: 'a', 1: 'b'} }", "${ {true: 1, 'x': 2} }", "${ {'b': 1, 'a': {'d': 1, 'c': 2}} }"]
)
def test_maps_keep_keys_and_order_over_a_passage(text: str) -> None:
    """JSON knows text keys only, and the converter sorts them: an expression would see another map behind it."""
    import json

    value = compile_template(text).evaluate({})
    again = unpack(json.loads(json.dumps(pack(value), sort_keys=True)))
    assert again == value
    assert str(again) == str(value)


def test_what_cannot_be_carried_is_refused() -> None:
    """Not at the passage, where it would be too late."""
    for value in (float("nan"), [float("inf")], {"x": compile_template("${type(1)}").evaluate({})}):
        with pytest.raises(EvaluationError):
            pack(value)


def test_weights_are_those_of_the_default_converter() -> None:
    """Bounds count bytes of the payload, not characters."""
    from temporalio.converter import default

    for value in ("é" * 100, "💥", {"客": ["\x01", 1.5, None]}):
        assert weight(value) == len(default().payload_converter.to_payload(value).data)
