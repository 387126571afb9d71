"""Every example of the pages about the API is run against a real one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from sojourn.api.app import create_app
from sojourn.api.problems import kinds
from sojourn.plugin import JourneyPlugin
from sojourn.settings import Settings
from sojourn.store import SCOPES
from sojourn.temporal.connection import connect
from tests.api.conftest import serving

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference/http-api.md"
HOW_TO = ROOT / "docs/how-to/send-events.md"
ADDRESS = "http://127.0.0.1:8080"


def blocks(page: Path, *languages: str) -> Iterator[str]:
    """Yield the code blocks of a page in these languages, except those marked to be skipped."""
    text = page.read_text("utf-8")
    for skip, language, block in re.findall(r"(<!-- test: skip[^\n]*\n)?```(\w+)\n(.*?)```", text, re.DOTALL):
        if language in languages and not skip:
            yield block


@pytest.fixture
async def url(settings: Settings, temporal: WorkflowEnvironment, unique: str) -> AsyncIterator[str]:
    """An API with a worker that runs its journeys, in real time: an hour's wait is not over at once."""
    settings = settings.model_copy(update={"task_queue": unique})
    target = temporal.client.service_client.config.target_host
    client = await connect(address=target, namespace=temporal.client.namespace)
    plugin = JourneyPlugin(register_activities=False)
    async with (
        Worker(client, task_queue=unique, plugins=[plugin]),
        serving(create_app(settings, client=client)) as url,
    ):
        yield url


def fits(expected: Any, actual: Any) -> bool:
    """Say whether an answer is what the page shows; `...` stands for anything."""
    if expected in ("...", ["..."]):
        return True
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(fits(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(fits, expected, actual))
    return bool(expected == actual)


def parse(block: str) -> tuple[str, dict[str, str], str]:
    """Return first line, headers and body of a message."""
    head, _, body = block.partition("\n\n")
    first, *lines = head.strip().split("\n")
    return first, dict(line.split(": ", 1) for line in lines), body


async def perform(api: httpx.AsyncClient, request: str) -> httpx.Response:
    """Send a request as the page has it."""
    first, headers, body = parse(request)
    method, path = first.split(" ", 1)
    return await api.request(method, path, headers=headers, content=body.encode())


async def test_every_exchange_of_the_reference_is_as_shown(url: str) -> None:
    """Requests are sent in the order of the page, answers compared with those beneath them."""
    messages = list(blocks(REFERENCE, "http"))
    assert len(messages) > 15
    async with httpx.AsyncClient(base_url=url, timeout=30) as api:
        for request, expected in zip(messages, [*messages[1:], ""], strict=True):
            if request.startswith("HTTP/1.1"):
                continue
            answer = await perform(api, request)
            if not expected.startswith("HTTP/1.1"):
                assert answer.is_success, request
                continue
            first, _, body = parse(expected)
            deadline = asyncio.get_running_loop().time() + 20
            # What Temporal lists, and what a worker does, is a moment behind.
            while not fits(json.loads(body), answer.json()) and request.startswith("GET"):
                assert asyncio.get_running_loop().time() < deadline, answer.text
                await asyncio.sleep(0.2)
                answer = await perform(api, request)
            assert f"HTTP/1.1 {answer.status_code}" == first.strip(), answer.text
            assert fits(json.loads(body), answer.json()), answer.text


async def test_every_program_of_the_how_to_runs(url: str) -> None:
    """The commands and programs of the page, against the project of the demo."""
    project = ROOT / "examples/cart-abandonment"
    files = {
        str(path.relative_to(project)): path.read_text("utf-8")
        for path in project.rglob("*.yaml")
        if path.relative_to(project).parts[0] != "tests"
    }
    journey = "journeys/cart-abandonment.yaml"
    # So short for the demo's sake: a slow machine might take longer than that from one event to the next.
    assert "after: 3s" in files[journey]
    files[journey] = files[journey].replace("after: 3s", "after: 1h")
    async with httpx.AsyncClient(base_url=url, timeout=30) as api:
        assert (await api.post("/v1/journeys", json={"files": files})).status_code == 200
    outputs = []
    for block in blocks(HOW_TO, "console", "python"):
        if block.startswith("$ sojourn"):
            continue  # Run with the other commands, by the tests of all documents.
        assert ADDRESS in block
        text = block.replace(ADDRESS, url)
        command = [sys.executable, "-c", text]
        if text.startswith("$ "):
            command = ["bash", "-c", text.removeprefix("$ ")]
        running = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, env=os.environ | {"NO_PROXY": "127.0.0.1"}
        )
        out, _ = await asyncio.wait_for(running.communicate(), 60)
        assert running.returncode == 0
        outputs.append(out.decode())
    curl, python, cloud, sdk = outputs
    assert json.loads(curl)["results"][0]["instances"][0]["effect"] == "started"
    assert python == "evt-2 accepted ['started']\nevt-3 accepted ['signalled']\n"
    assert json.loads(cloud)["results"][0]["source"] == "/shop/carts"
    assert json.loads(cloud)["results"][0]["status"] == "accepted"
    assert sdk == "accepted\n"


def test_the_pages_name_all_there_is() -> None:
    """Operations, scopes and settings that somebody adds or renames must come to the page."""
    text = REFERENCE.read_text("utf-8")
    paths = create_app(Settings()).openapi()["paths"]
    for path, operations in paths.items():
        for method in operations:
            assert f"{method.upper()} {path}" in text
    for scope in SCOPES:
        assert f"`{scope}`" in text
    for linked in (ROOT / "docs/reference/problems.md", ROOT / "docs/reference/errors.md"):
        assert linked.name in text
    assert f"{Settings().max_batch:,} events" in text
    assert kinds.INVALID_JSON.uri in text
