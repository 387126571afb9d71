"""Journeys that call Python functions, on workers that have them, have not, or have another version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn import action, source
from sojourn.activities import Calls, StaticEndpoints
from sojourn.definitions import Project, load_texts
from sojourn.functions import documents, function_of
from sojourn.plugin import JourneyPlugin
from tests.workflows.support import EVENTS, Runner, compiled

JOURNEY = """
journey: j
entry: {event: entered}
steps:
  ask: {fetch: shop.level, with: {customer: "${entry.customerId}"}, on_error: wrong}
  send: {action: mail.send, with: {to: "${entry.customerId}", level: "${steps.ask.body.level}"}, on_error: wrong}
  done: {end: "sent ${steps.send.body}"}
  wrong: {end: "${journey.last_error.code}"}
"""


@source.defn(name="shop.level")
async def level(customer: str) -> dict[str, str]:
    """Look somebody up."""
    return {"level": "gold"}


class Answer(BaseModel):
    """What a typed look-up gives."""

    level: str


@source.defn(name="shop.level")
async def typed_level(customer: str) -> Answer:
    """Look somebody up, with a type."""
    return Answer(level="gold")


@action.defn(name="mail.send")
async def send(to: str, level: str) -> str:
    """Send something."""
    return f"{level} to {to}"


@pytest.fixture
async def client(temporal: WorkflowEnvironment) -> AsyncIterator[Client]:
    """A client of a server whose time does not jump: nobody is to wait for months while no worker has a function."""
    with temporal.with_time_skipping_disabled():
        yield temporal.client


def declared(*functions: Callable[..., Any]) -> dict[str, str]:
    """The definitions of functions."""
    found = [declaration for function in functions if (declaration := function_of(function))]
    return documents(found, lambda _: "actions.py")


def project(*functions: Callable[..., Any]) -> Project:
    """The project of the tests."""
    loaded = load_texts({"events.yaml": EVENTS, "j.yaml": JOURNEY, **declared(*functions)})
    assert loaded.ok, loaded.problems
    return loaded


@asynccontextmanager
async def worker(client: Client, queue: str, *functions: Callable[..., Any]) -> AsyncIterator[Worker]:
    """A worker of published journeys that has some of the functions."""
    calls = Calls(StaticEndpoints(project(level, send).endpoints), functions=functions)
    async with Worker(client, task_queue=queue, plugins=[JourneyPlugin(calls=calls)]) as running:
        yield running


async def kinds(handle: Any) -> list[str]:
    """The types of an instance's history events."""
    history = await handle.fetch_history()
    return [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in history.events]


async def waits_for_function(handle: Any, step: str) -> None:
    """Wait until an activity of an instance waits for a worker that has its function."""
    for _ in range(600):
        described = await handle.describe()
        for pending in described.raw_description.pending_activities:
            if (
                pending.activity_id.startswith(step)
                and "lacks the Python function" in pending.last_failure.message
            ):
                return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{step} never waited for its function")


async def test_a_journey_calls_functions_by_name(client: Client, unique: str) -> None:
    """A source and an action in Python serve a YAML journey, with the history of HTTP endpoints."""
    async with worker(client, unique, level, send):
        handle = await Runner(client, unique).start(compiled(project(level, send)), key="ada")
        assert (await handle.result())["text"] == "sent gold to ada"
    found = await kinds(handle)
    assert found.count("MARKER_RECORDED") == 1
    assert sum("ACTIVITY" in kind for kind in found) == 3


async def test_a_worker_without_the_function_fails_no_call(client: Client, unique: str) -> None:
    """The calls wait, visibly, however long; a worker that has the functions makes them. Nothing reaches the journey."""
    async with worker(client, unique):
        handle = await Runner(client, unique).start(compiled(project(level, send)), key="ben")
        await waits_for_function(handle, "ask")
    async with worker(client, unique, level):
        await waits_for_function(handle, "send")
    async with worker(client, unique, level, send):
        result = await handle.result()
    assert result["text"] == "sent gold to ben"
    # Attempts add nothing to the history: one activity that met no function, and one that waited, for each step.
    assert sum("ACTIVITY_TASK_SCHEDULED" in kind for kind in await kinds(handle)) == 3


async def test_another_worker_takes_the_call(client: Client, unique: str) -> None:
    """While two deployments run side by side, those who have the function make the calls."""
    # A client of its own: two workers of one connection cannot serve one task queue.
    another = await Client.connect(client.service_client.config.target_host)
    async with worker(client, unique), worker(another, unique, level, send):
        definition = compiled(project(level, send))
        handles = [await Runner(client, unique).start(definition, key=f"k{number}") for number in range(5)]
        texts = [(await handle.result())["text"] for handle in handles]
    assert texts == [f"sent gold to k{number}" for number in range(5)]


async def test_another_version_of_a_function_waits_as_well(client: Client, unique: str) -> None:
    """A worker whose function takes other parameters than were published leaves the call to the right one."""

    @action.defn(name="mail.send")
    async def older(to: str) -> str:
        return "by the old version"

    async with worker(client, unique, level, older):
        handle = await Runner(client, unique).start(compiled(project(level, send)), key="cleo")
        for _ in range(600):
            pending = (await handle.describe()).raw_description.pending_activities
            if any("another version" in activity.last_failure.message for activity in pending):
                break
            await asyncio.sleep(0.05)
    async with worker(client, unique, level, send):
        assert (await handle.result())["text"] == "sent gold to cleo"


async def test_failures_after_the_wait_are_retried_as_ever(client: Client, unique: str) -> None:
    """Attempts that met no function do not count among the four."""
    tried: list[int] = []

    @action.defn(name="mail.send")
    async def failing(to: str, level: str) -> str:
        tried.append(1)
        raise action.Failed("busy", "busy", retry=True)

    async with worker(client, unique, level):
        handle = await Runner(client, unique).start(compiled(project(level, send)), key="dan")
        await waits_for_function(handle, "send")
    async with worker(client, unique, level, failing):
        assert (await handle.result())["text"] == "busy"
    assert len(tried) == 4


def test_yaml_journeys_are_checked_against_functions() -> None:
    """A missing or unknown parameter, a wrong type and an unknown field of an answer are found before publication."""
    journey = JOURNEY.replace('to: "${entry.customerId}", ', 'too: "x", ').replace("body.level", "body.levle")
    texts = {"events.yaml": EVENTS, "j.yaml": journey, **declared(typed_level, send)}
    codes = {problem.code for problem in load_texts(texts).errors}
    assert codes == {"E316", "E317", "E402"}


def test_names_are_taken_once() -> None:
    """A Python function and a YAML endpoint, or a source and an action, cannot share a name; both places are named."""

    @source.defn(name="mail.send")
    async def other() -> None: ...

    texts = declared(send) | {"z.yaml": "action: mail.send\nurl: https://mail.example.com/\n"}
    (problem,) = load_texts(texts).errors
    line = function_of(send).line  # type: ignore[union-attr]
    assert (problem.code, problem.file) == ("E205", "z.yaml")
    assert f"in actions.py, line {line}" in problem.message
    texts = {"a.yaml": "action: mail.send\nurl: https://mail.example.com/\n"} | {
        "b.py": declared(other)["actions.py"]
    }
    (problem,) = load_texts(texts).errors
    assert (problem.code, problem.file, problem.line) == ("E205", "b.py", function_of(other).line)  # type: ignore[union-attr]
    assert "in a.yaml, line 1" in problem.message
