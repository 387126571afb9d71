"""A journey project on disk: is it one, what is in it, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from sojourn.cli.output import CliError, ExitCode, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sojourn.definitions import Project

DATA_FOLDER = ".sojourn"
"""Where, inside the project, `sojourn dev` keeps its data. Git is told to pass it over."""


def load(folder: Path) -> Project:
    """Read a project, with all that is wrong with it. Its Python files are imported in a process of their own.

    Args:
        folder: The project's folder.

    Raises:
        CliError: The folder does not exist, or holds no definitions.
    """
    from sojourn.cli.environment import load_settings
    from sojourn.definitions.codes import Code
    from sojourn.definitions.limits import Limits
    from sojourn.loading import load_project

    require_folder(folder)
    settings = load_settings()
    limits = Limits.of_days(settings.max_wait_days, settings.max_timeout_days)
    project = load_project(folder, limits=limits)
    if not project.files and all(problem.code == Code.NO_PROJECT.value for problem in project.problems):
        raise CliError(
            f"there are no definitions in {folder.absolute()}: a project has files that end in .yaml or "
            f".yml, or Python files with journeys. `sojourn init {quote(str(folder))}` writes a small one to "
            "start from."
        )
    return project


def require_folder(folder: Path) -> None:
    """Check that a folder is there.

    Raises:
        CliError: It is not, or it is a file.
    """
    if not folder.is_dir():
        what = "is a file; name the folder of the project" if folder.exists() else "does not exist"
        raise CliError(f"{folder} {what}", ExitCode.USAGE)


def data_folder(project: Path) -> Path:
    """Return the project's data folder, made where it is missing.

    Raises:
        CliError: It cannot be made.
    """
    folder = project / DATA_FOLDER
    try:
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n", "utf-8")
    except OSError as error:
        raise CliError(f"{folder} cannot be written: {error.strerror}") from error
    return folder


def write_schema(project: Path) -> None:
    """Write the JSON Schema of the format where the project's files tell editors to find it."""
    import json

    from sojourn.definitions import json_schema

    (data_folder(project) / "schema.json").write_text(json.dumps(json_schema(), indent=1) + "\n", "utf-8")


def describe(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each problem, as `Problem.as_dict` gives them, errors marked as such."""
    from sojourn.definitions.problems import Problem

    return [f"{problem['severity']}: {Problem(**problem)}" for problem in problems]


def summary(problems: Iterable[Mapping[str, Any]]) -> str:
    """Return the numbers of errors and warnings: `2 errors, 1 warning`."""
    severities = [problem["severity"] for problem in problems]
    parts = [counted(severities.count(kind), kind) for kind in ("error", "warning") if kind in severities]
    return ", ".join(parts) or "no problems"
