"""How an instance's run can end, and what goes wrong in a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an instance.

    Attributes:
        outcome: `completed`, `exited`, `timed_out`, `failed` or `stopped` (DESIGN.md, section 4, point 10).
        text: The text of the `end` step, the exit criterion, or what went wrong; nothing where steps ran out.
        error: What `failed`: `{step, code, status, message}`.
    """

    outcome: str
    text: str | None = None
    error: dict[str, Any] | None = None


class StepError(Exception):
    """A step could not do its work: the instance takes the step's error path, or fails.

    Attributes:
        code: One of the codes of DESIGN.md, section 3.
        message: What went wrong, without a customer's data.
        status: The HTTP status, where one was answered.
        body: The body of the answer, where there was one.
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
