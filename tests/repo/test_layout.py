"""The layout of the repository, and what may not be in it."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from pathlib import Path

import pytest

import sojourn
from tests.repo.tree import LINKS, PACKAGE, ROOT, files, modules, shown, tree

# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = [
    f"{name}.{end}"
    for end, names in {
        "org": ("pypi", "files.pythonhosted", "proxy.golang", "deb.debian", "registry.npmjs", "anaconda"),
        "com": ("npmjs", "yarnpkg"),
        "io": ("crates",),
    }.items()
    for name in names
]
MACHINE_PATHS = re.compile(r"(?<![\w.$-])/(?:work|root|Users|home)/(?!you\b)[A-Za-z0-9._-]+")


@pytest.mark.parametrize("name", LINKS)
def test_links_point_into_the_package(name: str) -> None:
    """The three folders at the top are relative links to the package's folders of the same name."""
    link = ROOT / name
    if not link.is_symlink() and link.is_file():
        pytest.skip("this clone has no symbolic links (core.symlinks=false)")
    assert link.is_symlink()
    assert os.readlink(link) == f"sojourn/{name}"
    assert (link / "__init__.py").is_file()


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        ".ci/run",
        "docker/Dockerfile",
        "docs/index.md",
    ],
)
def test_the_files_that_people_look_for_exist(name: str) -> None:
    """What a visitor expects at the top of a repository is there, and is not empty."""
    assert (ROOT / name).stat().st_size > 200


def _texts() -> list[tuple[Path, str]]:
    texts = []
    for path in files():
        data = path.read_bytes()
        if b"\0" not in data:
            texts.append((path, data.decode("utf-8")))
    return texts


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    """Nothing committed says where packages come from, or where somebody's files are."""
    wrong = []
    for path, text in _texts():
        for number, line in enumerate(text.splitlines(), 1):
            if any(host in line for host in REGISTRIES) or MACHINE_PATHS.search(line):
                wrong.append(f"{shown(path)}:{number}: {line.strip()[:120]}")
    assert not wrong, "\n".join(wrong)


def test_texts_are_utf8_with_unix_lines_and_a_last_newline() -> None:
    """Every text file ends its lines the same way; data that is kept as it came is left alone."""
    wrong = [
        shown(path)
        for path, text in _texts()
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".sh"}
        and text
        and ("\r" in text or not text.endswith("\n"))
    ]
    assert not wrong


@pytest.mark.parametrize("module", modules())
def test_public_names_have_docstrings(module: str) -> None:
    """Every public module, class, function and method says what it is for."""
    path = modules()[module]
    missing = [f"{shown(path)}:{line}: {name}" for line, name in _undocumented(tree(path))]
    assert not missing, "\n".join(missing)


def _undocumented(node: ast.Module | ast.ClassDef, prefix: str = "") -> list[tuple[int, str]]:
    missing = []
    if isinstance(node, ast.Module) and node.body and not ast.get_docstring(node):
        missing.append((1, "the module"))
    for child in node.body:
        if not isinstance(
            child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) or child.name.startswith("_"):
            continue
        overload = any(
            isinstance(d, ast.Name) and d.id in {"overload", "override"} for d in child.decorator_list
        )
        if not ast.get_docstring(child) and not overload:
            missing.append((child.lineno, prefix + child.name))
        if isinstance(child, ast.ClassDef):
            missing += _undocumented(child, f"{prefix}{child.name}.")
    return missing


def test_versions_agree() -> None:
    """The package, its metadata and the image say the same version."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert sojourn.__version__ == version
    assert f"SOJOURN_VERSION:-{version}}}" in (ROOT / "docker/compose.yaml").read_text("utf-8")
    assert f"SOJOURN_VERSION={version}\n" in (ROOT / "docker/.env.example").read_text("utf-8")


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    """The first section is Unreleased, and released ones go from new to old."""
    sections = re.findall(
        r"^## (?:\[?)([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE
    )
    assert sections[0] == "Unreleased"
    released = [tuple(int(part) for part in section.split(".")) for section in sections[1:]]
    assert released == sorted(released, reverse=True)


def test_package_is_typed() -> None:
    """The marker that lets type checkers read the package is there."""
    assert (PACKAGE / "py.typed").is_file()
