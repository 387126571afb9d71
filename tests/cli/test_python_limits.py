"""Python functions with a throttle and with a cap, in real worker processes, one of which is killed."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from sojourn.local import Stack
from tests.cli.support import quickly
from tests.cli.test_limits import Deployment, shop, until
from tests.workflows.support import Shop

__all__ = ["shop"]

ACTIONS = '''
"""What the journeys call: both write down that they were called."""

import os
from datetime import timedelta

from sojourn import action, source


def note(line: str) -> None:
    with open(os.environ["CALLS"], "a") as file:
        file.write(line + "\\n")


@action.defn(name="ledger.write", throttle=action.Throttle(calls=1, per=timedelta(hours=1)))
def write(to: str) -> str:
    note(f"write {to} {action.context().idempotency_key}")
    return "written"


@source.defn(name="limits.of", cap=source.Cap(calls=4, per=timedelta(hours=1)))
async def limits(customer: str) -> int:
    note(f"limits {customer}")
    return 100
'''
PROJECT = """
event: paid
key: event.id
schema: {type: object, required: [id], properties: {id: {type: string}}}
---
event: asked
key: event.id
schema: {type: object, required: [id], properties: {id: {type: string}}}
---
journey: paid
entry: {event: paid}
steps:
  write: {action: ledger.write, with: {to: "${entry.id}"}, on_error: failed}
  done: {end: "${steps.write.body}"}
  failed: {end: "${journey.last_error.code}"}
---
journey: asked
entry: {event: asked}
steps:
  limit: {fetch: limits.of, with: {customer: "${entry.id}"}, on_error: failed}
  done: {end: "limit ${steps.limit.body}"}
  failed: {end: "${journey.last_error.code}"}
"""


def events(name: str, count: int) -> list[dict[str, object]]:
    """Return events for as many profiles."""
    return [{"name": name, "id": f"{name}-{n}", "data": {"id": f"{name}-{n}"}} for n in range(count)]


@pytest.mark.slow
@pytest.mark.timeout(150)
async def test_python_functions_keep_to_their_limits_over_all_workers(tmp_path: Path, shop: Shop) -> None:
    """A throttled one queues, also when a worker dies, and follows an operator; a capped one is called so many times."""
    project, noted = tmp_path / "project", tmp_path / "calls.txt"
    project.mkdir()
    (project / "actions.py").write_text(ACTIONS)
    (project / "project.yaml").write_text(PROJECT)
    noted.touch()

    def calls(what: str) -> list[str]:
        return [line for line in noted.read_text().splitlines() if line.startswith(what)]

    env = {**os.environ, "SOJOURN_PROJECT": str(project), "CALLS": str(noted)}
    async with Stack(tmp_path / "state", workers=2, env=env) as stack, aiohttp.ClientSession() as http:
        running = Deployment(stack, http, shop)
        published = quickly(
            "publish", project, "--api", stack.api_url, cwd=project, env={"CALLS": str(noted)}
        )
        assert published.code == 0, published.err
        await until(lambda: running.said().count("is polled, 0.000277778 calls a second") == 2)

        await running.post("/v1/events", events("asked", 10), 202)
        ends = Counter([await running.outcome(f"asked:asked-{number}") for number in range(10)])
        assert ends == {"limit 100": 4, "capped": 6}
        assert len(calls("limits")) == 4

        await running.post("/v1/events", events("paid", 20), 202)
        await until(lambda: len(calls("write")) == 1)
        running.workers()[0].kill()
        limits = f"{stack.api_url}/v1/endpoints/action/ledger.write/limits"
        async with http.put(limits, json={"throttle": {"calls": 50, "per": "1s"}}) as answer:
            assert answer.status == 200, await answer.text()
        assert {await running.outcome(f"paid:paid-{number}") for number in range(20)} == {"written"}
    made = Counter(line.split()[2] for line in calls("write"))
    assert len(made) == 20, "a call was repeated with another key"
    # The killed worker may have had calls in flight, whose end Temporal never heard of.
    assert sum(made.values()) <= 22
