"""Throttled actions queue at a rate that the server keeps, over all workers, and as it is now."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from sojourn.activities import AddressGuard, Calls, StaticEndpoints, ThrottledQueues, Transport
from sojourn.activities.throttling import queues as module
from sojourn.activities.throttling import rates
from sojourn.activities.throttling.rates import read_rate
from sojourn.contract import names
from sojourn.definitions import EndpointDefinition, Project
from sojourn.definitions.durations import STORED
from sojourn.definitions.kinds.endpoint import Cap, Throttle
from sojourn.plugin import JourneyPlugin
from tests.activities.test_observer import Watching
from tests.workflows.support import Runner, Shop, compiled, failure, project, running

JOURNEY = """
journey: {name}
entry: {{event: entered}}
steps:
  mail:
    action: send
    with: {{to: "{name}", data: 1}}
  done: {{end: sent}}
"""


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The other side."""
    server = Shop()
    yield server
    server.close()


def throttled(calls: float, per: float, expire: float = 3600) -> Throttle:
    """Return a throttle; `per` and `expire` are seconds."""
    return Throttle.model_validate({"calls": int(calls), "per": per, "expire": expire}, context=STORED)


class Live:
    """Endpoints that change while workers run, as they do in the database."""

    def __init__(self, loaded: Project) -> None:
        self.endpoints = dict(loaded.endpoints)
        self.once: set[str] = set()

    def limit(self, throttle: Throttle | None) -> None:
        """Change the throttle of the action."""
        if self.endpoints["action:send"].throttle is not None:
            self.once.add("send")
        self.endpoints["action:send"] = self.endpoints["action:send"].model_copy(
            update={"throttle": throttle}
        )

    async def endpoint(self, kind: str, name: str, *, newest: bool = False) -> EndpointDefinition | None:
        """Return the endpoint as it is now."""
        return await StaticEndpoints(self.endpoints).endpoint(kind, name)

    async def throttles(self) -> Mapping[str, Throttle | None]:
        """Return what is throttled now, and what was."""
        return dict.fromkeys(self.once) | dict(await StaticEndpoints(self.endpoints).throttles())


def limited(shop: Shop, *journeys: str, throttle: str = "") -> Project:
    """Return a project with journeys that send, the action throttled if wanted."""
    text = "---".join(JOURNEY.format(name=name) for name in journeys or ("j",))
    loaded = project(text, shop)
    if throttle:
        limit = throttled(*map(float, throttle.split("/")))
        loaded.endpoints["action:send"] = loaded.endpoints["action:send"].model_copy(
            update={"throttle": limit}
        )
    return loaded


@asynccontextmanager
async def workers(
    client: Client, live: Live, *, queues: int = 1, queue: str = ""
) -> AsyncIterator[tuple[Runner, list[ThrottledQueues]]]:
    """Run a worker of journeys, and what serves throttled queues as so many processes would."""
    queue = queue or f"test-{uuid.uuid4().hex[:12]}"
    opened: list[ThrottledQueues] = []

    def calls() -> Calls:
        return Calls(live, transport=Transport(AddressGuard(["127.0.0.1"])))

    plugin = JourneyPlugin(calls=calls(), throttled_queues=False)
    options: dict[str, Any] = {"workflow_failure_exception_types": [Exception]}
    async with Worker(client, task_queue=queue, plugins=[plugin], **options):
        for _ in range(queues):
            # One process has one connection, and polls a task queue once.
            own = await Client.connect(client.service_client.config.target_host)
            opened.append(ThrottledQueues(own, calls(), live, task_queue=queue, refresh=0.05))
        async with asyncio.TaskGroup() as group:
            for one in opened:
                group.create_task(one.__aenter__())
        try:
            yield Runner(client, queue), opened
        finally:
            for one in opened:
                await one.__aexit__()


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something is so; the test's own time-out ends what never comes."""
    while not condition():
        await asyncio.sleep(0.02)


async def scheduled_on(handle: WorkflowHandle[Any, Any]) -> list[tuple[str, str]]:
    """Return the activity ids of an instance with the task queues on which they were scheduled."""
    found = []
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            attributes = event.activity_task_scheduled_event_attributes
            found.append((attributes.activity_id, attributes.task_queue.name))
    return found


async def test_a_throttled_action_queues_by_itself(client: Client, shop: Shop) -> None:
    """On a task queue of its own, with the journey as fairness key, at a rate set before the first poll."""
    loaded = limited(shop, throttle="50/1/3600")
    async with workers(client, Live(loaded)) as (runner, (queues,)):
        handle = await runner.start(compiled(loaded))
        assert (await handle.result())["outcome"] == "completed"
        own = names.throttled_queue(runner.queue, "send")
        assert await scheduled_on(handle) == [("mail#1", own)]
        assert queues.polled == {own: 50.0}
        assert await read_rate(client, own) == 50.0
        history = await handle.fetch_history()
    (event,) = [e for e in history.events if e.HasField("activity_task_scheduled_event_attributes")]
    attributes = event.activity_task_scheduled_event_attributes
    assert attributes.priority.fairness_key == "j"
    assert attributes.schedule_to_start_timeout.seconds == 3600
    assert len(shop.calls) == 1


async def test_what_waits_for_too_long_expires(client: Client, shop: Shop) -> None:
    """It is never sent, and the error says so; a fast queue beside it is not concerned."""
    loaded = limited(shop, throttle="1/3600/1")
    async with workers(client, Live(loaded)) as (runner, (queues,)):
        await until(lambda: queues.polled)
        handles = [await runner.start(compiled(loaded)) for _ in range(4)]
        results = await asyncio.gather(*(handle.result() for handle in handles), return_exceptions=True)
        failed = [await failure(h) for h, r in zip(handles, results, strict=True) if isinstance(r, Exception)]
    assert len(failed) >= 3
    assert len(failed) + len(shop.calls) == 4
    assert {error.details[0]["error"]["code"] for error in failed} == {"expired"}
    assert "waited longer than 1 s for its turn" in failed[0].details[0]["error"]["message"]


async def test_a_throttled_action_may_have_a_cap_as_well(client: Client, shop: Shop) -> None:
    """A call takes its place in the cap when its turn has come; without one it is capped, and was not made."""
    loaded = limited(shop, throttle="100/1/3600")
    cap = Cap.model_validate({"calls": 2, "per": 3600}, context=STORED)
    loaded.endpoints["action:send"] = loaded.endpoints["action:send"].model_copy(update={"cap": cap})
    async with running(client, loaded) as runner:
        handles = [await runner.start(compiled(loaded)) for _ in range(5)]
        results = await asyncio.gather(*(h.result() for h in handles), return_exceptions=True)
        failed = [await failure(h) for h, r in zip(handles, results, strict=True) if isinstance(r, Exception)]
        own = names.throttled_queue(runner.queue, "send")
        assert await scheduled_on(handles[0]) == [("mail#1", own)]
    assert [error.details[0]["error"]["code"] for error in failed] == ["capped"] * 3
    assert len(shop.calls) == 2


async def test_calls_that_expire_in_the_queue_are_told_to_operators(client: Client, shop: Shop) -> None:
    """No activity ran that could tell: the workflow does, once, also where it is replayed afterwards."""
    loaded, told = limited(shop, throttle="1/3600/1"), Watching()
    async with running(client, loaded, observer=told, cached=0) as runner:
        handles = [await runner.start(compiled(loaded)) for _ in range(4)]
        results = await asyncio.gather(*(h.result() for h in handles), return_exceptions=True)
    late = sum(isinstance(result, Exception) for result in results)
    assert late >= 3
    assert len(told.failures) == late
    for failed in told.failures:
        assert (failed.kind, failed.name, failed.code, failed.status) == ("action", "send", "expired", None)
        assert (failed.journey, failed.step, failed.attempt, failed.final) == ("j", "mail", 1, True)
        assert "for its turn" in failed.message


async def test_those_inside_when_an_action_is_throttled_queue_as_well(client: Client, shop: Shop) -> None:
    """Their version knows of no throttle: the call moves to the queue, as the same activity with the same key."""
    before = limited(shop)
    live = Live(before)
    live.limit(throttled(100, 1))
    async with workers(client, live) as (runner, _):
        handle = await runner.start(compiled(before))
        result = await handle.result()
        own = names.throttled_queue(runner.queue, "send")
        assert await scheduled_on(handle) == [("mail#1", runner.queue), ("mail#1", own)]
    assert result["outcome"] == "completed"
    assert len(shop.calls) == 1
    assert shop.calls[0]["key"]


async def test_a_rate_changes_while_workers_run(client: Client, shop: Shop) -> None:
    """What waited at a slow rate goes out at the new one; without a throttle, all that is queued is sent at once."""
    loaded = limited(shop, throttle="1/3600/3600")
    live = Live(loaded)
    async with workers(client, live, queues=2) as (runner, opened):
        own = names.throttled_queue(runner.queue, "send")
        await until(lambda: all(one.polled for one in opened))
        handles = [await runner.start(compiled(loaded)) for _ in range(12)]
        for _ in range(3):
            await asyncio.sleep(0.1)
            assert len(shop.calls) <= 1
        live.limit(throttled(20, 1))
        await until(lambda: len(shop.calls) >= 3)
        assert await read_rate(client, own) == 20.0
        live.limit(None)
        await asyncio.gather(*(handle.result() for handle in handles))
        await until(lambda: all(one.polled == {own: None} for one in opened))
        assert await read_rate(client, own) is None
        # Its version still says throttled: the queue is polled although nothing is limited any more.
        assert (await (await runner.start(compiled(loaded))).result())["outcome"] == "completed"
    assert max(Counter(call["key"] for call in shop.calls).values()) == 1
    assert len(shop.calls) == 13


async def test_a_large_journey_does_not_starve_a_small_one(client: Client, shop: Shop) -> None:
    """With ten times as many calls queued before it, the small one's last call is among the first third."""
    loaded = limited(shop, "large", "small", throttle="1/3600/3600")
    live = Live(loaded)
    async with workers(client, live) as (runner, (queues,)):
        await until(lambda: queues.polled)
        handles = [await runner.start(compiled(loaded, "large")) for _ in range(100)]
        handles += [await runner.start(compiled(loaded, "small")) for _ in range(10)]
        for handle in handles:
            while not await scheduled_on(handle):
                await asyncio.sleep(0.02)
        live.limit(throttled(60, 1))
        await asyncio.gather(*(handle.result() for handle in handles))
    order = [call["body"]["to"] for call in shop.calls]
    assert len(order) == 110
    # Position, not time: served in turns, the ten would be through after about twenty.
    assert max(index for index, name in enumerate(order) if name == "small") < 45


async def test_time_in_the_queue_does_not_eat_the_window(client: Client, shop: Shop) -> None:
    """A retry that waits longer for its turn than the whole window lasts is made all the same."""
    loaded = limited(shop, throttle="1/3/3600")
    answers: Iterator[tuple[int, Any]] = iter([(503, {}), (503, {})])
    shop.answers = lambda call: next(answers, (200, {"ok": True}))
    definition = compiled(loaded) | {"call_timeout": 2}
    async with workers(client, Live(loaded)) as (runner, _):
        handle = await runner.start(definition)
        assert (await handle.result())["outcome"] == "completed"
    assert len(shop.calls) == 3
    assert len({call["key"] for call in shop.calls}) == 1


async def test_an_expiry_that_was_shortened_holds_for_what_is_queued(client: Client, shop: Shop) -> None:
    """The queue's own time-out is that of when the call was scheduled; its worker knows the present one."""
    loaded = limited(shop, throttle="1/3600/3600")
    live = Live(loaded)
    async with workers(client, live) as (runner, (queues,)):
        await until(lambda: queues.polled)
        handles = [await runner.start(compiled(loaded)) for _ in range(4)]
        for handle in handles:
            while not await scheduled_on(handle):
                await asyncio.sleep(0.02)
        # The queue is new, so that one call has its turn at once, and further ones where it has partitions.
        await until(lambda: shop.calls)
        await asyncio.sleep(0.3)
        sent = len(shop.calls)
        live.limit(throttled(1000, 1, 0.2))
        results = await asyncio.gather(*(handle.result() for handle in handles), return_exceptions=True)
        failed = [await failure(h) for h, r in zip(handles, results, strict=True) if isinstance(r, Exception)]
    assert len(shop.calls) == sent
    assert len(failed) == 4 - sent
    assert {error.details[0]["error"]["code"] for error in failed} == {"expired"}


async def test_trouble_with_a_queue_is_tried_again(
    client: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server refuses the rate once, and the directory breaks once: both are logged, neither ends anything."""
    loaded = limited(shop, throttle="50/1/3600")
    live = Live(loaded)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.05)
    write, failures = rates.write_rate, iter([OSError("no"), RuntimeError("no")])

    async def broken(*arguments: Any) -> None:
        if error := next(failures, None):
            raise error
        await write(*arguments)

    monkeypatch.setattr(module, "write_rate", broken)
    throttles, gaps = live.throttles, iter([ValueError("the database")])

    async def gone() -> Mapping[str, Throttle | None]:
        if error := next(gaps, None):
            raise error
        return await throttles()

    monkeypatch.setattr(live, "throttles", gone)
    async with workers(client, live) as (runner, _):
        assert (await (await runner.start(compiled(loaded))).result())["outcome"] == "completed"
    assert caplog.text.count("cannot be given its rate") == 2
    assert caplog.text.count("what is throttled cannot be read (ValueError)") == 1


async def test_calls_in_flight_finish_when_the_queues_stop(client: Client, shop: Shop) -> None:
    """Within the time that they are given, also where the worker of journeys stopped before."""
    loaded = limited(shop, throttle="50/1/3600")
    live = Live(loaded)
    release = shop.hang()
    queue = f"test-{uuid.uuid4().hex[:12]}"
    calls = Calls(live, transport=Transport(AddressGuard(["127.0.0.1"])))
    plugin = JourneyPlugin(calls=calls, throttled_queues=False)
    queues = ThrottledQueues(
        client, calls, live, task_queue=queue, refresh=0.05, graceful=timedelta(seconds=20)
    )
    async with queues:
        async with Worker(client, task_queue=queue, plugins=[plugin]):
            handle = await Runner(client, queue).start(compiled(loaded))
            await until(lambda: shop.calls)
        stopping = asyncio.create_task(queues.stop())
        await asyncio.sleep(0.1)
        release.set()
        await stopping
    async with Worker(client, task_queue=queue, plugins=[plugin]):
        assert (await handle.result())["outcome"] == "completed"
    assert len(shop.calls) == 1


async def test_an_instance_that_leaves_takes_its_call_out_of_the_queue(client: Client, shop: Shop) -> None:
    """What has not had its turn when the instance exits is never sent."""
    loaded = limited(shop, throttle="1/3600/3600")
    live = Live(loaded)
    async with workers(client, live) as (runner, (queues,)):
        await until(lambda: queues.polled)
        handles = [await runner.start(compiled(loaded)) for _ in range(3)]
        for handle in handles:
            while not await scheduled_on(handle):
                await asyncio.sleep(0.02)
        for handle in handles:
            with contextlib.suppress(RPCError):  # the queue is new, so that one call had its turn
                await handle.signal(names.SIGNAL_EXIT, "enough")
        outcomes = [(await handle.result())["outcome"] for handle in handles]
        live.limit(throttled(1000, 1))
        assert (await (await runner.start(compiled(loaded))).result())["outcome"] == "completed"
    assert outcomes.count("exited") >= 2
    assert len(shop.calls) <= 2


def test_the_name_of_a_queue_never_changes() -> None:
    """Calls wait under it."""
    assert names.throttled_queue("sojourn", "email.send") == "sojourn:throttled:email.send"
    assert names.is_throttled_queue("another:throttled:email.send", "email.send")
    assert not names.is_throttled_queue("sojourn", "email.send")
    assert not names.is_throttled_queue("sojourn:throttled:other.email.send", "email.send")


async def test_a_queued_call_leaves_the_queue_during_a_pause(client: Client, shop: Shop, unique: str) -> None:
    """Paused before its turn, it is not made however long the queue is served; resumed, it is made once."""
    loaded = limited(shop, unique, throttle="50/1")
    live = Live(loaded)
    calls = Calls(live, transport=Transport(AddressGuard(["127.0.0.1"])))
    plugin = JourneyPlugin(calls=calls, throttled_queues=False)
    async with Worker(client, task_queue=unique, plugins=[plugin]):
        handle = await Runner(client, unique).start(compiled(loaded, unique))
        while not await _scheduled(handle):
            await asyncio.sleep(0.02)
        await handle.signal(names.SIGNAL_PAUSE)
        while (await handle.query(names.QUERY_STATE))["status"] != "paused":
            await asyncio.sleep(0.02)
        performer = Calls(live, transport=Transport(AddressGuard(["127.0.0.1"])))
        async with ThrottledQueues(client, performer, live, task_queue=unique, refresh=0.05):
            other = await Runner(client, unique).start(compiled(loaded, unique))
            assert (await other.result())["text"] == "sent"
            assert len(shop.calls) == 1
            await handle.signal(names.SIGNAL_RESUME)
            assert (await asyncio.wait_for(handle.result(), 30))["text"] == "sent"
    assert len(shop.calls) == 2


async def _scheduled(handle: WorkflowHandle[Any, Any]) -> bool:
    kinds = [event.event_type async for event in handle.fetch_history_events()]
    return EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED in kinds
