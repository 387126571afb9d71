"""Failures of activities, as errors of the step that waited for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from sojourn.contract import names
from sojourn.workflows.engine.endings import StepError


def is_cancelled() -> bool:
    """Return whether an exit or a cancellation came while an activity ran.

    If the activity's result comes in the same workflow task, the SDK returns the result and forgets the cancellation.
    The instance would go on, and make calls, after its end.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def lacks_function(error: FailureError) -> bool:
    """Return whether an activity failed because its worker does not have the call's Python function."""
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
        window: The longest time of the call.

    Raises:
        asyncio.CancelledError: The activity did not fail, but was cancelled with the instance.
    """
    if is_cancelled_exception(error) or is_cancelled():
        raise asyncio.CancelledError from error
    # The SDK raises the failure of a local activity as it is, but wraps that of a regular one.
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
        # The message may quote a customer's data. It is in the history, for those who may read that.
        return StepError(
            "network", f"{what}: the call failed inside the worker with {cause.type}; see the history"
        )
    if isinstance(cause, TemporalTimeoutError):
        return StepError("timed_out", f"{what}: no answer within {window.total_seconds():g} s")
    return StepError("network", f"{what}: {cause}")
