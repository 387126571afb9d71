"""Events to those who are inside a journey."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from sojourn.routing import IncomingEvent, RoutingUnavailable
from tests.routing.world import NOON, World, effect, journey


async def one(router: Any, event: IncomingEvent) -> str:
    """Route one event; returns what became of it."""
    (result,) = await router.route([event])
    return effect(result)


async def test_an_event_reaches_the_instance_that_listens(world: World) -> None:
    """With its id, name, time and data; the answer names the instance and its version."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    router = await world.process()
    await one(router, world.event())
    event = IncomingEvent("o-1", "order.placed", NOON, {"id": "ada", "total": 9})
    (result,) = await router.route([event])
    assert result.as_dict()["instances"] == [
        {"journey": world.name, "version": 1, "workflow_id": f"{world.name}:ada", "effect": "signalled"}
    ]
    assert (await world.state())["events"] == [
        {
            "id": "o-1",
            "name": "order.placed",
            "time": "2026-03-01T12:00:00+00:00",
            "data": {"id": "ada", "total": 9},
        }
    ]


async def test_an_event_for_somebody_else_reaches_nobody(world: World) -> None:
    """Not even Temporal is asked: the ledger knows that they never entered."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    router = await world.process()
    assert await one(router, world.event("order.placed", key="bob")) == "no_journey"
    assert world.wire.calls == 0


async def test_after_the_end_events_reach_nobody_and_temporal_is_asked_once(world: World) -> None:
    """The first event finds the instance gone; the ledger remembers it for the next ones."""
    await world.publish(journey(world.name, listens=["order.placed", "finish"]))
    router = await world.process()
    await one(router, world.event())
    await one(router, world.event("finish"))
    await world.ended()
    asked: list[str] = []
    world.wire.before = asked.append
    assert await one(router, world.event("order.placed")) == "no_journey"
    assert asked == ["signal"]
    assert await one(router, world.event("order.placed")) == "no_journey"
    assert asked == ["signal"]


async def test_a_repeated_event_is_a_duplicate_here_and_harmless_elsewhere(world: World) -> None:
    """This process remembers it; another delivers it again, and the instance counts its id once."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    here, there = await world.process(), await world.process()
    await one(here, world.event())
    event = world.event("order.placed")
    assert await one(here, event) == "signalled"
    assert await one(here, event) == "duplicate"
    assert await one(there, event) == "signalled"


async def test_the_entry_event_goes_to_a_running_instance_that_listens_for_it(world: World) -> None:
    """That is delivery, not re-entry; and a resend after the end is a duplicate, not a new entry."""
    await world.publish(
        journey(world.name, listens=["cart.updated", "finish"], reentry={"allow": True, "after": 0})
    )
    router = await world.process()
    first, second, third = (world.event() for _ in range(3))
    assert await one(router, first) == "started"
    assert await one(router, second) == "signalled"
    await one(router, world.event("finish"))
    assert (await world.ended())["events"][0] == second.id
    other = await world.process()
    assert await one(other, first) == "duplicate"
    assert await one(other, second) == "duplicate"
    assert await one(other, third) == "started"


async def test_an_entry_event_that_finds_the_instance_ended_enters(world: World) -> None:
    """The ledger still thinks that the profile is inside; Temporal says no; admission follows at once."""
    await world.publish(journey(world.name, listens=["cart.updated", "finish"]))
    router = await world.process()
    await one(router, world.event())
    await one(router, world.event("finish"))
    await world.ended()
    assert await one(router, world.event()) == "reentry_refused"
    world.clock.forward(minutes=5)
    assert await one(router, world.event()) == "started"


@pytest.mark.parametrize("state", ["paused", "closed"])
async def test_those_inside_get_their_events_while_nobody_may_enter(world: World, state: Any) -> None:
    """Pausing and closing are about entries. The entry event is delivered where it is listened for."""
    store = await world.publish(journey(world.name, listens=["order.placed", "cart.updated"]))
    router = world.router(store)
    await one(router, world.event())
    await store.set_state(world.name, state)
    assert await one(router, world.event("order.placed")) == "signalled"
    assert await one(router, world.event()) == "signalled"
    assert await one(router, world.event(key="bob")) == ("paused" if state == "paused" else "not_live")


async def test_an_instance_of_an_earlier_version_gets_what_that_version_listens_for(world: World) -> None:
    """And not what only a later one listens for, though it is the same journey."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    first = await world.process()
    await one(first, world.event(key="early"))
    await world.publish(journey(world.name, listens=["order.shipped"]))
    router = await world.process()
    await one(router, world.event(key="late"))
    assert await one(router, world.event("order.placed", key="early")) == "signalled"
    assert await one(router, world.event("order.shipped", key="early")) == "no_journey"
    assert await one(router, world.event("order.placed", key="late")) == "no_journey"
    assert await one(router, world.event("order.shipped", key="late")) == "signalled"


async def test_one_event_reaches_one_journey_and_starts_another(world: World) -> None:
    """The answer has both effects."""
    starts, listens = (
        journey(world.name, entry="order.placed"),
        journey(f"{world.name}-b", listens=["order.placed"]),
    )
    store = await world.publish(starts, listens)
    router = world.router(store)
    await one(router, world.event())
    (result,) = await router.route([world.event("order.placed")])
    assert {(item.journey, item.effect) for item in result.instances} == {
        (world.name, "started"),
        (f"{world.name}-b", "signalled"),
    }


async def test_an_instance_that_takes_no_more_events_says_so(world: World) -> None:
    """Temporal's answer when a run has received its 10,000 signals; the same event, sent again later, counts."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    router = await world.process()
    await one(router, world.event())

    def refuse(call: str) -> None:
        raise RPCError(
            "exceeded workflow execution limit for signal events", RPCStatusCode.INVALID_ARGUMENT, b""
        )

    before, world.wire.before = world.wire.before, refuse
    event = world.event("order.placed")
    assert await one(router, event) == "too_many_pending"
    world.wire.before = before
    assert await one(router, event) == "signalled"


@pytest.mark.parametrize(
    "status", [RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED]
)
async def test_a_busy_temporal_means_later(world: World, status: RPCStatusCode) -> None:
    """Nothing is refused and nothing counts as done: the same event goes through afterwards."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    router = await world.process()
    await one(router, world.event())
    event = world.event("order.placed")

    def refuse(call: str) -> None:
        raise RPCError("busy", status, b"")

    world.wire.before = refuse
    with pytest.raises(RoutingUnavailable, match="busy"):
        await router.route([event])
    world.wire.before = None
    assert await one(router, event) == "signalled"


async def test_a_real_limit_of_temporal_is_recognised(world: World) -> None:
    """An event too large for Temporal is invalid; the instance lives on."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    router = await world.process()
    await one(router, world.event())
    assert await one(router, world.event("order.placed", blob="x" * 3_000_000)) == "invalid"
    assert await one(router, world.event("order.placed")) == "signalled"


async def test_an_event_that_no_instance_could_keep_is_refused(world: World) -> None:
    """Above 128 kB of data, measured as bytes, the sender is told so; nothing is started."""
    await world.publish(journey(world.name))
    router = world.router(await world.open_store())
    (large,) = await router.route([world.event(text="é" * 70_000)])
    assert large.refusals[0].reason == "invalid"
    assert "at most 128 kB" in large.refusals[0].message
    (fits,) = await router.route([world.event(text="e" * 70_000)])
    assert fits.status == "accepted"


@pytest.mark.parametrize(("levels", "status"), [(98, "accepted"), (101, "refused"), (900, "refused")])
async def test_data_nested_deeper_than_an_instance_takes_is_refused(
    world: World, levels: int, status: str
) -> None:
    """The sender hears of it, and not an instance that would ignore the event."""
    await world.publish(journey(world.name))
    router = world.router(await world.open_store())
    deep: Any = "bottom"
    for _ in range(levels):
        deep = [deep]
    (result,) = await router.route([world.event(tree=deep)])
    assert result.status == status
    if status == "refused":
        assert "nested more than 100 levels" in result.refusals[0].message
