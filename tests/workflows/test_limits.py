"""Instances at their bounds: full to the brim, they go on in a new run all the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.workflows.engine import limits
from sojourn.workflows.engine.inbox import Inbox
from sojourn.workflows.engine.messages import parse_event
from tests.workflows.support import (
    Shop,
    compiled,
    event,
    finish,
    fire,
    project,
    running,
    signal,
    state_of,
    until_waiting,
)

FULL = """
journey: j
entry: {event: entered}
steps:
  again: {set: {n: "${default(steps.again.n, 0) + 1}"}}
  round:
    condition: [{when: steps.again.n < 600, next: breath}]
    else: fetched
  breath: {wait: {until: "${journey.entered_at}"}, next: again}
  fetched: {fetch: crm, with: {id: a}, on_error: lost}
  nap: {wait: {for: 1h}}
  sent: {action: send, with: {to: x, data: 1}, on_error: lost}
  listen:
    wait_for: [{event: answered, when: event.amount == 99}, {event: other, when: event.amount == 99}]
    since: entry
    timeout: {after: 1d, next: last}
  last:
    wait_for: [{event: answered, when: event.amount == 1}]
    timeout: {after: 1d, next: late}
  done: {end: "${size(steps.fetched.body.text)} ${size(entry.customerId)} ${steps.again.n}"}
  late: {end: late}
  lost: {end: "${journey.last_error.code}"}
"""


async def test_a_full_instance_goes_on_in_a_new_run(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """With a result, events, a trace and an entry event at their bounds, in a script that JSON writes six times as long."""
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    def answer(call: dict[str, Any]) -> tuple[int, Any]:
        if call["method"] == "GET":
            return 200, {"text": "é" * 80_000}
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)
        return 200, {"ok": True}

    shop.answers = answer
    loaded = project(FULL, shop)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            entry = {"customerId": "é" * 64_000}
            handle = await runner.start(compiled(loaded) | {"max_visits": 10_000}, entry)
            await until_waiting(handle, "nap")
            # Only remembered, for `since: entry`.
            for number in range(4):
                await signal(handle, "other", {"amount": number, "text": "é" * 10_000})
        await fire(temporal, handle)
        with temporal.with_time_skipping_disabled():
            while not any(call["method"] == "POST" for call in shop.calls):
                await asyncio.sleep(0.02)
            # 100 pending events of 2.5 kB, and then some.
            for number in range(110):
                await signal(handle, "answered", {"amount": 0, "text": "é" * 400}, f"p{number}")
            release.set()
            await until_waiting(handle, "listen")
            for number in range(30):
                await signal(handle, "answered", {"amount": 0}, f"q{number}")
                await state_of(handle)
            assert (await handle.describe()).run_id != handle.first_execution_run_id
        await fire(temporal, handle)
        with temporal.with_time_skipping_disabled():
            await until_waiting(handle, "last")
            await signal(handle, "answered", {"amount": 1})
            result = await asyncio.wait_for(handle.result(), 20)
    assert result["text"] == "80000 64000 600"
    assert result["dropped"] == 10


def test_what_is_carried_is_bounded_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """An inbox lets go of half of its oldest at a time, and says when nothing is left to let go of."""
    inbox = Inbox(["a", "b"], max_pending=100, remember=True)
    for number in range(40):
        inbox.put(parse_event(event("ab"[number % 2], {"n": number}, f"e{number}")))
        if number < 20:
            inbox.take()
    rounds = 0
    while inbox.shed():
        rounds += 1
    assert rounds < 15
    assert len(inbox) == 1
    assert inbox.dropped == 19
    assert inbox.take().data == {"n": 20}  # type: ignore[union-attr]
    assert limits.CARRIED_BYTES < 2 * 1024 * 1024


def test_the_latest_events_keep_their_order_over_a_passage() -> None:
    """The oldest makes room first, in the next run too, whatever its name."""
    import json

    entry = parse_event(event("entered", {"n": 0}, "entry"))
    inbox = Inbox(["a", "b", "z"], max_pending=100, remember=False)
    inbox.note(entry)
    for name in ("z", "b", "a"):
        inbox.note(parse_event(event(name, {"text": "x" * 1000}, name)))
    saved = json.loads(json.dumps(inbox.dump(entry), sort_keys=True))
    copy = Inbox(["a", "b", "z"], max_pending=100, remember=False)
    copy.load(saved, entry)
    assert list(copy.latest) == ["entered", "z", "b", "a"]
    assert copy.latest == inbox.latest


BUSY = """
journey: j
entry: {event: entered}
steps:
  fetched: {fetch: crm, with: {id: a}, on_error: lost}
  again: {set: {n: "${default(steps.again.n, 0) + 1}"}}
  round:
    condition: [{when: steps.again.n < 1000, next: breath}]
    else: done
  breath: {wait: {until: "${journey.entered_at}"}, next: again}
  done: {end: "${steps.again.n}"}
  lost: {end: lost}
"""


async def test_many_steps_without_a_pause_do_not_block_the_worker(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """A loop whose waits are over at once makes thousands of steps in one go, also beside a large result."""
    shop.answers = lambda call: (200, {"text": ["é" * 8] * 8_000})
    loaded = project(BUSY, shop)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded))
        assert (await asyncio.wait_for(finish(temporal, handle), 30))["text"] == "1000"
        failed = [
            one
            async for one in handle.fetch_history_events()
            if one.HasField("workflow_task_failed_event_attributes")
            or one.HasField("workflow_task_timed_out_event_attributes")
        ]
    assert not failed


@pytest.mark.parametrize("call", ["fetch: crm, with: {id: a}", "action: send, with: {to: x, data: 1}"])
async def test_an_answer_that_no_payload_can_hold_is_an_error_of_the_step(
    temporal: WorkflowEnvironment, shop: Shop, call: str
) -> None:
    """Under a megabyte on the wire, and above two in Temporal: one call, and the error path."""
    shop.answers = lambda call: (200, {"text": "é" * 400_000})
    loaded = project(
        f"{{journey: j, entry: {{event: entered}}, steps: {{ask: {{{call}, on_error: lost}}, done: {{end: done}},"
        " lost: {end: '${journey.last_error.code}'}}}",
        shop,
    )
    async with running(temporal.client, loaded) as runner:
        result = await asyncio.wait_for((await runner.start(compiled(loaded))).result(), 20)
    assert result["text"] == "invalid_response"
    assert len(shop.calls) == 1
