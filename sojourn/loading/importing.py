"""Imports the Python files of a project, and says what went wrong without a traceback."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from sojourn.definitions.codes import Code
from sojourn.definitions.problems import Problem
from sojourn.functions import Declared, DefinitionError, Function, collecting, function_of
from sojourn.loading.files import Found, find_files, problem
from sojourn.workflows.authoring.define import declared_by
from sojourn.workflows.authoring.errors import JourneyError
from sojourn.workflows.authoring.events import EventError
from sojourn.workflows.authoring.settings import JourneySettings


@dataclass(slots=True)
class Imported:
    """What Python files declare.

    Attributes:
        declared: Functions, and whatever else declares itself, in the order of the files.
        problems: Files that cannot be imported, and why.
        modules: The modules that were imported.
    """

    declared: list[Declared] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    modules: list[ModuleType] = field(default_factory=list)

    @property
    def functions(self) -> list[Callable[..., Any]]:
        """The functions that are sources and actions, for `Calls(functions=...)`."""
        return [thing.call for thing in self.declared if isinstance(thing, Function)]

    @property
    def journeys(self) -> list[type]:
        """The classes that are journeys, for `JourneyPlugin(journeys=...)`."""
        return [thing.body for thing in self.declared if isinstance(thing, JourneySettings)]

    def add(self, things: Iterable[Declared]) -> None:
        """Take things in, each once."""
        known = {id(thing) for thing in self.declared}
        for thing in things:
            if id(thing) not in known:
                known.add(id(thing))
                self.declared.append(thing)


def import_project(folder: Path) -> Imported:
    """Import the Python files of a project into this process.

    The folder becomes the first on `sys.path`, so that the files can import each other. A file that cannot be imported
    is a problem; the others are imported all the same.

    Args:
        folder: The project's folder.
    """
    folder = folder.resolve()
    files = find_files(folder)
    imported = Imported(problems=list(files.problems))
    if files.found and sys.path[:1] != [str(folder)]:
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
    for found in files.found:
        with collecting() as things, _without_bytecode():
            module = _import(found, folder, imported.problems)
        # What a broken file declared before it broke is no definition: half a project is none.
        if module is not None:
            imported.modules.append(module)
            imported.add([*things, *members_of(module)])
    return imported


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """Write no bytecode: Python takes it for current where a file of the same size was saved in the same second."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def import_modules(names: Iterable[str]) -> Imported:
    """Import modules by name, such as those of an installed package.

    Args:
        names: Names of modules.
    """
    imported = Imported()
    for name in names:
        with collecting() as things:
            try:
                module = importlib.import_module(name)
            except (Exception, SystemExit) as error:
                message = f"The module {name} cannot be imported: {type(error).__name__}: {error}"
                imported.problems.append(problem("", 0, message, "Is it installed here, and its name right?"))
                continue
        imported.modules.append(module)
        imported.add([*things, *members_of(module)])
    return imported


def path_in(folder: Path, thing: Declared) -> str:
    """Return the path under which the file of something is known in a project; never one of this machine."""
    try:
        return Path(thing.file).resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        return thing.module.replace(".", "/") + ".py"


def members_of(module: ModuleType) -> list[Declared]:
    """Return what a module names: functions, journeys, events; those of other modules, which it imports, as well."""
    found = (function_of(value) or declared_by(value) for value in list(vars(module).values()))
    return [thing for thing in found if thing is not None]


def _import(found: Found, folder: Path, problems: list[Problem]) -> ModuleType | None:
    try:
        module = importlib.import_module(found.module)
    except DefinitionError as error:
        file, line = _relative(error.file, folder), error.line
        code = Code.PYTHON_FUNCTION
        problems.append(problem(file or found.name, line, error.what, error.hint, code))
        return None
    except (Exception, SystemExit) as error:
        file, line = _last_place(error, folder)
        problems.append(problem(file or found.name, line, _said(error, found), _advice(error)))
        return None
    where = getattr(module, "__file__", None)
    if where is None or Path(where).resolve() != found.path.resolve():
        message = f"Another module is named `{found.module}`, and was found in the place of this file"
        problems.append(problem(found.name, 0, message, "Rename the file."))
        return None
    return module


def _said(error: BaseException, found: Found) -> str:
    if isinstance(error, SyntaxError):
        return f"The file is no Python: {error.msg}"
    if isinstance(error, SystemExit):
        return "The file ends the process when it is imported"
    text = " ".join(str(error).split())[:300]
    if isinstance(error, JourneyError | EventError):
        return text
    return f"The file {found.name} cannot be imported: {type(error).__name__}" + (f": {text}" if text else "")


def _advice(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return 'Put what is to run only as a program under `if __name__ == "__main__":`.'
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        return f"Install `{top}` where Sojourn runs, or put {top}.py into the project."
    # What keeps no rule of journeys is told with what to write instead.
    return "" if isinstance(error, JourneyError | EventError) else "Mend the line."


def _last_place(error: BaseException, folder: Path) -> tuple[str | None, int]:
    """Return file and line of the last place within the project at which an import failed."""
    if isinstance(error, SyntaxError) and error.filename:
        file = _relative(error.filename, folder)
        if file is not None:
            return file, error.lineno or 0
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = _relative(frame.filename, folder)
        if file is not None:
            return file, frame.lineno or 0
    return None, 0


def _relative(file: str, folder: Path) -> str | None:
    try:
        inside = Path(file).resolve().relative_to(folder)
    except (ValueError, OSError):
        return None
    # A virtual environment in the project is not the project.
    return (
        None
        if any(part.startswith(".") or part == "site-packages" for part in inside.parts)
        else inside.as_posix()
    )
