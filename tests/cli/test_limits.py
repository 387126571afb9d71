"""Limits as a deployment has them: `sojourn worker` processes, the database, Temporal, and one of them killed."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from sojourn.local import Stack
from tests.store.databases import database_url, postgres_url
from tests.workflows.support import Shop

__all__ = ["database_url", "postgres_url"]

PROJECT = """
event: entered
key: event.id
schema: {{type: object, properties: {{id: {{type: string}}}}}}
---
action: send
url: http://127.0.0.1:{port}/send
{limit}
parameters: {{to: {{type: string}}}}
---
journey: j
entry: {{event: entered}}
call_timeout: 2s
steps:
  mail:
    action: send
    with: {{to: "${{entry.id}}"}}
    on_error: over
  done: {{end: made}}
  over: {{end: not made}}
"""


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The other side."""
    server = Shop()
    yield server
    server.close()


class Deployment:
    """Two workers and the API."""

    def __init__(self, stack: Stack, http: aiohttp.ClientSession, shop: Shop) -> None:
        self.stack = stack
        self._http = http
        self._shop = shop

    async def publish(self, limit: str) -> None:
        """Publish the project, its action with a limit."""
        text = PROJECT.format(port=self._shop.port, limit=limit)
        await self.post("/v1/journeys", {"files": {"p.yaml": text}}, 200)

    async def enter(self, name: str, count: int) -> None:
        """Start instances."""
        ids = [f"{name}-{number}" for number in range(count)]
        events = [{"id": one, "name": "entered", "data": {"id": one}} for one in ids]
        await self.post("/v1/events", events, 202)

    def workers(self) -> list[psutil.Process]:
        """Return the processes of `sojourn worker`."""
        mine = {child.pid for child in psutil.Process().children(recursive=True)}
        return [
            process
            for process in map(psutil.Process, mine)
            if "worker" in process.cmdline()
            and "sojourn" in process.cmdline()
            and process.environ().get("SOJOURN_DATABASE") == self.stack.database
        ]

    def said(self) -> str:
        """Return what the workers wrote to their logs."""
        logs = sorted((self.stack.folder / "logs").glob("worker*.log"))
        return "".join(log.read_text("utf-8", errors="replace") for log in logs)

    async def post(self, path: str, body: Any, wanted: int) -> None:
        """Post JSON."""
        async with self._http.post(self.stack.api_url + path, json=body) as answer:
            assert answer.status == wanted, await answer.text()

    async def put(self, path: str, body: Any) -> None:
        """Put JSON."""
        async with self._http.put(self.stack.api_url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def get(self, path: str) -> Any:
        """Get JSON."""
        async with self._http.get(self.stack.api_url + path) as answer:
            return await answer.json()

    @property
    def calls(self) -> int:
        """How many calls the shop has had."""
        return len(self._shop.calls)

    async def outcome(self, instance: str) -> str:
        """Wait until an instance has ended; return its text, or else its outcome."""
        while True:
            async with self._http.get(f"{self.stack.api_url}/v1/instances/{instance}") as answer:
                found = await answer.json()
            if found.get("outcome"):
                return str(found["text"] or found["outcome"])
            await asyncio.sleep(0.05)


@asynccontextmanager
async def deployment(folder: Path, shop: Shop, database: str = "") -> AsyncIterator[Deployment]:
    """Run everything as processes, on SQLite if no other database is given."""
    env = {**os.environ, "SOJOURN_ALLOW_HOSTS": f"127.0.0.1:{shop.port}"}
    if database:
        env["SOJOURN_DATABASE"] = database
    async with Stack(folder, workers=2, env=env) as stack, aiohttp.ClientSession() as http:
        yield Deployment(stack, http, shop)


async def until(condition: Callable[[], Any]) -> None:
    """Wait until something is so; the test's own time-out ends what never comes."""
    while not condition():
        await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_queued_calls_survive_a_worker_and_follow_the_rate(tmp_path: Path, shop: Shop) -> None:
    """Throttled while workers run, those inside too; a worker is killed; the rate is raised, then taken away."""
    async with deployment(tmp_path, shop) as running:
        await running.publish("throttle: {calls: 1, per: 1h}")
        await until(lambda: running.said().count("is polled, 0.000277778 calls a second") == 2)
        await running.enter("slow", 30)
        await asyncio.sleep(1)
        assert len(shop.calls) <= 1
        running.workers()[0].kill()
        await running.publish("throttle: {calls: 20, per: 1s}")
        await until(lambda: len(shop.calls) >= 10)
        # The second version is unthrottled: what the first one's instances queued is sent all the same.
        await running.publish("")
        await running.enter("free", 10)
        await until(lambda: len({call["key"] for call in shop.calls}) == 40)
        await running.publish("throttle: {calls: 50, per: 1s}")
        await running.enter("again", 10)
        await until(lambda: len({call["key"] for call in shop.calls}) == 50)
    sent = Counter((call["body"]["to"], call["key"]) for call in shop.calls)
    assert len({to for to, _ in sent}) == 50
    assert len(sent) == 50, "a call was repeated with another key"
    # The killed worker had at most the calls in flight.
    assert sum(count - 1 for count in sent.values()) <= 2


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_cap_holds_over_all_workers(tmp_path: Path, shop: Shop, database_url: str) -> None:
    """As many calls as it says, and all other instances go on by their error path; raised, as many more."""
    async with deployment(tmp_path, shop, database_url) as running:
        await running.publish("cap: {calls: 25, per: 1h}")
        await running.enter("a", 60)
        ends = Counter([await running.outcome(f"j:a-{number}") for number in range(60)])
        assert ends == {"made": 25, "not made": 35}
        assert len(shop.calls) == 25
        await running.put("/v1/endpoints/action/send/limits", {"cap": {"calls": 40, "per": "1h"}})
        # Every worker knows of it when one more call has been made than before, and then some were not.
        await until_seen(running)
        assert len(shop.calls) == 40
        (found,) = (await running.get("/v1/endpoints"))["endpoints"]
    assert found["last_error"]["code"] == "capped"
    assert len({call["key"] for call in shop.calls}) == 40


async def until_seen(running: Deployment) -> None:
    """Send more until the raised cap is used up."""
    for round_ in range(100):
        await running.enter(f"more-{round_}", 5)
        ends = {await running.outcome(f"j:more-{round_}-{number}") for number in range(5)}
        if running.calls >= 40 and "not made" in ends:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the raised cap never came to the workers")
