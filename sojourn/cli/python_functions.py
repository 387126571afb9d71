"""The Python actions, sources and journeys that a worker runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn.cli.output import CliError
from sojourn.cli.project import require_folder

if TYPE_CHECKING:
    from sojourn.settings import Settings

log = logging.getLogger("sojourn.worker")


@dataclass(frozen=True, slots=True)
class PythonCode:
    """What a worker runs beside journeys in YAML and calls over HTTP.

    Attributes:
        functions: Functions that are actions and sources.
        journeys: Classes that are journeys.
    """

    functions: list[Callable[..., Any]]
    journeys: list[type]


def load_python(
    settings: Settings, project: Path | None = None, modules: list[str] | None = None
) -> PythonCode:
    """Import the Python files that a worker serves, and return what is in them.

    Args:
        settings: `project`, `modules` and `project_required` are used.
        project: In the place of the setting.
        modules: In the place of the setting.

    Raises:
        CliError: The project is none, or a file cannot be imported and must be.
    """
    folder = project or settings.project
    names = modules or [name.strip() for name in settings.modules.split(",") if name.strip()]
    if folder is None and not names:
        return PythonCode([], [])
    from sojourn.loading import Imported, import_modules, import_project, keep_code

    found = Imported()
    if folder:
        keep_code(folder)
    for loaded in (import_modules(names), import_project(_existing(folder)) if folder else Imported()):
        found.problems += loaded.problems
        found.add(loaded.declared)
    kept, wrong = _by_name(found.functions)
    journeys, doubled = _journeys_by_name(found.journeys)
    wrong = [*map(str, found.problems), *wrong, *doubled]
    if wrong and settings.project_required:
        raise CliError("the Python files are not in order:\n" + "\n".join(wrong))
    for line in wrong:
        log.error("%s", line)
    if kept:
        log.info("Python functions: %s", ", ".join(sorted(kept)))
    if journeys:
        log.info("Python journeys: %s", ", ".join(sorted(journeys)))
    return PythonCode(list(kept.values()), list(journeys.values()))


def _existing(folder: Path) -> Path:
    require_folder(folder)
    return folder


def _by_name(functions: list[Callable[..., Any]]) -> tuple[dict[str, Callable[..., Any]], list[str]]:
    """Return the functions by name, and what is wrong: two with one name, of which the first is kept."""
    from sojourn.functions import function_of

    kept: dict[str, Callable[..., Any]] = {}
    wrong = []
    for function in functions:
        declared = function_of(function)
        assert declared is not None
        if kept.setdefault(declared.name, function) is not function:
            wrong.append(
                f"{declared.definition.python}: there is another function with the name {declared.name}"
            )
    return kept, wrong


def _journeys_by_name(journeys: list[type]) -> tuple[dict[str, type], list[str]]:
    """Return the journeys by name, and what is wrong: two with one name, of which the first is kept."""
    from sojourn.workflows.authoring.define import settings_of

    kept: dict[str, type] = {}
    wrong = []
    for body in journeys:
        settings = settings_of(body)
        if (first := kept.setdefault(settings.name, body)) is not body:
            wrong.append(
                f"{settings.module}.{body.__qualname__}: {first.__module__}.{first.__qualname__} has the name "
                f"{settings.name} already; give each journey a name of its own"
            )
    return kept, wrong
