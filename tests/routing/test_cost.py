"""What routing must not cost: events that concern nobody, and refusals that memory can answer."""

from __future__ import annotations

import pytest
from sqlalchemy import event as sqlalchemy_event

from sojourn.store import Store
from tests.routing.world import World, effect, event_definition, journey


class Statements:
    """Counts the statements that a store sends to its database."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def watch(self, store: Store) -> None:
        @sqlalchemy_event.listens_for(store.database.engine, "before_cursor_execute")
        def _note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            self.seen.append(statement.split()[0])


@pytest.fixture
def statements() -> Statements:
    """A counter of statements."""
    return Statements()


async def test_events_that_concern_nobody_ask_nobody(world: World, statements: Statements) -> None:
    """Undefined, unwanted and invalid events cost neither a statement nor a call, however many come."""
    await world.publish(journey(world.name), events=[event_definition("page.viewed")])
    store = await world.open_store(catalog_refresh=3600)
    router = world.router(store)
    await router.route([])
    statements.watch(store)
    events = [world.event("page.viewed"), world.event("never.defined"), world.event(key="")]
    for _ in range(100):
        results = await router.route(events)
    assert [effect(result) for result in results] == ["no_journey", "no_journey", "no_key"]
    assert statements.seen == []
    assert world.wire.calls == 0


async def test_events_for_those_outside_read_and_never_write(world: World, statements: Statements) -> None:
    """One query answers for a whole batch of strangers."""
    await world.publish(journey(world.name, listens=["order.placed"]))
    store = await world.open_store(catalog_refresh=3600)
    router = world.router(store)
    await router.route([])
    statements.watch(store)
    results = await router.route([world.event("order.placed", key=f"p{number}") for number in range(30)])
    assert {effect(result) for result in results} == {"no_journey"}
    assert statements.seen == ["SELECT"]


async def test_an_entry_costs_two_transactions_and_one_call(world: World, statements: Statements) -> None:
    """Reserve, start, confirm; a batch reserves all its entries at once."""
    await world.publish(journey(world.name))
    store = await world.open_store(catalog_refresh=3600)
    router = world.router(store)
    await router.route([])
    statements.watch(store)
    await router.route([world.event()])
    assert [statement for statement in statements.seen if statement == "BEGIN"] == ["BEGIN"] * 2
    assert (len(world.wire.starts), world.wire.describes) == (1, 0)
    statements.seen.clear()
    await router.route([world.event(key=f"p{number}") for number in range(30)])
    assert statements.seen.count("SELECT") == 3, "of entries, handled events and states, once for all"


async def test_a_repetition_is_answered_from_memory(world: World, statements: Statements) -> None:
    """A sender in a loop costs nothing but its own answers."""
    await world.publish(journey(world.name))
    store = await world.open_store(catalog_refresh=3600)
    router, event = world.router(store), world.event()
    await router.route([event])
    statements.watch(store)
    world.wire.starts.clear()
    assert {result.status for result in await router.route([event] * 20)} == {"duplicate"}
    assert (statements.seen, world.wire.calls) == ([], 0)
