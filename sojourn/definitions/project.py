"""A journey project: everything that its files define, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sojourn.definitions.checks.project import check
from sojourn.definitions.codes import Code
from sojourn.definitions.compiler import compile_journey
from sojourn.definitions.documents.reading import ReadJourney, read_files
from sojourn.definitions.kinds.endpoint import EndpointDefinition
from sojourn.definitions.kinds.event import EventDefinition
from sojourn.definitions.kinds.journey import CodeJourney, JourneyDefinition
from sojourn.definitions.kinds.profile import ProfileDefinition
from sojourn.definitions.limits import DEFAULT_LIMITS, Limits
from sojourn.definitions.problems import Problem

SUFFIXES = (".yaml", ".yml")

TESTS = "tests"
"""The folder of a project in which its scenarios lie, see `sojourn.testing`. Nothing in it is a definition."""


@dataclass(frozen=True, slots=True)
class Project:
    """What the files of a project define.

    Attributes:
        events: Events by name.
        endpoints: Sources and actions by id: `source:crm.customer`, `action:email.send`.
        journeys: Journeys by name.
        problems: What is wrong, sorted by file and line. With errors, definitions may be missing above.
        files: Text of each file by its path, relative to the project's folder.
        profile: What the project says of profiles, if it says anything.
        limits: What it was allowed to hold; its instances keep those of their run.
    """

    events: dict[str, EventDefinition] = field(default_factory=dict)
    endpoints: dict[str, EndpointDefinition] = field(default_factory=dict)
    journeys: dict[str, JourneyDefinition] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    profile: ProfileDefinition | None = None
    limits: Limits = DEFAULT_LIMITS

    @property
    def errors(self) -> list[Problem]:
        """The problems that refuse the project."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems that do not."""
        return [problem for problem in self.problems if problem.severity == "warning"]

    @property
    def ok(self) -> bool:
        """Whether the project can be published."""
        return not self.errors

    def compiled(self) -> dict[str, dict[str, Any]]:
        """Return the compiled journey of each name.

        Raises:
            ValueError: The project has errors.
        """
        if not self.ok:
            raise ValueError(f"the project has {len(self.errors)} errors; nothing was compiled")
        return {
            name: compile_journey(journey, self.endpoints, self.limits)
            for name, journey in self.journeys.items()
        }


def load_texts(files: Mapping[str, str], *, limits: Limits = DEFAULT_LIMITS) -> Project:
    """Read a project from the texts of its files. Bad content raises nothing: it is in `problems`.

    Args:
        files: Text of each file by its path.
        limits: What a project may hold.
    """
    return _load(dict(files), limits, [])


def load_project(
    folder: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    generated: Mapping[str, str] | None = None,
    found: Iterable[Problem] = (),
) -> Project:
    """Read a project from a folder. Bad content raises nothing: it is in `problems`.

    Every `*.yaml` and `*.yml` below the folder is read, except in folders whose names begin with a dot, and in its
    folder `tests`, where scenarios lie.
    `sojourn.loading.load_project` also reads what Python files define.

    Args:
        folder: The project's folder.
        limits: What a project may hold.
        generated: Texts that belong to the project beside those of its files, by path.
        found: Problems of other files of the folder.
    """
    problems: list[Problem] = list(found)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        return Project(
            problems=[_of_file(Code.NO_PROJECT, "", f"{folder} {what}", "Name a project's folder.")]
        )
    files: dict[str, str] = {}
    for path in _paths(folder, limits, problems):
        text = _read_text(path, path.relative_to(folder).as_posix(), limits, problems)
        if text is not None:
            files[path.relative_to(folder).as_posix()] = text
    files |= generated or {}
    if not files and not problems:
        hint = "Begin one with `sojourn init`, or name another folder."
        problems.append(_of_file(Code.NO_PROJECT, "", f"{folder} holds no .yaml file", hint))
    return _load(files, limits, problems)


def _of_file(code: Code, file: str, message: str, hint: str) -> Problem:
    return Problem(code.value, "error", file, 0, 0, "", message, hint)


def _paths(folder: Path, limits: Limits, problems: list[Problem]) -> list[Path]:
    found = []
    waiting = [folder]
    while waiting:
        try:
            entries = sorted(waiting.pop().iterdir())
        except OSError as error:
            problems.append(_of_file(Code.UNREADABLE, "", f"{error.filename}: {error.strerror}", ""))
            continue
        for path in entries:
            if path.name.startswith(".") or path == folder / TESTS:
                continue
            # A link to a folder is not followed: it may lead in a circle.
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)
            elif path.suffix in SUFFIXES:
                found.append(path)
    if len(found) > limits.files:
        message = f"The folder holds {len(found):,} YAML files; at most {limits.files:,} are read"
        problems.append(_of_file(Code.TOO_LARGE, "", message, "Is it a project's folder? Name another one."))
        return []
    return sorted(found)


def _read_text(path: Path, name: str, limits: Limits, problems: list[Problem]) -> str | None:
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to tell that it is too much.
            data = file.read(limits.file_size + 1)
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}"
        problems.append(
            _of_file(Code.UNREADABLE, name, message, "Check that it exists, and its permissions.")
        )
        return None
    if len(data) > limits.file_size:
        message = f"The file has more than {limits.file_size:,} bytes"
        problems.append(_of_file(Code.TOO_LARGE, name, message, "Divide it into several files."))
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        problems.append(
            Problem(
                Code.ENCODING.value,
                "error",
                name,
                line,
                column,
                "",
                f"The file is not UTF-8: byte {data[error.start]:#04x} is no part of it",
                "Save it as UTF-8.",
            )
        )
        return None


def _load(files: dict[str, str], limits: Limits, problems: list[Problem]) -> Project:
    if len(files) > limits.files or sum(map(len, files.values())) > limits.project_size:
        message = f"The project has more than {limits.files:,} files or {limits.project_size:,} characters"
        problems.append(_of_file(Code.TOO_LARGE, "", message, "Divide it into several projects."))
        return Project(problems=problems, files=files)
    reading = read_files(files, limits, problems)
    check(reading)
    events = {name: read.model for name, read in reading.events.items() if read.model}
    endpoints = {name: read.model for name, read in reading.endpoints.items() if read.model}
    journeys = {name: made for name, read in reading.journeys.items() if (made := _journey(read))}
    unique = sorted(dict.fromkeys(reading.problems), key=lambda problem: problem.sort_key)
    profile = reading.profile.model if reading.profile else None
    return Project(events, endpoints, journeys, unique, files, profile, limits)


def _journey(read: ReadJourney) -> JourneyDefinition | None:
    """Return the journey, or None where a part of it has not the shape of one."""
    if isinstance(read.head, CodeJourney):
        return read.head
    steps = {name: step for name, step in read.steps.items() if step is not None}
    if read.head is None or not steps or len(steps) < len(read.steps):
        return None
    # Every part was validated as it was read; doing it again would cost as much as all the rest.
    parts: dict[str, Any] = {name: getattr(read.head, name) for name in type(read.head).model_fields}
    parts["steps"] = steps
    return JourneyDefinition.model_construct(**parts)
