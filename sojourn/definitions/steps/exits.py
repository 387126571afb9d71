"""Exits of a step: the ways that lead out of it."""

from __future__ import annotations

from typing import NamedTuple

from sojourn.definitions.problems import Path


class Exit(NamedTuple):
    """One way out of a step.

    Attributes:
        target: The next step; None if the journey ends.
        path: The place in the step's document that names the target; empty if the next written step follows.
        what: What takes this way, for people.
    """

    target: str | None
    path: Path
    what: str


def branch(target: str | None, onward: Exit, path: Path, what: str) -> Exit:
    """Return the exit of a branch, which leads where the step leads unless it names a target of its own.

    Args:
        target: The branch's own target, if it has one.
        onward: The exit of the step.
        path: The place of the branch's target in the step's document.
        what: What takes the branch.
    """
    return Exit(target, path, what) if target else Exit(onward.target, onward.path, what)


def otherwise(target: str | None) -> Exit:
    """Return the exit of `else`."""
    return Exit(target, ("else",) if target else (), "else")


def on_error(target: str | None) -> list[Exit]:
    """Return the exit of `on_error`, if the step has one."""
    return [Exit(target, ("on_error",), "on error")] if target else []
