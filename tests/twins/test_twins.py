"""Both kinds are one: a Python journey shows in each scenario what its twin in YAML shows."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from temporalio.testing import WorkflowEnvironment

from sojourn.definitions import Project, load_project
from sojourn.testing import ScenarioFile, load_scenarios, run_scenario
from sojourn.testing.projects import prepare_project
from sojourn.workflows.authoring.define import declared_by
from tests.twins import abandoned_cart, event_timeout, lobby_restaurant, reentrance, weekdays

SUITE = Path(__file__).parents[1] / "scenarios"
MODULES = (abandoned_cart, event_timeout, lobby_restaurant, reentrance, weekdays)


def folder_of(module: ModuleType) -> Path:
    """Return the folder of the journeys in YAML."""
    return SUITE / module.__name__.rpartition(".")[2].replace("_", "-")


@cache
def written(folder: Path) -> Project:
    """Return the project in YAML."""
    return load_project(folder)


@cache
def twin(module: ModuleType) -> tuple[Project, tuple[type, ...]]:
    """Return the project with its journeys and events in Python, and what calls out still in YAML."""
    bodies = [
        value for value in vars(module).values() if getattr(declared_by(value), "kind", "") == "journey"
    ]
    text = (folder_of(module) / "journey.yaml").read_text()
    documents = [
        document for document in yaml.safe_load_all(text) if not {"event", "journey"} & document.keys()
    ]
    files = {"endpoints.yaml": yaml.safe_dump_all(documents, sort_keys=False)} if documents else {}
    prepared = prepare_project(files, bodies)
    assert prepared.project.journeys.keys() == written(folder_of(module)).journeys.keys()
    return prepared.project, tuple(prepared.journeys)


def scenarios() -> list[Any]:
    """Every scenario of the folders that have a twin."""
    found = []
    for module in MODULES:
        suite = load_scenarios(folder_of(module), written(folder_of(module)))
        found += [
            pytest.param(module, item, id=f"{folder_of(module).name}: {item.scenario.name}")
            for item in suite.scenarios
            # What another version does, only its own code says.
            if not item.versions
        ]
    return found


def shown(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return calls but for their keys, which no two instances share."""
    plain = [{**call, "idempotency_key": bool(call["idempotency_key"])} for call in calls]
    return sorted(plain, key=lambda call: (call["at"], call["journey"]))


def in_order(instances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return instances in an order that does not depend on which journey was published first."""
    return sorted(instances, key=lambda one: (one["entered_at"], one["journey"], one["profile"]))


def answer_of(event: dict[str, Any]) -> dict[str, Any]:
    """Return what became of an event, but for its id, in such an order."""
    parts = {
        name: sorted(value, key=lambda item: str(item.get("journey"))) if isinstance(value, list) else value
        for name, value in event.items()
    }
    return {**parts, "id": ""}


def bodies_of(error: dict[str, Any] | None) -> dict[str, Any]:
    """Return an error as both kinds know it."""
    return {field: (error or {}).get(field) for field in ("step", "code", "status", "message")}


@pytest.mark.parametrize("cached", [1000, 0], ids=["cached", "uncached"])
@pytest.mark.parametrize(("module", "item"), scenarios())
async def test_a_twin_shows_the_same(
    temporal: WorkflowEnvironment, module: ModuleType, item: ScenarioFile, cached: int
) -> None:
    """What the scenario expects holds for both; traces, outcomes, errors, calls and refusals are the same."""
    project, bodies = twin(module)
    one = await run_scenario(temporal, written(folder_of(module)), item, cached=cached)
    other = await run_scenario(temporal, project, item, cached=cached, journeys=bodies)
    different = [f"{row.what}: expected {row.expected}, was {row.actual}" for row in other.rows if not row.ok]
    assert other.ok, "\n".join([*other.problems, *different])
    for first, second in zip(in_order(one.instances), in_order(other.instances), strict=True):
        assert second["steps"] == first["steps"]
        assert bodies_of(second.pop("last_error")) == bodies_of(first.pop("last_error"))
        assert second == first
    assert shown(other.calls) == shown(one.calls)
    assert [answer_of(event) for event in other.events] == [answer_of(event) for event in one.events]
