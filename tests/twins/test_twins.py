"""Both kinds are one: a Python journey shows in each scenario what its twin in YAML shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.testing import ScenarioFile, run_scenario
from sojourn.testing.running import ScenarioResult
from tests.twins.pairs import (
    NOT_COMPARED,
    folders,
    has_twin,
    is_compared,
    name_of,
    of_twin,
    scenarios,
    twin,
    written,
)
from tests.twins.watching import Seen, watch


def compared() -> list[Any]:
    """Every scenario that is played in both forms, and how many of the twin's instances are kept in memory.

    Where it is none, each step replays the whole history. The first scenario of each file is played like that as well:
    it takes much longer, and whether code can be replayed is seen in one of its ways as in the others.
    """
    found = []
    for folder in folders():
        files = set()
        for item in scenarios(folder):
            cached = [1000] if item.file in files else [1000, 0]
            files.add(item.file)
            if is_compared(folder, item):
                found.append(pytest.param(folder, item, cached, id=name_of(folder, item)))
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


def compare(one: ScenarioResult, other: ScenarioResult) -> None:
    """Compare what both kinds did with what is expected, and with each other."""
    for result in (one, other):
        different = [
            f"{row.what}: expected {row.expected}, was {row.actual}" for row in result.rows if not row.ok
        ]
        assert result.ok, "\n".join([*result.problems, *different])
        assert result.rows, f"{result.file}:{result.line} compares nothing"
    for first, second in zip(in_order(one.instances), in_order(other.instances), strict=True):
        assert second["steps"] == first["steps"]
        assert bodies_of(second["last_error"]) == bodies_of(first["last_error"])
        assert {**second, "last_error": None} == {**first, "last_error": None}
    assert shown(other.calls) == shown(one.calls)
    assert [answer_of(event) for event in other.events] == [answer_of(event) for event in one.events]


def compare_views(ours: list[Seen], theirs: list[Seen], *, local: bool) -> None:
    """Compare what operators saw of both kinds, and what both cost."""
    for first, second in zip(ours, theirs, strict=True):
        assert second.workflow_id == first.workflow_id
        assert second.details == first.details
        assert second.attributes == first.attributes
        assert second.headline == first.headline
        if local and first.events is not None and second.events is not None:
            assert second.events == first.events


@pytest.mark.parametrize(("folder", "item", "caches"), compared())
async def test_a_twin_shows_the_same(
    temporal: WorkflowEnvironment,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    item: ScenarioFile,
    caches: list[int],
) -> None:
    """Both meet what is expected, with the same traces, outcomes, calls, refusals, details and length of history."""
    ours = watch(monkeypatch, temporal)
    one = await run_scenario(ours, written(folder), item)
    project, bodies = twin(folder)
    for cached in caches:
        theirs = watch(monkeypatch, temporal, local=cached > 0)
        other = await run_scenario(theirs, project, of_twin(folder, item), cached=cached, journeys=bodies)
        compare(one, other)
        compare_views(await ours.seen(), await theirs.seen(), local=theirs.local)


def test_every_scenario_has_a_twin_or_a_reason() -> None:
    """No folder and no scenario is passed over, and no reason outlives its scenario."""
    known = {folder.name for folder in folders()}
    known |= {name_of(folder, item) for folder in folders() for item in scenarios(folder)}
    assert not NOT_COMPARED.keys() - known
    # A folder without a twin has a reason, and one with a twin has none.
    assert {folder.name for folder in folders() if not has_twin(folder)} == (
        NOT_COMPARED.keys() & {folder.name for folder in folders()}
    )
    assert all(reason.strip().endswith(".") for reason in NOT_COMPARED.values())
