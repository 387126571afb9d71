"""Operations over many instances, with the processes killed in the middle of them, for real."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from sojourn.contract import names
from sojourn.local.temporal_server import server_command
from sojourn.store import Store
from tests.cli.support import Running, running
from tests.conftest import free_port, temporal_binary
from tests.lifecycle.support import EVENTS, JOURNEY, Place, deployed, eventually

MANY = 400
CROWD = int(os.environ.get("SOJOURN_CROWD", "250"))
"""How many instances an operation is tried with; a nightly run takes 1,000 and more."""


class Deployment:
    """Temporal, an API and a worker, each a process that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporal, self.api = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.api}"
        self.database = f"sqlite:///{folder}/sojourn.db"
        self._environment = {
            "TEMPORAL_ADDRESS": f"127.0.0.1:{self.temporal}",
            "SOJOURN_DATABASE": self.database,
        }
        self._ui = free_port()

    @contextlib.contextmanager
    def server(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run Temporal, over the same file each time."""
        command = server_command(
            temporal_binary(), database=self.folder / "temporal.db", port=self.temporal, ui_port=self._ui
        )
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def others(self) -> Iterator[tuple[Running, Running]]:
        """Run a worker and an API."""
        with (
            running("worker", cwd=self.folder, env=self._environment) as worker,
            running("api", "--port", str(self.api), cwd=self.folder, env=self._environment) as api,
        ):
            worker.until("ready:")
            yield worker, api


@contextlib.asynccontextmanager
async def connected(deployment: Deployment) -> AsyncIterator[tuple[httpx.AsyncClient, Client]]:
    """Wait for everything to be there; gives clients of the API and of Temporal."""
    async with httpx.AsyncClient(base_url=deployment.url, timeout=60, trust_env=False) as http:

        async def ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await http.get("/health/ready")).status_code == 200
            return False

        await eventually(ready)
        yield http, await Client.connect(f"127.0.0.1:{deployment.temporal}")


async def reached(store: Store, number: int) -> bool:
    """Wait until an operation is in its middle; False where it was over before anybody saw that."""
    while True:
        operation = await store.operations.get(number)
        assert operation is not None
        if operation.state != "running":
            return False
        if 0 < operation.done < MANY:
            return True
        await asyncio.sleep(0.002)


async def statuses(client: Client, keys: list[str]) -> set[str]:
    """What the instances say of themselves."""
    slots = asyncio.Semaphore(16)

    async def ask(key: str) -> str:
        async with slots:
            state: dict[str, Any] = await client.get_workflow_handle(f"j:{key}").query(names.QUERY_STATE)
            return str(state["status"])

    return set(await asyncio.gather(*map(ask, keys)))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_an_operation_survives_the_death_of_every_process(tmp_path: Path) -> None:
    """API, worker and Temporal are killed while it works: each instance is paused all the same, and counted once."""
    deployment = Deployment(tmp_path)
    store = await Store.open(deployment.database)
    await store.migrate()
    keys = [f"p{number}" for number in range(MANY)]
    kind = "pause"
    with deployment.server() as server, deployment.others() as processes:
        async with connected(deployment) as (http, client):
            files = {"events.yaml": EVENTS, "journey.yaml": JOURNEY.replace("NAME", "j")}
            assert (await http.post("/v1/journeys", json={"files": files})).status_code == 200
            events = [{"name": "entered", "data": {"id": key}} for key in keys]
            answer = await http.post("/v1/events", json=events)
            assert {result["status"] for result in answer.json()["results"]} == {"accepted"}
            while True:
                answer = await http.post(f"/v1/journeys/j/{kind}")
                number = answer.json()["operation"]["id"]
                if await reached(store, number):
                    break
                kind = "resume" if kind == "pause" else "pause"
        for process in processes:
            process.end(signal.SIGKILL)
        server.kill()
        server.wait()
        left = await store.operations.get(number)
        assert left is not None
        assert left.state == "running"
    with deployment.server(), deployment.others():
        async with connected(deployment) as (http, client):

            async def over() -> dict[str, Any] | None:
                found: dict[str, Any] = (await http.get(f"/v1/operations/{number}")).json()
                return found if found["state"] != "running" else None

            done = await eventually(over)
            assert (done["state"], done["total"], done["done"], done["failed"]) == ("done", MANY, MANY, 0)
            assert await statuses(client, keys) == {"paused" if kind == "pause" else "running"}
            if kind == "resume":
                assert (await http.get("/v1/journeys/j")).json()["state"] == "live"
    await store.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_crowd_is_paused_resumed_and_stopped(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    """Each is counted once in every operation, and none is left over."""
    with temporal.with_time_skipping_disabled():
        async with (
            deployed(temporal.client, f"sqlite:///{tmp_path}/sojourn.db") as place,
            place.workers(),
        ):
            await place.publish()
            keys = await place.enter(CROWD)
            for what, state in (("pause", "paused"), ("resume", "live"), ("stop", "stopped")):
                done = await place.over(await place.act(what))
                assert (done["total"], done["done"], done["failed"]) == (CROWD, CROWD, 0), what
                assert await place.state() == state
            results = await _results(place, keys)
            assert results == {"stopped"}


async def _results(place: Place, keys: list[str]) -> set[str]:
    slots = asyncio.Semaphore(16)

    async def result(key: str) -> str:
        async with slots:
            found: dict[str, Any] = await place.handle(key).result()
            return str(found["outcome"])

    return set(await asyncio.gather(*map(result, keys)))
