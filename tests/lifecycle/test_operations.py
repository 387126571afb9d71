"""Operations over all instances of a journey: pause, resume, stop; none is forgotten."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from sojourn.contract import names
from sojourn.steering.journeys import Lifecycle
from sojourn.store.entries.records import Claim, Release
from sojourn.temporal.connection import connect
from tests.lifecycle.support import JOURNEY, Place, eventually
from tests.routing.world import NOON

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


async def test_pausing_and_resuming_reaches_every_instance(either: Place) -> None:
    """All are frozen, nobody enters meanwhile, and all go on again."""
    async with either.workers():
        await either.publish()
        keys = await either.enter(25)
        paused = await either.act("pause")
        assert (paused["state"], paused["operation"]["kind"]) == ("paused", "pause")
        assert await either.send("entered", "late") == "paused"
        done = await either.over(paused)
        assert (done["state"], done["total"], done["done"], done["failed"]) == ("done", 25, 25, 0)
        assert {(await either.told(key))["status"] for key in keys} == {"paused"}
        assert await either.send("answered", keys[0]) == "signalled"
        resumed = await either.over(await either.act("resume"))
        assert (resumed["done"], await either.state()) == (25, "live")
        assert (await either.handle(keys[0]).result())["text"] == "done"
        assert {(await either.told(key))["status"] for key in keys[1:]} == {"running"}
        assert await either.send("entered", "late") == "started"


async def test_stopping_ends_every_instance_as_stopped(either: Place) -> None:
    """Their outcome says so, the ledger knows that they have ended, and nobody enters."""
    async with either.workers():
        await either.publish()
        keys = await either.enter(25)
        stopped = await either.over(await either.act("stop"))
        assert (stopped["done"], await either.state()) == (25, "stopped")
        results = await asyncio.gather(*(either.handle(key).result() for key in keys))
        assert {result["outcome"] for result in results} == {"stopped"}
        assert await either.send("entered", "late") == "not_live"
        assert await either.store.operations.open_entries(either.name, _LONG_AGO, 10) == []


async def test_instances_that_no_worker_runs_stop_when_one_is_back(place: Place) -> None:
    """What was asked is kept by Temporal."""
    await place.publish()
    async with place.operations():
        keys = await place.enter(3)
        await place.over(await place.act("stop"))
    async with place.journeys():
        results = await asyncio.gather(*(place.handle(key).result() for key in keys))
    assert {result["outcome"] for result in results} == {"stopped"}


async def test_an_operation_waits_for_its_worker(place: Place) -> None:
    """Without one, the journey's state holds at once; the instances follow when a worker is there."""
    async with place.journeys():
        await place.publish()
        await place.enter(2)
        paused = await place.act("pause")
        assert await place.send("entered", "late") == "paused"
        assert (await place.told("p0"))["status"] == "running"
        async with place.operations():
            assert (await place.over(paused))["done"] == 2
        assert (await place.told("p0"))["status"] == "paused"


async def test_one_version_is_stopped_and_the_others_go_on(place: Place) -> None:
    """Instances of another version are none of the operation's business, and the state stays."""
    async with place.workers():
        await place.publish()
        await place.enter(3, "old")
        await place.publish(JOURNEY.replace("done}", "changed}"))
        await place.enter(3, "new")
        done = await place.over(await place.act("stop", version=1))
        assert (done["version"], done["total"], await place.state()) == (1, 3, "live")
        assert (await place.handle("old0").result())["outcome"] == "stopped"
        assert {(await place.told(f"new{number}"))["status"] for number in range(3)} == {"running"}


async def test_what_a_reopened_journey_lets_in_is_not_stopped(place: Place) -> None:
    """A stop ends the instances that there were: not those of the version that came behind it."""
    await place.publish()
    async with place.journeys():
        await place.enter(3, "old")
        stopping = await place.act("stop")
        assert (await place.act("reopen"))["version"] == 2
        assert await place.send("entered", "new") == "started"
        async with place.operations():
            assert (await place.over(stopping))["total"] == 3
        assert (await place.handle("old0").result())["outcome"] == "stopped"
        assert (await place.told("new"))["status"] == "running"


async def test_a_contrary_operation_takes_the_place_of_the_first(place: Place) -> None:
    """Resuming while the pause has not begun: the pause is superseded, and no instance stays frozen."""
    async with place.journeys():
        await place.publish()
        keys = await place.enter(10)
        paused = await place.act("pause")
        resumed = await place.act("resume")
        async with place.operations():
            assert (await place.over(resumed))["done"] == 10
            assert (await place.over(paused))["state"] == "superseded"
            # The first one's signal, which comes late.
            await place.handle(keys[0]).signal(
                names.SIGNAL_PAUSE, {"operation": paused["operation"]["id"], "through": 1}
            )
        assert {(await place.told(key))["status"] for key in keys} == {"running"}


async def test_asking_again_goes_on_with_the_same_operation(place: Place) -> None:
    """Two operators who pause at once have one operation; behind its end, another one looks again."""
    async with place.journeys():
        await place.publish()
        await place.enter(2)
        first, second = await place.act("pause"), await place.act("pause")
        assert first["operation"]["id"] == second["operation"]["id"]
        async with place.operations():
            await place.over(first)
            third = await place.act("pause")
            assert third["operation"]["id"] > first["operation"]["id"]
            assert (await place.over(third))["done"] == 2


async def test_entries_that_race_with_a_pause_are_refused_or_frozen(place: Place) -> None:
    """Profiles enter as fast as they can while the journey is paused: none slips through."""
    async with place.workers():
        await place.publish()
        outcomes: dict[str, str] = {}

        async def enter(number: int) -> None:
            outcomes[f"r{number}"] = await place.send("entered", f"r{number}")

        entering = [asyncio.create_task(enter(number)) for number in range(40)]
        while not outcomes:
            await asyncio.sleep(0.001)
        paused = await place.act("pause")
        await asyncio.gather(*entering)
        done = await place.over(paused)
        inside = [key for key, outcome in outcomes.items() if outcome == "started"]
        assert set(outcomes.values()) <= {"started", "paused"}
        assert done["total"] == len(inside) > 0
        assert {(await place.told(key))["status"] for key in inside} == {"paused"}


async def test_an_operation_whose_start_was_lost_is_started_after_all(place: Place) -> None:
    """The state was changed, and then Temporal could not be reached: whoever looks next starts the operation."""
    async with place.workers():
        await place.publish()
        await place.enter(2)
        nowhere = await connect(lazy=True, address="127.0.0.1:9")
        away = Lifecycle(place.store, nowhere, place.settings)
        steered = await away.act(place.name, "pause")
        assert steered is not None
        assert steered.operation is not None
        assert await place.send("entered", "late") == "paused"
        await Lifecycle(place.store, place.client, place.settings).ensure()
        assert (await place.over({"operation": {"id": steered.operation.id}}))["done"] == 2


async def test_an_entry_whose_process_died_is_settled(place: Place) -> None:
    """A reservation that nobody comes back for does not keep an operation from its end."""
    async with place.workers():
        await place.publish()
        workflow = names.workflow_id(place.name, "dead")
        claim = Claim(place.name, "dead", "e1", workflow, 1, NOON, allow=True, after=0)
        entry = (await place.store.ledger.reserve(claim)).entry
        assert entry is not None
        await place.store.ledger.write(Release(entry, 0.0))
        assert (await place.over(await place.act("pause")))["total"] == 0


async def test_operations_are_listed_newest_first(place: Place) -> None:
    """By journey and by state; an unknown one is a problem."""
    async with place.workers():
        await place.publish()
        await place.over(await place.act("pause"))
        await place.over(await place.act("resume"))
    found = (await place.http.get("/v1/operations", params={"journey": place.name})).json()["operations"]
    assert [operation["kind"] for operation in found] == ["resume", "pause"]
    running = await place.http.get("/v1/operations", params={"state": "running"})
    assert running.json() == {"operations": []}
    assert (await place.http.get("/v1/operations/999999")).json()["type"] == "/problems/unknown-operation"


async def test_a_closed_journey_finishes_when_the_last_one_has_left(either: Place) -> None:
    """Nobody enters; those inside finish; then the journey is finished, which reading it finds out."""
    async with either.workers():
        await either.publish()
        await either.enter(2)
        assert (await either.act("close"))["state"] == "closed"
        assert await either.send("entered", "late") == "not_live"
        assert await either.send("answered", "p0") == "signalled"
        await either.handle("p0").result()
        assert await either.state() == "closed"
        assert await either.send("left", "p1") == "signalled"
        assert (await either.handle("p1").result())["outcome"] == "exited"
        await eventually(lambda: _is(either, "finished"))


async def test_a_journey_whose_end_has_passed_finishes(place: Place) -> None:
    """It goes on saying that it was outside of its dates."""
    await place.publish(JOURNEY.replace("entry: {event", "end: 2020-01-01\nentry: {event"))
    assert await place.send("entered", "late") == "outside_dates"
    assert await Lifecycle(place.store, place.client, place.settings).finish() == [place.name]
    assert await place.state() == "finished"
    assert await place.send("entered", "late") == "outside_dates"


async def _is(place: Place, state: str) -> bool:
    return await place.state() == state
