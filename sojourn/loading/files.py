"""Which Python files of a project define something."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sojourn.definitions.codes import Code
from sojourn.definitions.limits import DEFAULT_LIMITS
from sojourn.definitions.problems import Problem

AUTHORING = frozenset({"action", "source", "journey", "Event"})
"""What a file imports from `sojourn` if it defines something."""

_SKIPPED = frozenset({"tests", "test", "venv", "node_modules", "site-packages", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Found:
    """A Python file that defines something.

    Attributes:
        path: The file.
        name: Its path relative to the project, with `/`.
        module: The name under which it is imported.
    """

    path: Path
    name: str
    module: str


@dataclass(slots=True)
class Files:
    """The Python files of a project, and what is wrong with them before anything is imported."""

    found: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def problem(file: str, line: int, message: str, hint: str, code: Code = Code.PYTHON_FILE) -> Problem:
    """Return a problem of a Python file.

    Args:
        file: Its path relative to the project.
        line: The line, 0 if it concerns none.
        message: What is wrong.
        hint: What to write instead.
        code: Its stable code.
    """
    return Problem(code.value, "error", file, line, 1 if line else 0, "", message, hint)


def find_files(folder: Path) -> Files:
    """Return the Python files of a project that import what `AUTHORING` lists from `sojourn`. None is imported.

    Left out are folders that are hidden, hold tests or a virtual environment, and files whose names begin with `_` or
    `test_`, and `conftest.py`: the others may import them.

    Args:
        folder: The project's folder.
    """
    files = Files()
    for path in sorted(_paths(folder)):
        name = path.relative_to(folder).as_posix()
        tree = _parse(path, name, files)
        if tree is None or not _authors(tree):
            continue
        parts = path.relative_to(folder).with_suffix("").parts
        wrong = next((part for part in parts if not part.isidentifier()), None)
        if wrong is not None:
            message = f"The file cannot be imported: `{wrong}` is no name of a Python module"
            hint = "Rename it: letters, digits and '_', and no digit at the beginning."
            files.problems.append(problem(name, 0, message, hint))
        elif parts[0] in sys.stdlib_module_names:
            message = f"`{parts[0]}` is a module of Python itself, which the file would hide"
            files.problems.append(problem(name, 0, message, f"Rename it, such as {parts[0]}_actions."))
        else:
            files.found.append(Found(path, name, ".".join(parts)))
    return files


def is_project_code(path: Path) -> bool:
    """Say whether a file can be part of a project's Python code: one that `find_files` reads, or that those import.

    Args:
        path: Its path relative to the project.
    """
    return path.suffix == ".py" and not any(part in _SKIPPED or part.startswith(".") for part in path.parts)


def _paths(folder: Path) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        try:
            entries = list(waiting.pop().iterdir())
        except OSError:
            continue  # reported where the YAML files are read
        for path in entries:
            if path.is_dir():
                hidden = path.name.startswith((".", "_")) or path.name in _SKIPPED
                if not hidden and not path.is_symlink() and not (path / "pyvenv.cfg").exists():
                    waiting.append(path)
            elif (
                path.suffix == ".py"
                and not path.name.startswith((".", "_", "test_"))
                and path.name != "conftest.py"
            ):
                yield path


def _parse(path: Path, name: str, files: Files) -> ast.Module | None:
    """Return the code of a file; None where it has nothing to do with Sojourn, or cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}"
        files.problems.append(problem(name, 0, message, "Check its permissions.", Code.UNREADABLE))
        return None
    if b"sojourn" not in data or len(data) > DEFAULT_LIMITS.file_size:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data, name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 0
        said = getattr(error, "msg", None) or type(error).__name__
        files.problems.append(
            problem(name, line, f"The file is no Python: {said}", "Mend the line, or the one before it.")
        )
        return None


def _authors(tree: ast.Module) -> bool:
    """Say whether a file imports something with which definitions are written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            first, _, rest = node.module.partition(".")
            if first == "sojourn" and (
                rest.partition(".")[0] in AUTHORING or (not rest and {a.name for a in node.names} & AUTHORING)
            ):
                return True
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "sojourn" and (len(parts) == 1 or parts[1] in AUTHORING):
                    return True
    return False
