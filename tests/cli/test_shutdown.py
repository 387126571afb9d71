"""Worker processes that are told to stop while they call: what is in flight finishes, and is made once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import psutil
import pytest

from sojourn.local import Stack
from tests.cli.test_limits import Deployment, shop, until
from tests.workflows.support import Shop

__all__ = ["shop"]

PROJECT = """
event: plain
key: event.id
---
event: queued
key: event.id
---
event: asked
key: event.id
---
action: send
url: http://127.0.0.1:{port}/plain
parameters: {{to: {{type: string}}}}
---
action: send.slowly
url: http://127.0.0.1:{port}/queued
throttle: {{calls: 100, per: 1s}}
parameters: {{to: {{type: string}}}}
---
source: crm
url: http://127.0.0.1:{port}/asked/{{id}}
parameters: {{id: {{type: string}}}}
---
journey: plain
entry: {{event: plain}}
steps:
  send: {{action: send, with: {{to: "${{entry.id}}"}}}}
  done: {{end: made}}
---
journey: queued
entry: {{event: queued}}
steps:
  send: {{action: send.slowly, with: {{to: "${{entry.id}}"}}}}
  done: {{end: made}}
---
journey: asked
entry: {{event: asked}}
steps:
  ask: {{fetch: crm, with: {{id: "${{entry.id}}"}}}}
  done: {{end: made}}
"""
KINDS = ("plain", "queued", "asked")
EACH = 5


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_worker_that_is_told_to_stop_lets_its_calls_finish(tmp_path: Path, shop: Shop) -> None:
    """Actions, throttled actions and look-ups: answers that come after SIGTERM still count, and no action is repeated."""
    release = shop.hang()
    env = {**os.environ, "SOJOURN_ALLOW_HOSTS": f"127.0.0.1:{shop.port}"}
    async with Stack(tmp_path, env=env) as stack, aiohttp.ClientSession() as http:
        running = Deployment(stack, http, shop)
        text = PROJECT.format(port=shop.port)
        await running.post("/v1/journeys", {"files": {"p.yaml": text}}, 200)
        for kind in KINDS:
            events = [{"name": kind, "id": f"{kind}-{n}", "data": {"id": f"{kind}-{n}"}} for n in range(EACH)]
            await running.post("/v1/events", events, 202)
        await until(lambda: len(shop.calls) == EACH * len(KINDS))
        (worker,) = running.workers()
        worker.send_signal(signal.SIGTERM)
        await until(lambda: "stopping: calls in flight" in running.said())
        assert worker.is_running()
        release.set()
        await until(lambda: not _alive(worker))
        shop.answers = lambda call: (200, {"ok": True})
        for kind in KINDS:
            for number in range(EACH):
                assert await running.outcome(f"{kind}:{kind}-{number}") == "made"
    actions = Counter(call["key"] for call in shop.calls if call["key"])
    assert len(actions) == 2 * EACH
    assert set(actions.values()) == {1}, "an action was repeated although its worker could finish it"
    assert len(shop.calls) == EACH * len(KINDS), "a look-up was repeated although its worker could finish it"


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
