"""Reads what a project's Python files define, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sojourn import definitions
from sojourn.definitions.limits import DEFAULT_LIMITS, Limits
from sojourn.definitions.problems import Problem
from sojourn.functions import documents
from sojourn.loading.files import find_files, problem
from sojourn.loading.importing import import_project, path_in

TIMEOUT = 60.0
"""Seconds that the import of a project's files may take."""


@dataclass(frozen=True, slots=True)
class PythonFiles:
    """What the Python files of a project define.

    Attributes:
        texts: The definitions as YAML, by the path of the Python file; each stands on the line of its function.
        problems: What is wrong with the files.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def load_project(folder: Path, *, limits: Limits = DEFAULT_LIMITS) -> definitions.Project:
    """Read a project from a folder: its YAML files, and what its Python files define.

    Bad content raises nothing: it is in `problems`. The Python files are imported, and so run, in another process.

    Args:
        folder: The project's folder.
        limits: What a project may hold.
    """
    if not folder.is_dir():
        return definitions.load_project(folder)
    python = read_python(folder)
    return definitions.load_project(folder, limits=limits, generated=python.texts, found=python.problems)


def read_python(folder: Path, *, timeout: float = TIMEOUT) -> PythonFiles:
    """Return what the Python files of a project define.

    Args:
        folder: The project's folder.
        timeout: Seconds that their import may take.
    """
    files = find_files(folder)
    if not files.found:
        return PythonFiles({}, files.problems)
    with tempfile.TemporaryDirectory(prefix="sojourn-") as place:
        result = Path(place) / "result.json"
        # -P: what lies in the current folder is not to be found in the place of a package.
        command = [sys.executable, "-P", "-m", "sojourn.loading", str(folder.absolute()), str(result)]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            message = f"The Python files were not imported within {timeout:g} seconds"
            hint = "What takes time belongs into functions, not into what runs at import."
            return PythonFiles({}, [*files.problems, problem(_names(files.found), 0, message, hint)])
        if not result.exists():
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            message = f"The process that imports the Python files ended with status {done.returncode}"
            hint = f"It said: {said[-1][:200]}" if said else "It said nothing; does a file end the process?"
            return PythonFiles({}, [*files.problems, problem(_names(files.found), 0, message, hint)])
        answer = json.loads(result.read_text("utf-8"))
    return PythonFiles(answer["texts"], [Problem(**found) for found in answer["problems"]])


def _names(found: list[Any]) -> str:
    """Return the file that a problem is about where it can be but one, else none."""
    return str(found[0].name) if len(found) == 1 else ""


def write_result(folder: Path, result: Path) -> None:
    """Import a project's files into this process, and write what they define.

    Args:
        folder: The project's folder.
        result: The file to write, JSON.
    """
    imported = import_project(folder)
    texts = documents(imported.declared, lambda thing: path_in(folder, thing))
    answer = {"texts": texts, "problems": [found.as_dict() for found in imported.problems]}
    partial = result.with_suffix(".partial")
    partial.write_text(json.dumps(answer), "utf-8")
    partial.replace(result)
