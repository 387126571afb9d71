"""The scenarios of this folder and of the examples: journeys on the real server, as an author could have written them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from sojourn.definitions import Project, load_project
from sojourn.testing import ScenarioFile, load_scenarios, run_scenario
from tests.twins.pairs import folders, is_compared
from tests.twins.watching import Watch

HERE = Path(__file__).parent
FOLDERS = folders()


@cache
def project(folder: Path) -> Project:
    """The project of a folder."""
    return load_project(folder)


def scenarios() -> list[object]:
    """Every scenario of every folder, and how many instances are kept in memory.

    None: each step replays the whole history. `tests/twins` plays what has a twin with memory already.
    """
    found: list[object] = []
    for folder in FOLDERS:
        suite = load_scenarios(folder, project(folder))
        problems = [*project(folder).errors, *suite.problems]
        assert not problems, f"{folder.name}:\n" + "\n".join(map(str, problems))
        for item in suite.scenarios:
            ways = {"uncached": 0} if is_compared(folder, item) else {"cached": 1000, "uncached": 0}
            name = f"{folder.name}: {item.scenario.name}"
            found += [pytest.param(folder, item, ways[way], id=f"{name}-{way}") for way in ways]
    return found


@pytest.mark.parametrize(("folder", "item", "cached"), scenarios())
async def test_scenario(temporal: WorkflowEnvironment, folder: Path, item: ScenarioFile, cached: int) -> None:
    """What the scenario expects is what happens, also where each step replays the whole history."""
    environment = temporal if cached else Watch(temporal, local=False)
    result = await run_scenario(environment, project(folder), item, cached=cached)
    different = [
        f"{row.what}: expected {row.expected}, was {row.actual}" for row in result.rows if not row.ok
    ]
    assert result.rows, f"{item.file}:{item.line} compares nothing"
    assert result.ok, "\n".join([f"{item.file}:{item.line}", *result.problems, *different])


def test_every_folder_has_scenarios() -> None:
    """No folder of this suite is passed over."""
    there = {path for path in HERE.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert there <= set(FOLDERS)
