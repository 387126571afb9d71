"""What the routing tests stand on: definitions, a clock that tests move, a client that counts and dies."""

# ruff: noqa: A002 - the SDK names these parameters

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    DescribeWorkflowInput,
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    WorkflowExecutionDescription,
    WorkflowHandle,
)

from sojourn.contract import names
from sojourn.routing import EventResult, IncomingEvent, Router
from sojourn.settings import Settings
from sojourn.store import Store
from sojourn.store.publish import Publication

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Dies(BaseException):
    """Stands for the death of the process: no handler of ordinary errors sees it."""


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Wire(Interceptor):
    """Sees every call to Temporal: counts those that succeed, and can run code before and after each."""

    def __init__(self) -> None:
        self.starts: list[str] = []
        self.signals: list[str] = []
        self.describes = 0
        self.before: Callable[[str], Any] | None = None
        self.after: Callable[[str], Any] | None = None

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Outbound(next, self)

    @property
    def calls(self) -> int:
        return len(self.starts) + len(self.signals) + self.describes


class _Outbound(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, wire: Wire) -> None:
        super().__init__(next)
        self.wire = wire

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        if self.wire.before:
            self.wire.before("start")
        handle = await super().start_workflow(input)
        self.wire.starts.append(input.id)
        if self.wire.after:
            self.wire.after("start")
        return handle

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        if self.wire.before:
            self.wire.before("signal")
        await super().signal_workflow(input)
        self.wire.signals.append(input.args[0]["id"])
        if self.wire.after:
            self.wire.after("signal")

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:
        if self.wire.before:
            self.wire.before("describe")
        found = await super().describe_workflow(input)
        self.wire.describes += 1
        return found


def journey(
    name: str, *, entry: str = "cart.updated", listens: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    """A compiled journey, as far as routing and the recorder read it."""
    defaults = {"reentry": {"allow": True, "after": 300}, "timezone": "UTC", "start": None, "end": None}
    compiled = {"format": 1, "name": name, "first": "only", "steps": {"only": {"kind": "end"}}}
    return {**compiled, "entry": {"event": entry}, "listens": sorted(listens), **defaults, **more}


def event_definition(name: str, **more: Any) -> dict[str, Any]:
    """A stored event definition, keyed by `id`."""
    return {"name": name, "key": "event.id", **more}


@dataclass
class World:
    """One deployment: a database, a Temporal, and as many API processes as a test wants."""

    client: Client
    open_store: Callable[..., Any]
    settings: Settings
    name: str
    """The journey's name, unique to the test: instances of one test never meet those of another."""
    clock: Clock = field(default_factory=Clock)
    wire: Wire = field(default_factory=Wire)
    _count: int = 0

    async def process(self, *, client: Client | None = None, **options: Any) -> Router:
        """Start another API process: a router with a database connection of its own."""
        store = await self.open_store(**{"catalog_refresh": 0.01, "lease": 15.0, **options})
        return self.router(store, client)

    def router(self, store: Store, client: Client | None = None) -> Router:
        return Router(store, client or self.wired(self.client), self.settings, clock=self.clock)

    def wired(self, client: Client) -> Client:
        config: Any = client.config(active_config=True)
        return Client(**{**config, "interceptors": [self.wire]})

    async def publish(self, *journeys: dict[str, Any], events: Sequence[dict[str, Any]] = ()) -> Store:
        """Publish journeys, and plain definitions of the events that they name."""
        used = {name for item in journeys for name in (item["entry"]["event"], *item["listens"])}
        definitions = {name: event_definition(name) for name in used} | {
            item["name"]: item for item in events
        }
        store: Store = await self.open_store()
        await store.publish_json(
            Publication(events=definitions, journeys={item["name"]: item for item in journeys})
        )
        return store

    def event(
        self, name: str = "cart.updated", key: Any = "ada", *, id: str | None = None, **data: Any
    ) -> IncomingEvent:
        """An event of a profile."""
        return IncomingEvent(id or uuid.uuid4().hex, name, NOON, {"id": key, **data})

    async def state(self, key: str = "ada", per: str | None = None) -> dict[str, Any]:
        """What the running instance says of itself."""
        handle = self.client.get_workflow_handle(names.workflow_id(self.name, key, per))
        state: dict[str, Any] = await handle.query(names.QUERY_STATE)
        return state

    async def ended(self, key: str = "ada", per: str | None = None) -> dict[str, Any]:
        """Wait for the instance to end; returns its result."""
        handle = self.client.get_workflow_handle(names.workflow_id(self.name, key, per))
        result: dict[str, Any] = await handle.result()
        return result


def effect(result: EventResult) -> str:
    """What became of an event of one journey, in one word."""
    assert len(result.instances) + len(result.refusals) == 1, result
    return result.instances[0].effect if result.instances else result.refusals[0].reason
