"""What an activity's failure means to the step that waited for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from sojourn.contract import names
from sojourn.workflows.engine.endings import StepError


def is_cancelled() -> bool:
    """Say whether an exit or a cancellation came while an activity ran.

    Where its answer reaches the instance in the same workflow task, the SDK hands out the answer and forgets the
    cancellation: the instance would go on, and call out, behind its end.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def lacks_function(error: FailureError) -> bool:
    """Say whether an activity failed because its worker has not the Python function of the call."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if not isinstance(cause, ApplicationError) or cause.type != names.ERROR_CALL or not cause.details:
        return False
    failure = cause.details[0]
    return isinstance(failure, dict) and failure.get("code") == names.MISSING_FUNCTION


def step_error(what: str, error: FailureError, window: timedelta) -> StepError:
    """Return the error of the step that waited for an activity.

    Args:
        what: What was called, such as an endpoint's name.
        error: What the SDK raised.
        window: How long the call could take.

    Raises:
        asyncio.CancelledError: The activity did not fail: it was cancelled with the instance.
    """
    if is_cancelled_exception(error) or is_cancelled():
        raise asyncio.CancelledError from error
    # The SDK hands out the failure of a local activity as it is, that of another one wrapped.
    cause = (error.cause if isinstance(error, ActivityError) else error) or error
    if isinstance(cause, ApplicationError):
        failure = cause.details[0] if cause.details else None
        if cause.type == names.ERROR_CALL and isinstance(failure, dict):
            return StepError(
                failure.get("code", "network"),
                failure.get("message", ""),
                status=failure.get("status"),
                body=failure.get("body"),
            )
        # Its message may quote a customer's data; the history has it, for those who may read it.
        return StepError(
            "network", f"{what}: the call failed inside the worker with {cause.type}; see the history"
        )
    if isinstance(cause, TemporalTimeoutError):
        return StepError("timed_out", f"{what}: no answer within {window.total_seconds():g} s")
    return StepError("network", f"{what}: {cause}")
