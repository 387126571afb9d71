"""The clock of a scenario: exact over timers, events, signals and continue-as-new; absent in live instances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.definitions import load_texts
from sojourn.simulation.times import left
from sojourn.testing import World, start_server
from tests.workflows.support import compiled, finish, project, running

BEGIN = datetime(1999, 12, 31, 23, 59, tzinfo=UTC)
NUDGED = """
event: began
key: event.id
schema: {type: object, properties: {id: {type: string}}}
---
event: nudged
key: event.id
schema: {type: object, properties: {id: {type: string}}}
---
event: ended
key: event.id
schema: {type: object, properties: {id: {type: string}}}
---
journey: patient
entry: {event: began}
steps:
  quiet:
    wait_for:
      - {event: nudged, restart: true}
      - {event: ended, next: over}
    timeout: {after: 7d}
  note: {set: {then: "${string(now)}"}}
  done: {end: "${steps.note.then}"}
  over: {end: over}
"""


@pytest.mark.parametrize("cached", [1000, 0])
async def test_a_new_run_goes_on_with_the_time(temporal: WorkflowEnvironment, cached: int) -> None:
    """Where Temporal suggests a new run in the middle of a wait, the scenario's time goes on to the second."""
    async with World.open(temporal, load_texts({"j.yaml": NUDGED}), now=BEGIN, cached=cached) as world:
        await world.send("began", {"id": "ada"})
        for _ in range(30):
            await world.advance(timedelta(days=1))
            await world.send("nudged", {"id": "ada"})
        (instance,) = world.instances
        described = await temporal.client.get_workflow_handle(instance.workflow_id).describe()
        await world.finish()
    assert described.raw_description.workflow_execution_info.first_run_id != described.run_id
    due = BEGIN + timedelta(days=37)
    assert instance.text == due.isoformat().replace("+00:00", "Z")
    assert left(instance.steps[0]) == due
    assert instance.steps[0]["duration"] == 37 * 86_400


async def test_time_stands_still_between(temporal: WorkflowEnvironment) -> None:
    """No time of the machine's gets into a scenario: a wait of a millisecond is not over until it is told."""
    texts = {"j.yaml": NUDGED.replace("7d", "1ms")}
    async with World.open(temporal, load_texts(texts), now=BEGIN) as world:
        await world.send("began", {"id": "ada"})
        for _ in range(5):
            await world.send("nudged", {"id": "ada"})
        assert world.instances[0].waiting_at == "quiet"
        await world.advance(0.001)
        assert world.instances[0].text == "1999-12-31T23:59:00.001Z"


async def test_live_instances_have_temporal_s_time(temporal: WorkflowEnvironment) -> None:
    """An instance that was started without a clock has none: not in its state, and its times are Temporal's."""
    loaded = project(
        "journey: j\nentry: {event: entered}\nsteps:\n  wait: {wait: {for: 2h}}\n  e: {end: e}\n"
    )
    before = datetime.now(UTC)
    async with running(temporal.client, loaded) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(compiled(loaded))
        state = await handle.query("state")
        result = await finish(temporal, handle)
    assert "scenario" not in state
    entered = datetime.fromisoformat(result["entered_at"])
    assert before - timedelta(minutes=1) < entered < before + timedelta(minutes=1)


async def test_a_server_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    """The server that `sojourn test` starts says nothing on standard output, which may be JSON."""
    async with (
        start_server() as environment,
        World.open(environment, load_texts({"j.yaml": NUDGED})) as world,
    ):
        await world.send("began", {"id": "ada"})
        await world.finish()
        assert world.instances[0].outcome == "completed"
    assert capfd.readouterr().out == ""
