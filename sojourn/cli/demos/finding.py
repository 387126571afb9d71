"""Reading through the API what became of the instances of a demo."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from sojourn.cli.demos.stage import Stage

AT_ONCE = 8
"""Instances read side by side."""

PAGE = 1000


async def list_instances(stage: Stage, journey: str) -> list[dict[str, Any]]:
    """Return all instances of a journey, as the API lists them."""
    instances: list[dict[str, Any]] = []
    page: str | None = None
    while True:
        answer = await stage.get("/v1/instances", journey=journey, limit=PAGE, page=page)
        instances += answer["instances"]
        page = answer["next_page"]
        if not page:
            return instances


async def outcomes(stage: Stage, instances: list[dict[str, Any]]) -> list[str]:
    """Return the outcome of each instance: the text of its end, or `exited`, `failed`, `running`..."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(instance: Mapping[str, Any]) -> str:
        if instance["status"] == "running":
            return "running"
        async with gate:
            path = f"/v1/instances/{instance['workflow_id']}"
            return outcome_of(await stage.get(path, run_id=instance["run_id"]))

    return await asyncio.gather(*(one(instance) for instance in instances))


async def still_running(stage: Stage, workflow_ids: Iterable[str]) -> set[str]:
    """Return those of some instances that have not ended."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def runs(workflow_id: str) -> bool:
        async with gate:
            return bool((await stage.get(f"/v1/instances/{workflow_id}"))["status"] == "running")

    ids = list(workflow_ids)
    states = await asyncio.gather(*(runs(workflow_id) for workflow_id in ids))
    return {workflow_id for workflow_id, running in zip(ids, states, strict=True) if running}


def outcome_of(instance: Mapping[str, Any]) -> str:
    """Return the outcome of an instance in one word or text."""
    if instance["outcome"] == "completed":
        return str(instance["text"] or "completed")
    return str(instance["outcome"] or instance["status"])


def answer_of(result: Mapping[str, Any]) -> str:
    """Return what the API answered to an event: `accepted`, `duplicate`, or the reason why it was refused."""
    if result["status"] == "refused" and result["refusals"]:
        return str(result["refusals"][0]["reason"])
    return str(result["status"])
