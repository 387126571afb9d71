"""Journeys in Python cost the history events that journeys in YAML cost, and show operators the same."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from benchmarks.journeys import project as bench_journeys
from sojourn.contract import names
from sojourn.workflows.authoring.define import settings_of
from tests.twins import bench
from tests.workflows.support import Runner, Shop, compiled, history_length, running, signal, until_waiting

BODIES = [bench.OneAction, bench.TwoActions, bench.WaitForEvent]


async def _both(shop: Shop, runner: Runner, loaded: Any, body: type) -> list[WorkflowHandle[Any, Any]]:
    name = settings_of(body).name
    code = {**settings_of(body).definition(loaded.endpoints), "version": 1}
    data = {"customerId": "ada"}
    return [
        await runner.start(compiled(loaded, name), data, key="ada"),
        await runner.start(code, data, key="ada"),
    ]


@pytest.mark.parametrize(("body", "budget"), [(bench.OneAction, 11), (bench.TwoActions, 23)])
async def test_actions_cost_the_same(
    temporal: WorkflowEnvironment, shop: Shop, body: type, budget: int
) -> None:
    """The budgets of DESIGN.md hold for both kinds, and both leave the same history."""
    loaded = bench_journeys(shop.port)
    async with running(temporal.client, loaded, journeys=BODIES) as runner:
        one, other = await _both(shop, runner, loaded, body)
        steps = [
            [(record["step"], record["kind"], record["next"]) for record in (await handle.result())["steps"]]
            for handle in (one, other)
        ]
        assert steps[0] == steps[1]
        assert await history_length(other) == await history_length(one) <= budget


async def test_an_event_costs_the_same_and_operators_see_the_same(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """Also while it waits: state, current details, search attribute, four history events for each event."""
    loaded = bench_journeys(shop.port)
    async with running(temporal.client, loaded, journeys=BODIES) as runner:
        with temporal.with_time_skipping_disabled():
            seen = []
            for handle in await _both(shop, runner, loaded, bench.WaitForEvent):
                state = await until_waiting(handle, "listen")
                before = await history_length(handle)
                await signal(handle, "bench.started")
                await handle.query("state")
                assert await history_length(handle) == before + 4
                metadata = str(await handle.query("__temporal_workflow_metadata"))
                assert "waits for bench" in metadata
                await signal(handle, "bench.answered")
                assert (await handle.result())["text"] == "answered"
                attributes = (await handle.describe()).search_attributes
                seen.append(
                    (state["step"], state["kind"], state["waiting_for"], attributes[names.SEARCH_STEP])
                )
                assert await history_length(handle) <= 18 + 4
            assert seen[0] == seen[1]
