"""What the tests of the repository know about its files."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "sojourn"
LINKS = ("workflows", "activities", "api")

_NOT_OURS = {".git", ".venv", ".cache", ".sojourn", "site", "build", "dist", "sojourn.egg-info"}


@cache
def files() -> list[Path]:
    """Every file of the repository: what git tracks, or all there is where the tree is no clone."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        )
        names = [name for name in listed.stdout.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = []
    if names:
        paths = [ROOT / name for name in names]
    else:
        paths = [path for path in ROOT.rglob("*") if not _NOT_OURS.intersection(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file() and not path.is_symlink())


@cache
def modules() -> dict[str, Path]:
    """Every module of the package as it is on disk, by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = path
    return found


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def shown(path: Path) -> str:
    """A path as messages show it."""
    return str(path.relative_to(ROOT))
