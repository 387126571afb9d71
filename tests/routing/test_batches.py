"""Many events in one call: one profile's in their order, different profiles' side by side."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.service import RPCError, RPCStatusCode

from sojourn.routing import IncomingEvent, RoutingUnavailable
from tests.routing.conftest import both_databases
from tests.routing.world import World, effect, journey


@both_databases
async def test_events_of_one_profile_take_effect_in_order(world: World) -> None:
    """The first one enters, the others reach the instance that it started, one after the other."""
    await world.publish(journey(world.name, listens=["order.placed", "cart.updated", "finish"]))
    router = await world.process()
    orders = [world.event("order.placed", id=f"o{number}") for number in range(10)]
    early = world.event("order.placed", id="too early")
    events = [
        early,
        world.event(id="enters"),
        *orders[:5],
        world.event(id="again"),
        *orders[5:],
        world.event("finish"),
    ]
    results = await router.route(events)
    assert [effect(result) for result in results] == ["no_journey", "started", *["signalled"] * 12]
    assert [result.id for result in results] == [event.id for event in events]
    expected = [event.id for event in events[2:]]
    assert (await world.ended())["events"] == expected


async def test_several_entries_of_one_profile_in_one_batch(world: World) -> None:
    """Each is judged after the one before it, the same id twice too."""
    await world.publish(journey(world.name))
    router = await world.process()
    event = world.event()
    results = await router.route([event, event, world.event(), event])
    assert [effect(result) for result in results] == ["started", "duplicate", "already_inside", "duplicate"]


@both_databases
async def test_a_hundred_profiles_interleaved(world: World) -> None:
    """Each profile's entry comes before its order though others' stand between; two processes share the work."""
    await world.publish(journey(world.name, listens=["finish"]))
    routers = [await world.process(), await world.process()]
    people = [f"p{number}" for number in range(100)]
    events = [world.event(key=key) for key in people] + [world.event("finish", key=key) for key in people]
    halves = [[event for event in events if int(event.data["id"][1:]) % 2 == half] for half in (0, 1)]
    answers = await asyncio.gather(
        *(router.route(half) for router, half in zip(routers, halves, strict=True))
    )
    effects = [effect(result) for results in answers for result in results]
    assert effects.count("started") == effects.count("signalled") == 100
    assert len(world.wire.starts) == len(set(world.wire.starts)) == 100


async def test_the_same_batch_in_two_processes_at_once(world: World) -> None:
    """A sender that posts twice gets each event's effect once."""
    await world.publish(journey(world.name, ends=True, reentry={"allow": True, "after": 0}))
    routers = [await world.process(), await world.process()]
    batch = [world.event(key=f"p{number % 20}", id=f"e{number}") for number in range(20)]
    answers = await asyncio.gather(*(router.route(batch) for router in routers))
    for first, second in zip(*answers, strict=True):
        assert {first.status, second.status} == {"accepted", "duplicate"}
    assert len(world.wire.starts) == 20


async def test_good_and_bad_events_have_their_own_answers(world: World) -> None:
    """A bad event spoils no other one."""
    await world.publish(journey(world.name))
    router = await world.process()
    events = [
        world.event(key="a"),
        world.event("never.defined"),
        world.event(key=""),
        IncomingEvent("", "cart.updated", world.clock(), {"id": "c"}),
        world.event(key="b"),
    ]
    results = await router.route(events)
    assert [effect(result) for result in results] == ["started", "no_journey", "no_key", "invalid", "started"]
    assert await router.route([]) == []


async def test_when_temporal_fails_in_the_middle_the_rest_is_sent_again(world: World) -> None:
    """What was done is told; sending the whole batch again completes it, and does nothing twice."""
    await world.publish(journey(world.name, listens=["finish"]))
    router = await world.process()
    events = [
        event
        for number in range(60)
        for event in (world.event(key=f"p{number}"), world.event("finish", key=f"p{number}"))
    ]

    def breaks(call: str) -> None:
        if len(world.wire.starts) >= 10:
            raise RPCError("gone", RPCStatusCode.UNAVAILABLE, b"")

    world.wire.before = breaks
    with pytest.raises(RoutingUnavailable) as caught:
        await router.route(events)
    done = [result for result in caught.value.done if result is not None]
    assert len(caught.value.done) == len(events)
    assert 0 < len(done) < len(events)
    world.wire.before = None
    statuses = [result.status for result in await router.route(events)]
    assert set(statuses) <= {"accepted", "duplicate"}
    assert len(world.wire.starts) == len(set(world.wire.starts)) == 60


async def test_posts_of_one_profile_at_once_keep_their_order(world: World) -> None:
    """In one process the one that came first is applied first."""
    await world.publish(journey(world.name, listens=["order.placed", "finish"]))
    router = await world.process()
    await router.route([world.event()])
    orders = [world.event("order.placed", id=f"o{number}") for number in range(20)]
    await asyncio.gather(*(router.route([order]) for order in orders))
    await router.route([world.event("finish")])
    assert (await world.ended())["events"][:-1] == [order.id for order in orders]
