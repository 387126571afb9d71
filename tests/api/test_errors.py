"""Errors beside bad bodies: wrong paths, wrong parameters, things that break, things that are away."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from sojourn.api import dependencies
from sojourn.api.app import create_app
from sojourn.settings import Settings
from sojourn.store import Store, StoreUnavailable
from sojourn.temporal.connection import connect
from tests.api.conftest import forwarding, problem_of, serving
from tests.conftest import free_port


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/event", "/v1/events/", "/redoc", "/v1/journeys//versions/1", "/%ff"]
)
async def test_an_unknown_path_is_a_problem(shared_api: httpx.AsyncClient, path: str) -> None:
    """404 in the form of all errors, with where the operations are listed."""
    assert "/docs" in problem_of(await shared_api.get(path), "not-found")["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/v1/events", "POST"),
        ("PUT", "/v1/journeys", "GET, POST"),
        ("OPTIONS", "/v1/events", "POST"),
        ("DELETE", "/v1/journeys/x", "GET"),
        ("POST", "/health/live", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_says_which_are_right(
    shared_api: httpx.AsyncClient, method: str, path: str, allow: str
) -> None:
    """405 with every method that the path has."""
    answer = await shared_api.request(method, path)
    problem_of(answer, "wrong-method")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize(
    ("path", "where", "words"),
    [
        ("/v1/instances?limit=0", "limit", "greater than or equal to 1"),
        ("/v1/instances?limit=ten", "limit", "integer"),
        ("/v1/instances?status=asleep", "status", "running"),
        ("/v1/instances?journey=a%00b", "journey", "the character NUL"),
        ("/v1/instances?page=nonsense", "page", "next_page"),
        ("/v1/instances?proflie=x", "proflie", "did you mean profile?"),
        ("/v1/instances/a:b?run=x", "run", "run_id"),
        ("/v1/journeys/x/versions/0", "version", "greater than or equal to 1"),
        ("/v1/journeys/x/versions/latest", "version", "integer"),
    ],
)
async def test_a_wrong_parameter_is_named(
    shared_api: httpx.AsyncClient, path: str, where: str, words: str
) -> None:
    """Unknown parameters too: an overlooked typing error would list everything."""
    problem = problem_of(await shared_api.get(path), "invalid-request")
    assert problem["violations"][0]["path"] == where
    assert words in problem["violations"][0]["message"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/files"),
        ({"files": []}, "/files"),
        ({"files": {}}, "/files"),
        ({"files": {"a.yaml": 1}}, "/files/a.yaml"),
        ({"files": {"a.yaml": "x"}, "dry": True}, "/dry"),
        ([], ""),
    ],
)
@pytest.mark.parametrize("operation", ["/v1/journeys", "/v1/journeys/validate"])
async def test_a_publication_of_another_shape_is_refused(
    shared_api: httpx.AsyncClient, operation: str, body: Any, path: str
) -> None:
    """The body must be files and their texts, nothing else."""
    problem = problem_of(await shared_api.post(operation, json=body), "invalid-request")
    assert problem["violations"][0]["path"] == path


async def test_what_breaks_is_a_problem_with_a_correlation_id(
    settings: Settings, nowhere: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets an id, the log gets the cause under it, and the next request works."""
    app = create_app(settings, client=nowhere)

    @app.get("/broken")
    async def broken() -> None:
        raise LookupError("the secret cause")

    async with serving(app) as url, httpx.AsyncClient(base_url=url) as api:
        answer = await api.get("/broken")
        problem = problem_of(answer, "internal-error")
        assert "secret cause" not in answer.text
        assert problem["correlation"] in caplog.text
        assert "the secret cause" in caplog.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await api.get("/health/live")).status_code == 200


async def test_a_client_that_goes_away_is_no_error(
    shared_api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a body and a closed connection leave no trace in the log, and harm nobody else."""
    caplog.set_level(logging.WARNING)
    url = shared_api.base_url
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
    writer.write(b"Content-Length: 500\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await shared_api.get("/health/live")).status_code == 200
    assert not [record for record in caplog.records if record.name.startswith(("sojourn", "uvicorn"))]


async def test_security_headers_are_on_every_answer(shared_api: httpx.AsyncClient) -> None:
    """On good answers and bad ones; none invites other sites."""
    for path in ("/health/live", "/v1/journeys", "/nowhere", "/docs", "/openapi.json"):
        headers = (await shared_api.get(path, headers={"Origin": "http://localhost"})).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert "cache-control" in headers
        assert "access-control-allow-origin" not in headers


async def test_health_without_temporal(shared_api: httpx.AsyncClient) -> None:
    """The process lives, and is not ready; both can be asked with HEAD."""
    live = await shared_api.get("/health/live")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    answer = await shared_api.get("/health/ready")
    problem = problem_of(answer, "not-ready")
    assert problem["checks"] == {"database": "ok", "temporal": "cannot be reached"}
    assert (await shared_api.head("/health/live")).status_code == 200
    head = await shared_api.head("/health/ready")
    assert (head.status_code, head.content) == (503, b"")


async def test_instances_without_temporal(shared_api: httpx.AsyncClient) -> None:
    """503 with Retry-After, soon."""
    for path in ("/v1/instances", "/v1/instances/a:b"):
        async with asyncio.timeout(8):
            answer = await shared_api.get(path)
        problem = problem_of(answer, "unavailable")
        assert problem["detail"] == "Temporal cannot be reached. Send the same request again."
        assert int(answer.headers["retry-after"]) > 0


async def test_the_api_recovers_when_temporal_comes_up(
    settings: Settings, temporal: WorkflowEnvironment
) -> None:
    """It starts while nothing listens there, and needs no restart when something does."""
    port = free_port()
    client = await connect(lazy=True, address=f"127.0.0.1:{port}", namespace=temporal.client.namespace)
    app = create_app(settings, client=client)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=20) as api:
        problem_of(await api.get("/health/ready"), "not-ready")
        async with forwarding(port, temporal.client.service_client.config.target_host):
            async with asyncio.timeout(20):
                while (answer := await api.get("/health/ready")).status_code != 200:
                    await asyncio.sleep(0.1)
            assert answer.json() == {"status": "ready", "checks": {"database": "ok", "temporal": "ok"}}


async def test_a_missing_namespace_is_called_so(settings: Settings, temporal: WorkflowEnvironment) -> None:
    """Not ready, and the reason is one that waiting does not cure."""
    address = temporal.client.service_client.config.target_host
    client = await connect(lazy=True, address=address, namespace="nobody-made-it")
    async with serving(create_app(settings, client=client)) as url, httpx.AsyncClient(base_url=url) as api:
        problem = problem_of(await api.get("/health/ready"), "not-ready")
        assert problem["checks"]["temporal"] == "has no namespace nobody-made-it"


async def test_a_database_that_is_away_at_the_start_is_waited_for(
    settings: Settings, nowhere: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 until it can be reached; then everything works, without a restart."""
    monkeypatch.setattr(dependencies, "RETRY_INTERVAL", 0.05)
    store = await Store.open(settings.database)
    there = asyncio.Event()
    migrate = store.migrate

    async def migrate_later() -> None:
        if not there.is_set():
            raise StoreUnavailable("the database cannot be reached: no route")
        await migrate()

    monkeypatch.setattr(store, "migrate", migrate_later)
    app = create_app(settings, store=store, client=nowhere)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=20) as api:
        answer = await api.post("/v1/events", json={"name": "x", "data": {}})
        assert "database" in problem_of(answer, "unavailable")["detail"]
        checks = problem_of(await api.get("/health/ready"), "not-ready")["checks"]
        assert checks["database"] == "cannot be reached"
        there.set()
        async with asyncio.timeout(10):
            while (await api.get("/v1/journeys")).status_code != 200:
                await asyncio.sleep(0.05)
    await store.close()


async def test_a_database_that_goes_away_is_a_503(nowhere: Client, settings: Settings, store: Store) -> None:
    """Every operation that needs it says so, and what it needs none for still works."""
    app = create_app(settings, store=store, client=nowhere)
    async with serving(app) as url, httpx.AsyncClient(base_url=url, timeout=20) as api:
        assert (await api.get("/v1/journeys")).status_code == 200
        store.database.engine.dispose()
        folder = Path(settings.database.removeprefix("sqlite:///")).parent
        hidden = folder.rename(folder.with_name("hidden"))
        await asyncio.sleep(settings.catalog_refresh * 2)
        answer = await api.post("/v1/events", json={"name": "x", "data": {}})
        assert "database" in problem_of(answer, "unavailable")["detail"]
        assert (await api.get("/health/live")).status_code == 200
        hidden.rename(folder)
        assert (await api.post("/v1/events", json={"name": "x", "data": {}})).status_code == 202
