"""Projects with Python files on disk."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.functions import function_of
from sojourn.loading import find_files, import_modules, import_project, load_project, read_python

ACTION = """\
from sojourn import action


@action.defn(name="{name}")
async def {function}(to: str) -> None:
    \"\"\"Sends.\"\"\"
"""


def write(folder: Path, **files: str) -> Path:
    """Write Python files; `__` in a name is a folder."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return folder


def send(name: str = "mail.send", function: str = "send") -> str:
    """A file with one action."""
    return ACTION.format(name=name, function=function)


@pytest.fixture
def clean_imports() -> Iterator[None]:
    """Forget what a test imports into this process."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_files_that_count(tmp_path: Path) -> None:
    """Those that import the authoring names of `sojourn`, anywhere but in tests, hidden folders and environments."""
    write(
        tmp_path,
        actions=send(),
        deep__er__more="from sojourn.source import defn",
        whole="import sojourn",
        plugin="from sojourn.plugin import JourneyPlugin",
        other="sojourn = 1",
        _private=send(),
        test_x=send(),
        conftest=send(),
        tests__x=send(),
        env__lib__x=send(),
    )
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x.py").write_text(send())
    files = find_files(tmp_path)
    assert files.problems == []
    assert [(found.name, found.module) for found in files.found] == [
        ("actions.py", "actions"),
        ("deep/er/more.py", "deep.er.more"),
        ("whole.py", "whole"),
    ]


def test_a_project_has_what_its_python_files_define(tmp_path: Path) -> None:
    """Files import each other; what they print is not heard; problems stand on the line of the function."""
    write(
        tmp_path,
        actions="from lib.names import NAME\nfrom sojourn import action\nprint('loud')\n\n"
        "from typing import Annotated\nfrom pydantic import Field\n@action.defn(name=NAME)\nasync def send(to: Annotated[int, Field(ge=1)] = 0) -> None: ...\n",
        lib__names="NAME = 'mail.send'",
    )
    (tmp_path / "more.yaml").write_text("action: mail.send\nurl: https://mail.example.com/\n")
    project = load_project(tmp_path)
    assert [(p.code, p.file, p.line) for p in project.errors] == [
        ("E203", "actions.py", 7),
        ("E205", "more.yaml", 1),
    ]
    assert project.endpoints["action:mail.send"].python == "actions:send"
    assert set(project.files) == {"actions.py", "more.yaml"}
    assert "async def" not in project.files["actions.py"]  # definitions travel, code does not


BROKEN = {
    "syntax": ("from sojourn import action\n\ndef x(:\n", 3, "E112", "The file is no Python: invalid syntax"),
    "indentation": (
        "from sojourn import action\nif True:\nx = 1\n",
        3,
        "E112",
        "The file is no Python: expected",
    ),
    "missing module": (
        "from sojourn import action\nimport nosuch.thing\n",
        2,
        "E112",
        "No module named 'nosuch' — Install `nosuch`",
    ),
    "exception": (
        "from sojourn import action\n\ndef f():\n    return {}['x']\nf()\n",
        4,
        "E112",
        "KeyError: 'x'",
    ),
    "exit": (
        "import sys\nfrom sojourn import action\nsys.exit(1)\n",
        3,
        "E112",
        "ends the process when it is imported",
    ),
    "mistake": (
        "from sojourn import action\n@action.defn(name='a')\nasync def f(x) -> None: ...\n",
        2,
        "E216",
        "`x` of `f` has no type",
    ),
    "killed": ("import os\nfrom sojourn import action\nos._exit(7)\n", 0, "E112", "ended with status 7"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_problems(case: str, tmp_path: Path) -> None:
    """A file that cannot be imported is a problem with its line, and no traceback; nothing else is said of journeys."""
    code, line, expected, text = BROKEN[case]
    write(tmp_path, broken=code)
    (tmp_path / "j.yaml").write_text(
        "event: e\nkey: event.id\n---\njourney: j\nentry: {event: e}\n"
        "steps:\n  a: {action: mail.send, with: {to: x}, on_error: b}\n  b: {end: x}\n"
    )
    (problem,) = load_project(tmp_path).errors
    assert (problem.file, problem.line, problem.code) == ("broken.py", line, expected)
    assert text in str(problem)
    assert "Traceback" not in str(problem)


def test_the_others_are_read_all_the_same(tmp_path: Path) -> None:
    """One broken file hides none of the others."""
    write(tmp_path, broken="from sojourn import action\nimport nosuch\n", fine=send())
    python = read_python(tmp_path)
    assert set(python.texts) == {"fine.py"}
    assert len(python.problems) == 1


def test_an_import_that_never_ends_is_a_problem(tmp_path: Path) -> None:
    """A file may not hold up whoever reads the project."""
    write(tmp_path, slow="import threading\nfrom sojourn import action\nthreading.Event().wait()\n")
    (problem,) = read_python(tmp_path, timeout=3.0).problems
    assert "not imported within 3 seconds" in problem.message
    assert problem.file == "slow.py"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("email", "a module of Python itself"), ("my-actions", "no name of a Python module")],
)
def test_names_that_cannot_be_imported(name: str, expected: str, tmp_path: Path) -> None:
    """A file that would hide a module of Python, or that no import can name, is to be renamed."""
    write(tmp_path, **{name: send()})
    (problem,) = read_python(tmp_path).problems
    assert expected in problem.message
    assert "Rename it" in problem.hint


@pytest.mark.usefixtures("clean_imports")
def test_a_worker_imports_the_functions(tmp_path: Path) -> None:
    """Into its own process: functions once, however many files name them; broken files are problems."""
    write(
        tmp_path,
        loading_one=send("one"),
        loading_two="from sojourn import source\nfrom loading_one import send\n"
        "@source.defn(name='two')\ndef look() -> int:\n    return 2\n",
        loading_bad="from sojourn import action\n1 / 0\n",
    )
    imported = import_project(tmp_path)
    assert [function_of(function).name for function in imported.functions] == ["one", "two"]  # type: ignore[union-attr]
    assert [str(problem) for problem in imported.problems] == [
        "loading_bad.py:2:1: E112 The file loading_bad.py cannot be imported: ZeroDivisionError: division by zero — Mend the line."
    ]
    assert not list(tmp_path.rglob("__pycache__"))


@pytest.mark.usefixtures("clean_imports")
def test_a_file_in_the_place_of_another_module_is_refused(tmp_path: Path) -> None:
    """Where a module of that name is loaded already, the file is not taken for it."""
    write(tmp_path, pytest=send())
    (problem,) = import_project(tmp_path).problems
    assert "Another module is named `pytest`" in problem.message


@pytest.mark.usefixtures("clean_imports")
def test_installed_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker also takes functions from modules by name."""
    write(tmp_path, loading_package__actions=send())
    monkeypatch.syspath_prepend(tmp_path)
    imported = import_modules(["loading_package.actions", "loading_package.nothing"])
    assert [function.__name__ for function in imported.functions] == ["send"]
    assert "loading_package.nothing cannot be imported" in imported.problems[0].message
