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

from tests.activities.server import Server, answer
from tests.activities.workflow import CallOnce

ROOT = Path(__file__).parents[2]
ACTIONS = 120
KILLS = 3  # an action has four attempts


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_workers_killed_at_random_lose_nothing(temporal: WorkflowEnvironment, unique: str) -> None:
    """Every action is sent, whenever its worker is killed; what is sent twice carries the same key."""
    chance = random.Random(7)
    queue = f"killed-{unique}"
    arrived = asyncio.Event()

    async def slowly(request: Any, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await asyncio.sleep(chance.uniform(0.05, 0.3))
        await answer({"ok": 1})(request, writer)

    async def perform(number: int) -> Any:
        call = {
            "endpoint": "act",
            "window": 2.0,
            "idempotency_key": f"key-{number}",
            "journey": "j",
            "step": "s",
        }
        return await temporal.client.execute_workflow(
            "tests.Call", args=["action", call, 0.5], id=f"{queue}-{number}", task_queue=queue
        )

    runner = UnsandboxedWorkflowRunner()
    async with (
        Server([slowly]) as server,
        Worker(temporal.client, task_queue=queue, workflows=[CallOnce], workflow_runner=runner),
    ):
        address = temporal.client.service_client.config.target_host
        command = [sys.executable, "-m", "tests.activities.victim", address, queue, server.url("/x")]
        results = [asyncio.create_task(perform(number)) for number in range(ACTIONS)]
        for _ in range(KILLS):
            arrived.clear()
            victim = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
            try:
                await asyncio.wait_for(arrived.wait(), 60)
                await asyncio.sleep(chance.uniform(0.0, 0.4))
            finally:
                victim.kill()
                await victim.wait()
        victim = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        try:
            ended = await asyncio.gather(*results)
        finally:
            victim.kill()
            await victim.wait()
    assert ended == [{"status": 200, "body": {"ok": 1}}] * ACTIONS
    sent = Counter(request.header("Idempotency-Key") for request in server.requests)
    assert set(sent) == {f"key-{number}" for number in range(ACTIONS)}
    assert max(sent.values()) > 1, "no worker was killed in the middle of an action; the test shows nothing"
