"""Requests that nobody thought of, made from the OpenAPI document by schemathesis."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from temporalio.testing import WorkflowEnvironment

from sojourn.api.app import create_app
from sojourn.settings import Settings
from sojourn.temporal.connection import connect
from tests.api.conftest import InLoopServer

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, temporal: WorkflowEnvironment) -> Iterator[str]:
    """An API in a thread of its own, since schemathesis does not await."""
    target = temporal.client.service_client.config.target_host
    database = f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/sojourn.db"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        servers: list[InLoopServer] = []

        async def run() -> None:
            client = await connect(lazy=True, address=target, namespace=temporal.client.namespace)
            app = create_app(Settings(database=database), client=client)
            config = uvicorn.Config(app, http="httptools", ws="none", log_config=None, access_log=False)
            servers.append(InLoopServer(config))
            await servers[0].serve(sockets=[listener])

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        deadline = time.monotonic() + 15
        while not (servers and servers[0].started) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        servers[0].should_exit = True
        thread.join(10)


document = create_app(Settings()).openapi()
operations = {
    result.ok().label: result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()
}
# A page must be one that the API gave; a list or a project is judged piece by piece, beyond its schema.
BEYOND_THE_SCHEMA = {
    "GET": [schemathesis.checks.positive_data_acceptance],
    "DELETE": [schemathesis.checks.positive_data_acceptance],
}
BY_PIECES = [schemathesis.checks.positive_data_acceptance, schemathesis.checks.negative_data_rejection]


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", sorted(operations))
def test_no_request_gets_what_is_not_documented(url: str, label: str, mode: Any) -> None:
    """Whatever is sent, the answer has a documented status, media type and shape, and is never a crash."""

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=operations[label].as_strategy(generation_mode=mode))
    def fuzz(case: Any) -> None:
        case.call_and_validate(
            base_url=url, excluded_checks=BEYOND_THE_SCHEMA.get(label.split()[0], BY_PIECES)
        )

    with contextlib.suppress(Unsatisfiable):  # Some operations have no input that could be wrong.
        fuzz()
