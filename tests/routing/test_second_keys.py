"""Journeys with a second key: a profile is in them once for each of its values, and not too often at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from sojourn.contract import names
from sojourn.routing import EventResult, IncomingEvent, Router
from sojourn.settings import Settings
from sojourn.steering.instances import InstanceNotFound, list_instances, read_instance
from tests.routing.conftest import both_databases
from tests.routing.world import World, effect, journey


def orders(world: World, *, per: str = "event.order", **more: Any) -> dict[str, Any]:
    """A journey with a second key."""
    compiled = journey(world.name, entry="order.placed", **more)
    return {**compiled, "entry": {"event": "order.placed", "per": per}}


def placed(world: World, order: Any, **more: Any) -> IncomingEvent:
    """The entry event."""
    return world.event("order.placed", order=order, **more)


async def one(router: Router, *events: IncomingEvent) -> str:
    """Route events one by one; returns what became of the last."""
    for event in events:
        (result,) = await router.route([event])
    return effect(result)


def effects(result: EventResult) -> dict[str | None, str]:
    """What became of an event for each second key."""
    started = {item.per: item.effect for item in result.instances}
    return started | {item.per: item.reason for item in result.refusals}


async def test_a_profile_is_in_the_journey_once_for_each_value(world: World) -> None:
    """Each value has an instance, an entry and an answer of its own; the instance knows its value."""
    await world.publish(orders(world))
    router = await world.process()
    (result,) = await router.route([placed(world, "o-1")])
    assert result.as_dict()["instances"] == [
        {
            "journey": world.name,
            "version": 1,
            "workflow_id": f"{world.name}:ada=o-1",
            "effect": "started",
            "per": "o-1",
        }
    ]
    assert await one(router, placed(world, "o-2")) == "started"
    (result,) = await router.route([placed(world, "o-1")])
    assert effects(result) == {"o-1": "already_inside"}
    assert result.as_dict()["refusals"][0]["per"] == "o-1"
    assert await one(router, world.event("order.placed", key="bob", order="o-1")) == "started"
    assert (await world.state(per="o-2"))["start"]["per"] == "o-2"


async def test_reentry_goes_by_profile_and_value(world: World) -> None:
    """The pause of one value is none of another's, and a journey may let each value in once."""
    await world.publish(orders(world, ends=True))
    router = await world.process()
    assert await one(router, placed(world, "o-1")) == "started"
    await world.ended(per="o-1")
    world.clock.forward(minutes=4)
    assert await one(router, placed(world, "o-1")) == "reentry_refused"
    assert await one(router, placed(world, "o-2")) == "started"
    world.clock.forward(minutes=1)
    assert await one(router, placed(world, "o-1")) == "started"
    await world.ended(per="o-1")


async def test_a_journey_may_let_each_value_in_only_once(world: World) -> None:
    """For ever; another value may still enter."""
    await world.publish(orders(world, ends=True, reentry={"allow": False, "after": 0}))
    router = await world.process()
    assert await one(router, placed(world, "o-1")) == "started"
    await world.ended(per="o-1")
    world.clock.forward(days=1000)
    (result,) = await router.route([placed(world, "o-1")])
    assert effect(result) == "reentry_refused"
    assert "each value of its second key in only once" in result.refusals[0].message
    assert await one(router, placed(world, "o-3")) == "started"


async def test_later_events_reach_the_instance_whose_value_they_carry(world: World) -> None:
    """Or all of the profile's, where they carry none; and nobody, where none has the value."""
    await world.publish(orders(world, listens=["order.shipped", "customer.left", "finish"]))
    router = await world.process()
    for order in ("o-1", "o-2"):
        await one(router, placed(world, order))
    await one(router, world.event("order.placed", key="bob", order="o-1"))
    shipped, left = world.event("order.shipped", order="o-2"), world.event("customer.left", order="")
    (result,) = await router.route([shipped])
    assert effects(result) == {"o-2": "signalled"}
    assert await one(router, world.event("order.shipped", order="o-9")) == "no_journey"
    (result,) = await router.route([left])
    assert [item.workflow_id for item in result.instances] == [
        f"{world.name}:ada={order}" for order in ("o-1", "o-2")
    ]
    assert [item["id"] for item in (await world.state(per="o-2"))["events"]] == [shipped.id, left.id]
    assert [item["id"] for item in (await world.state(per="o-1"))["events"]] == [left.id]
    assert (await world.state("bob", "o-1"))["events"] == []
    # What ended hears of nothing more.
    assert await one(router, world.event("finish", order="o-1")) == "signalled"
    await world.ended(per="o-1")
    (result,) = await router.route([world.event("customer.left")])
    assert [item.workflow_id for item in result.instances] == [f"{world.name}:ada=o-2"]
    assert await one(router, world.event("customer.left", key="carol")) == "no_journey"


async def test_the_entry_event_reaches_an_instance_that_listens_for_it(world: World) -> None:
    """The one with its value; for another value it starts one."""
    await world.publish(orders(world, listens=["order.placed"]))
    router = await world.process()
    again = placed(world, "o-1")
    assert await one(router, placed(world, "o-1")) == "started"
    assert await one(router, again) == "signalled"
    assert await one(router, placed(world, "o-2")) == "started"
    assert await one(router, again) == "duplicate"
    assert await one(await world.process(), again) == "duplicate"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "has no value"),
        ({"order": None}, "is empty"),
        ({"order": "  "}, "is empty"),
        ({"order": []}, "is an empty list"),
        ({"order": True}, "is neither a text nor a number"),
        ({"order": {"id": "o-1"}}, "is neither a text nor a number"),
        ({"order": "x" * 1001}, "has 1,001 characters"),
        ({"order": list(range(101))}, "gives 101 values"),
    ],
)
async def test_an_entry_event_without_a_value_is_refused(
    world: World, data: dict[str, Any], said: str
) -> None:
    """The answer names the expression and what is wrong, and no call is made."""
    await world.publish(orders(world))
    (result,) = await (await world.process()).route([world.event("order.placed", **data)])
    (refusal,) = result.refusals
    assert (refusal.journey, refusal.reason) == (world.name, "no_key")
    assert "'event.order'" in refusal.message
    assert said in refusal.message
    assert world.wire.calls == 0


async def test_a_wrong_value_is_not_taken_for_none(world: World) -> None:
    """An event that carries what no key can be reaches nobody, rather than all."""
    await world.publish(orders(world, listens=["order.shipped"]))
    router = await world.process()
    await one(router, placed(world, "o-1"))
    assert await one(router, world.event("order.shipped", order={"id": "o-1"})) == "no_key"
    assert await one(router, world.event("order.shipped", order=None)) == "signalled"


async def test_a_list_of_values_concerns_an_instance_for_each(world: World) -> None:
    """Once for each value; those that are none are refused by themselves."""
    await world.publish(orders(world, per="event.lines.map(line, line.id)", listens=["lines.shipped"]))
    router = await world.process()
    lines = [{"id": 1}, {"id": "b"}, {"id": 1.0}, {"id": None}]
    (result,) = await router.route([world.event("order.placed", lines=lines)])
    assert effects(result) == {"1": "started", "b": "started", None: "no_key"}
    assert "the one at 3, that is empty" in result.refusals[0].message
    assert (await world.state(per="1"))["start"]["per"] == 1
    (result,) = await router.route([world.event("lines.shipped", lines=[{"id": "b"}, {"id": "c"}])])
    assert effects(result) == {"b": "signalled"}
    (result,) = await router.route([world.event("lines.shipped", lines=[])])
    assert len(result.instances) == 2
    # Sent again, what is done is done.
    (result,) = await router.route([world.event("order.placed", lines=[{"id": "b"}, {"id": "d"}])])
    assert effects(result) == {"b": "already_inside", "d": "started"}


@pytest.mark.parametrize(
    "value", ["zoë ✓ \U0001f600", "nul\x00 \ud800", "x" * 1000, 42, "a=b=", "~hash", "null", "a'b"]
)
async def test_any_value_names_an_instance_of_its_own(world: World, value: Any) -> None:
    """No text that JSON can carry breaks an id, a query or the database."""
    await world.publish(orders(world, listens=["finish"]))
    router = await world.process()
    key = "k=1"
    (result,) = await router.route([world.event("order.placed", key=key, order=value)])
    assert result.instances[0].workflow_id == names.workflow_id(world.name, key, str(value))
    assert len(result.instances[0].workflow_id) <= 255
    assert await one(router, world.event("order.placed", key=key, order=value)) == "already_inside"
    assert await one(router, world.event("finish", key=key, order=value)) == "signalled"


async def test_private_keys_hide_both_keys(world: World) -> None:
    """Neither is in the workflow id or anywhere else that Temporal shows."""
    await world.publish(orders(world, listens=["finish"]))
    world.settings = Settings(task_queue=world.settings.task_queue, private_keys=True)
    router = await world.process()
    (result,) = await router.route([placed(world, "order-of-ada")])
    (instance,) = result.instances
    assert "order" not in instance.workflow_id
    found = await world.client.get_workflow_handle(instance.workflow_id).describe()
    assert "order-of-ada" not in str(found.raw_description)
    assert await one(router, world.event("finish", order="order-of-ada")) == "signalled"


@both_databases
async def test_fifty_values_at_once_start_ten_instances(world: World) -> None:
    """Over three API processes: the others are refused with the reason, and enter when there is room."""
    await world.publish(orders(world, listens=["finish"]))
    routers = [await world.process() for _ in range(3)]
    events = [placed(world, f"o-{number}") for number in range(50)]
    answers = await asyncio.gather(*(routers[turn % 3].route([event]) for turn, event in enumerate(events)))
    counts = Counter(effect(result) for (result,) in answers)
    assert counts == {"started": 10, "too_many_instances": 40}
    assert len(set(world.wire.starts)) == len(world.wire.starts) == 10
    refused = next(result for (result,) in answers if not result.instances)
    assert "10 times" in refused.refusals[0].message
    (finished,) = [result for (result,) in answers if result.instances][:1]
    per = finished.instances[0].per
    assert await one(routers[0], world.event("finish", order=per)) == "signalled"
    await world.ended(per=per)
    assert await one(routers[1], placed(world, refused.refusals[0].per)) == "started"
    assert await one(routers[2], placed(world, "o-99")) == "too_many_instances"
    assert await one(routers[2], world.event("order.placed", key="bob", order="o-1")) == "started"


@both_databases
async def test_one_event_with_too_many_values_starts_the_first_ten(world: World) -> None:
    """In its order, and each of the others is refused."""
    await world.publish(orders(world))
    (result,) = await (await world.process()).route([placed(world, [f"o-{number}" for number in range(12)])])
    assert [item.per for item in result.instances] == [f"o-{number}" for number in range(10)]
    assert [(item.per, item.reason) for item in result.refusals] == [
        ("o-10", "too_many_instances"),
        ("o-11", "too_many_instances"),
    ]


async def test_how_many_is_a_setting(world: World) -> None:
    """A deployment says how often a profile may be in a journey at once."""
    world.settings = Settings(task_queue=world.settings.task_queue, max_instances=2)
    await world.publish(orders(world))
    (result,) = await (await world.process()).route([placed(world, ["a", "b", "c"])])
    assert effects(result) == {"a": "started", "b": "started", "c": "too_many_instances"}


async def test_instances_that_ended_make_room_by_themselves(world: World) -> None:
    """However many values a profile has had: only those that run count."""
    await world.publish(orders(world, ends=True))
    router = await world.process()
    for number in range(25):
        assert await one(router, placed(world, f"o-{number}")) == "started"
        await world.ended(per=f"o-{number}")


async def test_a_jump_enters_by_the_second_key_too(world: World) -> None:
    """What a journey that jumps sends along is the entry event: its value names the instance."""
    await world.publish(orders(world))
    router = await world.process()

    async def jump(**data: Any) -> Any:
        event = world.event("order.placed", **data)
        return await router.enter(world.name, "ada", lambda _: event)

    started = await jump(order="o-1")
    assert (started.effect, started.workflow_id) == ("started", f"{world.name}:ada=o-1")
    assert (await jump(order="o-1")).reason == "already_inside"
    assert (await jump(order=["o-1", "o-2"])).workflow_id == f"{world.name}:ada=o-2"
    assert (await jump()).reason == "no_key"


async def test_instances_are_found_by_both_keys(world: World) -> None:
    """By what a person writes, by the workflow id, and all of a profile's by the profile."""
    await world.publish(orders(world, listens=["finish"]))
    router = await world.process()
    for order in ("o-1", "a=b", "x y"):
        await one(router, world.event("order.placed", key="k=1", order=order))
        found = await read_instance(world.client, f"{world.name}:k=1={order}")
        assert found["workflow_id"] == names.workflow_id(world.name, "k=1", order)
        assert (await read_instance(world.client, found["workflow_id"]))["profile"] == "k=1"
    listed: list[Any] = []
    while len(listed) < 3:
        listed = (await list_instances(world.client, journey=world.name, profile="k=1")).instances
    assert {item["per"] for item in listed} == {names.per_part(order) for order in ("o-1", "a=b", "x y")}
    by_id = await list_instances(world.client, journey=world.name, profile="k=1", search_attributes=False)
    assert len(by_id.instances) == 3
    with pytest.raises(InstanceNotFound):
        await read_instance(world.client, f"{world.name}:k=1=o-9")
