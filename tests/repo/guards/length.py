"""The length of Python files."""

from __future__ import annotations

from tests.repo.tree import files, shown

LONGEST = 400
"""Most lines of a Python file."""


def long_files() -> dict[str, str]:
    """Return the Python files above the limit, each with a message."""
    found = {}
    for path in files():
        if path.suffix == ".py":
            lines = len(path.read_text("utf-8").splitlines())
            if lines > LONGEST:
                found[shown(path)] = (
                    f"{shown(path)} has {lines} lines, {LONGEST} are allowed: make a folder named for the concept"
                )
    return found
