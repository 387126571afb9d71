"""The Python actions and sources that a worker runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn.cli.console import CliError
from sojourn.cli.project import require_folder

if TYPE_CHECKING:
    from sojourn.settings import Settings

log = logging.getLogger("sojourn.worker")


def load_functions(
    settings: Settings, project: Path | None = None, modules: list[str] | None = None
) -> list[Callable[..., Any]]:
    """Import the Python files that a worker serves, and return their functions.

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
        return []
    from sojourn.loading import Imported, import_modules, import_project

    found = Imported()
    for loaded in (import_modules(names), import_project(_existing(folder)) if folder else Imported()):
        found.problems += loaded.problems
        found.add(loaded.declared)
    kept, wrong = _by_name(found.functions)
    wrong = [*map(str, found.problems), *wrong]
    if wrong and settings.project_required:
        raise CliError("the Python files are not in order:\n" + "\n".join(wrong))
    for line in wrong:
        log.error("%s", line)
    if kept:
        log.info("Python functions: %s", ", ".join(sorted(kept)))
    return list(kept.values())


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
