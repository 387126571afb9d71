"""Long lives: nothing is lost or doubled when an instance goes on in a new run.

The tests' server suggests continue-as-new after some 50 history events.
"""

from __future__ import annotations

import asyncio

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.workflows.support import compiled, finish, project, running, signal, until_waiting

COUNTER = """
journey: j
entry: {event: entered}
steps:
  plan: {set: {due: '${now + duration("48h")}', total: 0}}
  listen:
    wait_for:
      - {event: answered, next: count}
      - {event: other, next: done}
    timeout: {after: 1d, next: late}
  count: {set: {total: '${default(steps.count.total, 0) + 1}', due: "${steps.plan.due}"}, next: listen}
  late: {end: late}
  done: {end: '${steps.count.total} ${steps.count.due == steps.plan.due} ${steps.plan.due > journey.entered_at}'}
"""


@pytest.mark.parametrize("cached", [1000, 0], ids=["cached", "replayed"])
async def test_events_are_neither_lost_nor_doubled_over_many_runs(
    temporal: WorkflowEnvironment, cached: int
) -> None:
    """Each of 120 events counts once, each sent twice, over several runs; types survive the passage."""
    loaded = project(COUNTER)
    async with running(temporal.client, loaded, cached=cached) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            await until_waiting(handle, "listen")
            for burst in range(0, 120, 10):
                ids = [f"e{index}" for index in range(burst, burst + 10)]
                await asyncio.gather(*(signal(handle, "answered", event_id=name) for name in ids + ids))
            first_run = (await handle.describe()).run_id
            assert first_run != handle.first_execution_run_id
            # An id from the first run is still known in the last one.
            await signal(handle, "answered", event_id="e0")
            await signal(handle, "other")
            result = await handle.result()
    assert result["text"] == "120 true true"
    assert [record["seq"] for record in result["steps"]] == list(range(1, len(result["steps"]) + 1))


async def test_a_wait_keeps_its_deadline_over_a_new_run(temporal: WorkflowEnvironment) -> None:
    """Events that do not fit bring on a new run; the wait still ends a day after it began, and is one visit."""
    loaded = project(
        """
journey: j
entry: {event: entered}
steps:
  listen:
    wait_for: [{event: answered, when: event.amount == 99}]
    timeout: {after: 1d, next: late}
  done: {end: answered}
  late: {end: late}
"""
    )
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
            before = await until_waiting(handle, "listen")
            for index in range(20):
                await signal(handle, "answered", {"amount": index})
                await handle.query("state")
            assert (await handle.describe()).run_id != handle.first_execution_run_id
            after = await until_waiting(handle, "listen")
            assert after["until"] == before["until"]
        result = await finish(temporal, handle)
    assert result["text"] == "late"
    (step, _) = result["steps"]
    assert step["visit"] == 1
    assert step["duration"] == pytest.approx(86_400, abs=60)
