"""A real server of the API, on a free port, spoken to over real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from temporalio.client import Client

from sojourn.api.app import create_app
from sojourn.settings import Settings
from sojourn.store import Store
from sojourn.temporal.connection import connect


class InLoopServer(uvicorn.Server):
    """uvicorn in the loop of the tests, whose signals are pytest's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """Serve an application on a free port and yield its base URL."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        config = uvicorn.Config(
            app, http="httptools", ws="none", lifespan="on", log_config=None, access_log=False
        )
        server = InLoopServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with asyncio.timeout(15):
                while not server.started:
                    if task.done():
                        task.result()
                        raise RuntimeError("the server did not start")
                    await asyncio.sleep(0.01)
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a database of their own."""
    return Settings(database=f"sqlite:///{tmp_path}/sojourn.db", catalog_refresh=0.05)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    """The database of the settings."""
    store = await Store.open(settings.database, catalog_refresh=settings.catalog_refresh)
    await store.migrate()
    yield store
    await store.close()


@pytest.fixture(scope="session")
async def nowhere() -> Client:
    """A client of a Temporal that is not there."""
    return await connect(lazy=True, address="127.0.0.1:9")


@pytest.fixture
async def api(settings: Settings, nowhere: Client) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of an API with an empty database, without Temporal."""
    async with (
        serving(create_app(settings, client=nowhere)) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        yield client


@pytest.fixture(scope="session")
async def shared_api(
    tmp_path_factory: pytest.TempPathFactory, nowhere: Client
) -> AsyncIterator[httpx.AsyncClient]:
    """Such an API for all tests that leave nothing behind in it."""
    settings = Settings(database=f"sqlite:///{tmp_path_factory.mktemp('api')}/sojourn.db")
    async with (
        serving(create_app(settings, client=nowhere)) as url,
        httpx.AsyncClient(base_url=url, timeout=20) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def forwarding(port: int, target: str) -> AsyncIterator[None]:
    """Pass everything that comes to a port on to `host:port`: how something that was away comes back."""
    host, _, there = target.partition(":")
    connections: set[asyncio.Task[Any]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.current_task())  # type: ignore[arg-type]
        there_reader, there_writer = await asyncio.open_connection(host, int(there))
        try:
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))
        except asyncio.CancelledError:
            pass  # The test is over.
        finally:
            for each in (writer, there_writer):
                each.close()
                with contextlib.suppress(ConnectionError):
                    await each.wait_closed()

    server = await asyncio.start_server(forward, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections)


def problem_of(answer: httpx.Response, slug: str) -> dict[str, Any]:
    """Check that an answer is a problem of a kind, whole and consistent, and return it."""
    from sojourn.api.problems.kinds import TYPES

    kind = TYPES[slug]
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert (body["type"], answer.status_code) == (f"/problems/{slug}", kind.status), body
    assert body["status"] == kind.status
    assert body["title"] == kind.title
    assert len(body["detail"]) > 10
    assert "Traceback" not in answer.text
    for header in kind.headers:
        assert header in answer.headers
    return body
