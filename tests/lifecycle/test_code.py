"""Journeys that are code are steered like the others, whatever their workflow type is called."""

from __future__ import annotations

from sojourn import Event, journey
from sojourn.store.publish import Publication
from sojourn.workflows.authoring.define import settings_of
from tests.lifecycle.support import Place, eventually
from tests.routing.world import event_definition


class Entered(Event, name="entered", key="id"):
    """Somebody came."""

    id: str


class Answered(Event, name="answered", key="id"):
    """Somebody answered."""

    id: str


@journey.defn(name="in-code", entry=Entered)
class InCode:
    """Waits for an answer."""

    @journey.run
    async def run(self, entered: Entered) -> str:
        """Walk through it."""
        await journey.wait_for(Answered)
        return "answered"


async def test_instances_in_code_are_found_and_steered(either: Place) -> None:
    """They are listed, paused, resumed and stopped, with search attributes and without."""
    # Under a name of the test's own: other instances of `in-code` may be on the same server.
    definition = {**settings_of(InCode).definition(), "name": either.name}
    events = {name: event_definition(name) for name in ("entered", "answered")}
    await either.store.publish_json(Publication(events=events, journeys={either.name: definition}))
    async with either.journeys([InCode]), either.operations():
        await either.enter(2)

        async def listed() -> bool:
            answer = await either.http.get("/v1/instances", params={"journey": either.name})
            return len(answer.json()["instances"]) == 2

        await eventually(listed)
        for what, status in (("pause", "paused"), ("resume", "running")):
            assert (await either.over(await either.act(what)))["done"] == 2
            assert {(await either.told(key))["status"] for key in ("p0", "p1")} == {status}
        await either.over(await either.act("stop"))
        assert (await either.handle("p0").result())["outcome"] == "stopped"
