"""Journeys per second, worker CPU per journey and event-to-action latency: Sojourn beside plain Temporal.

Both run the same three journeys on the same server against the same HTTP server, each with a worker process of its own,
in turns within one run. What is printed are ratios: the figures themselves are the machine's.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import psutil
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment

from benchmarks import plain
from benchmarks.journeys import compiled
from sojourn.contract import names

KINDS = ("sojourn", "plain")
CONCURRENCY = 50


@dataclass
class Round:
    """What one batch of journeys took.

    Attributes:
        rate: Journeys per second, from the first start to the last end.
        cpu: Worker CPU per journey, in milliseconds.
        latencies: Seconds from sending the event to the call that it causes; of `wait-for-event` only.
    """

    rate: float
    cpu: float
    latencies: list[float] = field(default_factory=list)


class Side:
    """One of the two that are compared: a worker process and how to start its journeys.

    Args:
        kind: `sojourn` or `plain`.
        client: A client of the server.
        target: The port of the HTTP server that is called.
    """

    def __init__(self, kind: str, client: Client, target: int) -> None:
        self.kind = kind
        self._client = client
        self._target = target
        self._queue = f"bench-{kind}"
        self._definitions = compiled(target)
        address = client.service_client.config.target_host
        command = [sys.executable, "-m", "benchmarks.worker", kind, address, self._queue, str(target)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != "ready":
            raise RuntimeError(f"the {kind} worker did not start")

    async def start(self, journey: str, key: str) -> WorkflowHandle[Any, Any]:
        """Start one journey."""
        event = {
            "id": key,
            "name": "bench.started",
            "time": datetime.now(UTC).isoformat(),
            "data": {"customerId": key},
        }
        if self.kind == "plain":
            workflow = plain.WORKFLOWS[journey]
            return await self._client.start_workflow(workflow.__name__, event, id=key, task_queue=self._queue)
        definition = self._definitions[journey]
        attributes = [
            SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_JOURNEY), journey),
            SearchAttributePair(SearchAttributeKey.for_int(names.SEARCH_VERSION), 1),
            SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_PROFILE), key),
            SearchAttributePair(SearchAttributeKey.for_keyword(names.SEARCH_STEP), definition["first"]),
        ]
        return await self._client.start_workflow(
            names.WORKFLOW_JOURNEY,
            {"definition": definition, "event": event, "key": key, "mode": "live"},
            id=names.workflow_id(journey, key),
            task_queue=self._queue,
            memo={names.MEMO_ENTRY_EVENT: key},
            search_attributes=TypedSearchAttributes(attributes),
        )

    async def round(self, journey: str, count: int) -> Round:
        """Run a batch of journeys to their ends."""
        process = psutil.Process(self.process.pid)
        gate = asyncio.Semaphore(CONCURRENCY)
        sent: dict[str, float] = {}

        async def one(key: str) -> None:
            async with gate:
                handle = await self.start(journey, key)
                if journey == "wait-for-event":
                    await asyncio.sleep(0.2)
                    sent[key] = time.time()
                    name = "bench.answered"
                    moment = datetime.now(UTC).isoformat()
                    await handle.signal("event", {"id": f"{key}-a", "name": name, "time": moment, "data": {}})
                await handle.result()

        before = sum(process.cpu_times()[:2])
        began = time.perf_counter()
        await asyncio.gather(*(one(f"{self.kind[0]}-{uuid.uuid4().hex}") for _ in range(count)))
        took = time.perf_counter() - began
        cpu = sum(process.cpu_times()[:2]) - before
        async with httpx.AsyncClient(trust_env=False) as http:
            seen = json.loads((await http.get(f"http://127.0.0.1:{self._target}/")).text)
        if len(seen) != count:
            raise RuntimeError(f"{self.kind}: {count} journeys made {len(seen)} calls")
        return Round(count / took, cpu / count * 1000, [seen[key] - moment for key, moment in sent.items()])

    def stop(self) -> None:
        """Stop the worker."""
        self.process.terminate()
        self.process.wait(30)


def _start_target(port: int) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.target", str(port)])
    for _ in range(100):
        try:
            httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return process
    process.kill()
    raise RuntimeError("the HTTP server that is called did not start")


@asynccontextmanager
async def _parts() -> AsyncIterator[tuple[Client, int]]:
    from sojourn.local.ports import free_port
    from sojourn.temporal.binary import find_temporal_binary

    target = free_port()
    server = _start_target(target)
    arguments = ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1"]
    for name, kind in ((names.SEARCH_JOURNEY, "Keyword"), (names.SEARCH_VERSION, "Int")):
        arguments += ["--search-attribute", f"{name}={kind}"]
    for name in (names.SEARCH_PROFILE, names.SEARCH_STEP):
        arguments += ["--search-attribute", f"{name}=Keyword"]
    for direction in ("Read", "Write"):
        arguments += ["--dynamic-config-value", f"matching.numTaskqueue{direction}Partitions=1"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with await WorkflowEnvironment.start_local(
                dev_server_existing_path=find_temporal_binary(),
                dev_server_database_filename=os.path.join(folder, "temporal.db"),
                dev_server_extra_args=arguments,
            ) as environment:
                yield environment.client, target
    finally:
        server.terminate()
        server.wait(10)


async def measure(rounds: int, count: int) -> dict[str, dict[str, list[Round]]]:
    """Run all journeys on both sides, in turns.

    Args:
        rounds: Batches of each journey for each side, after one that warms up and is not counted.
        count: Journeys in a batch.

    Returns:
        The rounds, by journey and side.
    """
    async with _parts() as (client, target):
        sides = [Side(kind, client, target) for kind in KINDS]
        try:
            measured: dict[str, dict[str, list[Round]]] = {}
            for journey in plain.WORKFLOWS:
                measured[journey] = {kind: [] for kind in KINDS}
                for number in range(rounds + 1):
                    # Who goes first changes from round to round, so that neither has the fresher server.
                    for side in sides if number % 2 else reversed(sides):
                        result = await side.round(journey, count)
                        if number:
                            measured[journey][side.kind].append(result)
                    print(f"  {journey}: round {number} of {rounds}", file=sys.stderr, flush=True)
            return measured
        finally:
            for side in sides:
                side.stop()


def table(measured: dict[str, dict[str, list[Round]]]) -> str:
    """Return the ratios as a Markdown table."""
    lines = [
        "| journey | journeys/s | ratio | worker CPU/journey | ratio | event to action, p50 | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for journey, sides in measured.items():
        pairs = [
            _pair(sides, lambda side: [one.rate for one in side], "/s"),
            _pair(sides, lambda side: [one.cpu for one in side], " ms"),
            _pair(sides, lambda side: [value * 1000 for one in side for value in one.latencies], " ms"),
        ]
        lines.append(f"| {journey} | {' | '.join(pairs)} |")
    return "\n".join(lines)


def _pair(sides: dict[str, list[Round]], values: Callable[[list[Round]], list[float]], unit: str) -> str:
    ours, theirs = (values(sides[kind]) for kind in KINDS)
    if not ours or not theirs:
        return " | "
    first, second = statistics.median(ours), statistics.median(theirs)
    return f"{first:.1f} / {second:.1f}{unit} | {first / second:.2f}"
