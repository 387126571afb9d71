"""Reading scenario files: every problem at once, with file, line, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sojourn.definitions import Problem, Project
from sojourn.definitions.codes import Code
from sojourn.definitions.documents.reading import KINDS
from sojourn.definitions.documents.validate import Source, described, fit
from sojourn.definitions.documents.yaml import read_documents
from sojourn.definitions.limits import DEFAULT_LIMITS
from sojourn.definitions.problems import Path as Place
from sojourn.definitions.problems import dotted
from sojourn.definitions.project import SUFFIXES, TESTS
from sojourn.testing.checks import Checker, versions_of
from sojourn.testing.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario and where it stands.

    Attributes:
        scenario: The scenario.
        file: Path of its file, relative to the project's folder.
        line: The line at which it begins.
        versions: What each folder that it publishes makes of the project.
    """

    scenario: Scenario
    file: str
    line: int
    versions: Mapping[str, Project] = field(default_factory=dict)


@dataclass(slots=True)
class Suite:
    """The scenarios of a project.

    Attributes:
        scenarios: In the order of files and lines.
        problems: What is wrong with the files.
    """

    scenarios: list[ScenarioFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def load_scenarios(folder: Path, project: Project) -> Suite:
    """Read the scenarios of a project, from the YAML files in its folder `tests`. Bad content raises nothing.

    Args:
        folder: The project's folder.
        project: The project, without errors.
    """
    files: dict[str, str] = {}
    suite = Suite()
    paths = (folder / TESTS).rglob("*") if (folder / TESTS).is_dir() else []
    for path in sorted(path for path in paths if path.suffix in SUFFIXES and path.is_file()):
        name = path.relative_to(folder).as_posix()
        try:
            files[name] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            message = f"The file cannot be read: {error}"
            suite.problems.append(
                Problem(Code.UNREADABLE.value, "error", name, 0, 0, "", message, "Save it as UTF-8.")
            )
    read_scenarios(files, project, suite)
    return suite


def read_scenarios(files: Mapping[str, str], project: Project, suite: Suite | None = None) -> Suite:
    """Read scenarios from the texts of files.

    Args:
        files: Text of each file by its path, which begins with `tests/`.
        project: The project, without errors.
        suite: What was read already.
    """
    suite = suite or Suite()
    for name in sorted(files):
        documents, broken = read_documents(files[name].removeprefix("\ufeff"), DEFAULT_LIMITS)
        for found in broken:
            place = (found.line, found.column)
            suite.problems.append(
                Problem(
                    found.code.value, "error", name, *place, dotted(found.path), found.message, found.hint
                )
            )
        for document in documents:
            source = Source(name, document, suite.problems, "scenario")
            if document.value is not None and _is_scenario(document.value, source):
                read = _read(source, project, files)
                suite.scenarios += [read] if read is not None else []
    suite.problems.sort(key=lambda problem: problem.sort_key)
    return suite


def _is_scenario(value: Any, source: Source) -> bool:
    if not isinstance(value, dict) or not value:
        source.report(
            Code.NOT_A_MAPPING,
            (),
            f"A scenario must be a mapping, not {described(value)}",
            "Begin it with `scenario: NAME`.",
        )
        return False
    first = next(iter(value))
    # Definitions lie here as well: other versions of the project's, which a scenario publishes.
    if first in (*KINDS, "profile"):
        return False
    if first != "scenario":
        hint = (
            "Move `scenario: NAME` to the top." if "scenario" in value else "Begin it with `scenario: NAME`."
        )
        source.report(
            Code.DOCUMENT_KIND,
            (first,),
            f"The first key of a scenario is `scenario`, not `{first[:60]}`",
            hint,
            key=True,
        )
    return bool(first == "scenario")


def _read(source: Source, project: Project, files: Mapping[str, str]) -> ScenarioFile | None:
    value = source.document.value
    if "name" in value:
        source.report(
            Code.UNKNOWN_KEY,
            ("name",),
            "The key `name` is not known here",
            "The name stands at the top: `scenario: NAME`.",
            key=True,
        )
        return None
    named = {"name" if key == "scenario" else key: item for key, item in value.items()}
    # What may stand alone or in a list is a list from here on.
    if not isinstance(value.get("expect", []), list):
        named["expect"] = [value["expect"]]
        _number(source, ("expect",))
    if isinstance(value.get("answers"), dict):
        named["answers"] = dict(value["answers"])
        for endpoint, answers in value["answers"].items():
            if not isinstance(answers, list):
                named["answers"][endpoint] = [answers]
                _number(source, ("answers", endpoint))
    scenario = fit(Scenario, named, source, rename="scenario")
    if scenario is None:
        return None
    versions = versions_of(scenario, source, project, files)
    Checker(scenario, source, [project, *versions.values()]).check()
    line, _ = source.document.place(("scenario",), key=True)
    return None if source.failed else ScenarioFile(scenario, source.file, line, versions)


def _number(source: Source, path: Place) -> None:
    """Let what stands alone be found as the first of a list."""
    document = source.document
    for places in (document.places, document.keys):
        inside = [known for known in places if known[: len(path)] == path]
        places.update({(*path, 0, *known[len(path) :]): places[known] for known in inside})
