"""Endings of an instance, and the errors that lead to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an instance.

    Attributes:
        outcome: `completed`, `exited`, `timed_out`, `failed` or `stopped` (DESIGN.md, section 4, point 10).
        text: The text of the `end` step, the exit criterion, or what went wrong; None if the steps ran out.
        error: The error if the outcome is `failed`: `{step, code, status, message}`.
    """

    outcome: str
    text: str | None = None
    error: dict[str, Any] | None = None


class StepError(Exception):
    """A step failed: the instance takes the step's error path, or fails.

    Attributes:
        code: One of the codes of DESIGN.md, section 3.
        message: What went wrong, without a customer's data.
        status: The HTTP status, if the server answered.
        body: The body of the answer, if there was one.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, body: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.body = body

    def describe(self, step: str) -> dict[str, Any]:
        """Return the error as `journey.last_error` shows it."""
        return {
            "step": step,
            "code": self.code,
            "status": self.status,
            "message": self.message,
            "body": self.body,
        }


class TooManyVisits(StepError):
    """The instance came to a step more often than its journey allows: it goes around in a circle.

    No error path is taken, because it could be part of the circle.
    """

    def __init__(self, most: int) -> None:
        super().__init__("refused", f"this step was visited more than {most} times in one instance")


class TimedOut(Exception):
    """The instance reached the end of the time that its journey allows."""


def failed(step: str, error: StepError) -> Ending:
    """Return the ending of an instance that fails at a step.

    Args:
        step: The step's id.
        error: The step's error. Its body is left out: it may hold a customer's data.
    """
    described = {"step": step, "code": error.code, "status": error.status, "message": error.message}
    return Ending("failed", error.message, described)


def timed_out() -> Ending:
    """Return the ending of an instance that reached the end of its time."""
    return Ending("timed_out", "the journey's timeout")
