"""The pages for hosts and for other services are true: their programs run against the real server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from temporalio.testing import WorkflowEnvironment

from sojourn.definitions import load_texts
from sojourn.store import Store
from tests.cli.support import environment
from tests.plugin.support import deployment
from tests.repo.documents import Block, blocks
from tests.repo.tree import ROOT


def page_blocks(page: str, language: str) -> list[Block]:
    """The blocks of a page in one language."""
    return [block for block in blocks(ROOT / "docs" / page) if block.language == language]


def names_of(block: Block) -> dict[str, Any]:
    """What a block of Python defines."""
    found: dict[str, Any] = {"__name__": "page"}
    exec(compile(block.text.replace("from __future__ import annotations\n", ""), block.where, "exec"), found)
    return found


async def test_the_worker_of_the_page_runs_journeys(
    temporal: WorkflowEnvironment, tmp_path: Path, unique: str
) -> None:
    """As a program of its own, with the deployment that its environment names; the client of the page asks it."""
    worker, static, client = page_blocks("how-to/add-journeys-to-your-worker.md", "python")
    (yaml,) = page_blocks("how-to/add-journeys-to-your-worker.md", "yaml")
    queue = f"orders-{unique}"
    database = f"sqlite:///{tmp_path}/sojourn.db"
    store = await Store.open(database)
    await store.migrate()
    await store.publish(load_texts({"project.yaml": yaml.text}))
    await store.close()
    (tmp_path / "worker.py").write_text(worker.text.replace('"orders"', f'"{queue}"'))
    variables = {
        "SOJOURN_DATABASE": database,
        "SOJOURN_TASK_QUEUE": queue,
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "PYTHONPATH": str(ROOT),
    }
    log = (tmp_path / "log").open("wb")
    process = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
        [sys.executable, "worker.py"], cwd=tmp_path, env=environment(variables), stdout=log, stderr=log
    )
    try:
        with temporal.with_time_skipping_disabled():
            found = await asyncio.wait_for(
                temporal.client.execute_workflow("Checkout", unique, id=unique, task_queue=queue), 60
            )
            assert found == "paid"
            helped = names_of(Block(client.path, 0, "python", client.text.replace('"orders"', f'"{queue}"')))
            answer = await asyncio.wait_for(helped["help_is_there"](temporal.client, f"{unique}-2"), 60)
            assert answer == "paid: exited"
    finally:
        process.terminate()
        process.wait(20)
        log.close()
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/project.yaml").write_text(yaml.text)
    assert names_of(static)["plugin_of"](str(tmp_path / "shop")).name() == "sojourn.JourneyPlugin"


async def test_the_contract_holds(temporal: WorkflowEnvironment, tmp_path: Path, unique: str) -> None:
    """Its Python, which imports nothing of Sojourn, starts a journey and ends its wait by a signal."""
    (block,) = page_blocks("reference/contract.md", "python")
    assert "import sojourn" not in block.text
    assert "from sojourn" not in block.text
    yaml = """
event: order.placed
key: event.customerId
schema: {type: object, properties: {customerId: {type: string}, cartId: {type: string}}}
---
journey: cart-abandonment
entry: {event: order.placed}
steps:
  again:
    wait_for: [{event: order.placed, next: done}]
    timeout: {after: 1d, next: done}
  done: {end: done}
"""
    async with deployment(tmp_path) as host:
        await host.publish(yaml)
        page = names_of(Block(block.path, 0, "python", block.text.replace('"sojourn"', f'"{host.queue}"')))
        async with host.worker(temporal.client):
            with temporal.with_time_skipping_disabled():
                assert await page["tell"](temporal.client, unique, f"{unique}-1") == "accepted"
                assert await page["tell"](temporal.client, unique, f"{unique}-1") == "duplicate"
                await page["signal"](temporal.client, unique, f"{unique}-2", "2026-05-01T09:30:00Z")
                handle = temporal.client.get_workflow_handle(f"cart-abandonment:{unique}")
                result = await handle.result()
    assert result["steps"][0]["result"] == "order.placed"
