"""The scenario suite in pairs: each of its projects in YAML, and once more in Python."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import yaml

from sojourn.definitions import Project, load_project
from sojourn.testing import ScenarioFile, load_scenarios
from sojourn.testing.projects import prepare_project
from sojourn.workflows.authoring.define import declared_by

T = TypeVar("T")

_TWINS = Path(__file__).parent
_ROOT = _TWINS.parents[1]


NOT_COMPARED: dict[str, str] = {
    "steering: who waits is moved, and goes on in the newer version until the wait was to end": (
        "Instances of a Python journey go on in new code by its deployment, and are not moved."
    ),
}
"""Folders and scenarios without a twin, `folder` or `folder: scenario`, and why."""


def is_compared(folder: Path, item: ScenarioFile) -> bool:
    """Say whether a scenario is played in both forms."""
    return has_twin(folder) and name_of(folder, item) not in NOT_COMPARED


def name_of(folder: Path, item: ScenarioFile) -> str:
    """Return a scenario's name in the whole suite."""
    return f"{folder.name}: {item.scenario.name}"


def folders() -> list[Path]:
    """Return the folders with scenarios of YAML journeys: those of the suite, and the examples that have some."""
    parents = (_ROOT / "tests" / "scenarios", _ROOT / "examples")
    found = (path.parent for parent in parents for path in parent.glob("*/tests") if path.is_dir())
    return sorted(folder for folder in found if _is_written(folder))


def _is_written(folder: Path) -> bool:
    """Say whether a project has definitions in YAML; scenarios of others are run by the tests of their example."""
    files = (path.relative_to(folder) for path in folder.rglob("*.yaml"))
    return any(path.parts[0] != "tests" for path in files)


def has_twin(folder: Path) -> bool:
    """Say whether a folder's journeys are there in Python as well."""
    return (_TWINS / f"{_name(folder)}.py").is_file()


def scenarios(folder: Path) -> list[ScenarioFile]:
    """Return the scenarios of a folder."""
    return load_scenarios(folder, written(folder)).scenarios


@cache
def written(folder: Path) -> Project:
    """Return the project in YAML."""
    return load_project(folder)


@cache
def twin(folder: Path) -> tuple[Project, tuple[type, ...]]:
    """Return the project with its journeys and events in Python, and what calls out still in YAML."""
    bodies = _journeys_of(import_module(f"tests.twins.{_name(folder)}"))
    documents = [
        document
        for text in written(folder).files.values()
        for document in yaml.safe_load_all(text)
        if not {"event", "journey"} & document.keys()
    ]
    files = {"others.yaml": yaml.safe_dump_all(documents, sort_keys=False)} if documents else {}
    prepared = prepare_project(files, bodies)
    assert prepared.project.journeys.keys() == written(folder).journeys.keys()
    return prepared.project, tuple(prepared.journeys)


def of_twin(folder: Path, item: ScenarioFile) -> ScenarioFile:
    """Return a scenario as it is played with the twin: where it publishes a version, that one is in YAML here too.

    Such a version is the whole project. What it leaves as it was stays as it is in the twin, or all journeys would get
    a new version.
    """
    before, (project, _) = written(folder), twin(folder)
    versions = {
        name: replace(
            version,
            events=_laid_over(project.events, before.events, version.events),
            journeys=_laid_over(project.journeys, before.journeys, version.journeys),
        )
        for name, version in item.versions.items()
    }
    return replace(item, versions=versions)


def _laid_over(twin: dict[str, T], before: dict[str, T], after: dict[str, T]) -> dict[str, T]:
    return {**twin, **{name: value for name, value in after.items() if value != before.get(name)}}


def _name(folder: Path) -> str:
    return folder.name.replace("-", "_")


def _journeys_of(module: ModuleType) -> list[type]:
    return [value for value in vars(module).values() if getattr(declared_by(value), "kind", "") == "journey"]
