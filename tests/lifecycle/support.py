"""A deployment for one test: a database, the API over real HTTP, workers of journeys and of operations."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn.activities import AddressGuard, Calls, Transport
from sojourn.activities.operation import Operate
from sojourn.api.app import create_app
from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from sojourn.settings import Settings
from sojourn.steering.operations import Operator
from sojourn.store import Store
from sojourn.workflows.operation import Operation
from tests.api.conftest import serving

EVENTS = """\
event: entered
key: event.id
---
event: answered
key: event.id
---
event: left
key: event.id
"""

JOURNEY = """\
journey: NAME
entry: {event: entered}
reentry: {allow: true, after: 0s}
exit_when: [{event: left}]
steps:
  listen: {wait_for: [{event: answered}], timeout: {after: 90d}}
  done: {end: done}
"""


@dataclass
class Place:
    """The deployment.

    Attributes:
        client: A client of Temporal.
        http: A client of the API.
        store: The database.
        settings: What the deployment set.
        name: The journey's name, which no other test uses.
    """

    client: Client
    http: httpx.AsyncClient
    store: Store
    settings: Settings
    name: str

    async def publish(self, journey: str = JOURNEY, *, draft: bool = False, **files: str) -> dict[str, Any]:
        """Publish the journey."""
        texts = {"events.yaml": EVENTS, "journey.yaml": journey.replace("NAME", self.name)} | {
            f"{name}.yaml": text for name, text in files.items()
        }
        answer = await self.http.post("/v1/journeys", json={"files": texts}, params={"draft": draft})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def send(self, name: str, key: str, **data: Any) -> str:
        """Send an event of a profile; returns what became of it, in one word."""
        answer = await self.http.post("/v1/events", json={"name": name, "data": {"id": key, **data}})
        assert answer.status_code == 202, answer.text
        result = answer.json()["results"][0]
        effects = [item["effect"] for item in result["instances"]]
        return str((effects or [item["reason"] for item in result["refusals"]])[0])

    async def enter(self, count: int, prefix: str = "p") -> list[str]:
        """Let profiles enter; returns their keys."""
        keys = [f"{prefix}{number}" for number in range(count)]
        for start in range(0, count, 200):
            batch = [{"name": "entered", "data": {"id": key}} for key in keys[start : start + 200]]
            answer = await self.http.post("/v1/events", json=batch)
            assert answer.status_code == 202, answer.text
            effects = {result["instances"][0]["effect"] for result in answer.json()["results"]}
            assert effects == {"started"}
        return keys

    async def act(self, what: str, **parameters: Any) -> dict[str, Any]:
        """Do something with the journey that is allowed."""
        answer = await self.http.post(f"/v1/journeys/{self.name}/{what}", params=parameters)
        assert answer.status_code in (200, 202), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def state(self) -> str:
        """The journey's state, as the API reads it."""
        answer = await self.http.get(f"/v1/journeys/{self.name}")
        return str(answer.json()["state"])

    async def over(self, acted: dict[str, Any]) -> dict[str, Any]:
        """Wait until an operation is over; returns it."""

        async def look() -> dict[str, Any] | None:
            answer = await self.http.get(f"/v1/operations/{acted['operation']['id']}")
            found: dict[str, Any] = answer.json()
            return found if found["state"] != "running" else None

        operation: dict[str, Any] = await eventually(look)
        return operation

    def handle(self, key: str) -> WorkflowHandle[Any, Any]:
        """The workflow of a profile's instance."""
        return self.client.get_workflow_handle(names.workflow_id(self.name, key), result_type=dict)

    async def told(self, key: str) -> dict[str, Any]:
        """What the instance of a profile says of itself."""
        state: dict[str, Any] = await self.handle(key).query(names.QUERY_STATE)
        return state

    async def instance(self, key: str) -> dict[str, Any]:
        """What the API says of the instance of a profile."""
        answer = await self.http.get(f"/v1/instances/{self.name}:{key}")
        found: dict[str, Any] = answer.json()
        return found

    async def steer(self, key: str, act: str, **parameters: Any) -> dict[str, Any]:
        """Do something with one instance that is allowed; returns the instance."""
        answer = await self.http.post(f"/v1/instances/{self.name}:{key}/{act}", params=parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["asked"] == act
        return dict(found["instance"])

    @contextlib.asynccontextmanager
    async def journeys(self, types: Sequence[type] = ()) -> AsyncIterator[None]:
        """Run a worker of journeys."""
        calls = Calls(
            self.store, transport=Transport(AddressGuard(["127.0.0.1"])), profiles=self.store.profiles
        )
        plugin = JourneyPlugin(calls=calls, journeys=types)
        failing = {"workflow_failure_exception_types": [Exception]}
        async with Worker(
            self.client,
            task_queue=self.settings.task_queue,
            plugins=[plugin],
            workflow_runner=UnsandboxedWorkflowRunner(),
            **failing,  # type: ignore[arg-type]
        ):
            yield

    @contextlib.asynccontextmanager
    async def operations(self) -> AsyncIterator[None]:
        """Run a worker of operations."""
        operator = Operator(self.store, self.client, self.settings)
        async with Worker(
            self.client,
            task_queue=names.operations_queue(self.settings.task_queue),
            workflows=[Operation],
            activities=[Operate(operator).operate],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield

    @contextlib.asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Run both."""
        async with self.journeys(), self.operations():
            yield


@contextlib.asynccontextmanager
async def deployed(client: Client, database: str, **settings: Any) -> AsyncIterator[Place]:
    """Start a deployment without workers."""
    unique = uuid.uuid4().hex[:10]
    chosen = Settings(database=database, catalog_refresh=0.05, task_queue=f"life-{unique}", **settings)
    store = await Store.open(database, catalog_refresh=0.05)
    try:
        async with (
            serving(create_app(chosen, store=store, client=client)) as url,
            httpx.AsyncClient(base_url=url, timeout=60) as http,
        ):
            yield Place(client, http, store, chosen, f"life-{unique}")
    finally:
        await store.close()


async def eventually(look: Callable[[], Awaitable[Any]]) -> Any:
    """Wait until something is so."""
    found: Any = None
    for _ in range(1200):
        found = await look()
        if found is not None and found is not False:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"it never happened; last: {found!r}")
