"""A paused instance: with its journey, by itself, or both; what reaches it meanwhile; one instance steered alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sojourn.contract import names
from tests.lifecycle.support import JOURNEY, Place, eventually
from tests.workflows.support import Shop

ENDPOINTS = """\
action: send
method: POST
url: http://127.0.0.1:PORT/send
parameters: {to: {type: string}}
body: {to: "${to}"}
"""

CALLS = """\
journey: NAME
entry: {event: entered}
exit_when: [{event: left, when: event.sure == true}]
steps:
  listen: {wait_for: [{event: answered}]}
  tell: {action: send, with: {to: "${entry.id}"}}
  more: {wait_for: [{event: answered, when: event.number == 2, next: second}]}
  second: {end: second}
"""


@pytest.fixture
def shop() -> Any:
    """The other side."""
    server = Shop()
    yield server
    server.close()


async def test_both_reasons_are_kept_apart(place: Place) -> None:
    """Resuming the journey does not resume what was paused by itself, nor the other way round."""
    async with place.workers():
        await place.publish()
        await place.enter(2)
        alone = await place.steer("p0", "pause")
        assert (alone["paused"], alone["paused_by"]) == (True, ["instance"])
        await place.over(await place.act("pause"))
        assert (await place.instance("p0"))["paused_by"] == ["instance", "journey"]
        assert (await place.instance("p1"))["paused_by"] == ["journey"]
        still = await place.steer("p1", "resume")
        assert (still["paused"], still["paused_by"]) == (True, ["journey"])
        await place.over(await place.act("resume"))
        assert (await place.instance("p0"))["paused_by"] == ["instance"]
        assert (await place.instance("p1"))["paused"] is False
        assert (await place.steer("p0", "resume"))["paused"] is False


async def test_a_paused_instance_makes_no_call_and_keeps_its_events(place: Place, shop: Shop) -> None:
    """What arrives meanwhile is not lost: it decides when the instance goes on, in the order of arrival."""
    async with place.workers():
        await place.publish(CALLS, endpoints=ENDPOINTS.replace("PORT", str(shop.port)))
        await place.enter(1)
        await place.over(await place.act("pause"))
        for number in (1, 2):
            assert await place.send("answered", "p0", number=number) == "signalled"
        told = await place.told("p0")
        assert (told["status"], told["step"], told["pending"]) == ("paused", "tell", 1)
        assert shop.calls == []
        await place.over(await place.act("resume"))
        assert (await place.handle("p0").result())["text"] == "second"
        assert [call["body"]["to"] for call in shop.calls] == ["p0"]


@pytest.mark.parametrize("answered", [False, True], ids=["in a wait", "before a call"])
async def test_an_exit_takes_effect_during_a_pause(place: Place, shop: Shop, answered: bool) -> None:
    """At once, with the criterion in the outcome; an event that does not meet it changes nothing."""
    async with place.workers():
        await place.publish(CALLS, endpoints=ENDPOINTS.replace("PORT", str(shop.port)))
        await place.enter(1)
        await place.over(await place.act("pause"))
        if answered:
            assert await place.send("answered", "p0", number=1) == "signalled"
        assert await place.send("left", "p0", sure=False) == "signalled"
        assert (await place.told("p0"))["status"] == "paused"
        assert await place.send("left", "p0", sure=True) == "signalled"
        result = await place.handle("p0").result()
        assert (result["outcome"], result["text"]) == ("exited", "left when event.sure == true")
        assert shop.calls == []


async def test_an_exit_comes_in_the_middle_of_a_call(place: Place, shop: Shop) -> None:
    """The call is abandoned, and the instance ends at once."""
    release = shop.hang()
    async with place.workers():
        await place.publish(CALLS, endpoints=ENDPOINTS.replace("PORT", str(shop.port)))
        await place.enter(1)
        await place.send("answered", "p0", number=1)
        await eventually(lambda: _called(shop))
        await place.send("left", "p0", sure=True)
        result = await asyncio.wait_for(place.handle("p0").result(), 20)
        release.set()
        assert (result["outcome"], result["steps"][-1]["step"]) == ("exited", "tell")


async def test_stopping_comes_in_the_middle_of_a_call(place: Place, shop: Shop) -> None:
    """The instance ends as stopped while the other side has not answered."""
    release = shop.hang()
    async with place.workers():
        await place.publish(CALLS, endpoints=ENDPOINTS.replace("PORT", str(shop.port)))
        await place.enter(1)
        await place.send("answered", "p0", number=1)
        await eventually(lambda: _called(shop))
        await place.over(await place.act("stop"))
        result = await asyncio.wait_for(place.handle("p0").result(), 20)
        release.set()
        assert result["outcome"] == "stopped"


async def test_a_call_in_flight_is_finished_and_the_next_one_parked(place: Place, shop: Shop) -> None:
    """What was begun before the pause is not undone: its result is kept, and the instance freezes behind it."""
    release = shop.hang()
    async with place.workers():
        await place.publish(
            CALLS.replace("steps:\n", "steps:\n  first: {action: send, with: {to: first}}\n").replace(
                "  listen: {wait_for: [{event: answered}]}\n", ""
            ),
            endpoints=ENDPOINTS.replace("PORT", str(shop.port)),
        )
        await place.enter(1)
        await eventually(lambda: _called(shop))
        await place.over(await place.act("pause"))
        release.set()

        async def behind() -> bool:
            told = await place.told("p0")
            return bool(told["step"] == "tell" and told["status"] == "paused")

        await eventually(behind)
        assert len(shop.calls) == 1


async def test_one_instance_is_ended_by_an_operator(place: Place) -> None:
    """As exited with the reason, or as stopped; also while it is paused. Behind that, nothing can be done with it."""
    async with place.workers():
        await place.publish()
        await place.enter(2)
        await place.steer("p0", "pause")
        ended = await place.steer("p0", "exit", reason="asked us to")
        assert (ended["outcome"], ended["text"]) == ("exited", "asked us to")
        assert (await place.steer("p1", "stop"))["outcome"] == "stopped"
        answer = await place.http.post(f"/v1/instances/{place.name}:p0/pause")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/instance-ended")
        answer = await place.http.post(f"/v1/instances/{place.name}:nobody/pause")
        assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-instance")


async def test_what_is_asked_of_an_instance_without_worker_is_kept(place: Place) -> None:
    """The answer says that no worker could be asked; the pause holds when one is there."""
    await place.publish()
    await place.enter(1)
    found = await place.steer("p0", "pause")
    assert (found["source"], found["paused"]) == ("temporal", False)
    async with place.journeys():
        assert (await place.told("p0"))["paused_by"] == ["instance"]


async def test_operations_come_in_any_order(place: Place) -> None:
    """The later one counts, whichever signal arrives last; a version that is not meant is left alone."""
    async with place.journeys():
        await place.publish()
        await place.enter(1)
        handle = place.handle("p0")

        async def after(signal: str, **order: Any) -> list[str]:
            await handle.signal(signal, order)
            return list((await place.told("p0"))["paused_by"])

        assert await after(names.SIGNAL_PAUSE, operation=1, through=1) == ["journey"]
        assert await after(names.SIGNAL_RESUME, operation=3, through=1) == []
        assert await after(names.SIGNAL_PAUSE, operation=2, through=1) == []
        assert await after(names.SIGNAL_PAUSE, operation=4, version=2, through=2) == []
        assert await after(names.SIGNAL_PAUSE, operation=5, through=0) == []
        assert await after(names.SIGNAL_PAUSE, operation="6") == ["instance"]


async def test_refusals_say_what_is_possible(place: Place) -> None:
    """409, with the state and what can be done in it."""
    await place.publish(JOURNEY)
    await place.act("close")
    answer = await place.http.post(f"/v1/journeys/{place.name}/resume")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "/problems/not-in-this-state")
    assert (problem["state"], problem["possible"]) in (
        ("closed", ["publish", "reopen", "close", "stop"]),
        ("finished", ["publish", "reopen"]),
    )
    answer = await place.http.post(f"/v1/journeys/{place.name}/publish")
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-draft")
    answer = await place.http.post(f"/v1/journeys/{place.name}/stop", params={"version": 7})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-version")
    answer = await place.http.post("/v1/journeys/nobody/pause")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-journey")


async def test_a_draft_is_shown_and_entered_by_nobody(place: Place) -> None:
    """A new journey is a draft; of a live one, the draft is shown beside what is live."""
    answer = await place.publish(draft=True)
    assert (answer["published"], answer["drafts"]) == ([], [{"journey": place.name, "version": 1}])
    assert await place.state() == "draft"
    sent = await place.http.post("/v1/events", json={"name": "entered", "data": {"id": "p0"}})
    assert sent.json()["results"][0]["refusals"][0]["reason"] == "no_journey"
    assert (await place.act("publish"))["state"] == "live"
    assert await place.send("entered", "p0") == "started"
    await place.publish(JOURNEY.replace("done}", "other}"), draft=True)
    shown = (await place.http.get(f"/v1/journeys/{place.name}")).json()
    assert (shown["state"], shown["version"], shown["draft"]) == ("live", 1, 2)
    gone = await place.http.delete(f"/v1/journeys/{place.name}/draft")
    assert gone.json() == {"journey": place.name, "discarded": True}


async def _called(shop: Shop) -> bool:
    return bool(shop.calls)
