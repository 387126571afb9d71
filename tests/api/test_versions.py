"""Versions over the API: who is in which, what they differ in, and who could be moved, with a real worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from sojourn.api.app import create_app
from sojourn.contract import names
from sojourn.definitions import load_texts
from sojourn.settings import Settings
from sojourn.store import Store
from tests.api.conftest import problem_of, serving
from tests.workflows.support import running, until_waiting

EVENTS = """
event: cart.updated
key: event.customerId
---
event: order.placed
key: event.customerId
"""
JOURNEY = """
journey: %s
entry: {event: cart.updated}
steps:
  %s
  await-order:
    wait_for: [{event: order.placed, next: bought}%s]
    timeout: {after: 30d, next: late}
  bought: {end: "%s"}
  late: {end: late}
"""
FIRST = ("early: {wait_for: [{event: order.placed}], timeout: {after: 1d}}", "", "first")
SECOND = ("before: {set: {x: 1}}", "", "second")


def files(journey: str, parts: tuple[str, str, str]) -> dict[str, Any]:
    """A project with one journey."""
    return {"files": {"events.yaml": EVENTS, "journeys/j.yaml": JOURNEY % (journey, *parts)}}


@pytest.fixture(params=[True, False], ids=["searchable", "plain"])
async def live(
    request: pytest.FixtureRequest,
    settings: Settings,
    store: Store,
    temporal: WorkflowEnvironment,
    unique: str,
) -> AsyncIterator[httpx.AsyncClient]:
    """An API and a worker, with search attributes and without; no time passes by itself."""
    settings = settings.model_copy(
        update={"task_queue": f"versions-{unique}", "search_attributes": request.param}
    )
    with temporal.with_time_skipping_disabled():
        app = create_app(settings, store=store, client=temporal.client)
        async with (
            running(temporal.client, load_texts({"e.yaml": EVENTS}), queue=settings.task_queue),
            serving(app) as url,
            httpx.AsyncClient(base_url=url, timeout=30) as api,
        ):
            yield api


async def send(api: httpx.AsyncClient, name: str, customer: str) -> dict[str, Any]:
    """Send an event of a customer; returns what became of it."""
    answer = await api.post("/v1/events", json={"name": name, "data": {"customerId": customer}})
    found: dict[str, Any] = answer.json()["results"][0]
    return found


async def counted(api: httpx.AsyncClient, journey: str, wanted: dict[int, int]) -> None:
    """Wait until visibility shows how many instances are on which version."""
    shown = {}
    for _ in range(100):
        answer = (await api.get(f"/v1/journeys/{journey}/versions")).json()
        shown = {item["version"]: item["running"] for item in answer["versions"]}
        if shown == wanted and answer["unknown"] == 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{shown} instances run, not {wanted}")


async def test_versions_live_side_by_side(live: httpx.AsyncClient, client: Client, unique: str) -> None:
    """New entries get the newest version, those inside finish on theirs, and say whether they could be moved."""
    journey = f"cart-{unique}"
    await live.post("/v1/journeys", json=files(journey, FIRST))
    for customer in ("ada", "bob"):
        await send(live, "cart.updated", customer)
    ada, bob = (client.get_workflow_handle(names.workflow_id(journey, key)) for key in ("ada", "bob"))
    await until_waiting(bob, "early")
    await send(live, "order.placed", "ada")
    await until_waiting(ada, "await-order")
    published = (await live.post("/v1/journeys", json=files(journey, SECOND))).json()
    assert published["published"] == [{"journey": journey, "version": 2}]
    await send(live, "cart.updated", "cyd")
    await counted(live, journey, {1: 2, 2: 1})

    asked = (await live.get(f"/v1/journeys/{journey}/movable")).json()
    shown = {one["workflow_id"].partition(":")[2]: (one["effect"], one["code"]) for one in asked["instances"]}
    assert shown == {"ada": ("movable", None), "bob": ("refused", "step")}
    assert (asked["to"], asked["next_page"]) == (2, None)
    none = (await live.get(f"/v1/journeys/{journey}/movable", params={"from": 2})).json()
    assert none["instances"] == []
    await counted(live, journey, {1: 2, 2: 1})

    await send(live, "order.placed", "ada")
    await send(live, "order.placed", "cyd")
    for _ in range(2):
        await send(live, "order.placed", "bob")
    ends = {
        key: await client.get_workflow_handle(names.workflow_id(journey, key), result_type=dict).result()
        for key in ("ada", "bob", "cyd")
    }
    assert {key: (end["text"], end["version"]) for key, end in ends.items()} == {
        "ada": ("first", 1),
        "bob": ("first", 1),
        "cyd": ("second", 2),
    }


async def test_difference_of_versions(live: httpx.AsyncClient, unique: str) -> None:
    """Without numbers, the latest version and the one before it; a version that is not there is named."""
    journey = f"cart-{unique}"
    for parts in (FIRST, SECOND):
        await live.post("/v1/journeys", json=files(journey, parts))
    found = (await live.get(f"/v1/journeys/{journey}/diff")).json()
    assert (found["from"], found["to"]) == (1, 2)
    assert {change["path"]: change["kind"] for change in found["changes"]} == {
        "first": "changed",
        "steps.before": "added",
        "steps.early": "removed",
        "steps.bought.outcome": "changed",
    }
    same = (await live.get(f"/v1/journeys/{journey}/diff", params={"from": 2, "to": 2})).json()
    assert same["changes"] == []
    problem_of(await live.get(f"/v1/journeys/{journey}/diff", params={"from": 7}), "unknown-version")
    problem_of(await live.get("/v1/journeys/nowhere/diff"), "unknown-journey")
    problem_of(await live.get(f"/v1/journeys/{journey}/movable", params={"page": "x"}), "invalid-request")
