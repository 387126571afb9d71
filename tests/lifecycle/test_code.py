"""Journeys that are code are steered like the others, whatever their workflow type is called."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn import Event, journey
from sojourn.plugin import JourneyPlugin
from sojourn.steering import instances
from sojourn.store.publish import Publication
from sojourn.workflows.authoring.define import settings_of
from tests.lifecycle.support import Place, eventually
from tests.lifecycle.test_cli import sojourn
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


@journey.defn(name="in-code", entry=Entered)
class Changed:
    """The same, changed as it may not be."""

    @journey.run
    async def run(self, entered: Entered) -> str:
        """Walk through it."""
        await journey.sleep(timedelta(days=1))
        await journey.wait_for(Answered)
        return "answered"


@journey.defn(name="in-code", entry=Entered)
class Mistaken:
    """The same, with a mistake."""

    @journey.run
    async def run(self, entered: Entered) -> str:
        """Walk through it."""
        return {}["no such key"]  # type: ignore[no-any-return]


async def publish(place: Place) -> None:
    """Publish the journey, under a name of the test's own: other instances may be on the same server."""
    definition = {**settings_of(InCode).definition(), "name": place.name}
    events = {name: event_definition(name) for name in ("entered", "answered")}
    await place.store.publish_json(Publication(events=events, journeys={place.name: definition}))


async def test_instances_in_code_are_found_and_steered(either: Place) -> None:
    """They are listed, paused, resumed and stopped, with search attributes and without."""
    await publish(either)
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


def worker(place: Place, body: type) -> Worker:
    """A worker with a version of the code, on which what fails is tried again, as in earnest."""
    return Worker(
        place.client,
        task_queue=place.settings.task_queue,
        plugins=[JourneyPlugin(journeys=[body], register_activities=False)],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )


async def test_code_that_fails_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its exception, or as non-determinism, until the code is mended."""
    monkeypatch.setattr(instances, "QUERY_DEADLINE", 0.5)
    await publish(place)

    async def failing(key: str) -> dict[str, Any] | None:
        found = await place.instance(key)
        return found if found["error"] else None

    async with worker(place, Mistaken):
        await place.enter(1, "m")
        found = await eventually(lambda: failing("m0"))
        assert (found["status"], found["steps"], found["source"]) == ("running", None, "temporal")
        assert found["error"] == {
            "step": None,
            "code": "code_error",
            "status": None,
            "message": "KeyError: 'no such key'",
        }
    async with worker(place, InCode):
        await place.enter(1, "n")
        for key in ("m0", "n0"):
            await eventually(lambda key=key: place.told(key))  # type: ignore[misc]
            assert (await place.instance(key))["error"] is None
    async with worker(place, Changed):
        await place.send("answered", "n0")
        assert (await eventually(lambda: failing("n0")))["error"]["code"] == "nondeterminism"
        result = await sojourn(place, "instances", f"{place.name}:n0")
        assert "nondeterminism: " in result.out
        assert "its code fails, and is tried again until it is mended" in result.out
    for key in ("m0", "n0"):
        await place.handle(key).terminate()
