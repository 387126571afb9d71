"""How the workflow tests run journeys: a real worker, a real HTTP server as the other side, YAML as authors write it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from sojourn.activities import AddressGuard, Calls, StaticEndpoints, ThrottledQueues, Transport
from sojourn.contract import names
from sojourn.definitions import Project, load_texts
from sojourn.plugin import JourneyPlugin

EVENTS = """
event: entered
key: event.customerId
schema:
  type: object
  properties: {customerId: {type: string}, amount: {type: number}, due: {type: string}}
---
event: answered
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}, amount: {type: number}, ok: {type: boolean}}}
---
event: other
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}, amount: {type: number}}}
"""


@dataclass
class Shop:
    """A real HTTP server on a free port that plays the other side and records what it gets."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    answers: Callable[[dict[str, Any]], tuple[int, Any]] = lambda call: (200, {"ok": True})
    port: int = 0

    def __post_init__(self) -> None:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                call = {
                    "method": self.command,
                    "path": self.path,
                    "key": self.headers.get("Idempotency-Key"),
                    "body": json.loads(body) if body else None,
                }
                shop.calls.append(call)
                status, answer = shop.answers(call)
                text = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = handle_any  # noqa: N815 - the names of http.server

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as above
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def hang(self) -> asyncio.Event:
        """Answer nothing until the event that is returned is set; called in the test's event loop."""
        release, loop = asyncio.Event(), asyncio.get_running_loop()

        def answer(call: dict[str, Any]) -> tuple[int, Any]:
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result(20)
            return 200, {"ok": True}

        self.answers = answer
        return release

    def endpoints(self) -> str:
        """Return a source and an action that point here, as YAML."""
        base = f"http://127.0.0.1:{self.port}"
        return f"""
source: crm
method: GET
url: {base}/customers/{{id}}
parameters: {{id: {{type: string}}}}
---
action: send
method: POST
url: {base}/send
parameters: {{to: {{type: string}}, data: {{}}}}
body: {{to: "${{to}}", data: "${{data}}"}}
"""


def project(journey: str, shop: Shop | None = None) -> Project:
    """Return the project of a journey's YAML, with the events and endpoints that the tests share."""
    files = {"events.yaml": EVENTS, "journeys/journey.yaml": journey}
    if shop is not None:
        files["endpoints.yaml"] = shop.endpoints()
    loaded = load_texts(files)
    assert loaded.ok, "\n".join(map(str, loaded.problems))
    return loaded


def compiled(loaded: Project, name: str = "j") -> dict[str, Any]:
    """Return a journey of a project as a worker gets it."""
    return {**loaded.compiled()[name], "version": 1}


@dataclass
class Runner:
    """A worker, and what starts journeys on it."""

    client: Client
    queue: str

    async def start(
        self,
        definition: dict[str, Any],
        data: dict[str, Any] | None = None,
        *,
        key: str | None = None,
        searchable: bool = True,
        event_id: str = "entry",
        **extra: Any,
    ) -> WorkflowHandle[Any, dict[str, Any]]:
        """Start an instance as routing does."""
        key = key or uuid.uuid4().hex[:12]
        entry = definition["entry"]["event"]
        attributes = [
            SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_JOURNEY), definition["name"]),
            SearchAttributePair(SearchAttributeKey.for_int(names.SEARCH_VERSION), definition["version"]),
            SearchAttributePair(
                SearchAttributeKey.for_keyword(names.SEARCH_PROFILE), names.profile_part(key)
            ),
            SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_STEP), definition["first"] or ""),
        ]
        return await self.client.start_workflow(
            definition.get("workflow", names.WORKFLOW_JOURNEY),
            {
                "definition": definition,
                "event": event(entry, data or {"customerId": key}, event_id),
                "key": key,
                "mode": "live",
                **extra,
            },
            id=f"{names.workflow_id(definition['name'], key)}-{uuid.uuid4().hex[:8]}",
            task_queue=self.queue,
            result_type=dict,
            search_attributes=TypedSearchAttributes(attributes) if searchable else TypedSearchAttributes([]),
        )


def event(name: str, data: dict[str, Any], event_id: str | None = None) -> dict[str, Any]:
    """Return an event as the signal carries it."""
    return {
        "id": event_id or uuid.uuid4().hex,
        "name": name,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }


async def signal(
    handle: WorkflowHandle[Any, Any],
    name: str,
    data: dict[str, Any] | None = None,
    event_id: str | None = None,
) -> None:
    """Send an event to an instance."""
    await handle.signal(names.SIGNAL_EVENT, event(name, data or {}, event_id))


@asynccontextmanager
async def running(
    client: Client,
    loaded: Project,
    *,
    queue: str = "",
    cached: int = 1000,
    sandboxed: bool = True,
    journeys: Sequence[type] = (),
    activities: Sequence[Any] = (),
    **calls: Any,
) -> AsyncIterator[Runner]:
    """Run a worker for a project, on a task queue of its own if none is given."""
    queue = queue or f"test-{uuid.uuid4().hex[:12]}"
    calls.setdefault("transport", Transport(AddressGuard(["127.0.0.1"])))
    endpoints = StaticEndpoints(loaded.endpoints)
    performer = Calls(endpoints, **calls)
    plugin = JourneyPlugin(calls=performer, throttled_queues=False)
    # A mistake in workflow code would be tried again for ever; here it is to fail the test at once.
    options: dict[str, Any] = {"workflow_failure_exception_types": [Exception], "workflows": journeys}
    options["activities"] = activities
    if not sandboxed:
        options["workflow_runner"] = UnsandboxedWorkflowRunner()
    worker = Worker(client, task_queue=queue, plugins=[plugin], max_cached_workflows=cached, **options)
    async with worker, ThrottledQueues(client, performer, endpoints, task_queue=queue):
        yield Runner(client, queue)


async def failure(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    """Return the failure of an instance that is to fail."""
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def state_of(handle: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    """Return an instance's state behind all that was sent to it, also while a new run is about to begin."""
    for _ in range(200):
        try:
            return dict(await handle.query(names.QUERY_STATE))
        except RPCError as error:
            # Temporal lets a second pass between two runs, and answers no query in it.
            if "not scheduled yet" not in str(error):
                raise
        await asyncio.sleep(0.05)
    raise AssertionError("no run of the instance began")


async def until_waiting(handle: WorkflowHandle[Any, Any], step: str) -> dict[str, Any]:
    """Wait until an instance stands at a step; return its state."""
    state: dict[str, Any] = {}
    for _ in range(200):
        state = await state_of(handle)
        if state.get("step") == step and (state["waiting_for"] or state["until"]):
            return state
        await asyncio.sleep(0.02)
    raise AssertionError(f"the instance never came to {step}: {state}")


def steps(result: dict[str, Any]) -> list[str]:
    """Return the ids of the steps in a trace."""
    return [record["step"] for record in result["steps"]]


async def history_length(handle: WorkflowHandle[Any, Any]) -> int:
    """Return how many events an instance's history has, less those that only the tests' virtual time writes."""
    skips = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED
    return sum([event.event_type != skips async for event in handle.fetch_history_events()])


async def next_due(handle: WorkflowHandle[Any, Any]) -> datetime:
    """Return when the next timer of an instance fires."""
    due: dict[int, datetime] = {}
    async for event in handle.fetch_history_events():
        if event.HasField("timer_started_event_attributes"):
            length = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
            due[event.event_id] = event.event_time.ToDatetime(UTC) + length
        elif event.HasField("timer_fired_event_attributes"):
            del due[event.timer_fired_event_attributes.started_event_id]
        elif event.HasField("timer_canceled_event_attributes"):
            del due[event.timer_canceled_event_attributes.started_event_id]
    return min(due.values())


async def fire(temporal: WorkflowEnvironment, handle: WorkflowHandle[Any, Any]) -> None:
    """Let time pass until the next timer of an instance fires, and not on to the one behind it.

    To a moment just before it: where a target passes while the instance works, the server goes on to skip.
    """
    due = await next_due(handle)
    left = due - await temporal.get_current_time(handle) - timedelta(milliseconds=1)
    await temporal.fast_forward(handle, left)


async def finish(
    temporal: WorkflowEnvironment, handle: WorkflowHandle[Any, dict[str, Any]]
) -> dict[str, Any]:
    """Let time pass for an instance that was started while it stood still; return its result."""
    with contextlib.suppress(RPCError):  # it has ended already
        await temporal.fast_forward(handle)
    return await handle.result()
