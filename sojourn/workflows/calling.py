"""Calling the world: fetches and actions, as activities."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from sojourn import names
from sojourn.workflows.endings import StepError
from sojourn.workflows.instance import Instance

RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=10),
    maximum_attempts=4,
)
"""The first attempt and up to three retries (DESIGN.md, section 4, point 7). The window in which they must fit is held
by the activity, which also says when a retry is pointless or has to wait longer."""

_GRACE = timedelta(seconds=5)
"""Time beyond the window in which an activity can still report how it ended."""


async def call(instance: Instance, endpoint: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call a data source or an action from the step at which the instance stands.

    Args:
        instance: The instance.
        endpoint: Name of the source or action, as the definition's `endpoints` has it.
        parameters: The parameters' values, plain JSON.

    Returns:
        `{status, body}`.

    Raises:
        StepError: The call failed for good, with one of the codes of DESIGN.md, section 3.
    """
    kind = instance.definition["endpoints"][endpoint]["kind"]
    here = instance.position
    assert here.step is not None
    window = timedelta(seconds=instance.definition.get("call_timeout", 30))
    info = workflow.info()
    request = {
        "endpoint": endpoint,
        "parameters": parameters,
        "journey": instance.definition["name"],
        "step": here.step,
        "window": window.total_seconds(),
        "idempotency_key": names.idempotency_key(
            info.workflow_id, info.first_execution_run_id, here.step, here.visit
        ),
    }
    instance.show(f"{'asks' if kind == 'source' else 'calls'} {endpoint}")
    try:
        result = await _start(instance, kind, request, window)
    except FailureError as error:
        if is_cancelled_exception(error) or _is_cancelled():
            raise asyncio.CancelledError from error
        # The SDK hands out the failure of a local activity as it is, that of another one wrapped.
        cause = error.cause if isinstance(error, ActivityError) else error
        raise _explain(endpoint, cause or error, window) from None
    if _is_cancelled():
        raise asyncio.CancelledError
    if not isinstance(result, dict):
        raise StepError("invalid_response", f"{endpoint}: the worker's activity gave no {{status, body}}")
    return result


def _is_cancelled() -> bool:
    """Say whether an exit or a cancellation came while the activity ran.

    Where its answer reaches the instance in the same workflow task, the SDK hands out the answer and forgets the
    cancellation: the instance would go on, and call out, behind its end.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _start(
    instance: Instance, kind: str, request: dict[str, Any], window: timedelta
) -> workflow.ActivityHandle[Any]:
    here = instance.position
    identity = names.activity_id(str(here.step), here.visit)
    summary = f"{here.step}: {request['endpoint']}"[:190]
    if kind == "source" and instance.start.local_fetch:
        # A look-up may run again after a crash, so the server need not schedule it: one history event, not three.
        return workflow.start_local_activity(
            names.ACTIVITY_FETCH,
            request,
            activity_id=identity,
            summary=summary,
            # Beyond the window as well: the activity ends it, and knows what went wrong before.
            schedule_to_close_timeout=window + _GRACE,
            retry_policy=RETRIES,
        )
    return workflow.start_activity(
        names.ACTIVITY_FETCH if kind == "source" else names.ACTIVITY_ACTION,
        request,
        activity_id=identity,
        summary=summary,
        # No limit from schedule to close: an hour without workers must not expire what was to be sent.
        start_to_close_timeout=window + _GRACE,
        retry_policy=RETRIES,
    )


def _explain(endpoint: str, cause: BaseException, window: timedelta) -> StepError:
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
            "network", f"{endpoint}: the call failed inside the worker with {cause.type}; see the history"
        )
    if isinstance(cause, TemporalTimeoutError):
        seconds = f"{window.total_seconds():g} s"
        return StepError("timed_out", f"{endpoint}: no answer within {seconds}")
    return StepError("network", f"{endpoint}: {cause}")
