"""The workflow `sojourn.Event`, started as any SDK starts it: plain JSON, names as texts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn.api.app import create_app
from sojourn.plugin import JourneyPlugin
from sojourn.store import StoreUnavailable
from tests.api.conftest import serving
from tests.plugin.support import Deployment, deployment


@pytest.fixture
async def host(tmp_path: Path) -> Any:
    """A deployment with a published journey."""
    async with deployment(tmp_path) as opened:
        await opened.publish()
        yield opened


async def route(client: Client, host: Deployment, identity: str, *event: Any) -> dict[str, Any]:
    """Start `sojourn.Event` as a client that knows nothing of Sojourn does; return its answer."""
    answer = await client.execute_workflow("sojourn.Event", args=event, id=identity, task_queue=host.queue)
    assert isinstance(answer, dict)
    return answer


async def test_it_answers_as_the_api_does(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """Started, duplicate, delivered, refused: entry for entry what `POST /v1/events` says of a twin profile."""
    client = temporal.client
    app = create_app(host.settings, store=host.store, client=client)
    steps: list[tuple[str, str, dict[str, Any], str]] = [
        ("0", "visited", {}, "accepted"),
        ("0", "visited", {}, "duplicate"),
        ("1", "bought", {}, "accepted"),
        ("2", "visited", {"page": 7}, "refused"),
        ("3", "unheard-of", {}, "refused"),
    ]
    async with (
        host.worker(client),
        serving(app) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as http,
    ):
        with temporal.with_time_skipping_disabled():
            for number, name, data, status in steps:
                mine, twin = f"w-{unique}", f"h-{unique}"
                event = {"name": name, "data": {"customerId": mine, **data}}
                ours = await route(client, host, f"{mine}-{number}", event)
                event = {"id": f"{twin}-{number}", "name": name, "data": {"customerId": twin, **data}}
                theirs = (await http.post("/v1/events", json=event)).json()["results"][0]
                assert json.dumps(ours, sort_keys=True).replace(mine, "X") == (
                    json.dumps(theirs, sort_keys=True).replace(twin, "X")
                )
                assert ours["status"] == status


async def test_it_costs_eleven_events_and_replays(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """One ordinary activity and nothing else."""
    async with host.worker(temporal.client):
        await route(
            temporal.client, host, unique, {"name": "visited", "data": {"customerId": unique}, "id": unique}
        )
    history = await temporal.client.get_workflow_handle(unique).fetch_history()
    skips = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED
    assert sum(event.event_type != skips for event in history.events) == 11
    await Replayer(workflows=[], plugins=[JourneyPlugin(register_activities=False)]).replay_workflow(history)


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ((), "0 arguments"),
        (("bought",), "JSON object"),
        (({"data": {}},), "`name`"),
        (({"name": "visited", "data": {}, "time": "yesterday"},), "RFC 3339"),
        (({"name": "visited"},), "/data: is missing"),
        (({"name": "visited", "data": {}, "nmae": 1},), "did you mean name"),
        (({"name": "visited", "data": {}, "id": "x" * 300},), "at most 255"),
        (({"name": "visited", "data": {}, "id": 7},), "`id`"),
    ],
)
async def test_what_is_no_event_fails_at_once(
    temporal: WorkflowEnvironment, host: Deployment, unique: str, event: tuple[Any, ...], says: str
) -> None:
    """With the type `sojourn.BadInput` and what to write instead."""
    async with host.worker(temporal.client):
        with pytest.raises(WorkflowFailureError) as failure:
            await route(temporal.client, host, unique, *event)
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "sojourn.BadInput"
    assert cause.non_retryable
    assert says in cause.message


async def test_it_waits_while_the_database_is_away(
    temporal: WorkflowEnvironment, host: Deployment, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt finds no database; a later one starts the instance."""
    tried, catalog = asyncio.Event(), host.store.catalog

    async def away() -> Any:
        if tried.is_set():
            return await catalog()
        tried.set()
        raise StoreUnavailable("the database is away")

    monkeypatch.setattr(host.store, "catalog", away)
    async with host.worker(temporal.client):
        answer = await route(
            temporal.client, host, unique, {"name": "visited", "data": {"customerId": unique}}
        )
    assert tried.is_set()
    assert [effect["effect"] for effect in answer["instances"]] == ["started"]


async def test_a_bare_signal_reaches_an_instance(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """With names and payloads of the contract, and nothing imported from Sojourn by the sender."""
    async with host.worker(temporal.client):
        with temporal.with_time_skipping_disabled():
            await route(temporal.client, host, unique, {"name": "visited", "data": {"customerId": unique}})
        handle = temporal.client.get_workflow_handle(f"visit:{unique}")
        event = {
            "id": f"{unique}-2",
            "name": "bought",
            "time": "2026-03-01T10:00:00Z",
            "data": {"customerId": unique},
        }
        await handle.signal("event", event)
        result = await handle.result()
    assert (result["outcome"], result["text"]) == ("completed", "bought")
