"""Caps before real calls: taken by each attempt, over all that share a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.activities import AddressGuard, CallError, Calls, Caps, LocalCaps, StaticEndpoints, Transport
from sojourn.definitions import EndpointDefinition
from sojourn.store import Store, StoreUnavailable
from tests.activities.server import Server, answer
from tests.activities.test_calls import World, status

__all__ = ["world"]


def endpoint(server: Server, kind: str = "action", **fields: Any) -> dict[str, EndpointDefinition]:
    """Return an endpoint at a server."""
    definition = {"kind": kind, "name": "act", "url": server.url("/x"), **fields}
    return {f"{kind}:act": EndpointDefinition.load(definition)}


def calls_to(endpoints: dict[str, EndpointDefinition], caps: Caps | None = None) -> Calls:
    """Return what one worker process has."""
    return Calls(StaticEndpoints(endpoints), transport=Transport(AddressGuard(["127.0.0.1"])), caps=caps)


async def codes(calls: Calls, count: int, kind: Any = "action", **parameters: Any) -> list[str]:
    """Make calls at once; return how each ended."""

    async def one() -> str:
        try:
            await calls.call(kind, "act", parameters, window=10)
        except CallError as error:
            return error.code
        return "made"

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def test_workers_that_share_a_database_make_exactly_as_many_calls(tmp_path: Path) -> None:
    """Three of them ask for more than is allowed: as many requests arrive as the cap says, all others are capped."""
    url = f"sqlite:///{tmp_path}/sojourn.db"
    stores = [await Store.open(url) for _ in range(3)]
    await stores[0].migrate()
    async with Server([answer({"ok": 1})]) as server:
        endpoints = endpoint(server, cap={"calls": 40, "per": 3600})
        workers = [calls_to(endpoints, store.caps) for store in stores]
        ended = await asyncio.gather(*(codes(worker, 30) for worker in workers))
        everything = [code for codes in ended for code in codes]
        assert len(server.requests) == everything.count("made") == 40
        assert everything.count("capped") == 50
        for worker, store in zip(workers, stores, strict=True):
            await worker.aclose()
            await store.close()


async def test_without_a_database_a_process_counts_for_itself() -> None:
    """And what is not made takes no place: parameters that do not fit, answers that are kept."""
    async with Server([answer({"ok": 1})]) as server:
        fields = {"cap": {"calls": 3, "per": 3600}, "cache": 60, "parameters": {"id": {"type": "string"}}}
        async with calls_to(endpoint(server, "source", **fields)) as calls:
            assert await codes(calls, 5, "source", id=4) == ["refused"] * 5
            assert await codes(calls, 5, "source", id="a") == ["made"] * 5
            assert await codes(calls, 5, "source", id="a") == ["made"] * 5
            for name in "bc":
                assert await codes(calls, 1, "source", id=name) == ["made"]
            assert await codes(calls, 1, "source", id="d") == ["capped"]
            assert await codes(calls, 1, "source", id="b") == ["made"]
        assert len(server.requests) == 3


async def test_what_cannot_be_counted_is_not_made() -> None:
    """The database is away: the same error as when the endpoints cannot be read, and it is tried again."""

    class Gone:
        async def take(self, *_: Any) -> bool:
            raise StoreUnavailable("the database cannot be reached: password=hunter2")

    async with Server([answer({"ok": 1})]) as server:
        async with calls_to(endpoint(server, cap={"calls": 3, "per": 1}), Gone()) as calls:
            with pytest.raises(CallError) as caught:
                await calls.call("action", "act", {}, window=5)
        assert (caught.value.code, caught.value.retryable) == ("network", True)
        assert "hunter2" not in str(caught.value)
        assert server.requests == []


@pytest.fixture(scope="module")
async def world(temporal: WorkflowEnvironment) -> AsyncIterator[World]:
    """One worker for the tests of this module."""
    from temporalio.worker import UnsandboxedWorkflowRunner, Worker

    from tests.activities.workflow import CallOnce

    made = World(temporal.client, f"caps-{id(temporal)}")
    worker = Worker(
        made.client,
        task_queue=made.queue,
        workflows=[CallOnce],
        activities=made.calls.activities,
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    async with made.calls, worker:
        yield made


@pytest.mark.parametrize("kind", ["source", "action"])
async def test_a_first_attempt_without_a_place_is_the_last(world: World, kind: str) -> None:
    """The call is not made, and not tried again."""
    async with Server([answer({"ok": 1})]) as server:
        name = world.define(kind, server.url("/x"), cap={"calls": 1, "per": 3600})
        assert (await world.run(kind, name))["status"] == 200
        failed = (await world.run(kind, name))["failed"]
        assert (failed["code"], failed["status"]) == ("capped", None)
        assert "the cap of 1 in 1h is used up" in failed["message"]
        assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["source", "action"])
async def test_a_retry_without_a_place_says_what_went_wrong_before(world: World, kind: str) -> None:
    """Each retry takes a place; the error keeps the status of the attempt that was made."""
    async with Server([status(503)]) as server:
        failed = await world.ask(kind, server, window=20.0, cap={"calls": 2, "per": 3600})
        assert len(server.requests) == 2
    assert (failed["failed"]["code"], failed["failed"]["status"]) == ("capped", 503)
    assert "http_503 at the attempt before" in failed["failed"]["message"]


async def test_a_second_request_with_a_new_token_takes_a_place_too(unique: str) -> None:
    """Where none is left, the first answer stands."""
    caps = LocalCaps()
    async with Server([status(401)]) as server, Server([answer({"access_token": unique})]) as tokens:
        auth = {
            "type": "custom",
            "token_url": tokens.url("/t"),
            "method": "GET",
            "token": "access_token",
            "cache": 60,
        }
        endpoints = endpoint(server, auth=auth, cap={"calls": 3, "per": 3600})
        async with calls_to(endpoints, caps) as calls:
            assert await codes(calls, 1) == ["http_401"]
            assert len(server.requests) == 2
            assert await codes(calls, 1) == ["http_401"]
            assert len(server.requests) == 3
            assert await codes(calls, 1) == ["capped"]


async def test_calls_stay_open_until_the_last_worker_is_done() -> None:
    """Two workers share one object: the first that ends takes nothing from the other."""
    async with Server([answer({"ok": 1})]) as server:
        calls = calls_to(endpoint(server))
        async with calls:
            async with calls:
                assert await codes(calls, 1) == ["made"]
            assert await codes(calls, 1) == ["made"]


async def test_two_hundred_calls_at_once_at_a_cap_of_a_hundred(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Scenario S25: 100 are made and 100 capped, however many workers; another endpoint is not concerned."""
    clock = [1_800_000_000.0]
    frozen = SimpleNamespace(time=lambda: clock[0], monotonic=lambda: clock[0])
    monkeypatch.setattr("sojourn.store.caps.time", frozen)
    stores = [await Store.open(f"sqlite:///{tmp_path}/sojourn.db") for _ in range(2)]
    await stores[0].migrate()
    async with Server([answer({"ok": 1})]) as server:
        limited = endpoint(server, cap={"calls": 100, "per": 1})
        other = {"source:act": endpoint(server, "source", cap={"calls": 100, "per": 1})["source:act"]}
        workers = [calls_to(limited | other, store.caps) for store in stores]
        each = await asyncio.gather(*(codes(worker, 100) for worker in workers))
        ended = [code for one in each for code in one]
        assert (ended.count("made"), ended.count("capped")) == (100, 100)
        assert len(server.requests) == 100
        assert await codes(workers[0], 40, "source") == ["made"] * 40
        # A period and a slot later all of it is free again; not before.
        clock[0] += 0.99
        assert await codes(workers[1], 5) == ["capped"] * 5
        clock[0] += 0.04
        each = await asyncio.gather(*(codes(worker, 60) for worker in workers))
        ended = [code for one in each for code in one]
        assert (ended.count("made"), ended.count("capped")) == (100, 20)
        for worker, store in zip(workers, stores, strict=True):
            await worker.aclose()
            await store.close()


async def test_the_sixteenth_call_in_a_second_is_capped() -> None:
    """Scenario S8, a source with a cap of 15 calls a second: it is the sixteenth, whenever in the second it comes."""
    clock = [500.0]
    async with Server([answer({"temperature": 31})]) as server:
        endpoints = endpoint(server, "source", cap={"calls": 15, "per": 1})
        calls = Calls(
            StaticEndpoints(endpoints),
            transport=Transport(AddressGuard(["127.0.0.1"])),
            caps=LocalCaps(lambda: clock[0]),
        )
        async with calls:
            for number in range(15):
                clock[0] = 500.0 + number / 16
                assert await codes(calls, 1, "source") == ["made"], number
            clock[0] = 500.99
            assert await codes(calls, 1, "source") == ["capped"]
            clock[0] = 501.03
            # The first of them is more than a second old, the second is not.
            assert await codes(calls, 2, "source") == ["made", "capped"]
        assert len(server.requests) == 16
