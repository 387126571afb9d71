"""A project on disk, and one `sojourn dev` that the tests of a module share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sojourn.cli.api_client import TIMEOUT_SECONDS
from tests.cli.support import Result, Running, quickly, running
from tests.conftest import free_port

EVENTS = """\
event: lead.created
key: event.customerId
schema:
  type: object
  required: [customerId]
  properties: {customerId: {type: string}, score: {type: number}}
---
event: lead.won
key: event.customerId
"""

JOURNEY = """\
journey: follow-up
description: Waits for a decision.
entry: {event: lead.created}
reentry: {allow: false}
steps:
  decision:
    wait_for:
      - {event: lead.won, next: won}
    timeout: {after: 90d, next: lost}
  won: {end: won}
  lost: {end: lost}
"""


def write_project(folder: Path, **changes: str) -> Path:
    """Write a small project: an event to enter on, one to wait for."""
    (folder / "journeys").mkdir(parents=True, exist_ok=True)
    (folder / "events.yaml").write_text(EVENTS)
    (folder / "journeys" / "follow-up.yaml").write_text(JOURNEY)
    for name, text in changes.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def dev_ports() -> list[str]:
    """Options that give a `dev` ports of its own."""
    ports = [free_port() for _ in range(3)]
    return ["--port", str(ports[0]), "--temporal-port", str(ports[1]), "--ui-port", str(ports[2])]


@dataclass
class DevRun:
    """A running `sojourn dev` and its project."""

    folder: Path
    process: Running

    @property
    def state(self) -> dict[str, Any]:
        """What it says of itself."""
        found: dict[str, Any] = json.loads((self.folder / ".sojourn/dev.json").read_text())
        return found

    @property
    def api(self) -> str:
        """URL of its API."""
        return str(self.state["api"])

    def sojourn(self, *args: str | Path, stdin: str | None = None, **env: str) -> Result:
        """Run another command in the project."""
        return quickly(*args, cwd=self.folder, stdin=stdin, env=env)

    def get(self, path: str, **parameters: str) -> Any:
        """Ask the API itself: for what is asked again and again, a command for each time takes too long."""
        # As patient as the commands are: for an instance it asks a worker, and that may be starting.
        answer = httpx.get(self.api + path, params=parameters, trust_env=False, timeout=TIMEOUT_SECONDS)
        return answer.raise_for_status().json()

    def outcome(self, instance: str) -> str | None:
        """How an instance ended, with its text; None while it runs."""
        found = self.get(f"/v1/instances/{instance}")
        return f"{found['outcome']}: {found['text']}" if found["outcome"] else None

    def json(self, *args: str) -> Any:
        """Run another command and return what it says with --json."""
        result = self.sojourn(*args, "--json")
        assert result.code in {0, 1}, result.err
        return json.loads(result.out)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevRun]:
    """A `sojourn dev` in a project of its own."""
    folder = write_project(tmp_path_factory.mktemp("shop"))
    with running("dev", ".", *dev_ports(), cwd=folder) as process:
        process.until("Running.")
        yield DevRun(folder, process)
