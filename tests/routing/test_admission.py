"""Who gets into a journey: each refusal of DESIGN.md, section 4, and exactly one start however many ask."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from sojourn.contract import names
from sojourn.contract.markdown import escape
from sojourn.routing import IncomingEvent
from sojourn.settings import Settings
from tests.routing.conftest import both_databases
from tests.routing.world import World, effect, event_definition, journey


async def one(world: World, router: Any, *events: IncomingEvent) -> str:
    """Route events one by one; returns what became of the last."""
    for event in events:
        (result,) = await router.route([event])
    return effect(result)


@both_databases
async def test_fifty_posts_of_one_customer_start_one_instance(world: World) -> None:
    """Over two API processes; all others learn that the customer is inside."""
    await world.publish(journey(world.name))
    routers = [await world.process(), await world.process()]
    answers = await asyncio.gather(*(routers[turn % 2].route([world.event()]) for turn in range(50)))
    effects = Counter(effect(result) for (result,) in answers)
    assert effects == {"started": 1, "already_inside": 49}
    assert world.wire.starts == [names.workflow_id(world.name, "ada")]


@both_databases
async def test_fifty_posts_start_one_instance_even_if_it_ends_at_once(world: World) -> None:
    """Temporal would let the next one start: only the ledger keeps them out."""
    await world.publish(journey(world.name, ends=True))
    routers = [await world.process(), await world.process()]
    answers = await asyncio.gather(*(routers[turn % 2].route([world.event()]) for turn in range(50)))
    effects = Counter(effect(result) for (result,) in answers)
    assert effects["started"] == 1
    assert set(effects) <= {"started", "already_inside", "reentry_refused"}
    assert len(world.wire.starts) == 1


@both_databases
@pytest.mark.parametrize("ends", [True, False])
async def test_the_same_event_fifty_times_starts_one_instance(world: World, ends: bool) -> None:
    """A sender that repeats itself is told that it does, whether the instance still runs or not."""
    await world.publish(journey(world.name, ends=ends, reentry={"allow": True, "after": 0}))
    routers = [await world.process(), await world.process()]
    event = world.event()
    answers = await asyncio.gather(*(routers[turn % 2].route([event]) for turn in range(50)))
    statuses = Counter(result.status for (result,) in answers)
    assert statuses == {"accepted": 1, "duplicate": 49}
    assert len(world.wire.starts) == 1


async def test_an_instance_gets_all_that_the_contract_says(world: World) -> None:
    """Input, memo, search attributes and task queue are what the workflow and operators rely on."""
    compiled = journey(world.name)
    await world.publish(compiled)
    router = await world.process()
    event = world.event(amount=12.5, id="e-1")
    (result,) = await router.route([event])
    workflow_id = f"{world.name}:ada"
    assert result.as_dict() == {
        "id": "e-1",
        "name": "cart.updated",
        "status": "accepted",
        "instances": [{"journey": world.name, "version": 1, "workflow_id": workflow_id, "effect": "started"}],
        "refusals": [],
    }
    assert (await world.state())["start"] == {
        "definition": {**compiled, "version": 1},
        "event": {
            "id": "e-1",
            "name": "cart.updated",
            "time": "2026-03-01T12:00:00+00:00",
            "data": event.data,
        },
        "key": "ada",
        "mode": "live",
        "local_fetch": True,
    }
    found = await world.client.get_workflow_handle(workflow_id).describe()
    assert await found.memo_value(names.MEMO_ENTRY_EVENT) == "e-1"
    attributes = {
        pair.key.name: pair.value
        for pair in found.typed_search_attributes
        if pair.key.name.startswith("Journey")
    }
    assert attributes == {
        "JourneyName": world.name,
        "JourneyVersion": 1,
        "JourneyProfile": "ada",
        "JourneyStep": "only",
    }
    assert await found.static_summary() == f"{world.name} v1"
    assert await found.static_details() == f"**{escape(world.name)}** version 1\n\nentered on cart\\.updated"


@pytest.mark.parametrize(
    "key", ["zoë ✓ \U0001f600", "nul\x00 \ud800", "x" * 1000, 42, "null", "a=b==", "a'b\"c\\d", "~hash"]
)
async def test_any_key_names_an_instance_of_its_own(world: World, key: Any) -> None:
    """No text that JSON can carry breaks an id, a query or the database."""
    await world.publish(journey(world.name, listens=["finish"]))
    router = await world.process()
    assert await one(world, router, world.event(key=key)) == "started"
    assert await one(world, router, world.event(key=key)) == "already_inside"
    assert await one(world, router, world.event("finish", key=key)) == "signalled"


async def test_strange_event_ids_are_recognised_too(world: World) -> None:
    """They go through the ledger, the memo and back."""
    await world.publish(journey(world.name))
    router, other = await world.process(), await world.process()
    for number, strange in enumerate(["nul\x00", "\ud800", "x" * 3000, "~tilde"]):
        assert await one(world, router, world.event(key=f"p{number}", id=strange)) == "started"
        assert await one(world, other, world.event(key=f"p{number}", id=strange)) == "duplicate"


async def test_private_keys_do_not_reach_temporal(world: World) -> None:
    """Neither the workflow id nor a search attribute has the key; the instance itself does."""
    await world.publish(journey(world.name, listens=["finish"]))
    world.settings = Settings(task_queue=world.settings.task_queue, private_keys=True)
    router = await world.process()
    (result,) = await router.route([world.event(key="ada@example.com")])
    (instance,) = result.instances
    assert "example" not in instance.workflow_id
    found = await world.client.get_workflow_handle(instance.workflow_id).describe()
    assert "example.com" not in str(found.raw_description)
    # Who turns privacy on while customers are inside finds them all the same: the ledger knows their ids.
    world.settings = Settings(task_queue=world.settings.task_queue)
    assert (
        await one(world, await world.process(), world.event("finish", key="ada@example.com")) == "signalled"
    )


async def test_without_search_attributes_instances_start_too(world: World) -> None:
    """For clusters where nobody may register any."""
    await world.publish(journey(world.name))
    world.settings = Settings(task_queue=world.settings.task_queue, search_attributes=False)
    (result,) = await (await world.process()).route([world.event()])
    found = await world.client.get_workflow_handle(result.instances[0].workflow_id).describe()
    assert not [pair for pair in found.typed_search_attributes if pair.key.name.startswith("Journey")]


async def test_reentry_follows_the_clock_of_the_api(world: World) -> None:
    """After 5 minutes from the entry, and not by what the event says of its own time."""
    await world.publish(journey(world.name, ends=True))
    router = await world.process()
    assert await one(world, router, world.event()) == "started"
    await world.ended()
    world.clock.forward(minutes=4, seconds=59)
    (result,) = await router.route([world.event()])
    assert effect(result) == "reentry_refused"
    assert "from 2026-03-01T12:05:00Z" in result.refusals[0].message
    world.clock.forward(seconds=1)
    assert await one(world, router, world.event()) == "started"
    await world.ended()
    world.clock.forward(minutes=4)
    assert await one(world, router, world.event()) == "reentry_refused"


async def test_a_journey_may_let_each_profile_in_only_once(world: World) -> None:
    """For ever: also years later, when Temporal has forgotten the instance."""
    await world.publish(journey(world.name, ends=True, reentry={"allow": False, "after": 300}))
    router = await world.process()
    assert await one(world, router, world.event()) == "started"
    await world.ended()
    world.clock.forward(days=3650)
    (result,) = await router.route([world.event()])
    assert effect(result) == "reentry_refused"
    assert "only once" in result.refusals[0].message


async def test_the_newest_version_is_entered_and_its_rule_counts(world: World) -> None:
    """Publishing closes the version before it; those inside stay in theirs."""
    store = await world.publish(journey(world.name))
    router = world.router(store)
    await one(world, router, world.event(key="early"))
    await world.publish(journey(world.name, timeout=9))
    await asyncio.sleep(0.02)
    other = await world.process()
    (result,) = await other.route([world.event(key="late")])
    assert result.instances[0].version == 2
    assert (await world.state("early"))["version"] == 1
    assert (await world.state("late"))["start"]["definition"]["timeout"] == 9
    # A profile is at most once in a journey, over all its versions.
    assert await one(world, other, world.event(key="early")) == "already_inside"


async def test_a_resend_long_after_the_end_is_a_duplicate(world: World) -> None:
    """Each entry event is remembered, also those before the last, and in another process."""
    await world.publish(journey(world.name, ends=True))
    router = await world.process()
    first, second = world.event(), world.event()
    assert await one(world, router, first) == "started"
    await world.ended()
    world.clock.forward(days=1)
    assert await one(world, router, second) == "started"
    await world.ended()
    world.clock.forward(days=1)
    other = await world.process()
    for event in (first, second):
        assert await one(world, other, event) == "duplicate"
        assert await one(world, router, event) == "duplicate"
    assert len(world.wire.starts) == 2


async def test_ids_are_forgotten_after_the_window(world: World) -> None:
    """The hourly clean-up keeps what is younger."""
    await world.publish(journey(world.name, ends=True))
    router = await world.process()
    first = world.event()
    await one(world, router, first)
    await world.ended()
    world.clock.forward(days=2)
    await one(world, router, world.event())
    await world.ended()
    world.clock.forward(days=world.settings.dedup_window_days - 1)
    assert (await router.maintain()).purged == 1
    world.clock.forward(hours=1)
    assert await one(world, await world.process(), first) == "started"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("paused", "paused"),
        ("closed", "not_live"),
        ("stopped", "not_live"),
        ("draft", "not_live"),
        ("finished", "not_live"),
    ],
)
async def test_a_journey_that_is_not_live_lets_nobody_in(world: World, state: Any, reason: str) -> None:
    """With the state in the message, and no call to Temporal."""
    store = await world.publish(journey(world.name))
    await store.set_state(world.name, state)
    (result,) = await world.router(store).route([world.event()])
    assert effect(result) == reason
    assert world.name in result.refusals[0].message
    assert world.wire.calls == 0


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"start": "2026-03-01T12:00:00Z"}, "started"),
        ({"start": "2026-03-01T12:00:01Z"}, "outside_dates"),
        ({"end": "2026-03-01T12:00:00Z"}, "outside_dates"),
        ({"end": "2026-03-01T12:00:01Z"}, "started"),
        ({"end": "2026-03-01T13:00:01+01:00"}, "started"),
        ({"start": "2026-03-01T13:00:00", "timezone": "Europe/Paris"}, "started"),
        ({"start": "2026-03-01T13:00:00", "timezone": "${event.tz}"}, "outside_dates"),
        ({"start": "2026-03-01", "end": "2026-03-02"}, "started"),
    ],
)
async def test_dates_bound_entry(world: World, dates: dict[str, Any], expected: str) -> None:
    """From the start, until before the end; without a zone in the journey's own."""
    await world.publish(journey(world.name, **dates))
    assert await one(world, await world.process(), world.event()) == expected


async def test_an_event_is_refused_for_what_it_is(world: World) -> None:
    """Schema, rule, key: the reasons reach the sender, with the violations."""
    definition = event_definition(
        "cart.updated",
        when="event.total > 0",
        schema={"type": "object", "properties": {"total": {"type": "number"}}},
    )
    await world.publish(journey(world.name), events=[definition])
    router = await world.process()
    assert await one(world, router, world.event(total="x")) == "invalid"
    assert await one(world, router, world.event(total=0)) == "rule_false"
    assert await one(world, router, world.event(key="", total=1)) == "no_key"
    assert world.wire.calls == 0
    assert await one(world, router, world.event(total=1)) == "started"


async def test_unknown_and_unwanted_events_reach_nobody(world: World) -> None:
    """The message says which of three things is the case."""
    await world.publish(
        journey(world.name, listens=["order.placed"]), events=[event_definition("page.viewed")]
    )
    router = await world.process()
    for name, said in [
        ("cart.updatd", "did you mean 'cart.updated'?"),
        ("page.viewed", "no journey starts on or listens for 'page.viewed'"),
        ("order.placed", "the profile is in none of them"),
    ]:
        (result,) = await router.route([world.event(name)])
        assert effect(result) == "no_journey"
        assert result.refusals[0].journey is None
        assert said in result.refusals[0].message
    assert world.wire.calls == 0


async def test_one_event_may_start_several_journeys(world: World) -> None:
    """Each decides for itself; one refusal does not keep the profile out of the others."""
    store = await world.publish(
        journey(world.name),
        journey(f"{world.name}-b"),
        journey(f"{world.name}-c", end="2020-01-01T00:00:00Z"),
    )
    (result,) = await world.router(store).route([world.event()])
    assert result.status == "accepted"
    assert [(item.journey, item.effect) for item in result.instances] == [
        (world.name, "started"),
        (f"{world.name}-b", "started"),
    ]
    assert [(item.journey, item.reason) for item in result.refusals] == [(f"{world.name}-c", "outside_dates")]


async def test_an_instance_that_was_started_by_hand_is_respected(world: World) -> None:
    """From the Web UI, or before the database was restored: the profile is inside, and gets its events."""
    await world.publish(journey(world.name, listens=["finish"]))
    compiled = {**journey(world.name), "version": 1}
    await world.client.start_workflow(
        names.WORKFLOW_JOURNEY,
        {"definition": compiled, "event": {"id": "x"}, "key": "ada", "mode": "live"},
        id=names.workflow_id(world.name, "ada"),
        task_queue=world.settings.task_queue,
    )
    router = await world.process()
    assert await one(world, router, world.event()) == "already_inside"
    assert await one(world, router, world.event("finish")) == "signalled"
    await world.ended()
    assert world.wire.starts == []


async def test_what_temporal_will_never_take_is_the_sender_s_to_change(world: World) -> None:
    """An event too large for Temporal is refused as invalid, and leaves the profile outside."""
    await world.publish(journey(world.name))
    router = await world.process()
    (result,) = await router.route([world.event(blob="x" * 3_000_000)])
    assert effect(result) == "invalid"
    assert await one(world, router, world.event()) == "started"
