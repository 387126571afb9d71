"""A throttled call that waited too long for its turn, so that no activity ran."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, TimeoutType
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from sojourn.contract import names
from sojourn.workflows.engine.endings import StepError
from sojourn.workflows.throttling.queued_call import QueuedCall


def expired(endpoint: str, error: FailureError, call: QueuedCall | None) -> StepError | None:
    """Return the step's error if a call waited too long for its turn; None for any other failure.

    Args:
        endpoint: The endpoint's name.
        error: The failure of the activity.
        call: How the call queued; None if it did not.
    """
    cause = error.cause if isinstance(error, ActivityError) else None
    if (
        call is None
        or not isinstance(cause, TemporalTimeoutError)
        or cause.type != TimeoutType.SCHEDULE_TO_START
    ):
        return None
    message = f"{endpoint}: the call waited longer than {call.expire:g} s for its turn"
    before = cause.cause
    if isinstance(before, ApplicationError) and before.type == names.ERROR_CALL and before.details:
        failure = before.details[0]
        message += f", after {failure.get('code')} at the attempt before"
        return StepError("expired", message, status=failure.get("status"), body=failure.get("body"))
    return StepError("expired", message)


def report(request: dict[str, Any], late: StepError, error: FailureError) -> None:
    """Report an expired call to the worker's operators: no activity knows of it. It leaves nothing in the history.

    Args:
        request: The activity's input.
        late: The step's error.
        error: The failure of the activity.
    """
    outside = workflow.extern_functions().get(names.EXTERN_EXPIRED)
    if outside is not None and not workflow.unsafe.is_replaying():
        place = {name: request[name] for name in ("endpoint", "journey", "step")}
        before = error.cause.__cause__ if error.cause else None
        outside(place, late.message, late.status, isinstance(before, ApplicationError))
