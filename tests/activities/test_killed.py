"""Workers killed at random moments, for real."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.activities.server import Received, Server, answer
from tests.activities.workflow import CallOnce

ROOT = Path(__file__).parents[2]
ACTIONS = 500
WORKERS = 3
AT_ONCE = 12
"""Most actions that one worker performs at once."""

KILLS = 8
MOST_SENT = 3
"""An action has four attempts. None is killed that has been sent so often already, or it would be lost by design."""


class Shop:
    """Takes its time, and knows what is under way and how often each action was sent."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.sent: Counter[str | None] = Counter()
        self.under_way: Counter[str | None] = Counter()
        self.busy = asyncio.Event()

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> None:
        key = request.header("Idempotency-Key")
        self.sent[key] += 1
        self.under_way[key] += 1
        self.busy.set()
        try:
            await asyncio.sleep(self.chance.uniform(0.05, 0.5))
        finally:
            self.under_way[key] -= 1
        await answer({"ok": 1})(request, writer)

    def may_kill(self) -> bool:
        """Whether a death now takes from no action the last of its attempts."""
        return all(self.sent[key] < MOST_SENT for key, count in self.under_way.items() if count)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_workers_killed_at_random_lose_nothing(temporal: WorkflowEnvironment, unique: str) -> None:
    """Of 500 actions each is sent, whichever worker is killed when; what is sent twice carries the same key."""
    chance = random.Random(7)
    queue = f"killed-{unique}"
    shop = Shop(chance)
    address = temporal.client.service_client.config.target_host

    async def perform(number: int) -> Any:
        call = {
            "endpoint": "act",
            "window": 3.0,
            "idempotency_key": f"key-{number}",
            "journey": "j",
            "step": "s",
        }
        return await temporal.client.execute_workflow(
            "tests.Call", args=["action", call, 0.5], id=f"{queue}-{number}", task_queue=queue
        )

    runner = UnsandboxedWorkflowRunner()
    async with (
        Server([shop]) as server,
        Worker(temporal.client, task_queue=queue, workflows=[CallOnce], workflow_runner=runner),
    ):
        command = [
            sys.executable,
            "-m",
            "tests.activities.victim",
            address,
            queue,
            server.url("/x"),
            str(AT_ONCE),
        ]

        async def victim() -> asyncio.subprocess.Process:
            return await asyncio.create_subprocess_exec(*command, cwd=ROOT)

        victims = [await victim() for _ in range(WORKERS)]
        results = asyncio.gather(*(perform(number) for number in range(ACTIONS)))
        kills = 0
        try:
            while kills < KILLS and not results.done():
                shop.busy.clear()
                arrival = asyncio.ensure_future(shop.busy.wait())
                await asyncio.wait({results, arrival}, return_when=asyncio.FIRST_COMPLETED)
                arrival.cancel()
                await asyncio.sleep(chance.uniform(0.0, 0.5))
                if not shop.may_kill():
                    continue
                unlucky = victims.pop(chance.randrange(len(victims)))
                unlucky.kill()
                await unlucky.wait()
                kills += 1
                victims.append(await victim())
            ended = await results
        finally:
            results.cancel()
            for left in victims:
                left.kill()
                await left.wait()
    assert ended == [{"status": 200, "body": {"ok": 1}}] * ACTIONS
    assert set(shop.sent) == {f"key-{number}" for number in range(ACTIONS)}
    twice = sum(count > 1 for count in shop.sent.values())
    assert kills >= KILLS // 2, "hardly any worker was killed before all was done; the test shows little"
    assert twice > 0, "no worker was killed in the middle of an action; the test shows nothing"
