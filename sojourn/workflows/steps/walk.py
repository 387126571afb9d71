"""A walk over a compiled step: where it leads, its conditions, and its templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sojourn.workflows.steps.kind import CompiledStep


def paths(step: CompiledStep) -> list[dict[str, Any]]:
    """Return the parts of a step that lead to a step of their own: its events, its branches, its timeout."""
    timeout = step.get("timeout")
    return [*step.get("events", ()), *step.get("branches", ()), *([timeout] if timeout else ())]


def targets(step: CompiledStep) -> Iterator[str]:
    """Return the steps to which a step may lead."""
    ways = [path["next"] for path in paths(step)] + [
        step.get(field) for field in ("next", "else", "on_error")
    ]
    return (way for way in ways if way is not None)


def conditions(step: CompiledStep) -> Iterator[str]:
    """Return the conditions of a step's events and branches."""
    return (path["when"] for path in paths(step) if path.get("when") is not None)


def templates(step: CompiledStep, fields: tuple[str, ...]) -> Iterator[Any]:
    """Return the templates of a step.

    Args:
        step: The step.
        fields: The fields that hold templates in its kind; one may be missing.
    """
    yield from (step[field] for field in fields if step.get(field) is not None)
    yield from (path["after"] for path in paths(step) if path is step.get("timeout"))
