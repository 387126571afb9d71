"""Whether caps and throttles hold: three worker processes, half a minute each, against a server that counts.

`python -m benchmarks.limits`. Printed are the rates beside those that are configured, the place of a small journey's
calls in a queue that a large one filled before it, and what became of queued calls when a worker was killed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from sojourn.contract import names
from sojourn.local.ports import free_port
from sojourn.local.stack import Stack

WORKERS = 3
PROJECT = """
event: bench.entered
key: event.id
schema: {type: object, properties: {id: {type: string}, what: {type: string}}}
---
action: bench.throttled
url: http://127.0.0.1:PORT/throttled
throttle: THROTTLE
parameters: {to: {type: string}}
---
action: bench.capped
url: http://127.0.0.1:PORT/capped
cap: {calls: CAP, per: 1s}
throttle: THROTTLE
parameters: {to: {type: string}}
"""
JOURNEY = """
---
event: bench.NAME
key: event.id
schema: {type: object, properties: {id: {type: string}}}
---
journey: NAME
entry: {event: bench.NAME}
call_timeout: 3s
steps:
  call:
    action: bench.ACTION
    with: {to: "${entry.id}"}
    on_error: over
  done: {end: made}
  over: {end: not made}
"""
JOURNEYS = {"large": "throttled", "small": "throttled", "killed": "throttled", "busy": "capped"}
Note = tuple[float, str, str, str]


@dataclass
class Limits:
    """What was measured.

    Attributes:
        rate: Calls a second that are configured, for the throttle and for the cap.
        throttled: Calls a second that the throttled action got.
        capped: Calls a second that the capped action got.
        fullest: Most calls of the capped action in any second.
        place: Place of the small journey's last call, all counted.
        behind: All calls of the two journeys, the large one's queued first.
        once: Calls that arrived exactly once, of those queued when a worker was killed.
        same: Calls that arrived again, always with the same key.
        other: Calls that arrived again with another key.
        lost: Calls that never arrived.
    """

    rate: int
    throttled: float = 0.0
    capped: float = 0.0
    fullest: int = 0
    place: int = 0
    behind: int = 0
    once: int = 0
    same: int = 0
    other: int = 0
    lost: int = 0


class Bench:
    """The stack, and the server that its workers call."""

    def __init__(self, stack: Stack, client: Client, http: aiohttp.ClientSession, port: int) -> None:
        self.stack = stack
        self._client = client
        self._port = str(port)
        self._http = http
        self._shop = f"http://127.0.0.1:{port}/"
        self.notes: list[Note] = []

    async def publish(self, rate: int, cap: int = 1) -> None:
        """Publish the project; a rate of 0 lets nothing through. Workers see it within a second or two."""
        throttle = f"{{calls: {rate or 1}, per: {'1s' if rate else '1d'}, expire: 1d}}"
        text = PROJECT.replace("PORT", self._port).replace("THROTTLE", throttle).replace("CAP", str(cap))
        for name, action in JOURNEYS.items():
            text += JOURNEY.replace("NAME", name).replace("ACTION", action)
        await self._post("/v1/journeys", {"files": {"bench.yaml": text}}, 200)

    async def queue(self, journey: str, count: int) -> None:
        """Start instances of a journey, and wait until all their calls are queued."""
        queue = names.throttled_queue(names.TASK_QUEUE, f"bench.{JOURNEYS[journey]}")
        before = await self._backlog(queue)
        await self.enter(journey, count)
        deadline = time.monotonic() + 300
        # The server's number is an approximation, and a queue lets one call through when it is new.
        while await self._backlog(queue) < before + count - 3:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the calls of {journey} were not queued in time")
            await asyncio.sleep(0.5)

    async def _backlog(self, queue: str) -> int:
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            report_stats=True,
        )
        answer = await self._client.workflow_service.describe_task_queue(request)
        return int(answer.stats.approximate_backlog_count)

    async def enter(self, journey: str, count: int, first: int = 0) -> None:
        """Start instances of a journey."""
        for begin in range(first, first + count, 100):
            numbers = range(begin, min(begin + 100, first + count))
            events = [
                {"id": f"{journey}-{n}", "name": f"bench.{journey}", "data": {"id": f"{journey}-{n}"}}
                for n in numbers
            ]
            await self._post("/v1/events", events, 202)

    async def until(self, condition: Callable[[list[Note]], bool], seconds: float) -> None:
        """Gather calls until they are what is wanted, or time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            async with self._http.get(self._shop) as answer:
                self.notes += [(moment, path, to, key) for moment, path, to, key in await answer.json()]
            if condition(self.notes):
                return
            await asyncio.sleep(0.5)

    async def _post(self, path: str, body: Any, wanted: int) -> None:
        async with self._http.post(self.stack.api_url + path, json=body) as answer:
            if answer.status != wanted:
                raise RuntimeError(f"{path} answered {answer.status}: {await answer.text()}")


def _start_shop(port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.shop", str(port)])


async def measure(rate: int, seconds: int, parts: Sequence[str] = ()) -> Limits:
    """Measure on an embedded stack in a temporary folder.

    Args:
        rate: Calls a second of the throttle and of the cap.
        seconds: How long each is watched.
        parts: Which of `throttle`, `cap` and `kill`; all if left out.
    """
    port, result = free_port(), Limits(rate)
    shop = _start_shop(port)
    env = {**os.environ, "SOJOURN_ALLOW_HOSTS": f"127.0.0.1:{port}"}
    try:
        with tempfile.TemporaryDirectory() as folder:
            async with (
                Stack(Path(folder), workers=WORKERS, env=env) as stack,
                aiohttp.ClientSession() as http,
            ):
                bench = Bench(stack, await Client.connect(stack.temporal_address), http, port)
                wanted = [
                    part for part in (_throttle, _cap, _kill) if not parts or part.__name__[1:] in parts
                ]
                for part in wanted:
                    bench.notes = []
                    await part(bench, result, seconds)
                    print(f"  {part.__name__[1:]}: done", file=sys.stderr, flush=True)
    finally:
        shop.terminate()
        shop.wait(10)
    return result


async def _throttle(bench: Bench, result: Limits, seconds: int) -> None:
    """Queue a large journey's calls, then a tenth as many of a small one; let them go."""
    small = result.rate * (seconds + 6) // 11
    await bench.publish(0)
    await bench.queue("large", small * 10)
    await bench.queue("small", small)
    await bench.publish(result.rate)
    await bench.until(lambda notes: len(notes) >= small * 11, seconds * 3)
    # In its first second, a queue lets through as much again.
    first = _start_of([note[0] for note in bench.notes], result.rate)
    result.throttled = sum(first <= note[0] < first + seconds for note in bench.notes) / seconds
    result.place = max(place for place, note in enumerate(bench.notes, 1) if note[2].startswith("small"))
    result.behind = len(bench.notes)


async def _cap(bench: Bench, result: Limits, seconds: int) -> None:
    """Let three times as many calls go as the cap allows."""
    count = result.rate * 3 * (seconds + 6)
    await bench.publish(0, result.rate)
    await bench.queue("busy", count)
    await bench.publish(result.rate * 3, result.rate)
    await bench.until(lambda notes: False, seconds + 8)
    moments = sorted(note[0] for note in bench.notes if note[2].startswith("busy"))
    first = _start_of(moments, result.rate)
    result.capped = sum(first <= moment < first + seconds for moment in moments) / seconds
    result.fullest = max(sum(a <= b < a + 1 for b in moments) for a in moments)


async def _kill(bench: Bench, result: Limits, seconds: int) -> None:
    """Kill a worker with SIGKILL while calls wait."""
    count = result.rate * 12
    await bench.publish(0)
    await bench.queue("killed", count)
    await bench.publish(result.rate)
    await bench.until(lambda notes: len(notes) >= count // 4, seconds)
    victims = [
        process
        for process in psutil.Process().children(recursive=True)
        if "worker" in process.cmdline() and "sojourn" in process.cmdline()
    ]
    victims[0].kill()
    mine = partial(_of, "killed")
    await bench.until(lambda notes: len({note[2] for note in mine(notes)}) >= count, seconds * 3)
    # What was in flight when its worker died is tried again when its time is over.
    await bench.until(lambda notes: False, 12)
    arrivals = Counter(note[2] for note in mine(bench.notes))
    keys = Counter(to for to, _ in {(note[2], note[3]) for note in mine(bench.notes)})
    result.once = sum(number == 1 for number in arrivals.values())
    result.same = sum(number > 1 and keys[to] == 1 for to, number in arrivals.items())
    result.other = sum(keys[to] > 1 for to in arrivals)
    result.lost = count - len(arrivals)


def _start_of(moments: list[float], rate: int) -> float:
    """Return when to begin counting: two seconds after calls came in numbers. One or two slip through before."""
    dense = (one for one in moments if sum(one <= other < one + 1 for other in moments) > rate / 2)
    return next(dense, 0.0) + 2


def _of(journey: str, notes: list[Note]) -> list[Note]:
    return [note for note in notes if note[2].startswith(journey)]


def table(limits: Limits) -> str:
    """Return what was measured as a Markdown table."""
    rows = [
        ("throttle: calls a second, configured / held", f"{limits.rate} / {limits.throttled:.1f}"),
        ("cap: calls a second, configured / held", f"{limits.rate} / {limits.capped:.1f}"),
        ("cap: most calls in any second", str(limits.fullest)),
        ("small journey behind a large one: place of its last call", f"{limits.place} of {limits.behind}"),
        (
            "worker killed: sent once / again, same key / again, other key / lost",
            f"{limits.once} / {limits.same} / {limits.other} / {limits.lost}",
        ),
    ]
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join([f"| {WORKERS} worker processes | |", "|---|---|", *lines])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=15, help="calls a second of the throttle and of the cap")
    parser.add_argument("--seconds", type=int, default=30, help="how long each is watched")
    parser.add_argument("parts", nargs="*", help="which of throttle, cap, kill; all if left out")
    arguments = parser.parse_args()
    print(table(asyncio.run(measure(arguments.rate, arguments.seconds, arguments.parts))))


if __name__ == "__main__":
    main()
