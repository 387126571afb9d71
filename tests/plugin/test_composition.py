"""`JourneyPlugin` beside all that hosts have: each with a journey of each kind, from an event to its outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.plugin import SimplePlugin
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from sojourn.activities import Calls, StaticEndpoints
from sojourn.client import JourneyClient
from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from tests.plugin import codec
from tests.plugin.support import Deployment, deployment
from tests.plugin.test_client import Bought, ShopVisit, Visited


@pytest.fixture
async def host(tmp_path: Path) -> Any:
    """A deployment with both kinds of journeys."""
    async with deployment(tmp_path) as opened:
        await opened.publish(journeys=[ShopVisit])
        yield opened


async def connect(temporal: WorkflowEnvironment, **options: Any) -> Client:
    """Return a client of the tests' server with options of its own."""
    return await Client.connect(temporal.client.service_client.config.target_host, **options)


async def walk(temporal: WorkflowEnvironment, client: Client, host: Deployment, key: str) -> None:
    """Let a profile enter each kind of journey and end its wait; then replay what is recorded."""
    caller = JourneyClient(client, task_queue=host.queue)
    with temporal.with_time_skipping_disabled():
        for journey, first, second, text in (
            ("visit", ("visited", {"customerId": key}), ("bought", {"customerId": key}), "bought"),
            (ShopVisit, (Visited(customer_id=key),), (Bought(customer_id=key, total=2),), "spent 2"),
        ):
            assert (await caller.send(*first)).status == "accepted"
            assert (await caller.state(journey, key)).status == "running"
            assert (await caller.send(*second)).instances[0].effect == "signalled"
            assert (await caller.result(journey, key)).text == text
            history = await caller.handle(journey, key).fetch_history()
            plugin = JourneyPlugin(journeys=[ShopVisit], register_activities=False)
            replayer = Replayer(workflows=[], plugins=[plugin], data_converter=client.data_converter)
            await replayer.replay_workflow(history)


@pytest.mark.parametrize(
    "converter",
    [DataConverter.default, pydantic_data_converter, codec.converter],
    ids=["default", "pydantic", "encrypting"],
)
@pytest.mark.parametrize(
    "options", [{}, {"workflow_runner": UnsandboxedWorkflowRunner()}], ids=["sandboxed", "bare"]
)
async def test_any_data_converter_and_any_runner(
    temporal: WorkflowEnvironment,
    host: Deployment,
    unique: str,
    converter: DataConverter,
    options: dict[str, Any],
) -> None:
    """Routing, journeys and their callers speak through the host's converter, and it stays the host's."""
    client = await connect(temporal, data_converter=converter)
    async with host.worker(client, journeys=[ShopVisit], **options):
        await walk(temporal, client, host, unique)
    assert client.data_converter is converter
    if converter is codec.converter:
        await _no_plain_text(client, unique)


async def _no_plain_text(client: Client, key: str) -> None:
    """Of the payloads of an instance none is readable, memo and summaries neither; only search attributes are."""
    handle = client.get_workflow_handle(f"visit:{key}")
    history = await handle.fetch_history()
    payloads = [found for event in history.events for found in _payloads(event)]
    assert len(payloads) > 4
    assert {payload.metadata["encoding"] for payload in payloads} == {b"binary/encrypted"}
    assert await (await handle.describe()).memo_value(names.MEMO_ENTRY_EVENT) is not None


def _payloads(message: Message) -> Iterator[Payload]:
    """Every payload in a message, but those of search attributes, which Temporal itself reads."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE or field.name == "search_attributes":
            continue
        entry = field.message_type
        if entry.GetOptions().map_entry:
            if entry.fields_by_name["value"].message_type is not None:
                for item in value.values():
                    yield from _payloads(item)
        elif isinstance(value, Message):
            yield from _payloads(value)
        else:
            for item in value:
                yield from _payloads(item)


@pytest.mark.parametrize("place", ["client", "worker"])
async def test_on_a_client_or_on_a_worker(
    temporal: WorkflowEnvironment, host: Deployment, unique: str, place: str
) -> None:
    """One of the two is enough."""
    plugin = JourneyPlugin(calls=host.calls(), journeys=[ShopVisit])
    client = await connect(temporal, plugins=[plugin] if place == "client" else [])
    async with Worker(client, task_queue=host.queue, plugins=[plugin] if place == "worker" else []):
        await walk(temporal, client, host, unique)


async def test_workflows_only_beside_activities_only(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """Events are routed by the one and instances run by the other."""
    client = await connect(temporal)
    workflows = JourneyPlugin(journeys=[ShopVisit], register_activities=False)
    activities = JourneyPlugin(calls=host.calls(), register_workflows=False)
    async with (
        Worker(client, task_queue=host.queue, plugins=[workflows]),
        Worker(await connect(temporal), task_queue=host.queue, plugins=[activities]),
    ):
        await walk(temporal, client, host, unique)


async def test_with_the_interceptor_of_opentelemetry(
    temporal: WorkflowEnvironment, host: Deployment, unique: str
) -> None:
    """Journeys, and the activities that they need, appear in the host's traces."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    interceptor = TracingInterceptor(provider.get_tracer("tests"))
    client = await connect(temporal, interceptors=[interceptor])
    async with host.worker(client, journeys=[ShopVisit]):
        await walk(temporal, client, host, unique)
    spans = {span.name for span in exporter.get_finished_spans()}
    provider.shutdown()
    assert {"StartWorkflow:sojourn.Event", "RunActivity:sojourn.route", "RunWorkflow:shop-visit"} <= spans


@activity.defn
async def hosts_own() -> str:
    """Say hello."""
    return "hello"


@pytest.mark.parametrize("first", [True, False])
async def test_with_another_plugin(
    temporal: WorkflowEnvironment, host: Deployment, unique: str, first: bool
) -> None:
    """Before and behind it; what the other adds is there as well."""
    other = SimplePlugin("host.OtherPlugin", activities=[hosts_own], data_converter=pydantic_data_converter)
    ours = JourneyPlugin(calls=host.calls(), journeys=[ShopVisit])
    plugins: Sequence[Any] = [other, ours] if first else [ours, other]
    client = await connect(temporal, plugins=plugins)
    assert client.data_converter is pydantic_data_converter
    async with Worker(client, task_queue=host.queue):
        await walk(temporal, client, host, unique)
        said = await client.execute_activity(
            hosts_own, id=unique, task_queue=host.queue, start_to_close_timeout=timedelta(minutes=1)
        )
    assert said == "hello"


async def test_two_plugins_with_different_calls_are_refused(
    temporal: WorkflowEnvironment, host: Deployment
) -> None:
    """One on the client, another on the worker: which would make a call?"""
    client = await connect(temporal, plugins=[JourneyPlugin(calls=host.calls())])
    with (
        pytest.warns(UserWarning, match="plugin"),
        pytest.raises(ValueError, match=r"sojourn\.fetch.* already.*not to both"),
    ):
        Worker(client, task_queue=host.queue, plugins=[JourneyPlugin(calls=host.calls())])


async def test_throttled_queues_are_served_beside_the_worker(
    temporal: WorkflowEnvironment, unique: str
) -> None:
    """A host opens nothing else: a throttled action is made."""
    from tests.workflows.support import Runner, Shop, compiled, project

    shop = Shop()
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  mail: {action: send, with: {to: x, data: 1}, on_error: wrong}
  done: {end: done}
  wrong: {end: wrong}
""",
        shop,
    )
    from sojourn.activities import AddressGuard, Transport
    from sojourn.definitions.kinds.endpoint import Throttle

    limit = Throttle.model_validate({"calls": 100, "per": "1s", "expire": "1h"})
    loaded.endpoints["action:send"] = loaded.endpoints["action:send"].model_copy(update={"throttle": limit})
    calls = Calls(StaticEndpoints(loaded.endpoints), transport=Transport(AddressGuard(["127.0.0.1"])))
    async with Worker(temporal.client, task_queue=unique, plugins=[JourneyPlugin(calls=calls)]):
        handle = await Runner(temporal.client, unique).start(compiled(loaded))
        assert (await handle.result())["text"] == "done"
    shop.close()
    assert len(shop.calls) == 1


def test_settings_are_checked_at_construction(host: Deployment) -> None:
    """Each message says what to write instead."""
    with pytest.raises(TypeError, match=r"calls=Calls\(StaticEndpoints"):
        JourneyPlugin(calls=StaticEndpoints({}))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"journeys=\[ShopVisit\]"):
        JourneyPlugin(calls=host.calls(), journeys=ShopVisit)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="leave one of them out"):
        JourneyPlugin(calls=host.calls(), journeys=[ShopVisit], register_workflows=False)
    with pytest.raises(Exception, match=r"decorate its class with @journey\.defn"):
        JourneyPlugin(calls=host.calls(), journeys=[Visited])
