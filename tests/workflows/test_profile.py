"""`profile` and `update_profile` in running journeys: when it is read, what is seen, what is in the history."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn.plugin import JourneyPlugin
from tests.workflows.profiles import Kept
from tests.workflows.support import (
    Shop,
    compiled,
    failure,
    finish,
    history_length,
    project,
    running,
    signal,
    state_of,
    steps,
    until_waiting,
)

CACHED = pytest.mark.parametrize("cached", [1000, 0], ids=["cached", "replayed"])
LOCAL = pytest.mark.parametrize("local", [True, False], ids=["local", "ordinary"])


async def replays(handle: Any) -> None:
    """Check that an instance's history replays."""
    replayer = Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)])
    await replayer.replay_workflow(await handle.fetch_history())


EVERYWHERE = """
journey: j
entry: {event: entered}
timezone: "${profile.zone}"
steps:
  vip:
    condition:
      - {when: profile.visits > 2, next: note}
    else: note
  note: {set: {name: "${profile.name}", absent: "${default(profile.none, 'nothing')}", has: "${has(profile.none)}"}}
  pause: {wait: {for: "${duration(profile.pause)}"}}
  morning: {wait: {until_time: "09:00"}}
  listen:
    wait_for: [{event: answered, when: event.amount > profile.visits, next: count}]
    timeout: {after: "${duration(profile.pause)}", next: count}
  count: {update_profile: {visits: "${profile.visits + 1}", address: {city: Paris, zip: null}}}
  tell: {action: send, with: {to: "${profile.name}", data: "${profile.visits}"}}
  done: {end: "${profile.name} ${profile.visits} ${profile.address.city} ${has(profile.address.zip)}"}
"""


@CACHED
@LOCAL
async def test_profile_is_known_in_every_expression(
    temporal: WorkflowEnvironment, shop: Shop, kept: Kept, cached: int, local: bool
) -> None:
    """In conditions, values, lengths of waits, the time zone, parameters and outcomes; what a step writes is seen."""
    loaded = project(EVERYWHERE, shop)
    await kept.put("ann", name="Ann", visits=3, zone="Asia/Tokyo", pause="2h", address={"zip": "1", "no": 7})
    async with running(temporal.client, loaded, cached=cached, profiles=kept) as runner:
        handle = await runner.start(compiled(loaded), key="ann", local_fetch=local)
        result = await handle.result()
    assert (result["outcome"], result["text"]) == ("completed", "Ann 4 Paris false")
    assert await kept.now("ann") == {
        "name": "Ann", "visits": 4, "zone": "Asia/Tokyo", "pause": "2h", "address": {"city": "Paris", "no": 7},
    }  # fmt: skip
    assert shop.calls[0]["body"] == {"to": "Ann", "data": 4}
    assert len(set(kept.operations)) == 1
    morning = next(record for record in result["steps"] if record["step"] == "listen")
    assert morning["at"][11:16] == "00:00", "nine o'clock in Tokyo"
    # When it is first needed, and behind each of the three waits; not behind the step that wrote it.
    # Ordinary activities take so much history that the tests' server suggests a new run, which reads it once more.
    assert kept.reads == (4 if local else 5)
    await replays(handle)


async def test_a_profile_that_is_not_there_is_empty(temporal: WorkflowEnvironment, kept: Kept) -> None:
    """`has` and `default` work on it, a missing attribute is an error that names it, and writing makes it."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  a: {set: {has: "${has(profile.email)}", language: "${default(profile.language, 'en')}"}}
  b: {update_profile: {visits: "${default(profile.visits, 0) + 1}"}}
  c: {condition: [{when: profile.email == "x", next: d}], on_error: d}
  d: {end: "${steps.a.has} ${steps.a.language} ${profile.visits} ${journey.last_error.code}: ${journey.last_error.message}"}
"""
    )
    async with running(temporal.client, loaded, profiles=kept) as runner:
        handle = await runner.start(compiled(loaded), key="nobody")
        text = (await handle.result())["text"]
    assert text.startswith("false en 1 expression: steps.c.condition[0].when: ")
    assert "`profile.email`" in text or "email" in text
    assert await kept.now("nobody") == {"visits": 1}


async def test_only_what_is_named_is_in_the_history(temporal: WorkflowEnvironment, kept: Kept) -> None:
    """Neither reading nor writing brings other attributes there."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  a: {set: {x: "${profile.email}"}}
  b: {update_profile: {visits: 1}}
  c: {end: done}
"""
    )
    await kept.put("ann", email="ann@example.com", diagnosis="a-secret-of-ann")
    async with running(temporal.client, loaded, profiles=kept) as runner:
        handle = await runner.start(compiled(loaded), key="ann")
        await handle.result()
    history = await handle.fetch_history()
    raw = b"".join(event.SerializeToString() for event in history.events)
    assert b"ann@example.com" in raw
    assert b"a-secret-of-ann" not in raw


async def test_an_own_database_costs_one_history_event_each(
    temporal: WorkflowEnvironment, kept: Kept
) -> None:
    """Reading and writing are one marker each; a journey that names no profile costs what it did."""
    lengths = []
    for text in ("${1}", "${default(profile.x, 1)}"):
        loaded = project(f"journey: j\nentry: {{event: entered}}\nsteps:\n  a: {{set: {{x: '{text}'}}}}\n  b: {{end: x}}\n")  # fmt: skip
        async with running(temporal.client, loaded, profiles=kept) as runner:
            handle = await runner.start(compiled(loaded))
            await handle.result()
            lengths.append(await history_length(handle))
    assert lengths == [5, 6]
    assert kept.reads == 1


@LOCAL
async def test_what_fails_is_an_error_of_the_step(
    temporal: WorkflowEnvironment, kept: Kept, local: bool
) -> None:
    """Of reading and of writing, with the code `network` after all attempts; without error path the instance fails."""
    loaded = project(
        """
journey: j
entry: {event: entered}
call_timeout: 2s
steps:
  a: {condition: [{when: profile.vip, next: b}], on_error: b}
  b: {set: {first: "${journey.last_error.code} ${journey.last_error.step}"}}
  c: {update_profile: {x: 1}, on_error: d}
  d: {set: {second: "${journey.last_error.code} ${journey.last_error.step}"}}
  e: {set: {third: "${profile.vip}"}}
"""
    )
    kept.broken = ConnectionError("password=hunter2 of ann@example.com")
    async with running(temporal.client, loaded, profiles=kept) as runner:
        handle = await runner.start(compiled(loaded), local_fetch=local)
        error = await failure(handle)
    details = error.details[0]
    assert details["error"]["step"] == "e"
    assert details["error"]["code"] in ("network", "timed_out")
    assert steps(details) == ["a", "b", "c", "d", "e"]
    assert kept.reads > 2
    assert len(set(kept.operations)) == 1
    assert len(kept.operations) > 1
    assert "hunter2" not in str(details)


async def test_a_worker_without_profiles_says_so(temporal: WorkflowEnvironment) -> None:
    """`refused`, and what to write instead."""
    loaded = project('journey: j\nentry: {event: entered}\nsteps:\n  a: {set: {x: "${profile.x}"}}\n')
    async with running(temporal.client, loaded) as runner:
        error = await failure(await runner.start(compiled(loaded)))
    assert error.details[0]["error"]["code"] == "refused"
    assert "profiles=store.profiles" in error.details[0]["error"]["message"]


async def test_what_the_profile_may_not_hold_is_refused(temporal: WorkflowEnvironment, kept: Kept) -> None:
    """Without another attempt, and without the value in the message."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  a: {update_profile: {x: "${entry.customerId + entry.customerId}"}, on_error: b}
  b: {end: "${journey.last_error.code} ${journey.last_error.message}"}
"""
    )
    async with running(temporal.client, loaded, profiles=kept) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "verysecret" * 4000})
        text = (await handle.result())["text"]
    assert text.startswith("refused the profile was not written: ")
    assert "verysecret" not in text
    assert len(kept.operations) == 1


async def test_it_is_read_again_behind_a_pause(temporal: WorkflowEnvironment, kept: Kept, shop: Shop) -> None:
    """What changed while an instance was paused is seen when it goes on."""
    release = shop.hang()
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  a: {set: {x: "${profile.color}"}}
  call: {action: send, with: {to: x, data: 1}}
  b: {end: "${steps.a.x} ${profile.color}"}
""",
        shop,
    )
    await kept.put("ann", color="red")
    async with running(temporal.client, loaded, profiles=kept) as runner:
        handle = await runner.start(compiled(loaded), key="ann")
        while not shop.calls:
            await state_of(handle)
        await handle.signal("pause")
        release.set()
        while (state := await state_of(handle))["step"] != "b" or state["status"] != "paused":
            pass
        await kept.put("ann", color="blue")
        await handle.signal("resume")
        assert (await handle.result())["text"] == "red blue"
    await replays(handle)


@CACHED
async def test_events_conditions_see_the_profile_behind_the_event(
    temporal: WorkflowEnvironment, kept: Kept, cached: int
) -> None:
    """Each burst of events has it read once; what a service wrote before it sent the event is seen."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  a: {set: {x: "${profile.level}"}}
  listen:
    wait_for:
      - {event: answered, when: event.amount >= profile.level, next: b}
      - {event: other, when: profile.level == 100, restart: true}
    timeout: {after: 30d, next: late}
  b: {end: "${steps.a.x} ${profile.level}"}
  late: {end: late}
"""
    )
    await kept.put("ann", level=5)
    async with running(temporal.client, loaded, cached=cached, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            await signal(handle, "answered", {"amount": 4})
            await state_of(handle)
            while kept.reads < 2:
                await state_of(handle)
            await kept.put("ann", level=3)
            await signal(handle, "other", {})
            await signal(handle, "answered", {"amount": 4})
            assert (await handle.result())["text"] == "5 3"
    assert 3 <= kept.reads <= 4
    await replays(handle)


@CACHED
async def test_an_event_is_not_lost_where_the_profile_cannot_be_read(
    temporal: WorkflowEnvironment, kept: Kept, cached: int
) -> None:
    """The wait tries until it can; the event came before the time was up, and wins, though that is over by then."""
    loaded = project(
        """
journey: j
entry: {event: entered}
call_timeout: 1s
steps:
  listen:
    wait_for: [{event: answered, when: profile.ok, next: b}]
    timeout: {after: 4s, next: late}
  b: {end: answered}
  late: {end: late}
"""
    )
    await kept.put("ann", ok=True)
    kept.broken = ConnectionError()
    async with running(temporal.client, loaded, cached=cached, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            await signal(handle, "answered")
            while not (await handle.describe()).raw_description.pending_activities:
                await state_of(handle)
            kept.broken = None
            result = await handle.result()
    assert result["text"] == "answered"
    assert any("tried again" in record["result"] for record in result["steps"])
    await replays(handle)


async def test_a_wait_for_the_profile_ends_with_the_journeys_time(
    temporal: WorkflowEnvironment, kept: Kept
) -> None:
    """An outage that outlives the instance ends it as timed out."""
    loaded = project(
        """
journey: j
entry: {event: entered}
call_timeout: 1s
timeout: 4s
steps:
  listen: {wait_for: [{event: answered, when: profile.ok}]}
  b: {end: answered}
"""
    )
    kept.broken = ConnectionError()
    async with running(temporal.client, loaded, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            await signal(handle, "answered")
            assert (await handle.result())["outcome"] == "timed_out"


LOOP = """
journey: j
entry: {event: entered}
steps:
  plan: {set: {n: 0}}
  listen:
    wait_for:
      - {event: answered, when: event.amount >= profile.level, next: count}
      - {event: other, when: profile.level > 0, next: done}
    timeout: {after: "${duration(profile.pause)}", next: late}
  count: {update_profile: {visits: "${default(profile.visits, 0) + 1}"}, next: listen}
  done: {end: "${profile.visits}"}
  late: {end: late}
"""


@CACHED
async def test_nothing_is_lost_over_many_runs(temporal: WorkflowEnvironment, kept: Kept, cached: int) -> None:
    """Thirty visits of a step that writes, over several runs of the instance, each written once."""
    loaded = project(LOOP)
    await kept.put("ann", level=1, pause="1h")
    async with running(temporal.client, loaded, cached=cached, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            for number in range(30):
                await signal(handle, "answered", {"amount": number % 2 + 1}, f"e{number}")
            await state_of(handle)
            assert (await handle.describe()).run_id is not None
            await signal(handle, "other")
            result = await handle.result()
    assert result["text"] == "30"
    assert len(set(kept.operations)) == 30
    assert (await kept.now("ann") or {})["visits"] == 30


async def test_a_wait_keeps_its_length_over_a_new_run(temporal: WorkflowEnvironment, kept: Kept) -> None:
    """The length was computed when the wait began: a restart of its timer in a later run takes the same."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  listen:
    wait_for: [{event: answered, next: b}, {event: other, restart: true}]
    timeout: {after: "${duration(profile.pause)}", next: late}
  b: {end: answered}
  late: {end: late}
"""
    )
    await kept.put("ann", pause="1h")
    async with running(temporal.client, loaded, profiles=kept) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded), key="ann")
            await until_waiting(handle, "listen")
            await kept.put("ann", pause="50h")
            for number in range(20):
                await signal(handle, "other", event_id=f"e{number}")
                await state_of(handle)
            assert (await handle.describe()).run_id != handle.first_execution_run_id
            await signal(handle, "other")
        result = await finish(temporal, handle)
    assert result["text"] == "late"
    assert result["steps"][0]["duration"] == pytest.approx(3_600, abs=300)
    assert kept.reads == 1
