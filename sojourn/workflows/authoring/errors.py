"""Exceptions of Python journeys: errors of steps, mistakes in the code, and the way out."""

from __future__ import annotations

from typing import Any

from sojourn.workflows.engine.endings import Ending, StepError, failed


class CallError(Exception):
    """A fetch, an action, a jump or a write to the profile failed for good.

    If it is not caught, the instance fails, as with a step without `on_error` in YAML.

    Attributes:
        step: The step that failed.
        code: `http_<status>`, `timed_out`, `capped`, `expired`, `network`, `invalid_response`, `expression` or
            `refused`.
        message: What went wrong, without a customer's data.
        status: The HTTP status, if the server answered.
        body: The body of the answer, if there was one.
    """

    def __init__(self, step: str, error: StepError) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.step = step
        self.code = error.code
        self.message = error.message
        self.status = error.status
        self.body: Any = error.body

    def ending(self) -> Ending:
        """Return the ending of an instance that does not catch the error."""
        return failed(self.step, StepError(self.code, self.message, status=self.status))


class JourneyError(Exception):
    """A mistake in a journey's code. The message says what to write instead."""


class Exit(BaseException):
    """Ends the instance here. Not an `Exception`, so that no `except Exception` of a journey stops it.

    Attributes:
        ending: How it ends.
    """

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending
