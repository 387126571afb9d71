"""Jumps through real admission: the ledger, Temporal, and a profile that jumps."""

from __future__ import annotations

from typing import Any

from sojourn.routing import RoutedJumps, Router
from sojourn.routing.jump import enter
from tests.routing.conftest import both_databases
from tests.routing.world import NOON, World, journey

DATA = {"id": "of the event", "amount": 3}


async def jump(router: Router, world: World, *, event: str = "jump-1", **data: Any) -> dict[str, Any]:
    """A jump of `ada` to the test's journey."""
    return await enter(router, world.name, "ada", event, NOON, DATA | data)


@both_databases
async def test_a_jump_lets_the_profile_in_once(world: World) -> None:
    """The key is the profile's, whatever the event's says; the same jump again, or another one, starts nothing."""
    await world.publish(journey(world.name, listens=["stop"]))
    router = await world.process()
    assert await jump(router, world) == {"effect": "started", "journey": world.name, "version": 1}
    again = await world.process()
    assert (await jump(again, world))["effect"] == "started"
    assert (await jump(again, world, event="jump-2"))["effect"] == "already_inside"
    assert len(world.wire.starts) == 1
    state = await world.state("ada")
    assert state["profile"] == "ada"


async def test_a_jump_is_not_delivered_to_who_is_inside(world: World) -> None:
    """Also where the journey waits for its own entry event: a jump starts, or does nothing."""
    await world.publish(journey(world.name, listens=["cart.updated"]))
    router = await world.process()
    await router.route([world.event()])
    assert (await jump(router, world))["effect"] == "already_inside"
    assert world.wire.signals == []


async def test_a_jump_goes_to_the_newest_version(world: World) -> None:
    """As it is when the jump is made."""
    store = await world.publish(journey(world.name))
    router = await world.process()
    await world.publish(journey(world.name, description="newer"))
    assert (await jump(router, world))["version"] == 2
    await store.close()


async def test_refusals_have_their_reasons(world: World) -> None:
    """Those of admission, and those of the event."""
    rule = {"name": "cart.updated", "key": "event.id", "when": "event.amount > 1"}
    schema = {"type": "object", "properties": {"amount": {"type": "integer"}}}
    await world.publish(
        journey(world.name, ends=True, reentry={"allow": False, "after": 0}),
        events=[{**rule, "schema": schema}],
    )
    router = await world.process()
    assert (await jump(router, world, amount=1))["reason"] == "rule_false"
    assert (await jump(router, world, amount="x"))["reason"] == "invalid"
    unknown = await enter(router, f"{world.name}-x", "ada", "jump-3", NOON, DATA)
    assert (unknown["effect"], unknown["reason"]) == ("refused", "no_journey")
    assert (await jump(router, world))["effect"] == "started"
    await world.ended("ada")
    second = await jump(router, world, event="jump-4")
    assert (second["effect"], second["reason"]) == ("refused", "reentry_refused")
    assert "only once" in second["message"]


async def test_a_worker_has_one_router_for_each_client(world: World) -> None:
    """`RoutedJumps` is what a worker gives its calls; it asks with the client that the worker has."""
    store = await world.publish(journey(world.name))
    jumps = RoutedJumps(store, world.settings)
    client = world.wired(world.client)
    for number in range(2):
        answer = await jumps.jump(client, world.name, f"p{number}", f"id-{number}", NOON, DATA)
        assert answer["effect"] == "started"
    assert len(world.wire.starts) == 2
