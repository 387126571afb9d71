"""What the API makes of events: a second, beside bare calls to the same Temporal.

Two figures of DESIGN.md, section 10: events that concern nobody, a second and process; and events that start an
instance, as a ratio to bare signal-with-start calls of the SDK. No worker runs in either: what is measured is taking
events in. The load comes from this process, which shares the machine with the API.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from temporalio.client import Client

from sojourn.local.stack import Stack

CONCURRENCY = 32
PROJECT = """
event: bench.started
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}}}
---
event: bench.nobody
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}}}
---
journey: one-wait
entry: {event: bench.started}
steps:
  nap: {wait: {for: 1d}}
"""


@dataclass(frozen=True)
class Rates:
    """Events a second.

    Attributes:
        nobody: Events that concern nobody, one a request.
        nobody_batched: The same, a hundred a request.
        starts: Events that start an instance, one a request.
        bare: Bare signal-with-start calls.
    """

    nobody: float
    nobody_batched: float
    starts: float
    bare: float


async def _rate(count: int, call: Callable[[int], Awaitable[None]]) -> float:
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(number: int) -> None:
        async with gate:
            await call(number)

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(count)))
    return count / (time.perf_counter() - began)


def _event(name: str) -> dict[str, Any]:
    identity = uuid.uuid4().hex
    return {"id": identity, "name": name, "time": "2026-01-01T00:00:00Z", "data": {"customerId": identity}}


async def measure(count: int) -> Rates:
    """Measure on an embedded stack in a temporary folder.

    Args:
        count: Events that start an instance; ten times as many concern nobody.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Stack(Path(folder), workers=0, env=dict(os.environ)) as stack,
            aiohttp.ClientSession() as http,
        ):

            async def post(path: str, body: Any, wanted: int) -> Any:
                async with http.post(stack.api_url + path, json=body) as answer:
                    if answer.status != wanted:
                        raise RuntimeError(f"{path} answered {answer.status}: {await answer.text()}")
                    return await answer.json()

            await post("/v1/journeys", {"files": {"bench.yaml": PROJECT}}, 200)
            await asyncio.sleep(1.5)

            async def nobody(_: int) -> None:
                await post("/v1/events", _event("bench.nobody"), 202)

            async def batch(_: int) -> None:
                await post("/v1/events", [_event("bench.nobody") for _ in range(100)], 202)

            async def start(_: int) -> None:
                answer = await post("/v1/events", _event("bench.started"), 202)
                if answer["results"][0]["status"] != "accepted":
                    raise RuntimeError(f"an event was not accepted: {answer}")

            client = await Client.connect(stack.temporal_address)

            async def bare(_: int) -> None:
                event = _event("bench.started")
                await client.start_workflow(
                    "plain",
                    {},
                    id=event["id"],
                    task_queue="nobody",
                    start_signal="event",
                    start_signal_args=[event],
                )

            await _rate(50, start)
            await _rate(50, bare)
            # In turns: the database of the server grows as it goes, and neither is to have the smaller one.
            starts, bares = [], []
            for _ in range(3):
                starts.append(await _rate(count // 3, start))
                bares.append(await _rate(count // 3, bare))
            return Rates(
                nobody=await _rate(count * 10, nobody),
                nobody_batched=await _rate(count // 5, batch) * 100,
                starts=sorted(starts)[1],
                bare=sorted(bares)[1],
            )


def table(rates: Rates) -> str:
    """Return the rates as a Markdown table."""
    return "\n".join(
        [
            "| events | a second |",
            "|---|---|",
            f"| that concern nobody, one a request | {rates.nobody:.0f} |",
            f"| that concern nobody, 100 a request | {rates.nobody_batched:.0f} |",
            f"| that start an instance, one a request | {rates.starts:.0f} |",
            f"| bare signal-with-start | {rates.bare:.0f} |",
            f"| ratio | {rates.starts / rates.bare:.2f} |",
        ]
    )
