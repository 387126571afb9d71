"""The compiled journey: its type, and the only code that walks it.

A compiled journey is plain JSON, described in `docs/reference/definitions.md`. Its steps are dictionaries with `kind`,
`label` and the fields that the kind's `compile` returns. What leads on, what is a condition and what holds templates is
asked here, so that a new kind of step needs no list of fields elsewhere. Workflow code uses this module too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypedDict

from sojourn.definitions.steps import KINDS
from sojourn.expressions import Expression, compile_template
from sojourn.expressions import compile as compile_expression

CompiledStep = Mapping[str, Any]
"""A step of a compiled journey."""


class CompiledJourney(TypedDict, total=False):
    """A compiled journey: durations are seconds, expressions text, and templates JSON with `${...}` in its texts."""

    format: int
    version: int
    name: str
    description: str | None
    timezone: str
    timeout: float
    call_timeout: float
    max_visits: int
    max_pending: int
    max_wait: float
    entry: dict[str, Any]
    reentry: dict[str, Any]
    start: str | None
    end: str | None
    exit_when: list[dict[str, Any]]
    listens: list[str]
    uses_since_entry: bool
    first: str | None
    endpoints: dict[str, dict[str, Any]]
    steps: dict[str, dict[str, Any]]
    profile: dict[str, Any]
    workflow: str
    jumps: list[str]


DERIVED = frozenset(
    {
        "format",
        "version",
        "name",
        "listens",
        "uses_since_entry",
        "endpoints",
        "profile",
        "max_visits",
        "max_pending",
    }
)
"""Fields that follow from the rest, or are no part of a version: endpoints are live by name."""

DURATIONS = frozenset({"after", "for", "timeout", "call_timeout", "max_wait"})
"""Names of fields that hold seconds, if they hold a number."""


def paths(step: CompiledStep) -> list[dict[str, Any]]:
    """Return the parts of a step that lead to a step of their own: its events, its branches, its timeout."""
    timeout = step.get("timeout")
    return [*step.get("events", ()), *step.get("branches", ()), *([timeout] if timeout else ())]


def targets(step: CompiledStep) -> Iterator[str]:
    """Yield the steps to which a step may lead."""
    fields = (step.get(field) for field in ("next", "else", "on_error"))
    ways = [*(path["next"] for path in paths(step)), *fields]
    yield from (way for way in ways if way is not None)


def conditions(step: CompiledStep) -> Iterator[str]:
    """Yield the conditions of a step's events and branches."""
    yield from (path["when"] for path in paths(step) if path.get("when") is not None)


def templates(step: CompiledStep) -> Iterator[Any]:
    """Yield the templates of a step.

    Args:
        step: A step whose `kind` is known.
    """
    fields = KINDS[step["kind"]].templates
    yield from (step[field] for field in fields if step.get(field) is not None)
    yield from (path["after"] for path in paths(step) if path is step.get("timeout"))


def waits(step: CompiledStep) -> bool:
    """Return whether an instance may wait at a step, for events or for time; an unknown kind does not."""
    kind = KINDS.get(step.get("kind", ""))
    return kind is not None and kind.waits


def jump_targets(journey: Mapping[str, Any]) -> list[str]:
    """Return the journeys to which a compiled journey jumps, each once."""
    steps: Mapping[str, CompiledStep] = journey.get("steps", {})
    found = [str(step["journey"]) for step in steps.values() if step["kind"] == "jump"]
    return list(dict.fromkeys([*found, *journey.get("jumps", ())]))


def step_expressions(step: CompiledStep) -> Iterator[Expression]:
    """Yield the expressions of a step: its conditions, and those in its templates.

    Raises:
        ValueError: One does not compile; those of a checked journey do.
    """
    for condition in conditions(step):
        yield compile_expression(condition)
    for template in templates(step):
        yield from (expression for _, expression in compile_template(template).expressions)


def expressions(journey: Mapping[str, Any]) -> Iterator[Expression]:
    """Yield all expressions of a compiled journey.

    Raises:
        ValueError: One does not compile; those of a checked journey do.
    """
    for criterion in journey["exit_when"]:
        if criterion["when"] is not None:
            yield compile_expression(criterion["when"])
    yield from (expression for _, expression in compile_template(journey["timezone"]).expressions)
    for step in journey["steps"].values():
        yield from step_expressions(step)
