"""What is read in a journey's code before it runs, and what holds its end."""

from __future__ import annotations

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer

from sojourn.contract import names
from sojourn.plugin import JourneyPlugin
from sojourn.workflows.authoring import runtime
from sojourn.workflows.authoring.define import settings_of
from tests.workflows.authoring import begins
from tests.workflows.authoring.test_odd import YAML, definition
from tests.workflows.support import finish, project, running, signal, state_of, until_waiting


@pytest.mark.parametrize(
    ("body", "first"),
    [
        (begins.InMethod, "begun"),
        (begins.InFunction, "decided"),
        (begins.InFunctions, "fetch-crm.customer"),
        (begins.Computed, None),
        (begins.Returns, "listen"),
    ],
)
def test_the_first_step_is_found(body: type, first: str | None) -> None:
    """Also in what the method calls; where the source does not show it, none is guessed."""
    assert settings_of(body).model().first == first


@pytest.mark.parametrize(
    ("body", "listens"),
    [(begins.Makes, []), (begins.MakesAndWaits, ["answered", "other"]), (begins.Returns, ["answered"])],
)
def test_an_event_that_is_only_made_is_not_waited_for(body: type, listens: list[str]) -> None:
    """A jump's data costs an instance no signals."""
    assert settings_of(body).model().listens == listens


@pytest.mark.parametrize(("body", "outcome"), [(begins.Returns, "completed"), (begins.Leaves, "exited")])
async def test_a_paused_instance_does_not_end(
    temporal: WorkflowEnvironment, body: type, outcome: str
) -> None:
    """What the code returns, and where it exits, waits for the end of a pause."""
    async with running(temporal.client, project(YAML), journeys=[body]) as runner:
        with temporal.with_time_skipping_disabled():
            handle = await runner.start(definition(body))
            await until_waiting(handle, "listen")
            await handle.signal(names.SIGNAL_PAUSE)
            await signal(handle, "answered")
            state = await state_of(handle)
            assert (state["status"], [record["step"] for record in state["steps"]]) == ("paused", ["listen"])
            await handle.signal(names.SIGNAL_RESUME)
            result = await handle.result()
    assert (result["outcome"], result["text"]) == (outcome, "answered")


async def test_the_end_of_the_time_comes_first(temporal: WorkflowEnvironment) -> None:
    """As in YAML: behind a wait that ends with the instance's time, nothing is reached."""
    async with running(temporal.client, project(YAML), journeys=[begins.Lasts]) as runner:
        result = await finish(temporal, await runner.start(definition(begins.Lasts)))
    assert result["outcome"] == "timed_out"


async def test_an_instance_that_ended_in_a_pause_can_be_replayed(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code of before let it end there, and histories of then stay right."""

    async def unheld(current: runtime.Running) -> None:
        pass

    with monkeypatch.context() as before:
        before.setattr(runtime, "_held", unheld)
        async with running(temporal.client, project(YAML), journeys=[begins.Returns]) as runner:
            with temporal.with_time_skipping_disabled():
                handle = await runner.start(definition(begins.Returns))
                await until_waiting(handle, "listen")
                await handle.signal(names.SIGNAL_PAUSE)
                await signal(handle, "answered")
                assert (await handle.result())["outcome"] == "completed"
            history = await handle.fetch_history()
    plugin = JourneyPlugin(register_activities=False, journeys=[begins.Returns])
    await Replayer(workflows=[], plugins=[plugin]).replay_workflow(history)
