"""A kind of step: what the interpreter, the check of compiled definitions and moves between versions ask of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sojourn.definitions.compiled import CompiledStep
from sojourn.workflows.engine.instance import Instance


@dataclass(frozen=True, slots=True)
class Passed:
    """The result of a step.

    Attributes:
        result: The result in a few words, for the trace, without a customer's data.
        following: The next step; None if the journey ends.
        text: The text of the `end` step.
    """

    result: str
    following: str | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The reason why an instance cannot be moved to another version.

    Attributes:
        code: `already`, `ended`, `busy`, `not_waiting`, `step`, `events`, `timeout`, `result`, `lifetime`, `too_large`
            or `invalid`.
        message: The reason in plain words, without a customer's data.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wait at which an instance is, and the step of the same name in another version.

    Attributes:
        name: The step's id.
        old: The step in the version that the instance runs.
        new: The step in the other version, of the same kind.
        version: The other version.
    """

    name: str
    old: CompiledStep
    new: CompiledStep
    version: int


def _nothing(step: CompiledStep) -> None:
    """Check nothing."""


def _movable(waiting: Waiting) -> Obstacle | None:
    return None


@dataclass(frozen=True, slots=True)
class StepKind:
    """A kind of step.

    Attributes:
        run: Does a step of an instance that is at it, and returns the result. Raises `StepError` if the step fails.
        fields: The fields that a compiled step must have.
        check: Checks what is particular to the kind. Raises `ValueError`, `TypeError` or `KeyError`.
        can_move: Returns why an instance that waits at such a step cannot go on in another version, or None.
    """

    run: Callable[[CompiledStep, Instance], Awaitable[Passed]]
    fields: tuple[str, ...]
    check: Callable[[CompiledStep], None] = _nothing
    can_move: Callable[[Waiting], Obstacle | None] = _movable


def place(instance: Instance, field: str) -> str:
    """Return the place of a field of the step at which an instance is, for errors, such as `steps.remind.with`."""
    return f"steps.{instance.position.step}.{field}"
