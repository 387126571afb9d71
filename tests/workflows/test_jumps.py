"""`jump`: what an instance asks of admission, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn import Event, journey
from sojourn.plugin import JourneyPlugin
from sojourn.workflows.authoring.define import settings_of
from tests.workflows.support import (
    Shop,
    compiled,
    failure,
    history_length,
    project,
    running,
    signal,
    until_waiting,
)

JOURNEY = """
journey: j
entry: {event: entered}
steps:
  go: {jump: k, with: {customerId: "${entry.customerId}", amount: "${entry.amount + 1}"}, on_error: refused}
  done: {end: done}
  refused: {end: "${journey.last_error.code}: ${journey.last_error.message}"}
---
journey: k
entry: {event: other}
steps:
  done: {end: done}
"""
STARTED = {"effect": "started", "journey": "k", "version": 3}


@dataclass
class Door:
    """Stands in the place of admission, and answers as a test says."""

    answer: Callable[[], dict[str, Any]] = lambda: STARTED
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def jump(
        self, client: Client, target: str, key: str, event_id: str, time: datetime, data: Any
    ) -> dict[str, Any]:
        self.asked.append({"target": target, "key": key, "id": event_id, "time": time, "data": data})
        return self.answer()


@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_jump_starts_another_journey_and_goes_on(temporal: WorkflowEnvironment, cached: int) -> None:
    """Admission gets the profile and the data; the trace says what came of it; 11 history events, as for an action."""
    door, loaded = Door(), project(JOURNEY)
    async with running(temporal.client, loaded, jumps=door, cached=cached) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada", "amount": 1}, key="ada")
        result = await handle.result()
        history = await handle.fetch_history()
    (asked,) = door.asked
    assert {name: asked[name] for name in ("target", "key", "data")} == {
        "target": "k",
        "key": "ada",
        "data": {"customerId": "ada", "amount": 2},
    }
    assert len(asked["id"]) == 64
    assert asked["time"].tzinfo is not None
    assert [(record["kind"], record["result"]) for record in result["steps"]] == [
        ("jump", "started in version 3"),
        ("end", "done"),
    ]
    assert await history_length(handle) == 11
    await Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)]).replay_workflow(history)


async def test_who_is_inside_is_passed_over(temporal: WorkflowEnvironment) -> None:
    """That is no error."""
    door, loaded = (
        Door(lambda: {"effect": "already_inside", "journey": "k", "version": None}),
        project(JOURNEY),
    )
    async with running(temporal.client, loaded, jumps=door) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada", "amount": 1})
        result = await handle.result()
    assert (result["text"], result["steps"][0]["result"]) == ("done", "already inside")


async def test_a_refusal_is_an_error_of_the_step(temporal: WorkflowEnvironment) -> None:
    """With the code `refused`, and the reason in the message; nothing is tried again."""
    door = Door(lambda: {"effect": "refused", "reason": "reentry_refused", "message": "only once"})
    loaded = project(JOURNEY)
    async with running(temporal.client, loaded, jumps=door) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada", "amount": 1})
        result = await handle.result()
    assert result["text"] == "refused: reentry_refused: only once"
    assert len(door.asked) == 1


async def test_a_worker_without_admission_refuses(temporal: WorkflowEnvironment) -> None:
    """The message says what the worker lacks."""
    loaded = project(JOURNEY)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada", "amount": 1})
        result = await handle.result()
    assert "this worker makes no jumps" in result["text"]


async def test_an_outage_is_waited_for(temporal: WorkflowEnvironment) -> None:
    """While admission cannot be reached, the jump is tried again, always under the same id."""
    attempts = 0

    def answer() -> dict[str, Any]:
        nonlocal attempts
        attempts += 1
        if attempts < 6:
            raise ConnectionError("postgresql://user:secret@host")
        return STARTED

    door, loaded = Door(answer), project(JOURNEY)
    async with running(temporal.client, loaded, jumps=door) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada", "amount": 1})
        result = await handle.result()
        history = (await handle.fetch_history()).to_json()
    assert result["text"] == "done"
    assert len(door.asked) == 6
    assert len({asked["id"] for asked in door.asked}) == 1
    assert "secret" not in history


async def test_a_jump_is_given_up_in_the_end(temporal: WorkflowEnvironment) -> None:
    """Where no further attempt fits into the day, or into the life of the instance, the error path is taken."""

    def answer() -> dict[str, Any]:
        raise ConnectionError

    door, loaded = Door(answer), project(JOURNEY)
    definition = compiled(loaded) | {"timeout": 40.0}
    async with running(temporal.client, loaded, jumps=door) as runner:
        handle = await runner.start(definition, {"customerId": "ada", "amount": 1})
        result = await handle.result()
    assert result["text"] == "network: admission cannot be reached at the moment (ConnectionError)"
    assert len(door.asked) > 1


async def test_an_error_without_path_fails_the_instance(temporal: WorkflowEnvironment) -> None:
    """As for every step that calls out."""
    door = Door(lambda: {"effect": "refused", "reason": "not_live", "message": "k is closed"})
    last = '  refused: {end: "${journey.last_error.code}: ${journey.last_error.message}"}\n'
    loaded = project(JOURNEY.replace(", on_error: refused", "").replace(last, ""))
    async with running(temporal.client, loaded, jumps=door) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada", "amount": 1})
        error = await failure(handle)
    assert error.details[0]["error"] == {
        "step": "go",
        "code": "refused",
        "status": None,
        "message": "not_live: k is closed",
    }


class Entered(Event, name="entered", key="customer_id"):
    """Somebody came."""

    customer_id: str


class Onward(Event, name="onward", key="customer_id"):
    """On which another journey is entered."""

    customer_id: str
    level: int = 1


@journey.defn(name="jumper", entry=Entered)
class Jumper:
    """Jumps from code."""

    @journey.run
    async def run(self, entered: Entered) -> str:
        """Jump three times."""
        first = await journey.jump("k")
        second = await journey.jump("k", {"customerId": entered.customer_id, "amount": 5})
        with journey.step("third"):
            try:
                await journey.jump("k", Onward(customer_id=entered.customer_id))
            except journey.CallError as error:
                return f"{first} {second} {error.code}"
        return "not refused"


async def test_a_journey_in_code_jumps(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """By `journey.jump`, with the entry event's data, a mapping or an event; what it names is published with it."""
    answers = iter(
        [
            STARTED,
            {"effect": "already_inside", "journey": "k", "version": None},
            {"effect": "refused", "reason": "paused", "message": "k is paused"},
        ]
    )
    door = Door(lambda: next(answers))
    definition = {**settings_of(Jumper).definition(), "version": 1}
    async with running(temporal.client, project(JOURNEY), jumps=door, journeys=[Jumper]) as runner:
        handle = await runner.start(definition, {"customer_id": "ada"}, key="ada")
        result = await handle.result()
    assert result["text"] == "True False refused"
    assert [asked["data"] for asked in door.asked] == [
        {"customer_id": "ada"},
        {"customerId": "ada", "amount": 5},
        {"customer_id": "ada", "level": 1},
    ]
    assert len({asked["id"] for asked in door.asked}) == 3
    assert [record["step"] for record in result["steps"]] == ["jump-k", "jump-k", "third"]
    assert definition["jumps"] == ["k"]


async def test_an_exit_during_a_jump_ends_the_instance(temporal: WorkflowEnvironment) -> None:
    """While admission is away, an exit takes effect at once."""

    def answer() -> dict[str, Any]:
        raise ConnectionError

    loaded = project(
        "journey: j\nentry: {event: entered}\nexit_when: [{event: other}]\nsteps:\n"
        "  listen: {wait_for: [{event: answered}], timeout: {after: 1h}}\n"
        "  go: {jump: k, with: {customerId: a}, on_error: done}\n  done: {end: done}\n"
        "---\njourney: k\nentry: {event: other}\nsteps: {done: {end: done}}\n"
    )
    door = Door(answer)
    async with running(temporal.client, loaded, jumps=door) as runner:
        handle = await runner.start(compiled(loaded), {"customerId": "ada"})
        await until_waiting(handle, "listen")
        await signal(handle, "answered")
        await signal(handle, "other")
        result = await handle.result()
    assert result["outcome"] == "exited"
