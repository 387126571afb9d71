"""What a Python journey can be told, and what it can ask for, by exceptions."""

from __future__ import annotations

from typing import Any

from sojourn.workflows.engine.endings import Ending, StepError, failed


class CallError(Exception):
    """A fetch, an action, a jump or a write to the profile failed for good.

    Not caught, it ends the instance as failed, as a step without `on_error` does in YAML.

    Attributes:
        step: The step that failed.
        code: `http_<status>`, `timed_out`, `capped`, `expired`, `network`, `invalid_response`, `expression` or
            `refused`.
        message: What went wrong, without a customer's data.
        status: The HTTP status, where one was answered.
        body: The body of the answer, where there was one.
    """

    def __init__(self, step: str, error: StepError) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.step = step
        self.code = error.code
        self.message = error.message
        self.status = error.status
        self.body: Any = error.body

    def ending(self) -> Ending:
        """Return how an instance ends that does not catch it."""
        return failed(self.step, StepError(self.code, self.message, status=self.status))


class JourneyError(Exception):
    """A journey's code breaks a rule. The text says which, and what to write instead."""


class Exit(BaseException):
    """Ends the instance here. Not an `Exception`, so that no `except Exception` of a journey stops it.

    Attributes:
        ending: How it ends.
    """

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending
