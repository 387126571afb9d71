"""A process may die between any two lines: sending the event again completes what it began, and no more."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from sojourn.contract import names
from sojourn.routing import IncomingEvent, Router, RoutingUnavailable
from sojourn.routing import instance_gateway as temporal_calls
from sojourn.settings import Settings
from sojourn.store import Store, StoreUnavailable
from sojourn.store.entries.records import Confirm
from tests.conftest import free_port
from tests.routing.conftest import both_databases
from tests.routing.world import NOON, Dies, World, effect, journey

SHORT = 1.0
"""Seconds of a lease that tests wait out."""


async def one(router: Router, event: IncomingEvent) -> str:
    """Route one event; returns what became of it."""
    (result,) = await router.route([event])
    return effect(result)


def dies_at(call: str) -> Any:
    """Code that ends the process at a call."""

    def die(now: str) -> None:
        if now == call:
            raise Dies

    return die


def per_order(world: World, **more: Any) -> dict[str, Any]:
    """A journey in which a profile is once for each order."""
    return {**journey(world.name, **more), "entry": {"event": "cart.updated", "per": "event.order"}}


@both_databases
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("second_key", [False, True])
async def test_death_around_the_start(world: World, place: str, ends: bool, second_key: bool) -> None:
    """Before it nothing runs, after it nobody knows: either way the resend leads to exactly one run."""
    kind = per_order if second_key else lambda world, **more: journey(world.name, **more)
    await world.publish(kind(world, ends=ends, reentry={"allow": True, "after": 0}))
    event = world.event(order="o-1")
    setattr(world.wire, place, dies_at("start"))
    with pytest.raises(Dies):
        await (await world.process(lease=SHORT)).route([event])
    setattr(world.wire, place, None)
    survivor = await world.process()
    assert await one(survivor, event) == "started"
    assert await one(survivor, event) == "duplicate"
    assert len(world.wire.starts) == 1


@pytest.mark.parametrize("place", ["before", "after"])
async def test_death_and_another_event_of_the_same_profile(world: World, place: str) -> None:
    """The next event does not suffer from what a dead process left, and takes nothing from it either."""
    await world.publish(journey(world.name))
    first, second = world.event(), world.event()
    setattr(world.wire, place, dies_at("start"))
    with pytest.raises(Dies):
        await (await world.process(lease=SHORT)).route([first])
    setattr(world.wire, place, None)
    survivor = await world.process()
    # Before the start: nothing was begun, so the second event enters. After it: the first one has.
    assert await one(survivor, second) == ("started" if place == "before" else "already_inside")
    assert await one(survivor, first) == ("already_inside" if place == "before" else "duplicate")
    assert len(world.wire.starts) == 1


async def test_death_on_the_way_back_in_brings_the_last_entry_back(world: World) -> None:
    """Re-entry goes on to count from the entry that happened, not from the one that did not."""
    await world.publish(journey(world.name, ends=True, reentry={"allow": True, "after": 3600}))
    router = await world.process(lease=SHORT)
    first, second = world.event(), world.event()
    await one(router, first)
    await world.ended()
    world.clock.forward(hours=2)
    world.wire.before = dies_at("start")
    with pytest.raises(Dies):
        await router.route([second])
    world.wire.before = None
    await asyncio.sleep(SHORT)
    survivor = await world.process()
    assert (await survivor.maintain()).resolved == 0, "it is left to the sender for a minute"
    entry = (await (await world.open_store()).ledger.look(world.name, "ada")).entry
    assert entry is not None
    assert entry.stale
    assert await one(survivor, world.event()) == "started"


async def test_an_event_waits_for_a_start_that_is_under_way_elsewhere(world: World) -> None:
    """An order that arrives while another process starts the instance reaches it."""
    await world.publish(journey(world.name, listens=["finish"]))
    router, other = await world.process(lease=SHORT), await world.process()
    world.wire.after = dies_at("start")
    with pytest.raises(Dies):
        await router.route([world.event()])
    world.wire.after = None
    assert await one(other, world.event("finish")) == "signalled"


@pytest.mark.parametrize("lost", [Dies, StoreUnavailable])
async def test_death_between_start_and_confirmation(
    world: World, monkeypatch: pytest.MonkeyPatch, lost: type[BaseException]
) -> None:
    """The process dies, or the database goes away: the row stays reserved, the instance runs."""
    await world.publish(journey(world.name))
    store = await world.open_store(lease=SHORT)
    write = store.ledger.write

    async def fails(note: Any) -> bool:
        if isinstance(note, Confirm):
            raise lost("gone")
        return bool(await write(note))

    monkeypatch.setattr(store.ledger, "write", fails)
    event = world.event()
    with pytest.raises(Dies if lost is Dies else RoutingUnavailable):
        await world.router(store).route([event])
    monkeypatch.undo()
    survivor = await world.process()
    assert await one(survivor, event) == "started"
    assert await one(survivor, event) == "duplicate"
    assert await one(survivor, world.event()) == "already_inside"
    assert len(world.wire.starts) == 1


async def test_death_between_delivery_and_its_note(world: World) -> None:
    """An entry event that was delivered is delivered again; the instance counts its id once."""
    await world.publish(journey(world.name, listens=["cart.updated"]))
    router = await world.process()
    await one(router, world.event())
    event = world.event()
    world.wire.after = dies_at("signal")
    with pytest.raises(Dies):
        await router.route([event])
    world.wire.after = None
    assert await one(await world.process(), event) == "signalled"
    assert await one(await world.process(), event) == "duplicate"
    assert {item["id"] for item in (await world.state())["events"]} == {event.id}


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime

from temporalio.client import Client
from sojourn.routing import Router
from sojourn.settings import Settings
from sojourn.store import Store
from tests.routing.world import IncomingEvent, NOON, Wire

async def main(database, address, namespace, queue, place):
    def die(call):
        if call == "start":
            os.kill(os.getpid(), signal.SIGKILL)

    wire = Wire()
    setattr(wire, place, die)
    client = await Client.connect(address, namespace=namespace, interceptors=[wire])
    store = await Store.open(database, lease=0.3)
    router = Router(store, client, Settings(task_queue=queue), clock=lambda: NOON)
    await router.route([IncomingEvent("killed", "cart.updated", NOON, {"id": "ada", "order": "o-1"})])

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("per", [None, "o-1"])
async def test_a_process_that_is_killed_for_real(
    world: World, database_url: str, place: str, per: str | None
) -> None:
    """SIGKILL, with nothing left to tidy up: the resend leads to exactly one run."""
    await world.publish(per_order(world) if per else journey(world.name))
    address, namespace = world.client.service_client.config.target_host, world.client.namespace
    arguments = (database_url, address, namespace, world.settings.task_queue, place)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, *arguments)
    assert await process.wait() == -signal.SIGKILL
    event = IncomingEvent("killed", "cart.updated", NOON, {"id": "ada", "order": "o-1"})
    assert await one(await world.process(), event) == "started"
    assert world.wire.starts == ([names.workflow_id(world.name, "ada", per)] if place == "before" else [])
    assert (await world.state(per=per))["start"]["event"]["id"] == "killed"
    assert await one(await world.process(), event) == "duplicate"


@pytest.mark.parametrize("place", ["before", "after"])
async def test_death_in_the_middle_of_several_values(world: World, place: str) -> None:
    """Those that were started stay, and the resend starts the others, each once."""
    await world.publish(per_order(world))
    event, begun = world.event(order=["a", "b", "c"]), 0

    def die(call: str) -> None:
        nonlocal begun
        begun += call == "start"
        if begun == 2:
            raise Dies

    setattr(world.wire, place, die)
    with pytest.raises(Dies):
        await (await world.process(lease=SHORT)).route([event])
    setattr(world.wire, place, None)
    (result,) = await (await world.process()).route([event])
    assert {item.per for item in result.instances} == {"b", "c"}
    assert [(item.per, item.reason) for item in result.refusals] == [("a", "duplicate")]
    assert sorted(world.wire.starts) == [f"{world.name}:ada={per}" for per in "abc"]


@pytest.mark.parametrize("place", ["before", "after"])
async def test_what_the_dead_left_takes_a_place_only_if_it_runs(world: World, place: str) -> None:
    """A reservation counts until it is settled: then it is an instance, or there is room."""
    world.settings = Settings(task_queue=world.settings.task_queue, max_instances=1)
    await world.publish(per_order(world))
    setattr(world.wire, place, dies_at("start"))
    with pytest.raises(Dies):
        await (await world.process(lease=SHORT)).route([world.event(order="a")])
    setattr(world.wire, place, None)
    survivor = await world.process()
    expected = "started" if place == "before" else "too_many_instances"
    assert await one(survivor, world.event(order="b")) == expected
    assert len(world.wire.starts) == 1


async def test_the_clean_up_settles_second_keys_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry of each value by itself."""
    monkeypatch.setattr("sojourn.routing.router.ABANDONED", 0.05)
    await world.publish(per_order(world))
    event = world.event(order="a")
    world.wire.after = dies_at("start")
    with pytest.raises(Dies):
        await (await world.process(lease=SHORT)).route([event])
    world.wire.after = None
    await asyncio.sleep(SHORT + 0.1)
    assert (await (await world.process()).maintain()).resolved == 1
    look = await (await world.open_store()).ledger.look(world.name, "ada", event.id, per="a")
    assert look.handled
    assert look.entry is not None
    assert not look.entry.reserved


async def test_without_temporal_the_event_is_kept_by_its_sender(world: World) -> None:
    """No server: unavailable, with the place that was tried; the resend starts one instance."""
    store = await world.publish(journey(world.name))
    nowhere = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True)
    router = world.router(store, nowhere)
    event = world.event()
    for _ in range(2):
        with pytest.raises(RoutingUnavailable, match="cannot be reached") as caught:
            await router.route([event])
        assert caught.value.done == [None]
    assert await one(await world.process(), event) == "started"
    assert len(world.wire.starts) == 1


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """A server that takes connections and says nothing, for ever."""
    connections: list[asyncio.StreamWriter] = []

    async def listen(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in connections:
        writer.close()
    await server.wait_closed()


async def test_a_temporal_that_says_nothing_is_given_up_in_time(
    world: World, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call is bounded, whatever the SDK would do."""
    monkeypatch.setattr(temporal_calls, "RPC_DEADLINE", 0.3)
    store = await world.publish(journey(world.name))
    mute = world.router(store, await Client.connect(silent, lazy=True))
    began = asyncio.get_running_loop().time()
    event = world.event()
    with pytest.raises(RoutingUnavailable, match=r"within 0\.3 seconds"):
        await mute.route([event])
    assert asyncio.get_running_loop().time() - began < 2
    monkeypatch.undo()
    assert await one(await world.process(), event) == "started"


async def test_a_start_whose_answer_was_lost_is_found(world: World) -> None:
    """Temporal took it and the connection broke: the resend finds the instance by the event in its memo."""
    await world.publish(journey(world.name, ends=True, reentry={"allow": True, "after": 0}))
    router = await world.process()
    event = world.event()

    def lost(call: str) -> None:
        raise RPCError("connection reset", RPCStatusCode.UNAVAILABLE, b"")

    world.wire.after = lost
    with pytest.raises(RoutingUnavailable):
        await router.route([event])
    world.wire.after = None
    assert await one(router, event) == "started"
    assert len(world.wire.starts) == 1


async def test_a_request_that_is_cancelled_leaves_the_door_open(world: World) -> None:
    """A client that hangs up in the middle does not lock its customer out for the length of a lease."""
    await world.publish(journey(world.name))
    router = await world.process()

    def hang_up(call: str) -> None:
        world.wire.before = None
        task.cancel()

    world.wire.before = hang_up
    event = world.event()
    task = asyncio.create_task(router.route([event]))
    with pytest.raises(asyncio.CancelledError):
        await task
    began = asyncio.get_running_loop().time()
    assert await one(router, event) == "started"
    assert asyncio.get_running_loop().time() - began < 10


async def test_a_process_that_slept_through_its_lease_does_no_harm(world: World) -> None:
    """While it slept, another one entered; when it wakes up, it finds the profile inside."""
    await world.publish(journey(world.name))
    sleepy, awake = await world.process(lease=SHORT), await world.process()
    first, second = world.event(), world.event()
    asleep, alarm = asyncio.Event(), asyncio.Event()
    temporal: Any = sleepy._admission._temporal
    start = temporal.start

    async def slow_start(*arguments: Any) -> bool:
        asleep.set()
        await alarm.wait()
        return bool(await start(*arguments))

    temporal.start = slow_start
    late = asyncio.create_task(one(sleepy, first))
    await asleep.wait()
    assert await one(awake, second) == "started"
    alarm.set()
    assert await late == "already_inside"
    assert len(world.wire.starts) == 1
    entry = (await (await world.open_store()).ledger.look(world.name, "ada")).entry
    assert entry is not None
    assert (entry.event_id, entry.reserved) == (second.id, False)


async def test_a_start_that_lands_after_its_lease_is_written_down(world: World) -> None:
    """Somebody rolled the reservation back before the start arrived; the instance runs, so it is an entry."""
    await world.publish(journey(world.name, listens=["finish", "order.placed"]))
    sleepy, awake = await world.process(lease=SHORT), await world.process()
    first, asleep, alarm = world.event(), asyncio.Event(), asyncio.Event()
    temporal: Any = sleepy._admission._temporal
    start = temporal.start

    async def slow_start(*arguments: Any) -> bool:
        asleep.set()
        await alarm.wait()
        return bool(await start(*arguments))

    temporal.start = slow_start
    late = asyncio.create_task(one(sleepy, first))
    await asleep.wait()
    # An order finds the stale reservation, and no instance: it rolls the reservation back.
    assert await one(awake, world.event("order.placed")) == "no_journey"
    alarm.set()
    assert await late == "started"
    assert await one(awake, world.event("finish")) == "signalled"
    assert await one(awake, first) == "duplicate"


async def test_the_clean_up_settles_what_nobody_came_back_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before Temporal forgets the run that would tell."""
    monkeypatch.setattr("sojourn.routing.router.ABANDONED", 0.05)
    await world.publish(journey(world.name))
    started, nothing = world.event(key="started"), world.event(key="nothing")
    router = await world.process(lease=SHORT)
    for place, event in (("after", started), ("before", nothing)):
        setattr(world.wire, place, dies_at("start"))
        with pytest.raises(Dies):
            await router.route([event])
        setattr(world.wire, place, None)
    await asyncio.sleep(SHORT + 0.1)
    survivor = await world.process()
    assert (await survivor.maintain()).resolved == 2
    assert (await survivor.maintain()).resolved == 0
    ledger = (await world.open_store()).ledger
    look = await ledger.look(world.name, "started", started.id)
    assert look.handled
    assert look.entry is not None
    assert not look.entry.reserved
    assert (await ledger.look(world.name, "nothing")).entry is None


async def test_without_the_database_the_event_is_kept_by_its_sender(world: World) -> None:
    """Unavailable, before anything is begun."""
    pytest.importorskip("asyncpg")
    store = await Store.open(f"postgresql://u@127.0.0.1:{free_port()}/x")
    with pytest.raises(RoutingUnavailable, match="database cannot be reached"):
        await world.router(store).route([world.event()])
    with pytest.raises(RoutingUnavailable, match="database cannot be reached"):
        await world.router(store).maintain()
    assert world.wire.calls == 0
    await store.close()


async def test_a_definition_from_the_future_keeps_its_events_with_their_senders(world: World) -> None:
    """An API process that is older than what was published cannot judge: nothing is refused for that."""
    newer = {"name": "page.viewed", "key": "event.id.function_of_the_future("}
    await world.publish(journey(world.name), events=[newer])
    router = await world.process()
    with pytest.raises(RoutingUnavailable, match=r"page\.viewed"):
        await router.route([world.event("page.viewed")])
    assert await one(router, world.event()) == "started"
