"""Histories recorded by each release replay with the code of today."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from sojourn.plugin import JourneyPlugin
from tests.workflows.authoring.shop import CartAbandonment
from tests.workflows.record import HISTORIES
from tests.workflows.scenarios import SCENARIOS, answers, example, play, stage
from tests.workflows.support import Shop

FILES = sorted(HISTORIES.rglob("*.json"))
HISTORY_TEXTS = {path.stem: path.read_text("utf-8") for path in FILES}


def replayer() -> Replayer:
    """Return what replays histories with the current code."""
    return Replayer(workflows=[CartAbandonment], plugins=[JourneyPlugin(register_activities=False)])


def test_every_example_has_recorded_histories() -> None:
    """Each scenario of the examples was recorded."""
    recorded = {path.stem.rsplit("-", 1)[0] for path in FILES}
    assert recorded >= {scenario.name for scenario in SCENARIOS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_recorded_histories_replay(path: Path) -> None:
    """Code that an instance of an earlier release would stumble over fails here."""
    await replayer().replay_workflow(WorkflowHistory.from_json("recorded", HISTORY_TEXTS[path.stem]))


async def test_a_replay_that_differs_is_noticed() -> None:
    """The test above can fail: a definition whose step has another name does not fit its history."""
    history = json.loads(HISTORY_TEXTS["cart-reminded-1"])
    payload = history["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"][0]
    text = base64.b64decode(payload["data"]).decode().replace('"remind"', '"renamed"')
    payload["data"] = base64.b64encode(text.encode()).decode()
    with pytest.raises(NondeterminismError, match="remind"):
        await replayer().replay_workflow(WorkflowHistory.from_json("changed", json.dumps(history)))


@pytest.mark.parametrize("cached", [1000, 0], ids=["cached", "replayed"])
async def test_every_path_of_every_example_ends_as_it_should(
    temporal: WorkflowEnvironment, cached: int
) -> None:
    """With instances kept in memory, and with each task replayed from the top."""
    shop = Shop(answers=answers)
    for scenario in SCENARIOS:
        loaded = example(scenario.example, shop)
        async with stage(temporal, loaded, cached) as runner:
            await play(scenario, temporal, runner, loaded)
    shop.close()
