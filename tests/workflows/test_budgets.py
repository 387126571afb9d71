"""What a journey costs in history events: the budgets of DESIGN.md, section 10, counted."""

from __future__ import annotations

from temporalio.testing import WorkflowEnvironment

from benchmarks.journeys import project as bench_journeys
from sojourn.definitions import Project
from tests.workflows.support import Shop, compiled, history_length, running, signal, until_waiting


def bench_project(shop: Shop) -> Project:
    """Return the benchmark's project, aimed at the test's server."""
    return bench_journeys(shop.port)


async def test_an_action_costs_eleven_events(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Entry, one action, end: as few events as a workflow written by hand."""
    loaded = bench_project(shop)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded, "one-action"))
        assert (await handle.result())["outcome"] == "completed"
        assert await history_length(handle) == 11
        assert len(shop.calls) == 1


async def test_action_wait_split_action_costs_twenty_three(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """One event more than by hand: the search attribute that tells operators where the instance waits."""
    loaded = bench_project(shop)
    async with running(temporal.client, loaded) as runner:
        handle = await runner.start(compiled(loaded, "two-actions"))
        assert (await handle.result())["outcome"] == "completed"
        assert await history_length(handle) <= 23
        assert len(shop.calls) == 2


async def test_waiting_for_an_event_costs_at_most_eighteen(temporal: WorkflowEnvironment, shop: Shop) -> None:
    """Entry, an event within its timeout, action, end."""
    loaded = bench_project(shop)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded, "wait-for-event"))
            await until_waiting(handle, "listen")
            await signal(handle, "bench.answered")
            assert (await handle.result())["text"] == "answered"
        assert await history_length(handle) <= 18
        assert len(shop.calls) == 1


async def test_an_event_delivered_to_a_waiting_instance_costs_four(
    temporal: WorkflowEnvironment, shop: Shop
) -> None:
    """The signal and its workflow task, nothing else; also for an event that starts the timer again."""
    loaded = bench_project(shop)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded, "wait-for-event"))
            await until_waiting(handle, "listen")
            before = await history_length(handle)
            for index in range(1, 6):
                await signal(handle, "bench.started" if index % 2 else "bench.passed-by")
                await handle.query("state")
                assert await history_length(handle) == before + 4 * index
            await handle.terminate()
