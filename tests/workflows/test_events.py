"""Which events count for a waiting instance, and which end it."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.workflows.support import (
    Runner,
    Shop,
    compiled,
    finish,
    project,
    running,
    signal,
    steps,
    until_waiting,
)

LISTEN = """
journey: j
entry: {event: entered}
exit_when:
  - {event: other, when: event.amount > 100}
steps:
  nap: {wait: {for: 1h}}
  listen:
    wait_for: [{event: answered}]
    timeout: {after: 1d, next: late}
  done: {end: "${events['answered'].amount}"}
  late: {end: late}
"""


async def test_an_event_id_counts_once(temporal: WorkflowEnvironment) -> None:
    """The second delivery of an event does not answer the second wait."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  first: {wait_for: [{event: answered}]}
  second:
    wait_for: [{event: answered}]
    timeout: {after: 1h, next: late}
  done: {end: twice}
  late: {end: once}
"""
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "first")
            for _ in range(3):
                await signal(handle, "answered", event_id="same")
            await until_waiting(handle, "second")
            await signal(handle, "answered", event_id="same")
            assert (await handle.query("state"))["step"] == "second"
            await signal(handle, "answered", event_id="another")
            assert (await handle.result())["text"] == "twice"


async def test_the_entry_event_sent_again_is_no_second_event(temporal: WorkflowEnvironment) -> None:
    """The entry event is known to its instance."""
    loaded = project(
        "{journey: j, entry: {event: entered}, reentry: {allow: true}, steps: {again: {wait_for: [{event: entered}]}}}"
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), event_id="e1")
            await until_waiting(handle, "again")
            await signal(handle, "entered", event_id="e1")
            assert (await handle.query("state"))["step"] == "again"
            await signal(handle, "entered", event_id="e2")
            assert (await handle.result())["outcome"] == "completed"


async def test_what_arrives_during_a_wait_that_does_not_listen_is_only_remembered(
    temporal: WorkflowEnvironment,
) -> None:
    """An event in the nap does not answer the wait behind it."""
    loaded = project(LISTEN)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            await signal(handle, "answered", {"amount": 7})
            await handle.query("state")
        assert (await finish(temporal, handle))["text"] == "late"


async def test_since_entry_counts_what_arrived_earlier(temporal: WorkflowEnvironment) -> None:
    """With `since: entry` the same event answers at once."""
    loaded = project(
        LISTEN.replace("wait_for: [{event: answered}]", "wait_for: [{event: answered}]\n    since: entry")
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            await signal(handle, "answered", {"amount": 7})
            await handle.query("state")
        result = await finish(temporal, handle)
        assert result["text"] == "7"
        assert result["steps"][1]["duration"] < 60


async def test_an_event_that_arrives_during_a_call_is_kept_for_the_next_wait(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """What comes while an answer is awaited is offered to the wait behind it."""
    release = shop.hang()
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  mail: {action: send, with: {to: x, data: 1}}
  listen:
    wait_for: [{event: answered}]
    timeout: {after: 1h, next: late}
  done: {end: answered}
  late: {end: late}
""",
        shop,
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            while not shop.calls:
                await asyncio.sleep(0.02)
            await signal(handle, "answered")
            assert (await handle.query("state"))["pending"] == 1
            release.set()
            assert (await handle.result())["text"] == "answered"


async def test_more_pending_events_than_allowed_are_dropped_and_counted(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """The journey's limit holds, and nobody has to guess that something was dropped."""
    release = shop.hang()
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  mail: {action: send, with: {to: x, data: 1}}
  listen: {wait_for: [{event: answered, when: event.amount == 99}], timeout: {after: 1h, next: late}}
  late: {end: late}
""",
        shop,
    )
    definition = compiled(loaded) | {"max_pending": 3}
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition)
            while not shop.calls:
                await asyncio.sleep(0.02)
            for amount in range(5):
                await signal(handle, "answered", {"amount": amount})
            state = await handle.query("state")
            assert (state["pending"], state["dropped"]) == (3, 2)
            release.set()
            await until_waiting(handle, "listen")
        assert (await finish(temporal, handle))["dropped"] == 2


async def test_an_exit_event_ends_the_instance_at_once(temporal: WorkflowEnvironment) -> None:
    """In the middle of a wait that does not listen for it; the criterion is in the outcome; its timer is cancelled."""
    loaded = project(LISTEN)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            await signal(handle, "other", {"amount": 5})
            assert (await handle.query("state"))["step"] == "nap"
            await signal(handle, "other", {"amount": 500})
            result = await handle.result()
        assert result["outcome"] == "exited"
        assert result["text"] == "other when event.amount > 100"
        assert steps(result) == ["nap"]


async def test_an_exit_event_ends_the_instance_during_a_call(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """What hangs at the other side does not hold an exit up."""
    release = shop.hang()
    loaded = project(
        "{journey: j, entry: {event: entered}, exit_when: [{event: other}],"
        " steps: {mail: {action: send, with: {to: x, data: 1}, on_error: e}, e: {end: error}}}",
        shop,
    )
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded))
        while not shop.calls:
            await asyncio.sleep(0.02)
        await signal(handle, "other")
        result = await asyncio.wait_for(handle.result(), 10)
        release.set()
    assert (result["outcome"], result["text"]) == ("exited", "other")


async def test_a_condition_that_an_event_cannot_meet_is_noted_and_passed_over(
    temporal: WorkflowEnvironment,
) -> None:
    """An event without the field that `when` needs does not end the instance; the trace tells of it."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  listen: {wait_for: [{event: answered, when: event.amount > 1}]}
  done: {end: answered}
"""
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "listen")
            await signal(handle, "answered", {"customerId": "secret-customer"})
            await signal(handle, "answered", {"amount": 2})
            result = await handle.result()
    note = result["steps"][0]
    assert note["kind"] == "note"
    assert "amount" in note["result"]
    assert "secret-customer" not in note["result"]
    assert result["text"] == "answered"


@pytest.mark.parametrize(
    "message",
    [
        None,
        5,
        "text",
        [],
        {},
        {"id": 1},
        {"id": "a", "name": "answered"},
        {"id": "a", "name": "answered", "time": "noon"},
    ],
)
async def test_a_signal_that_is_no_event_is_recorded_and_ignored(
    temporal: WorkflowEnvironment, message: object
) -> None:
    """Neither the instance nor the event behind it is harmed."""
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {listen: {wait_for: [{event: answered}]}}}"
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await handle.signal("event", message)
            await signal(handle, "answered")
            result = await handle.result()
    assert [record["kind"] for record in result["steps"]] == ["note", "wait_for"]
    assert "ignored" in result["steps"][0]["result"]


async def test_signals_without_or_with_too_many_arguments_are_ignored(temporal: WorkflowEnvironment) -> None:
    """A bare signal from another language with the wrong number of arguments blocks nothing."""
    loaded = project(
        "{journey: j, entry: {event: entered}, steps: {listen: {wait_for: [{event: answered}]}}}"
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await handle.signal("event")
            await handle.signal("event", args=[1, 2])
            await signal(handle, "answered")
            result = await handle.result()
    assert [record["kind"] for record in result["steps"]] == ["note", "note", "wait_for"]


async def test_a_step_sees_the_event_that_ended_the_wait_before_it(
    temporal: WorkflowEnvironment, unique: str
) -> None:
    """Of two events that come in one task the first ends the wait, and is the latest of its name behind it."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  listen: {wait_for: [{event: answered}]}
  first: {set: {amount: "${events['answered'].amount}"}}
  again: {wait_for: [{event: answered}]}
  done: {end: "${steps.first.amount} ${events['answered'].amount}"}
"""
    )
    queue = f"test-{unique}"
    handle = await Runner(temporal.client, queue).start(compiled(loaded))
    await signal(handle, "answered", {"amount": 1})
    await signal(handle, "answered", {"amount": 2})
    async with running(temporal.client, loaded, queue=queue):
        assert (await handle.result())["text"] == "1 2"


async def test_with_since_entry_an_event_ends_one_wait_only(temporal: WorkflowEnvironment) -> None:
    """In a loop, what ended a wait before does not end the next round's; steps see the event that did."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  nap: {wait: {for: 1h}}
  listen:
    wait_for: [{event: answered, when: event.amount < 10, next: count}]
    since: entry
    timeout: {after: 1d, next: late}
  count: {set: {seen: '${default(steps.count.seen, "") + string(events["answered"].amount) + " "}'}, next: listen}
  late: {end: "${steps.count.seen}"}
"""
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "nap")
            for amount in (1, 50, 2, 60):
                await signal(handle, "answered", {"amount": amount})
            await handle.query("state")
        result = await finish(temporal, handle)
    assert result["text"] == "1 2 "
    assert steps(result).count("listen") == 3
